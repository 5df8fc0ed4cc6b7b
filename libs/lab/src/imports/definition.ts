import { LineCounter, parseDocument } from 'yaml';
import type { FieldError } from '../problem.js';
import { expandJob, readJobFile, type JobFileOptions, type JobFileResult } from '../spec/job-file.js';
import { importLavaJob } from './lava.js';

/** How a definition is written. `json` is read as such, so that a slip of YAML's does not pass for it. */
export const DEFINITION_FORMATS = ['yaml', 'json', 'lava'] as const;
export type DefinitionFormat = (typeof DEFINITION_FORMATS)[number];

export type DefinitionResult = JobFileResult & {
  /** What an import did in another way than it was written. */
  readonly notes: readonly string[];
};

/** Reads what somebody wants to run into jobs: our own job file, or another lab's. Errors have line and column. */
export function readDefinition(text: string, format: DefinitionFormat, options: JobFileOptions = {}): DefinitionResult {
  switch (format) {
    case 'yaml':
      return { ...readJobFile(text, options), notes: [] };
    case 'json':
      return { ...readJson(text, options), notes: [] };
    case 'lava': {
      const { job, unsupported, notes } = importLavaJob(text);
      if (unsupported.length > 0) return { ok: false, errors: [...unsupported], notes };
      return { ...expandJob(job, options), notes };
    }
  }
}

/** JSON needs no YAML parser, which is a hundred times slower, except to say where an error stands. */
function readJson(text: string, options: JobFileOptions): JobFileResult {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // What is nested too deeply, or too long, is no matter of syntax.
    const read = readJobFile(text, options);
    if (!read.ok && read.errors.some(({ line }) => line === undefined)) return read;
    return { ok: false, errors: [jsonError(text, error instanceof Error ? error.message : String(error))] };
  }
  const result = expandJob(value, options);
  if (!result.ok) return readJobFile(text, options);
  const locate = (error: FieldError): FieldError => {
    const located = readJobFile(text, options);
    return located.ok ? located.locate(error) : error;
  };
  return { ...result, locate };
}

/** V8 does not always say where; YAML's parser does, which takes words without quotes for mistakes in this schema. */
function jsonError(text: string, message: string): FieldError {
  const error = { field: 'body', message: `Not JSON: ${message}`, mend: 'Correct it here, or send it as YAML.' };
  const lines = new LineCounter();
  const [problem] = parseDocument(text, { schema: 'json', lineCounter: lines, prettyErrors: false }).errors;
  if (!problem) return error;
  const { line, col } = lines.linePos(problem.pos[0]);
  return { ...error, line, column: col };
}
