import type { InterpreterStore } from '@bootlab/emulator/accel';
import { keptTranslationsInline } from '../translations.js';
import { bootlabCommand, parseCommandLine } from '../parse.js';
import { addExecCommand } from './command.js';
import type { ExecHost } from './options.js';

export interface ExecContext {
  readonly version: string;
  readonly host: ExecHost;
  readonly env: NodeJS.ProcessEnv;
  readonly interpreters: InterpreterStore | undefined;
  /** What the compiler knows of the emulator, see `generatorVersion`. */
  readonly emulatorBuild: URL;
}

/** Runs `bootlab exec …`, with nothing loaded that only other commands need. */
export function runExecCommandLine(args: readonly string[], context: ExecContext): Promise<number> {
  const { version, env, interpreters, emulatorBuild } = context;
  const host = { ...context.host, interpreters, keptTranslations: keptTranslationsInline(env, emulatorBuild) };
  return parseCommandLine(args, host, (exit) => {
    const program = bootlabCommand(version, host);
    addExecCommand(program, host, exit);
    return program;
  });
}
