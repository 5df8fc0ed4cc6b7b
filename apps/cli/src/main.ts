import { readFileSync } from 'node:fs';
import type * as CommandLine from './exec/command-line.js';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const args = process.argv.slice(2);
const host = { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, signals: process };

if (args[0] === 'exec') {
  // Programs are often short: what other commands need is not even loaded.
  const { preparedExec } = await import('./exec/prepared.js');
  const prepared = preparedExec();
  const { runExecCommandLine } = (await import(
    prepared?.commandLine ?? './exec/command-line.js'
  )) as typeof CommandLine;
  // Ends the process: V8 may be optimising the interpreter still, and leaving the event loop would wait for that.
  process.exit(await runExecCommandLine(args, version, { ...host, interpreters: prepared?.interpreters }));
} else {
  const { boardCatalogue, createMachine, runMachine, selfTestFirmware } = await import('@bootlab/emulator');
  const { runCommandLine } = await import('./command-line.js');
  const { keptTranslations } = await import('./boot/translations.js');
  const emulator = { boardCatalogue, createMachine, runMachine, selfTestFirmware };
  const engine = { ...emulator, keptTranslations: keptTranslations(process.env) };
  process.exitCode = await runCommandLine(args, { version, host, engine, env: process.env });
}
