import { CommanderError } from 'commander';
import { ExitCode, UsageError } from './exit-codes.js';
import type { ProgramContext } from './program.js';
import { createProgram } from './program.js';

/** Runs one command. Whatever goes wrong becomes a message on standard error and the exit status that it returns. */
export async function runCommandLine(args: readonly string[], context: Omit<ProgramContext, 'exit'>): Promise<number> {
  let status: number = ExitCode.pass;
  try {
    await createProgram({ ...context, exit: (code) => (status = code) }).parseAsync(args, { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.pass : ExitCode.usage; // it printed its message
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof UsageError) {
      context.host.stderr.write(`bootlab: ${message}\n`);
      return ExitCode.usage;
    }
    const trace = error instanceof Error ? (error.stack ?? message) : message;
    context.host.stderr.write(`bootlab: internal error, please report it: ${trace}\n`);
    return ExitCode.internal;
  }
}
