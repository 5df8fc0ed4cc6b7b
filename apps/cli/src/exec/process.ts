import { runExecCommandLine } from './command-line.js';
import type { GuestContext } from '../guest-context.js';
import { standardStreams } from './standard-streams.js';

export { runExecCommandLine, standardStreams };

/**
 * Is `bootlab exec`: runs the program and ends the process, without leaving the event loop, which would wait for what V8 is
 * optimizing still.
 */
export async function execProcess(
  args: readonly string[],
  context: Pick<GuestContext<never>, 'version' | 'build'>,
): Promise<never> {
  const host = { ...standardStreams(), signals: process };
  process.exit(await runExecCommandLine(args, { ...context, host, env: process.env }));
}
