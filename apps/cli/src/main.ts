import { readFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const args = process.argv.slice(2);
const host = { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, signals: process };

if (args[0] === 'exec') {
  // Programs are often short: what other commands need is not even loaded.
  const { runExecCommandLine } = await import('./exec/command-line.js');
  process.exitCode = await runExecCommandLine(args, version, host);
} else {
  const { boardCatalogue, createMachine, runMachine, selfTestFirmware } = await import('@bootlab/emulator');
  const { runCommandLine } = await import('./command-line.js');
  const engine = { boardCatalogue, createMachine, runMachine, selfTestFirmware };
  process.exitCode = await runCommandLine(args, { version, host, engine });
}
