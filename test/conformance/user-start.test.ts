import { existsSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { buildMipsProgram } from '@bootlab/emulator/testkit';
import type { ProgramOptions } from '@bootlab/emulator/user';
import { ARCHITECTURES, prepareInterpreter, runProgram } from '@bootlab/emulator/user';
import { describeWith } from '../support/requirements.js';

const source = new URL('user/hello.c', import.meta.url).pathname;
const prepared = new URL('../../apps/cli/dist/prepared/', import.meta.url);

it.each(ARCHITECTURES)('the interpreter for %s can be generated beforehand', async (arch) => {
  const modules = new Map<string, Uint8Array<ArrayBuffer>>();
  await prepareInterpreter(
    { arch },
    {
      find: (key) => modules.get(key),
      generated: (key, module) => void modules.set(key, module),
    },
  );
  expect([...modules.values()].map((module) => WebAssembly.validate(module))).toEqual([true]);
});

it('the command line was built with what makes programs and boards start fast', () => {
  const files = [
    'boot.js',
    'build',
    'exec.js',
    'interpreters.json',
    'malta-big-interp.wasm',
    'malta-little-jit.wasm',
    'mips-jit.wasm',
    'mipsel-interp.wasm',
    'translation-thread-main.js',
  ];
  expect(files.filter((file) => !existsSync(new URL(file, prepared)))).toEqual([]);
});

describeWith('cross-mips', 'a program that ends soon', () => {
  const run = async (options: Partial<ProgramOptions>) => {
    const program = await buildMipsProgram({
      name: 'user-hello',
      byteOrder: 'little',
      sources: [source],
      flags: ['-O1', '-static'],
    });
    return runProgram({ arch: 'mipsel', program, files: { root: '/' }, ...options });
  };

  it('is not translated', async () => {
    const environment = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`VARIABLE_${i}`, 'x']));
    const { stats } = await run({ environment });
    expect(stats.translation).toMatchObject({ regions: 0 });
    expect((await run({ environment, translateAfter: 0 })).stats.translation?.regions).toBeGreaterThan(0);
  });

  it('is translated where a threshold asks for it, and does the same', async () => {
    const [interpreted, translated] = [await run({ accel: 'interp' }), await run({ jitThreshold: 1 })];
    expect(translated.stats.translation?.regions).toBeGreaterThan(0);
    expect(translated).toMatchObject({
      kind: 'exited',
      code: 7,
      stats: { instructions: interpreted.stats.instructions, syscalls: interpreted.stats.syscalls },
    });
  });
});
