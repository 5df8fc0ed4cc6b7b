import { parseCommandLine } from './parse.js';
import type { ProgramContext } from './program.js';
import { createProgram } from './program.js';

/** Runs one command of any kind, see {@link parseCommandLine}. */
export function runCommandLine(
  args: readonly string[],
  context: Omit<ProgramContext, 'exit' | 'args'>,
): Promise<number> {
  return parseCommandLine(args, context.host, (exit) => createProgram({ ...context, args, exit }));
}
