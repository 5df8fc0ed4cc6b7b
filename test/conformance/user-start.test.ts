import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { buildMipsProgram } from '@bootlab/emulator/testkit';
import type { Interpreter } from '@bootlab/emulator/accel';
import { translateInlineWith } from '@bootlab/emulator/accel';
import { TranslationFiles } from '@bootlab/emulator/threads';
import type { ProgramOptions } from '@bootlab/emulator/user';
import { ARCHITECTURES, prepareInterpreter, runProgram } from '@bootlab/emulator/user';
import { describeWith } from '../support/requirements.js';

const source = new URL('user/hello.c', import.meta.url).pathname;
const prepared = new URL('../../apps/cli/dist/prepared/', import.meta.url);
const boardEntryModule = new URL('../../apps/worker/dist/board-entry.js', import.meta.url).href;
const commandLine = new URL('../../apps/cli/bin/bootlab.mjs', import.meta.url).pathname;

it.each(ARCHITECTURES)('the interpreter for %s can be generated beforehand', async (arch) => {
  const interpreters = new Map<string, Interpreter>();
  await prepareInterpreter(
    { arch },
    {
      find: (key) => interpreters.get(key),
      ran: (key, interpreter) => void interpreters.set(key, interpreter),
    },
  );
  expect([...interpreters.values()].map(({ bytes }) => WebAssembly.validate(bytes))).toEqual([true]);
});

describe('the command line', () => {
  it('was built with what makes programs and boards start fast', () => {
    const files = [
      ...['boot.cjs', 'translator.cjs', 'translation-thread-main.js'].map((name) => `boot/${name}`),
      'build.json',
      ...['exec', 'seldom', 'translator'].flatMap((name) => [`exec/${name}.cjs`, `exec/${name}.code`]),
    ];
    expect(files.filter((file) => !existsSync(new URL(file, prepared)))).toEqual([]);
    const interpreters = readdirSync(new URL('interpreters/', prepared));
    // Two architectures of programs, one board in two byte orders, each with and without translation.
    const count = (kind: string): number => interpreters.filter((name) => name.endsWith(kind)).length;
    expect([count('.interpreter'), count('.machine-code')]).toEqual([8, 8]);
  });

  it('takes the code that V8 has compiled at build time, where it was this V8', async () => {
    const program = `
      import { preparedBuild, runBundle, RUNTIME } from '${new URL('../../apps/cli/bin/prepared.mjs', import.meta.url).href}';
      const { takesCode } = runBundle('exec');
      process.stdout.write(JSON.stringify({ same: preparedBuild()?.runtime === RUNTIME, takesCode }));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
    const { same, takesCode } = JSON.parse(stdout) as { same: boolean; takesCode: boolean };
    expect(takesCode).toBe(same);
  });

  it('keeps interpreters of boards that are not prepared', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bootlab-start-'));
    try {
      const boot = async (...options: string[]): Promise<number> => {
        const env = { ...process.env, NODE_OPTIONS: '', BOOTLAB_TRANSLATIONS: folder };
        const args = ['boot', '--board', 'malta', '--firmware', 'selftest', '--accel', 'interp', ...options];
        const { stdout } = await promisify(execFile)(process.execPath, [commandLine, ...args], { env });
        expect(stdout).toContain('SELFTEST: PASS');
        return readdirSync(folder).filter((name) => name.endsWith('.interpreter')).length;
      };
      const prepared = await boot(); // none, unless another version of Node prepared them
      expect(await boot('--memory', '32M')).toBe(prepared + 1);
      expect(await boot('--memory', '32M')).toBe(prepared + 1);
      expect(await boot('--memory', '32M', '--no-cache')).toBe(prepared + 1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

it('the worker was built with what makes the threads of boards start fast', async () => {
  const program = `import { boardEntry } from '${boardEntryModule}'; process.stdout.write(boardEntry().href);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
  expect(stdout).toMatch(/\/bundle\/board-thread\.js$/);
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

  it('has its translations at once where an earlier run has kept some', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bootlab-start-'));
    try {
      const environment = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`VARIABLE_${i}`, 'x']));
      const files = { folder, version: 'one', format: 1 };
      const kept = (options: Partial<ProgramOptions> = {}) =>
        run({ environment, translationService: translateInlineWith(new TranslationFiles(files)), ...options });
      expect((await kept()).stats.translation?.cache).toMatchObject({ hits: 0, misses: 0 });
      expect(readdirSync(folder)).toEqual([]);
      const first = await kept({ translateAfter: 0 });
      expect(first.stats.translation?.cache.misses).toBeGreaterThan(0);
      const second = await kept();
      expect(second.stats.translation?.cache.hits).toBeGreaterThan(0);
      expect(second.stats).toMatchObject({ instructions: first.stats.instructions, syscalls: first.stats.syscalls });
    } finally {
      rmSync(folder, { recursive: true });
    }
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
