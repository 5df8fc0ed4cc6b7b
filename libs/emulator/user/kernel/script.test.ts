import { expect, it } from '@jest/globals';
import type { ExecutableFile } from '../files/index.js';
import { resolveProgram } from './script.js';

const ELF = '\x7fELF';
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));
const text = (data: Uint8Array): string => Buffer.from(data).toString('latin1');

/** Resolves `/start` called as `a0 x`, with files by name; every file that was opened must be closed or returned. */
function resolve(files: Readonly<Record<string, string>>): { path: string; argv: string[] } {
  let open = 0;
  const { file, argv } = resolveProgram({ path: bytes('/start'), argv: [bytes('a0'), bytes('x')] }, (path) => {
    const content = files[text(path)];
    if (content === undefined) throw new Error(`ENOENT ${text(path)}`);
    open++;
    return {
      path: text(path),
      read: (offset, length) => bytes(content).subarray(offset, offset + length),
      close: () => void open--,
    } as ExecutableFile; // what resolving uses
  });
  expect(open).toBe(1);
  return { path: file.path, argv: argv.map(text) };
}

it.each<[string, Record<string, string>, string, string[]]>([
  ['an ELF file is itself', { '/start': ELF }, '/start', ['a0', 'x']],
  ['a script gets its own path', { '/start': '#!/bin/sh\nls', '/bin/sh': ELF }, '/bin/sh', ['/bin/sh', '/start', 'x']],
  [
    'everything after the interpreter is one argument',
    { '/start': '#! \t/bin/sh  -e -u \n', '/bin/sh': ELF },
    '/bin/sh',
    ['/bin/sh', '-e -u', '/start', 'x'],
  ],
  ['a line may end with the file', { '/start': '#!/bin/sh', '/bin/sh': ELF }, '/bin/sh', ['/bin/sh', '/start', 'x']],
  [
    'scripts of scripts',
    { '/start': '#!/second one\n', '/second': '#!/bin/sh\n', '/bin/sh': ELF },
    '/bin/sh',
    ['/bin/sh', '/second', 'one', '/start', 'x'],
  ],
])('%s', (_name, files, path, argv) => {
  expect(resolve(files)).toEqual({ path, argv });
});

it.each<[string, Record<string, string>, string]>([
  ['text is no program', { '/start': 'echo hello' }, 'ENOEXEC'],
  ['an empty file neither', { '/start': '' }, 'ENOEXEC'],
  ['a line without an interpreter neither', { '/start': '#! \n/bin/sh' }, 'ENOEXEC'],
  ['a script that runs itself', { '/start': '#!/start\n' }, 'ELOOP'],
  ['an interpreter that does not exist', { '/start': '#!/none\n' }, 'ENOENT /none'],
])('%s', (_name, files, error) => {
  expect(() => resolve(files)).toThrow(error);
});
