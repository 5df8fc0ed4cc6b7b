import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mipsCompiler, runProcess } from '@bootlab/emulator/testkit';
import { describeWith } from '../support/requirements.js';
import { bootlab } from './bootlab.js';

const sources = new URL('user', import.meta.url).pathname;

/** Debian has no big-endian MIPS: the tree that its cross compiler links against takes the place of a root. */
const ARCHITECTURES = [
  { arch: 'mipsel', byteOrder: 'little', firstByte: 'low' },
  { arch: 'mips', byteOrder: 'big', firstByte: 'high' },
] as const;

describeWith('cross-mips', 'programs with shared libraries, in both byte orders', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'bootlab-dynamic-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const run = (arch: string, libraries: string, ...options: string[]) =>
    bootlab([
      ...[
        'exec',
        '--arch',
        arch,
        '--root',
        `/usr/${arch}-linux-gnu`,
        '--overlay',
        '--bind',
        `${libraries}:/libraries:ro`,
      ],
      ...[...options, '--', '/libraries/dynamic'],
    ]);

  it.each(ARCHITECTURES)('$arch: are linked, open more, and run again', async ({ arch, byteOrder, firstByte }) => {
    const libraries = join(folder, arch);
    mkdirSync(libraries);
    const compile = async (...args: string[]): Promise<void> => {
      const { errors, exitCode } = await runProcess(mipsCompiler(byteOrder), ['-O1', ...args], { timeoutMs: 60_000 });
      expect({ errors, exitCode }).toEqual({ errors: '', exitCode: 0 });
    };
    const [program, library] = ['dynamic.c', 'dynamic-library.c'].map((name) => join(sources, name)) as [
      string,
      string,
    ];
    await compile('-shared', '-fPIC', library, '-o', join(libraries, 'libdynamic.so'));
    await compile(program, '-pthread', `-L${libraries}`, '-ldynamic', '-lm', '-o', join(libraries, 'dynamic'));

    const expected = readFileSync(join(sources, 'dynamic.expected'), 'utf8').replace('BYTE', firstByte);
    for (const how of ['LD_BIND_NOW=', 'LD_BIND_NOW=1'])
      expect(await run(arch, libraries, '--env', 'LD_LIBRARY_PATH=/libraries', '--env', how)).toMatchObject({
        status: 0,
        output: expected,
        errors: '',
      });
    const without = await run(arch, libraries);
    expect(without.status).toBe(127);
    expect(without.errors).toMatch(new RegExp(`needs the shared library libdynamic\\.so for ${arch}`));
  });
});
