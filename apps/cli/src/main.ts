import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { preparedBuild, requireBundle } from '../bin/prepared.mjs';
import { signalExitCode } from './exit-codes.js';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const args = process.argv.slice(2);
// The launcher has looked already and runs `exec` itself where it is prepared.
const build = args[0] === 'exec' ? undefined : preparedBuild();

// What runs guests should start soon: what other commands need is not even loaded.
if (args[0] === 'exec') {
  const { execProcess } = await import('./exec/process.js');
  await execProcess(args, { version, build });
} else if (args[0] === 'boot') {
  const { bootProcess } = build ? requireBundle('boot') : await import('./boot/process.js');
  await bootProcess(args, { version, build });
} else {
  // Nobody reads on, as behind `| head`: what a shell reports of a program that SIGPIPE ends.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(signalExitCode(constants.signals.SIGPIPE));
  });
  const { boardCatalogue, createMachine, runMachine, selfTestFirmware } = await import('@bootlab/emulator');
  const { runCommandLine } = await import('./command-line.js');
  const { storesForBoards } = await import('./kept.js');
  const { processHost } = await import('./process-host.js');
  const emulator = { boardCatalogue, createMachine, runMachine, selfTestFirmware };
  const { env } = process;
  const engine = { ...emulator, ...storesForBoards({ env, build }) };
  process.exitCode = await runCommandLine(args, { version, host: processHost(), engine, env });
}
