import { execFile } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

// Modules of the same bytes share their machine code within a process: what was kept shows in another one.

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bootlab-code-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs a program in a process of its own. @returns what it gives to `tell` */
async function run(program: string, nodeOptions: readonly string[] = []): Promise<unknown> {
  const prelude = `
    import { cacheFolder, compiledIntrinsics, modulesWithMachineCode, optimizedMachineCodeOf, TranslationFiles } from '@bootlab/emulator/threads';
    import { countingModule, heat, optimized, run } from './counting-module.mjs';
    const folder = cacheFolder(${JSON.stringify(folder)});
    const open = (format = folder.format) => new TranslationFiles({ ...folder, format });
    const keep = (files, ...modules) => { for (const made of modules) files.add('key', made); files.save('key'); };
    const load = (files = open()) => {
      const { modules } = files.load('key');
      return { optimized: optimized(modules), results: modules.map((made) => run(made)) };
    };
    const tell = (result) => process.stdout.write(JSON.stringify(result));`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...nodeOptions, '--input-type=module', '-e', prelude + program],
    { cwd: import.meta.dirname },
  );
  return stdout === '' ? undefined : JSON.parse(stdout);
}
const onlyFile = (): string => {
  expect(readdirSync(folder)).toHaveLength(1);
  return join(folder, readdirSync(folder)[0] as string); // there is one
};
const KEEP_TWO = `const made = countingModule(5); await heat(made); keep(open(), made, countingModule(6));`;

describe('machine code of translations', () => {
  it('is there for the next process, as far as V8 had optimized anything', async () => {
    await run(KEEP_TWO);
    expect(await run('tell(load());')).toEqual({ optimized: [true, false], results: [5, 6] });
  });

  it('is written when there is more of it, and not when there is not', async () => {
    await run('keep(open(), countingModule(5), countingModule(6));');
    const inode = (): number => statSync(onlyFile()).ino;
    const first = inode();
    await run(`const files = open(); files.load('key'); files.save('key');`);
    expect(inode()).toBe(first);
    await run(`const files = open(); optimizedMachineCodeOf(files.load('key').modules[1]); files.save('key');`);
    const second = inode();
    expect(second).not.toBe(first);
    await run(`const files = open(); files.load('key'); files.save('key');`);
    expect(inode()).toBe(second);
    expect(await run('tell(load());')).toEqual({ optimized: [false, true], results: [5, 6] });
  });

  it('has all that a program called: its end waits for V8', async () => {
    await run('keep(open(), countingModule(5), countingModule(6));');
    await run(`const files = open(); tell(run(files.load('key').modules[1])); files.save('key');`);
    expect(await run('tell(load());')).toEqual({ optimized: [false, true], results: [5, 6] });
  });

  it('is of no use to V8 with other flags: it has files of its own, and takes no others', async () => {
    await run(KEEP_TWO);
    const flags = ['--no-wasm-loop-unrolling'];
    expect(await run('tell(load());', flags)).toEqual({ optimized: [], results: [] });
    const format = await run('tell(folder.format);');
    expect(await run('tell(folder.format);', flags)).not.toBe(format);
    const program = `const files = open(${format}); tell(load(files)); files.save('key');`;
    expect(await run(program, flags)).toEqual({ optimized: [false, false], results: [5, 6] });
  });

  it('goes with the file when any bit of it is wrong', async () => {
    await run(KEEP_TWO);
    const bytes = readFileSync(onlyFile());
    const path = onlyFile();
    const steps = 24;
    for (let step = 0; step < steps; step++) {
      const at = Math.floor((bytes.length * step) / steps);
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] as number) ^ 0x10;
      writeFileSync(`${path.replace(/[0-9a-f]{16}/, '')}-${step}`, damaged);
    }
    const results = await run(`
      import { copyFileSync, existsSync, rmSync } from 'node:fs';
      const results = [];
      for (let step = 0; step < ${steps}; step++) {
        copyFileSync('${path.replace(/[0-9a-f]{16}/, '')}-' + step, '${path}');
        results.push(load().results.length, existsSync('${path}'));
      }
      tell(results);`);
    expect(results).toEqual(Array.from({ length: steps }, () => [0, false]).flat());
  });

  it('is not run where another user could have written it', async () => {
    await run(KEEP_TWO);
    const trusted = { optimized: [true, false], results: [5, 6] };
    const compiled = { optimized: [false, false], results: [5, 6] };
    chmodSync(folder, 0o770);
    expect(await run('tell(load());')).toEqual(compiled);
    chmodSync(folder, 0o700);
    chmodSync(onlyFile(), 0o606);
    expect(await run('tell(load());')).toEqual(compiled);
    chmodSync(onlyFile(), 0o600);
    expect(await run('tell(load());')).toEqual(trusted);
    if (process.getuid?.() === 0) chownSync(onlyFile(), 12_345, 12_345);
    expect(await run('process.getuid = () => 54_321; tell(load());')).toEqual(compiled);
  });

  it('is not written where others could change it, and nothing is written twice for that', async () => {
    chmodSync(folder, 0o777);
    await run(KEEP_TWO);
    const first = statSync(onlyFile()).ino;
    await run(`const files = open(); await heat(files.load('key').modules[0]); files.save('key');`);
    expect(statSync(onlyFile()).ino).toBe(first);
    chmodSync(folder, 0o700);
    expect(await run('tell(load());')).toEqual({ optimized: [false, false], results: [5, 6] });
  });

  it.each([
    ['none', 'undefined'],
    ['some', 'compiledIntrinsics()'],
    ['some that V8 refuses', 'compiledIntrinsics().map((byte, index) => byte ^ (index < 16))'],
  ])('is read with %s of the intrinsics at hand, which nobody else may name', async (_, intrinsics) => {
    const made = `const { bytes, module, memory } = countingModule(5);
      tell({ bytes: [...bytes], memory, code: [...optimizedMachineCodeOf({ module, memory })] });`;
    const program = `
      const { bytes, memory, code } = ${JSON.stringify(await run(made))};
      const stored = { bytes: Uint8Array.from(bytes), machineCode: Uint8Array.from(code) };
      const [module] = modulesWithMachineCode([stored], ${intrinsics});
      let permitted = true;
      try { new Function('%IsTurboFanFunction(0)'); } catch { permitted = false; }
      tell({ permitted, optimized: optimized([{ module, memory }]), result: run({ module, memory }) });`;
    expect(await run(program)).toEqual({ permitted: false, optimized: [true], result: 5 });
  });

  it('does not exist where V8 offers none, and everything works without', async () => {
    const flags = ['--disallow-code-generation-from-strings']; // so nobody can name intrinsics
    const keepRunning = `const made = countingModule(5); for (let i = 0; i < 50; i++) run(made, 1e6); keep(open(), made);`;
    await run(keepRunning, flags);
    expect(await run('tell(load());', flags)).toEqual({ optimized: [false], results: [5] });
  });

  it('is written and read by several threads at the same time', async () => {
    const threads = 4;
    const taken = await run(`
      import { once } from 'node:events';
      import { Worker } from 'node:worker_threads';
      const threads = Array.from({ length: ${threads} }, (_, index) =>
        new Worker('./machine-code-thread.mjs', { workerData: { first: 8 * index }, execArgv: [] }));
      const taken = await Promise.all(threads.map(async (thread) => {
        const [[count]] = await Promise.all([once(thread, 'message'), once(thread, 'exit')]);
        return count;
      }));
      let permitted = true;
      try { new Function('%IsTurboFanFunction(0)'); } catch { permitted = false; }
      tell({ taken, permitted });`);
    const { taken: counts, permitted } = taken as { taken: number[]; permitted: boolean }; // what it tells
    expect(counts).toHaveLength(threads);
    for (const count of counts) expect(count).toBeGreaterThan(0);
    expect(permitted).toBe(false);
  });
});

describe('machine code of interpreters', () => {
  const PROGRAM = `
    import { InterpreterFiles } from '@bootlab/emulator/threads';
    const { bytes, module, memory } = countingModule(5);
    const generated = { bytes, module, memory, optimized: false };
    const files = new InterpreterFiles(folder);
    const found = (files) => {
      const { optimized, module } = files.find('key') ?? {};
      return { optimized, result: module && run({ module }) };
    };`;
  const kinds = (): string[] => readdirSync(folder).map((name) => name.replace(/^[0-9a-f]{16}\./, ''));

  it('is kept apart from their Wasm, as soon as V8 has made it', async () => {
    await run(`${PROGRAM} files.ran('key', generated);`);
    expect(kinds()).toEqual(['interpreter']);
    expect(await run(`${PROGRAM} tell(found(files));`)).toEqual({ optimized: false, result: 5 });
    await run(`${PROGRAM} optimizedMachineCodeOf(generated); files.find('key'); files.ran('key', generated);`);
    expect(kinds().toSorted()).toEqual(['interpreter', 'machine-code']);
    expect(await run(`${PROGRAM} tell(found(files));`)).toEqual({ optimized: true, result: 5 });
    expect(await run(`${PROGRAM} tell(found(files));`, ['--no-wasm-loop-unrolling'])).toEqual({
      optimized: false,
      result: 5,
    });
  });

  it('is not run where another user could have written it, or it belongs to other Wasm', async () => {
    await run(`${PROGRAM} optimizedMachineCodeOf(generated); files.ran('key', generated);`);
    chmodSync(folder, 0o707);
    expect(await run(`${PROGRAM} tell(found(files));`)).toEqual({ optimized: false, result: 5 });
    chmodSync(folder, 0o700);
    await run(`${PROGRAM} files.ran('key', { ...generated, ...countingModule(6) });`);
    expect(await run(`${PROGRAM} tell(found(files));`)).toEqual({ optimized: false, result: 6 });
  });

  describe('that a build prepared', () => {
    const STORES = `
      import { InterpreterFiles, PreparedInterpreters } from '@bootlab/emulator/threads';
      const place = folder.folder + '/prepared/';
      const prepared = new PreparedInterpreters(place, { key: { wasm: 'wasm', machineCode: 'code' } });
      // Whether it says so, whether V8 does, and what it computes.
      const taken = (store) => {
        const interpreter = store.find('key');
        const loaded = { ...interpreter, memory: { pages: 1, shared: false } };
        return [interpreter.optimized, optimized([loaded])[0], run(loaded)];
      };
      const both = new InterpreterFiles(folder, prepared);`;
    const prepare = (machineCode: string): string => `${PROGRAM}
      import { mkdirSync, writeFileSync } from 'node:fs';
      mkdirSync(folder.folder + '/prepared');
      writeFileSync(folder.folder + '/prepared/wasm', bytes);
      writeFileSync(folder.folder + '/prepared/code', ${machineCode});`;
    const OPTIMIZED = 'optimizedMachineCodeOf(generated)';

    it('is taken whatever the folder has', async () => {
      await run(`${PROGRAM} files.ran('key', generated);`);
      await run(prepare(OPTIMIZED));
      expect(await run(`${STORES} tell(taken(both));`)).toEqual([true, true, 5]);
      expect(await run(`${STORES} tell(taken(prepared));`)).toEqual([true, true, 5]);
      expect(await run(`${STORES} tell(prepared.find('other') === undefined);`)).toBe(true);
    });

    it('is not run where another user could have written it', async () => {
      await run(prepare(OPTIMIZED));
      chmodSync(join(folder, 'prepared', 'code'), 0o666);
      expect(await run(`${STORES} tell(taken(prepared));`)).toEqual([false, false, 5]);
      chmodSync(join(folder, 'prepared', 'code'), 0o644);
      chmodSync(join(folder, 'prepared'), 0o775);
      expect(await run(`${STORES} tell(taken(prepared));`)).toEqual([false, false, 5]);
    });

    it('is not missed where another V8 prepared it: the folder has what this one made', async () => {
      await run(`${prepare('Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)')} ${OPTIMIZED}; files.ran('key', generated);`);
      expect(await run(`${STORES} tell(taken(prepared));`)).toEqual([false, false, 5]);
      expect(await run(`${STORES} tell(taken(both));`)).toEqual([true, true, 5]);
    });
  });
});
