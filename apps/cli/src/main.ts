import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import type * as BootCommandLine from './boot/command-line.js';
import type * as ExecCommandLine from './exec/command-line.js';
import { signalExitCode } from './exit-codes.js';
import type { StorePlaces } from './kept.js';
import type { Prepared } from './start/prepared.js';
import { EMULATOR_BUILD, prepared } from './start/prepared.js';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const args = process.argv.slice(2);
const host = { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, signals: process };

const storePlaces = (ready: Prepared | undefined): StorePlaces => ({
  env: process.env,
  emulatorBuild: EMULATOR_BUILD,
  preparedInterpreters: ready?.interpreters,
});

// What runs guests should start soon: what other commands need is not even loaded.
if (args[0] === 'exec' || args[0] === 'boot') {
  const ready = prepared();
  const context = { version, host, ...storePlaces(ready) };
  if (args[0] === 'exec') {
    const { runExecCommandLine } = (await import(ready?.exec ?? './exec/command-line.js')) as typeof ExecCommandLine;
    // Ends the process: V8 may be optimising the interpreter still, and leaving the event loop would wait for that.
    process.exit(await runExecCommandLine(args, context));
  }
  const { runBootCommandLine } = (await import(ready?.boot ?? './boot/command-line.js')) as typeof BootCommandLine;
  process.exitCode = await runBootCommandLine(args, context);
} else {
  // Nobody reads on, as behind `| head`: what a shell reports of a program that SIGPIPE ends.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(signalExitCode(constants.signals.SIGPIPE));
  });
  const { boardCatalogue, createMachine, runMachine, selfTestFirmware } = await import('@bootlab/emulator');
  const { runCommandLine } = await import('./command-line.js');
  const { storesForBoards } = await import('./kept.js');
  const emulator = { boardCatalogue, createMachine, runMachine, selfTestFirmware };
  const engine = { ...emulator, ...storesForBoards(storePlaces(prepared())) };
  process.exitCode = await runCommandLine(args, { version, host, engine, env: process.env });
}
