import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { DefinitionFormat } from '@bootlab/lab';
import type { FastifyRequest } from 'fastify';
import { MultipartReader, type MultipartForm } from '../images/multipart.js';
import { invalidField } from '../problem/problem.js';

export interface Submission {
  /** Not validated yet. */
  readonly text: string;
  readonly format: DefinitionFormat;
  readonly files: MultipartForm['files'];
  /** Drops uploaded files that were not taken into the store. */
  discard(): Promise<void>;
}

/** Content types of job definitions, and how each is read. `application/x-lava+yaml` is a LAVA job definition. */
export const DEFINITION_TYPES: Readonly<Record<string, DefinitionFormat>> = {
  'application/json': 'json',
  'application/yaml': 'yaml',
  'application/x-yaml': 'yaml',
  'text/yaml': 'yaml',
  'text/x-yaml': 'yaml',
  'application/x-lava+yaml': 'lava',
};

/** Fields of a form that may hold the definition. */
const FORM_FIELDS: Readonly<Record<string, DefinitionFormat>> = { spec: 'yaml', lava: 'lava' };

/** Reads a submission in any of its forms: a body that is the definition, or a multipart form with files. */
@Injectable()
export class SubmissionReader {
  constructor(private readonly multipart: MultipartReader) {}

  async read(request: FastifyRequest): Promise<Submission> {
    if (!request.isMultipart()) {
      const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
      const text = typeof request.body === 'string' ? request.body : '';
      return { text, format: DEFINITION_TYPES[type] ?? 'json', files: new Map(), discard: () => Promise.resolve() };
    }
    const form = await this.multipart.read(request);
    try {
      return { ...definitionIn(form), files: form.files, discard: () => this.multipart.discard(form) };
    } catch (error) {
      await this.multipart.discard(form);
      throw error;
    }
  }
}

function definitionIn({ fields }: MultipartForm): Pick<Submission, 'text' | 'format'> {
  const [unknown] = [...fields.keys()].filter((field) => !Object.hasOwn(FORM_FIELDS, field));
  if (unknown !== undefined) {
    throw invalidField(unknown, 'Unknown field', 'The form has the field "spec" (or "lava") and files, nothing else.');
  }
  const [first, second] = [...fields];
  if (!first) {
    throw invalidField('spec', 'The form has no job', 'Send the job as YAML or JSON in the field "spec".');
  }
  if (second) throw invalidField(second[0], 'The form has two jobs', 'Send either "spec" or "lava".');
  const [field, text] = first;
  // JSON is read as such, which is quicker, when it looks like it; YAML would accept it too.
  const format = FORM_FIELDS[field] ?? 'yaml';
  return { text, format: format === 'yaml' && /^\s*\{/.test(text) && isJson(text) ? 'json' : format };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A digest of what a client asks for: the same for the same request, whatever the order of its files. */
export function fingerprintOf({ text, format, files }: Submission): string {
  const hash = createHash('sha256').update(`${format}\n${Buffer.byteLength(text)}\n${text}`);
  for (const [field, { sha256 }] of [...files].sort(([a], [b]) => (a < b ? -1 : 1)))
    hash.update(`\n${field} ${sha256}`);
  return hash.digest('hex');
}
