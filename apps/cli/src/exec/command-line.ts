import { bootlabCommand, parseCommandLine } from '../parse.js';
import { addExecCommand } from './command.js';
import type { ExecHost } from './options.js';

/** Runs `bootlab exec …`, with nothing loaded that only other commands need. */
export function runExecCommandLine(args: readonly string[], version: string, host: ExecHost): Promise<number> {
  return parseCommandLine(args, host, (exit) => {
    const program = bootlabCommand(version, host);
    addExecCommand(program, host, exit);
    return program;
  });
}
