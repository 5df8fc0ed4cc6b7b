import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryFolder } from './bootlab.js';
import { sampleText } from './text.js';

/** Work for one of Debian's programs, whose input files are in its working directory. */
export interface Work {
  readonly name: string;
  /** Path of the program in the guest's tree; natively the program of this name on PATH. */
  readonly program: string;
  readonly args: readonly string[];
  /** File that is its standard input. */
  readonly input?: string;
}

const [TEXT_1M, TEXT_4M, TEXT_32M] = ['text-1m', 'text-4m', 'text-32m'] as const;

export const WORKS: readonly Work[] = [
  { name: 'openssl sha256, 32 MB', program: '/usr/bin/openssl', args: ['dgst', '-sha256', '-r', TEXT_32M] },
  { name: 'xz -6, 1 MB', program: '/usr/bin/xz', args: ['-6', '-T1', '-c', TEXT_1M] },
  { name: 'bzip2 -9, 4 MB', program: '/bin/bzip2', args: ['-9', '-c', TEXT_4M] },
  { name: 'zstd -12, 4 MB', program: '/usr/bin/zstd', args: ['-q', '-12', '--single-thread', '-c', TEXT_4M] },
  { name: 'sqlite3', program: '/usr/bin/sqlite3', args: ['-batch', '-bail', ':memory:'], input: 'sqlite.sql' },
  { name: 'lua5.4', program: '/usr/bin/lua5.4', args: ['lua.lua'] },
  { name: 'gawk, words and floating point', program: '/usr/bin/gawk', args: ['-f', 'gawk.awk', TEXT_4M] },
];

/** Puts the files that {@link WORKS} name into a folder. */
export function writeInputs(folder: string): void {
  const megabyte = 2 ** 20;
  const text = sampleText(4 * megabyte);
  writeFileSync(join(folder, TEXT_1M), text.subarray(0, megabyte));
  writeFileSync(join(folder, TEXT_4M), text);
  writeFileSync(join(folder, TEXT_32M), Buffer.concat(Array.from({ length: 8 }, () => text)));
  for (const name of ['sqlite.sql', 'lua.lua', 'gawk.awk'])
    copyFileSync(join(repositoryFolder, 'test', 'bench', 'guest', name), join(folder, name));
}
