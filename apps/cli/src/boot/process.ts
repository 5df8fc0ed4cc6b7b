import type { GuestContext } from '../guest-context.js';
import { processHost } from '../process-host.js';
import { runBootCommandLine } from './command-line.js';

/** Is `bootlab boot`: the process ends when nothing of it is left to do. */
export async function bootProcess(
  args: readonly string[],
  context: Pick<GuestContext<never>, 'version' | 'build'>,
): Promise<void> {
  process.exitCode = await runBootCommandLine(args, { ...context, host: processHost(), env: process.env });
}
