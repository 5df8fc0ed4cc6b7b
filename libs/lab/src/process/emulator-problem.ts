import type { FieldError } from '../problem.js';

/**
 * What a person can mend of a job: the emulator's ConfigError, with a job's fields in place of the command line's options.
 * @returns undefined for every other error
 */
export function emulatorProblem(error: unknown): FieldError | undefined {
  if (!(error instanceof Error) || !('field' in error) || !('problem' in error) || !('mend' in error)) return undefined;
  const inJobTerms = (text: unknown): string =>
    String(text)
      .replace(/--root( DIR)?/g, 'root')
      .replace(/--arch/g, 'arch');
  return { field: String(error.field), message: inJobTerms(error.problem), mend: `${inJobTerms(error.mend)}.` };
}
