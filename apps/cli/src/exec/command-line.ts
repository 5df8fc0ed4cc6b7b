import type { GuestContext } from '../guest-context.js';
import { bootlabCommand, parseCommandLine } from '../parse.js';
import { addExecCommand } from './command.js';
import type { ExecHost } from './options.js';
import { keptTranslationsInline } from '../translations.js';

/** Runs `bootlab exec …`, with nothing loaded that only other commands need. */
export function runExecCommandLine(args: readonly string[], context: GuestContext<ExecHost>): Promise<number> {
  const { version, env, interpreters, emulatorBuild } = context;
  const host = { ...context.host, interpreters, keptTranslations: keptTranslationsInline(env, emulatorBuild) };
  return parseCommandLine(args, host, (exit) => {
    const program = bootlabCommand(version, host);
    addExecCommand(program, host, exit);
    return program;
  });
}
