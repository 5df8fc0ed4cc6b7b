import path from 'node:path';
import { HttpStatus, Injectable } from '@nestjs/common';
import {
  parseImageReference,
  processFiles,
  type FieldError,
  type Image,
  type ImageRole,
  type JobSpec,
} from '@bootlab/lab';
import type { Principal, StagedFile } from '@bootlab/lab/server';
import { ImagesService } from '../images/images.service.js';
import { invalidField, ProblemError } from '../problem/problem.js';

/** One use of an image in a spec: a stored image, a file that came with the request, or one that is still to come. */
export interface ImageUse {
  readonly role: ImageRole;
  readonly position: number;
  /** Path of the reference in the spec. */
  readonly field: string;
  /** As the spec names it. */
  readonly text: string;
  readonly source: { image: Image } | { upload: string; file: StagedFile } | { pending: string };
}

/** A use whose image is in the store. */
export type StoredUse = ImageUse & { readonly source: { image: Image } };

type Reference = Omit<ImageUse, 'source'>;

function referencesOf(spec: JobSpec): Reference[] {
  if (spec.kind === 'process') return processFiles(spec).map(({ reference: text, ...file }) => ({ ...file, text }));
  const { images, steps = [] } = spec;
  const single = (['kernel', 'initrd', 'firmware'] as const).flatMap((role) => {
    const text = images[role];
    return text === undefined ? [] : [{ role, position: 0, field: `images.${role}`, text }];
  });
  const drives = (images.drives ?? []).map((text, position) => ({
    role: 'drive' as const,
    position,
    field: `images.drives[${position}]`,
    text,
  }));
  const uploads = steps.flatMap(({ upload: text }, position) =>
    text === undefined ? [] : [{ role: 'upload' as const, position, field: `steps[${position}].upload`, text }],
  );
  return [...single, ...drives, ...uploads];
}

export interface ResolveOptions {
  readonly files: ReadonlyMap<string, StagedFile>;
  /** Files that the request does not have may still come: it is only looked at. */
  readonly uploadsPending: boolean;
}

/** Finds what the image references of a spec mean. */
@Injectable()
export class JobImages {
  constructor(private readonly images: ImagesService) {}

  /** @returns the uses that were found, and what is wrong with the others */
  async resolve(
    principal: Principal,
    spec: JobSpec,
    options: ResolveOptions,
  ): Promise<{ uses: ImageUse[]; problems: ProblemError[] }> {
    const uses: ImageUse[] = [];
    const problems: ProblemError[] = [];
    for (const reference of referencesOf(spec)) {
      try {
        uses.push({ ...reference, source: await this.sourceOf(principal, reference, options) });
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        problems.push(error);
      }
    }
    return { uses, problems };
  }

  /** Stores the uploads among the uses, each once; what comes back are stored images only, each with its digest. */
  async store(principal: Principal, uses: readonly ImageUse[], stored: Map<string, Image>): Promise<StoredUse[]> {
    const all: StoredUse[] = [];
    for (const use of uses) {
      if ('image' in use.source) all.push({ ...use, source: use.source });
      else if ('file' in use.source) {
        const { upload, file } = use.source;
        const image = stored.get(upload) ?? (await this.images.store(principal, [file]))[0];
        if (!image) throw new Error(`Storing ${upload} gave no image`);
        stored.set(upload, image);
        all.push({ ...use, source: { image } });
      }
    }
    return all;
  }

  /** Where the bytes of a use lie on this host; undefined when they are still to come. */
  async path({ source }: ImageUse): Promise<string | undefined> {
    if ('image' in source) return this.images.localPath(source.image);
    return 'file' in source ? source.file.path : undefined;
  }

  sizeBytes({ source }: ImageUse): number {
    if ('image' in source) return source.image.sizeBytes;
    return 'file' in source ? source.file.sizeBytes : 0;
  }

  sha256({ source }: ImageUse): string {
    if ('image' in source) return source.image.sha256;
    return 'file' in source ? source.file.sha256 : '';
  }

  private async sourceOf(
    principal: Principal,
    { text, field }: Reference,
    { files, uploadsPending }: ResolveOptions,
  ): Promise<ImageUse['source']> {
    const source = parseImageReference(text);
    if (!source) throw invalidField(field, `"${text}" does not name an image`, 'See JobSpec in /api/docs.');
    if (source.kind === 'file') {
      // A job file for `bootlab test`, sent with its files.
      const named = [...files].filter(([, file]) => file.name === path.posix.basename(source.path));
      const [only] = named;
      if (only && named.length === 1) return { upload: only[0], file: only[1] };
      if (uploadsPending) return { pending: text };
      const mend = 'Send the file in the same request, under its name or as upload:<field>.';
      throw invalidField(field, `${text} is a path, and this lab does not see your files`, mend);
    }
    if (source.kind === 'upload') {
      const file = files.get(source.field);
      if (file) return { upload: source.field, file };
      if (uploadsPending) return { pending: source.field };
      throw invalidField(
        field,
        `This request has no file in a field "${source.field}"`,
        `Send a multipart form with the job in the field "spec" and the file in the field "${source.field}".`,
      );
    }
    const image = await this.images.resolve(principal, source);
    if (image) return { image };
    const mend =
      source.kind === 'builtin'
        ? `Built-in images are: ${this.images.builtinNames().join(', ') || 'none'}.`
        : 'Upload it first (POST /api/v1/images), or in the same request with upload:<field>.';
    throw invalidField(field, `There is no image ${text}`, mend, HttpStatus.UNPROCESSABLE_ENTITY);
  }
}

/** Files of a request that no job of it uses: most likely a name was mistyped. */
export function unusedFiles(uses: readonly ImageUse[], files: ReadonlyMap<string, StagedFile>): FieldError[] {
  const used = new Set(uses.flatMap(({ source }) => ('upload' in source ? [source.upload] : [])));
  return [...files.keys()]
    .filter((field) => !used.has(field))
    .map((field) => ({
      field,
      message: 'The spec does not use this file',
      mend: `Name it as upload:${field} in images, or leave it out.`,
    }));
}
