import { boardCatalogue, createMachine, runMachine, selfTestFirmware } from '@bootlab/emulator';
import type { GuestContext } from '../guest-context.js';
import { bootlabCommand, parseCommandLine } from '../parse.js';
import { addBootCommand } from './command.js';
import type { BootHost } from './run.js';
import { boot } from './run.js';
import { storesForBoards } from '../kept.js';

/** Runs `bootlab boot …`, with nothing loaded that only other commands need. */
export function runBootCommandLine(args: readonly string[], context: GuestContext<BootHost>): Promise<number> {
  const { version, host } = context;
  const engine = { createMachine, runMachine, selfTestFirmware, ...storesForBoards(context) };
  return parseCommandLine(args, host, (exit) => {
    const program = bootlabCommand(version, host);
    addBootCommand(program, boardCatalogue(), (options) => boot(options, host, engine).then(exit));
    return program;
  });
}
