import type { Writable } from 'node:stream';
import { ExitCode, LabError, UsageError } from './exit-codes.js';

/** Says on standard error what went wrong. @returns the exit status for it */
export function reportFailure(error: unknown, stderr: Pick<Writable, 'write'>): number {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof UsageError || error instanceof LabError) {
    stderr.write(`bootlab: ${message}\n`);
    return error instanceof LabError ? error.exitCode : ExitCode.usage;
  }
  const trace = error instanceof Error ? (error.stack ?? message) : message;
  stderr.write(`bootlab: internal error, please report it: ${trace}\n`);
  return ExitCode.internal;
}
