import { HttpStatus } from '@nestjs/common';
import type { ConfigError } from '@bootlab/emulator';
import type { QuotaExceededError } from '@bootlab/lab/server';
import { fieldErrorOfConfig, fieldErrorsOf, type FieldError, type Problem } from '@bootlab/lab';
import type { z } from 'zod';

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Not signed in',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'Too slow',
  409: 'Conflict',
  410: 'Gone',
  412: 'Precondition failed',
  413: 'Too large',
  415: 'Unsupported media type',
  416: 'No such part',
  422: 'The job cannot run',
  429: 'Too much at once',
  431: 'Headers too large',
  500: 'Internal error',
  503: 'Not ready',
};

/** An error that a client can act on; the filter sends it as application/problem+json. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';

  constructor(
    readonly status: number,
    detail: string,
    readonly errors: readonly FieldError[] = [],
    /** Further headers of the answer. */
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
  }

  toProblem(): Problem {
    return problemOf(this.status, this.message, this.errors);
  }
}

export function problemOf(status: number, detail: string, errors: readonly FieldError[] = []): Problem {
  return { type: 'about:blank', title: TITLES[status] ?? 'Error', status, detail, errors: [...errors] };
}

/** A problem whose detail sums up its field errors. */
export function invalidFields(errors: readonly FieldError[], status: number = HttpStatus.BAD_REQUEST): ProblemError {
  const [first] = errors;
  const rest = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return new ProblemError(status, first ? `${first.field}: ${first.message}${rest}` : 'Invalid input', errors);
}

export function invalidField(field: string, message: string, mend: string, status?: number): ProblemError {
  return invalidFields([{ field, message, mend }], status);
}

export function notFound(what: string): ProblemError {
  return new ProblemError(HttpStatus.NOT_FOUND, `There is no ${what}`);
}

/** Parses with a schema or throws the field errors as a problem. */
export function parsedWith<S extends z.ZodType>(schema: S, value: unknown, root = ''): z.output<S> {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw invalidFields(fieldErrorsOf(parsed.error, root));
  return parsed.data;
}

/** What the emulator found wrong with a configuration, in the words of the job spec. */
export function problemOfConfig(error: ConfigError): ProblemError {
  return invalidFields([fieldErrorOfConfig(error)], HttpStatus.UNPROCESSABLE_ENTITY);
}

/** What a project may not use any more, and who can change that. */
export function problemOfQuota(error: QuotaExceededError): ProblemError {
  const [status, mend] =
    error.quota === 'cpuSeconds'
      ? [HttpStatus.TOO_MANY_REQUESTS, 'Wait until older runs leave the period, or ask an operator for more.']
      : [HttpStatus.PAYLOAD_TOO_LARGE, 'Remove images or jobs that nobody needs, or ask an operator for more.'];
  return invalidField(`quota.${error.quota}`, error.message, mend, status);
}
