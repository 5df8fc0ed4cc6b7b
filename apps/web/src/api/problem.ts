// problem+json (RFC 9457) as the lab sends it: a title, a detail, and for bad input one entry per field with its mend.
import type { FieldError, Problem } from './types.js';

export class ApiError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail === '' ? problem.title : problem.detail);
    this.name = 'ApiError';
    this.problem = problem;
  }

  get status(): number {
    return this.problem.status;
  }
}

/** The lab could not be reached at all: no answer, so no status. */
export class UnreachableError extends Error {
  constructor() {
    super('The lab does not answer. Is it running, and is this machine online?');
    this.name = 'UnreachableError';
  }
}

/** The problem in an answer that is no success; a proxy in between may have answered without problem+json. */
export function parseProblem(status: number, statusText: string, body: string): Problem {
  const title = statusText === '' ? `HTTP ${status}` : statusText;
  const plain: Problem = { type: 'about:blank', title, status, detail: title, errors: [] };
  try {
    const parsed = JSON.parse(body) as Partial<Problem> | null;
    return { ...plain, ...parsed, status };
  } catch {
    return plain;
  }
}

/** What the lab says is wrong, field by field; nothing where it was not the lab that failed, or not at a field. */
export const errorsIn = (error: unknown): readonly FieldError[] =>
  error instanceof ApiError ? error.problem.errors : [];

/** Does an error at `path` (`steps[0].expect`) belong to the form field `field` (`steps`), or to a member of it? */
function belongsTo(path: string, field: string): boolean {
  return path === field || path.startsWith(`${field}.`) || path.startsWith(`${field}[`);
}

export function errorsOfField(errors: readonly FieldError[], field: string): FieldError[] {
  return errors.filter((error) => belongsTo(error.field, field));
}

/** The errors that no field of the form shows; they go to its head. */
export function errorsElsewhere(errors: readonly FieldError[], shownFields: readonly string[]): FieldError[] {
  return errors.filter((error) => !shownFields.some((field) => belongsTo(error.field, field)));
}
