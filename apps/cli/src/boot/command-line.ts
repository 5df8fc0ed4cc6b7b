import { boardCatalogue, createMachine, runMachine, selfTestFirmware } from '@bootlab/emulator';
import type { GuestContext } from '../guest-context.js';
import { bootlabCommand, parseCommandLine } from '../parse.js';
import { addBootCommand } from './command.js';
import type { BootHost } from './run.js';
import { boot } from './run.js';
import { keptTranslations } from '../translations.js';

/** Runs `bootlab boot …`, with nothing loaded that only other commands need. */
export function runBootCommandLine(args: readonly string[], context: GuestContext<BootHost>): Promise<number> {
  const { version, host, env, interpreters, emulatorBuild } = context;
  const engine = {
    createMachine,
    runMachine,
    selfTestFirmware,
    interpreters,
    keptTranslations: keptTranslations(env, emulatorBuild),
  };
  return parseCommandLine(args, host, (exit) => {
    const program = bootlabCommand(version, host);
    addBootCommand(program, boardCatalogue(), (options) => boot(options, host, engine).then(exit));
    return program;
  });
}
