import type { LoggerService } from '@nestjs/common';
import type { Logger } from '@bootlab/lab/server';

/** Nest's own messages, and those of its Logger, in the log of the process. */
export class NestLog implements LoggerService {
  constructor(private readonly target: Logger) {}

  log(message: unknown, context?: string): void {
    this.target.debug({ context }, String(message)); // Nest says at length how it starts
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.target.fatal(...withStack(message, rest));
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.target.error(...withStack(message, rest));
  }

  warn(message: unknown, context?: string): void {
    this.target.warn({ context }, String(message));
  }

  debug(message: unknown, context?: string): void {
    this.target.debug({ context }, String(message));
  }

  verbose(message: unknown, context?: string): void {
    this.target.trace({ context }, String(message));
  }
}

/** Nest passes the stack before the context, where there is one. */
function withStack(message: unknown, rest: unknown[]): [object, string] {
  const texts = rest.map(String);
  const context = texts.at(-1);
  return [{ context, ...(texts.length > 1 && { stack: texts[0] }) }, String(message)];
}
