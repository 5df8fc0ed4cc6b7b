import { readFileSync } from 'node:fs';
import type { FieldError } from '@bootlab/lab';
import { UsageError } from './exit-codes.js';

/** @throws UsageError */
export function readJobText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const problem = (error as Error).message; // readFileSync throws nothing but Errors
    throw new UsageError(`cannot read the job file: ${problem}. Name a YAML or JSON file.`);
  }
}

/** What is wrong with a job file, a line each, with the place in the file where it is known. */
export function jobFileError(file: string, errors: readonly FieldError[]): UsageError {
  const lines = errors.map(({ field, message, mend, line, column }) => {
    const place = line === undefined ? file : `${file}:${line}:${column}`;
    return `${place}: ${field === 'body' ? '' : `${field}: `}${message.replace(/\.$/, '')}. ${mend}`;
  });
  return new UsageError(lines.join('\nbootlab: '));
}
