import type { MultipartFile } from '@fastify/multipart';
import { Inject, Injectable } from '@nestjs/common';
import { formatSize } from '@bootlab/lab';
import { FileTooLargeError, ImageStore, type StagedFile } from '@bootlab/lab/server';
import type { FastifyRequest } from 'fastify';
import { CONFIG, type LabConfig } from '../config.token.js';
import { invalidField } from '../problem/problem.js';

export interface MultipartForm {
  fields: Map<string, string>;
  files: Map<string, StagedFile>;
}

const MAX_FILES = 16;
const MAX_FIELD_BYTES = 8 * 2 ** 20;
const MAX_NAME_LENGTH = 200;

const MEND = 'Send multipart/form-data as RFC 7578 has it; any HTTP client can.';

/** What the parser says of forms it cannot read are plain Errors; whatever has a code is something else. */
const isMalformed = (error: unknown): error is Error =>
  error instanceof Error && error.constructor === Error && !('code' in error) && !('statusCode' in error);

/** Reads multipart forms: files go to the staging folder as they arrive, never into memory. */
@Injectable()
export class MultipartReader {
  constructor(
    private readonly images: ImageStore,
    @Inject(CONFIG) private readonly config: LabConfig,
  ) {}

  async read(request: FastifyRequest): Promise<MultipartForm> {
    const form: MultipartForm = { fields: new Map(), files: new Map() };
    const limits = { fileSize: Infinity, files: MAX_FILES, fieldSize: MAX_FIELD_BYTES };
    try {
      for await (const part of request.parts({ limits })) {
        // A part without a name has none at all, whatever the library's types say.
        if ((part.fieldname as string | undefined) === undefined || part.fieldname === '') {
          throw invalidField('body', 'A part of the form has no name', 'Give each part a name.');
        }
        if (form.fields.has(part.fieldname) || form.files.has(part.fieldname)) {
          throw invalidField(part.fieldname, 'This field comes twice', 'Give each part a name of its own.');
        }
        if (part.type === 'file') {
          form.files.set(part.fieldname, await this.stage(part));
        } else {
          form.fields.set(part.fieldname, String(part.value));
        }
      }
      return form;
    } catch (error) {
      await this.discard(form);
      throw isMalformed(error) ? invalidField('body', `The form is malformed: ${error.message}`, MEND) : error;
    }
  }

  /** Drops the files that were not taken into the store. */
  async discard(form: MultipartForm): Promise<void> {
    await Promise.all([...form.files.values()].map((file) => this.images.discard(file)));
  }

  private async stage(part: MultipartFile): Promise<StagedFile> {
    try {
      return await this.images.stage(part.file, fileNameOf(part), this.config.maxUploadBytes);
    } catch (error) {
      if (!(error instanceof FileTooLargeError)) throw error;
      throw invalidField(
        part.fieldname,
        `The file is larger than this lab takes (${formatSize(error.limitBytes)})`,
        'Upload a smaller file, or raise BOOTLAB_MAX_UPLOAD where the lab runs.',
        413,
      );
    }
  }
}

/** The name without what no name has; never more than file systems take. Where files lie has nothing to do with it. */
function fileNameOf({ filename, fieldname }: MultipartFile): string {
  const name = filename.replace(/[\p{Cc}/\\]/gu, '').slice(0, MAX_NAME_LENGTH);
  return name === '' || name === '.' || name === '..' ? fieldname : name;
}
