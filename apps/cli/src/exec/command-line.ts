import type { GuestContext } from '../guest-context.js';
import { bootlabCommand, parseCommandLine } from '../parse.js';
import { addExecCommand } from './command.js';
import type { ExecHost } from './options.js';
import { exec } from './run.js';
import { storesForPrograms } from '../kept.js';

/** Runs `bootlab exec …`, with nothing loaded that only other commands need. */
export function runExecCommandLine(args: readonly string[], context: GuestContext<ExecHost>): Promise<number> {
  const host = { ...context.host, ...storesForPrograms(context) };
  return parseCommandLine(args, host, (exit) => {
    const program = bootlabCommand(context.version, host);
    addExecCommand(program, (options) => exec(options, host).then(exit));
    return program;
  });
}
