import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { MultipartReader, type MultipartForm } from '../images/multipart.js';
import { invalidField } from '../problem/problem.js';

export interface Submission {
  /** Not validated yet. */
  spec: unknown;
  files: MultipartForm['files'];
  /** Drops uploaded files that were not taken into the store. */
  discard(): Promise<void>;
}

const SPEC_FIELD = 'spec';

/** Reads a job submission in either of its two forms: JSON, or a multipart form with files. */
@Injectable()
export class SubmissionReader {
  constructor(private readonly multipart: MultipartReader) {}

  async read(request: FastifyRequest): Promise<Submission> {
    if (!request.isMultipart()) {
      return { spec: request.body ?? {}, files: new Map(), discard: () => Promise.resolve() };
    }
    const form = await this.multipart.read(request);
    try {
      return { spec: this.spec(form), files: form.files, discard: () => this.multipart.discard(form) };
    } catch (error) {
      await this.multipart.discard(form);
      throw error;
    }
  }

  private spec(form: MultipartForm): unknown {
    const [unknown] = [...form.fields.keys()].filter((field) => field !== SPEC_FIELD);
    if (unknown !== undefined) {
      throw invalidField(unknown, 'Unknown field', `The form has the field "${SPEC_FIELD}" and files, nothing else.`);
    }
    const text = form.fields.get(SPEC_FIELD);
    if (text === undefined) {
      throw invalidField(SPEC_FIELD, 'The form has no job spec', `Send the spec as JSON in the field "${SPEC_FIELD}".`);
    }
    try {
      return JSON.parse(text);
    } catch (error) {
      throw invalidField(SPEC_FIELD, `Not JSON: ${error instanceof Error ? error.message : ''}`, 'Correct the JSON.');
    }
  }
}
