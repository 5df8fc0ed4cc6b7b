#!/usr/bin/env node
// Builds the self-test for both byte orders and embeds it: `node libs/emulator/boards/malta/self-test/build.mjs`.
// Needs Debian's gcc-mipsel-linux-gnu and gcc-mips-linux-gnu. The results are in the repository, so that nobody needs
// them to run the self-test.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const here = import.meta.dirname;
const SOURCES = ['start.S', 'self-test.c', 'self-test.h', 'self-test.ld'];
const FLAGS = [
  '-march=mips32',
  '-mabi=32',
  '-msoft-float',
  '-mno-abicalls',
  '-fno-pic',
  '-G0',
  '-Os',
  '-std=gnu11',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-ffreestanding',
  '-fno-tree-loop-distribute-patterns',
  '-fno-stack-protector',
  '-nostdlib',
  '-static',
  '-Wl,-T,self-test.ld',
  '-Wl,--build-id=none',
  '-Wl,-z,max-page-size=16',
  '-s',
];
const TARGETS = [
  { byteOrder: 'little', compiler: 'mipsel-linux-gnu-gcc', file: 'malta-selftest-el.elf' },
  { byteOrder: 'big', compiler: 'mips-linux-gnu-gcc', file: 'malta-selftest-eb.elf' },
];

const images = TARGETS.map(({ byteOrder, compiler, file }) => {
  execFileSync(compiler, [...FLAGS, 'start.S', 'self-test.c', '-o', file], { cwd: here, stdio: 'inherit' });
  const lines =
    readFileSync(join(here, file))
      .toString('base64')
      .match(/.{1,100}/g) ?? [];
  return `  ${byteOrder}: [\n${lines.map((line) => `    '${line}',\n`).join('')}  ].join(''),\n`;
});
const hash = createHash('sha256');
for (const source of SOURCES) hash.update(readFileSync(join(here, source)));

writeFileSync(
  join(here, '..', 'self-test.generated.ts'),
  `// Made by self-test/build.mjs from its sources; do not edit.

/** SHA-256 over ${SOURCES.join(', ')}. */
export const SELF_TEST_SOURCE_SHA256 = '${hash.digest('hex')}';

/** ELF files by byte order, base64. */
export const SELF_TEST_BASE64 = {
${images.join('')}} as const;
`,
);
