import { readFileSync } from 'node:fs';
import { boardCatalogue, createMachine, runMachine, selfTestFirmware } from '@bootlab/emulator';
import { runCommandLine } from './command-line.js';

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };

process.exitCode = await runCommandLine(process.argv.slice(2), {
  version: manifest.version,
  host: { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, signals: process },
  engine: { boardCatalogue, createMachine, runMachine, selfTestFirmware },
});
