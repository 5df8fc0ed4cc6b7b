import { reportFailure } from '../failures.js';
import type { GuestContext } from '../guest-context.js';
import { storesForPrograms } from '../kept.js';
import { bootlabCommand, parseCommandLine } from '../parse.js';
import { addExecCommand } from './command.js';
import type { ExecHost } from './options.js';
import { ordinaryOptions } from './ordinary-options.js';
import { exec } from './run.js';

/** Runs `bootlab exec …`, with nothing loaded that only other commands need. */
export async function runExecCommandLine(args: readonly string[], context: GuestContext<ExecHost>): Promise<number> {
  const host = { ...context.host, ...storesForPrograms(context) };
  const options = ordinaryOptions(args);
  if (options) return exec(options, host).catch((error: unknown) => reportFailure(error, host.stderr));
  return parseCommandLine(args, host, (exit) => {
    const program = bootlabCommand(context.version, host);
    addExecCommand(program, (given) => exec(given, host).then(exit));
    return program;
  });
}
