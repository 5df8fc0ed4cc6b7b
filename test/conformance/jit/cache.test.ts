import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { EngineOptions, MachineConfig } from '@bootlab/emulator';
import { createMachine, selfTestFirmware } from '@bootlab/emulator';
import type { TranslationRequest, TranslationResult } from '@bootlab/emulator/accel';
import { libraryKey, translateInline, translateInlineWith } from '@bootlab/emulator/accel';
import { buildMipsProgram, MipsAssembler, NOP, wordsToBytes } from '@bootlab/emulator/testkit';
import type { CacheFolder } from '@bootlab/emulator/threads';
import {
  TranslationFiles,
  TranslationHub,
  imageName,
  translateInThread,
  translateInThreadWith,
  cacheFolder,
} from '@bootlab/emulator/threads';
import { runProgram } from '@bootlab/emulator/user';
import { INTERPRETER, TIERED } from '../../support/engines.js';
import { describeWith } from '../../support/requirements.js';
import type { EngineRun, RunShape } from './engines.js';
import { expectSameOutcome, linux, runBoard, serviceFor } from './engines.js';

jest.setTimeout(300_000);

const commandLine = new URL('../../../apps/cli/bin/bootlab.mjs', import.meta.url).pathname;

let folder: CacheFolder;

beforeEach(() => {
  folder = cacheFolder(mkdtempSync(join(tmpdir(), 'bootlab-translations-'))) as CacheFolder; // there is a build
  expect(folder).toBeDefined();
});

// The thread of the last machine may still be writing its file.
afterEach(() => rm(folder.folder, { recursive: true, maxRetries: 20, retryDelay: 100 }));

const inline = (): EngineOptions => ({
  ...TIERED,
  translationService: translateInlineWith(new TranslationFiles(folder)),
});
const inThread = (): EngineOptions => ({
  ...TIERED,
  translationService: translateInThreadWith({ kind: 'files', folder }),
});
const cacheOf = (run: EngineRun | undefined): { hits: number; misses: number; bytes: number } =>
  run?.translation?.cache ?? { hits: -1, misses: -1, bytes: -1 };
const filesIn = (): string[] => readdirSync(folder.folder).filter((name) => name.endsWith('.translations'));

/** A thread writes its file after its machine was closed. */
async function written(before: number): Promise<void> {
  for (let i = 0; i < 200 && filesIn().length === before; i++) await sleep(50);
  expect(filesIn()).toHaveLength(before + 1);
}

const selfTest = (byteOrder: 'little' | 'big'): MachineConfig => ({
  board: 'malta',
  memoryBytes: 32 << 20,
  firmware: selfTestFirmware('malta', byteOrder),
});

describe.each(['little', 'big'] as const)('the self-test firmware, %s-endian', (byteOrder) => {
  it('does the same with translations of an earlier run, of which it makes hardly any again', async () => {
    const shape = (engine: EngineOptions, slice: number): RunShape => ({ engine, slice, instructions: 1e9 });
    const runs = await expectSameOutcome(selfTest(byteOrder), [
      shape(INTERPRETER, Infinity),
      shape(inline(), Infinity), // cold
      shape(inline(), Infinity), // warm
      shape(inline(), 4099),
    ]);
    expect(runs[0]?.outcome.text).toContain('SELFTEST: PASS');
    const [cold, warm] = [cacheOf(runs[1]), cacheOf(runs[2])];
    expect(cold).toMatchObject({ hits: 0, bytes: 0 });
    expect(cold.misses).toBeGreaterThan(10);
    expect(warm.hits).toBeGreaterThan(0.8 * cold.misses);
    expect(warm.misses).toBeLessThanOrEqual(0.2 * cold.misses);
    expect(warm.bytes).toBeGreaterThan(1000);
  });

  it('does so, too, when threads translate and keep', async () => {
    const shape = (engine: EngineOptions): RunShape => ({ engine, slice: 20_011, instructions: 1e9 });
    const config = selfTest(byteOrder);
    const interpreted = await runBoard(config, shape(INTERPRETER));
    const cold = await runBoard(config, shape(inThread()));
    await written(0);
    const warm = await runBoard(config, shape(inThread()));
    expect(cold.outcome).toEqual(interpreted.outcome);
    expect(warm.outcome).toEqual(interpreted.outcome);
    expect(cacheOf(cold).hits).toBe(0);
  });
});

it('what a guest asks for now and then is made at once, when the thread has ended for want of work', async () => {
  const { machine, service, requests } = await serviceFor(selfTest('little'), translateInThread);
  expect(requests.length).toBeGreaterThan(10);
  const [first, second, ...more] = requests as [TranslationRequest, TranslationRequest, ...TranslationRequest[]];
  service.request(first);
  expect(service.poll()).toBeUndefined(); // a thread has it
  while (!service.poll()) await sleep(20);
  let answer: TranslationResult | undefined;
  for (let tries = 0; tries < 5 && !answer; tries++) {
    await sleep(2500); // nobody asks for anything for so long
    while (service.poll()); // on a busy machine the thread may have had the second one, too
    service.request(second);
    answer = service.poll();
  }
  expect(answer).toMatchObject({ kind: 'answer' });
  let late: TranslationRequest | undefined;
  for (const request of more) {
    service.request(request);
    if (!service.poll()) late = request;
  }
  expect(late).toBeDefined(); // where there are many a thread has them again
  service.close();
  machine.close();
});

it('nothing is translated before a hub has said what there is', async () => {
  const { port1: hub, port2: port } = new MessageChannel();
  const { machine, service, requests } = await serviceFor(
    selfTest('little'),
    translateInThreadWith({ kind: 'hub', port }),
  );
  const [{ port: toBoard }] = (await once(hub, 'message')) as [{ port: MessagePort }]; // what it connects with
  service.request(requests[0] as TranslationRequest);
  for (let i = 0; i < 10; i++, await sleep(50)) expect(service.poll()).toBeUndefined();
  toBoard.postMessage({ modules: [], putOff: new Map() });
  let answer: TranslationResult | undefined;
  while (!(answer = service.poll())) await sleep(20);
  expect(answer).toMatchObject({ kind: 'answer' });
  service.close();
  machine.close();
  hub.close();
});

describe('boards of one process', () => {
  it('get what others have translated and compiled', async () => {
    const hub = new TranslationHub(folder);
    const first = await inBoardThread(hub);
    await written(0);
    rmSync(join(folder.folder, filesIn()[0] as string)); // what comes now comes from the other board
    const later = await inBoardThread(hub);
    expect(later.outcome).toEqual(first.outcome);
    expect(first.cache).toMatchObject({ hits: 0, bytes: 0 });
    expect(later.cache.bytes).toBeGreaterThan(1000);
  });

  it('get what processes before them have translated', async () => {
    await runBoard(selfTest('little'), { engine: inline(), slice: Infinity, instructions: 1e9 });
    const { cache } = await inBoardThread(new TranslationHub(folder));
    expect(cache.bytes).toBeGreaterThan(1000);
  });
});

/** Runs the little-endian self-test in a thread, as workers run boards. */
async function inBoardThread(
  hub: TranslationHub,
): Promise<{ outcome: unknown; cache: { hits: number; bytes: number } }> {
  const port = hub.connect();
  const thread = new Worker(new URL('./board-thread.mjs', import.meta.url), {
    workerData: { port },
    transferList: [port],
  });
  // Both may be told in one go: asking for the second after the first may be too late.
  const [[result]] = await Promise.all([once(thread, 'message'), once(thread, 'exit')]);
  return result as { outcome: unknown; cache: { hits: number; bytes: number } }; // what board-thread.mjs posts
}

describe('several processes', () => {
  const bootSelfTest = async (): Promise<{ jit: { cache: { hits: number; bytes: number } } }> => {
    const stats = join(folder.folder, 'stats.json');
    await promisify(execFile)(
      process.execPath,
      [commandLine, 'boot', '--board', 'malta', '--memory', '32M', '--firmware', 'selftest', '--stats', stats],
      { env: { ...process.env, NODE_OPTIONS: '', BOOTLAB_TRANSLATIONS: folder.folder } },
    );
    return JSON.parse(readFileSync(stats, 'utf8')) as Awaited<ReturnType<typeof bootSelfTest>>; // what --stats writes
  };

  it('share what they keep, the bundled command line too', async () => {
    await runBoard(selfTest('little'), { engine: { ...inline(), imageName }, slice: Infinity, instructions: 1e9 });
    const { jit } = await bootSelfTest();
    expect(jit.cache.bytes).toBeGreaterThan(1000);
    expect(jit.cache.hits).toBeGreaterThan(10);
  });

  it('find what V8 has optimized for those before them', async () => {
    let key: string | undefined;
    const machine = await createMachine(selfTest('little'), {
      imageName,
      translationService: (setup, description) => {
        key = libraryKey(setup, description);
        return translateInline(setup, description);
      },
    });
    machine.close();
    // In a process of its own: within one, modules of the same bytes share their machine code.
    const program = `
      import { machineCodeOf, TranslationFiles } from '@bootlab/emulator/threads';
      const [folder, key] = process.argv.slice(1);
      const { modules } = new TranslationFiles(JSON.parse(folder)).load(key);
      process.stdout.write(String(machineCodeOf(modules).filter(({ length }) => length > 0).length));`;
    const args = ['--input-type=module', '-e', program, JSON.stringify(folder), String(key)];
    let optimized = '0';
    // A run may end before V8 has optimized anything.
    for (let run = 0; run < 10 && optimized === '0'; run++) {
      await bootSelfTest();
      optimized = (await promisify(execFile)(process.execPath, args, { cwd: import.meta.dirname })).stdout;
    }
    expect(Number(optimized)).toBeGreaterThan(0);
  });

  it('may write the same file at the same time: it is always whole', async () => {
    const program = `
      import { TranslationFiles } from '@bootlab/emulator/threads';
      import { countingModule } from './counting-module.mjs';
      const [folder, id] = process.argv.slice(1);
      const word = Uint32Array.of(Number(id));
      const region = { addresses: new Uint32Array(50_000).fill(Number(id)), words: word, entries: [0], pages: [] };
      for (let i = 0; i < 100; i++) {
        const files = new TranslationFiles(JSON.parse(folder));
        files.add('key', { ...countingModule(Number(id)), regions: [region] });
        files.save('key');
        const [made] = new TranslationFiles(JSON.parse(folder)).load('key').modules;
        const { addresses, words } = made.regions[0];
        if (addresses.length !== 50_000 || addresses.some((one) => one !== words[0])) throw new Error('a broken file');
      }`;
    const run = (id: number): Promise<unknown> =>
      promisify(execFile)(
        process.execPath,
        ['--input-type=module', '-e', program, JSON.stringify(folder), String(id)],
        { cwd: import.meta.dirname },
      );
    await Promise.all([1, 2, 3].map(run));
    expect(readdirSync(folder.folder)).toEqual(filesIn());
    expect(filesIn()).toHaveLength(1);
  });
});

describeWith('cross-mips', 'a Linux program', () => {
  it('is found again by its content, wherever it lies, and does the same', async () => {
    const program = await buildMipsProgram({
      name: 'user-threads',
      byteOrder: 'little',
      sources: [new URL('../user/threads.c', import.meta.url).pathname],
      flags: ['-O1', '-static', '-pthread'],
    });
    const run = async (root: string, kept: boolean) => {
      mkdirSync(join(folder.folder, root), { recursive: true });
      copyFileSync(program, join(folder.folder, root, 'program'));
      const { stats, ...result } = await runProgram({
        arch: 'mipsel',
        program: '/program',
        files: {
          root: join(folder.folder, root),
          stdin: new Uint8Array(),
          stdout: () => undefined,
          stderr: () => undefined,
        },
        jitThreshold: 40,
        ...(kept && { translationService: translateInlineWith(new TranslationFiles(folder)) }),
      });
      const { instructions, virtualNs, syscalls, translation } = stats;
      return { outcome: { result, instructions, virtualNs, syscalls }, cache: translation?.cache };
    };
    const plain = await run('here', false);
    const cold = await run('here', true);
    const warm = await run('there', true);
    expect(plain.outcome.result).toEqual({ kind: 'exited', code: 3 });
    expect(cold.outcome).toEqual(plain.outcome);
    expect(warm.outcome).toEqual(plain.outcome);
    expect(cold.cache).toMatchObject({ hits: 0, bytes: 0 });
    expect(cold.cache?.misses).toBeGreaterThan(10);
    expect(warm.cache?.hits).toBeGreaterThan(10); // fewer than were made: functions are joined
    expect(warm.cache?.misses).toBeLessThan(0.2 * (cold.cache?.misses ?? NaN));
  });

  it('is joined where a thread translates as well, and what was joined takes the place of its pieces', async () => {
    const program = await buildMipsProgram({
      name: 'user-threads',
      byteOrder: 'little',
      sources: [new URL('../user/threads.c', import.meta.url).pathname],
      flags: ['-O1', '-static', '-pthread'],
    });
    const root = join(folder.folder, 'root');
    mkdirSync(root);
    copyFileSync(program, join(root, 'program'));
    let key: string | undefined;
    const run = async () => {
      const { stats, ...result } = await runProgram({
        ...{ arch: 'mipsel', program: '/program', jitThreshold: 40 },
        files: { root, stdin: new Uint8Array(), stdout: () => undefined, stderr: () => undefined },
        translationService: (setup, description) => {
          key = libraryKey(setup, description);
          return translateInThreadWith({ kind: 'files', folder })(setup, description);
        },
      });
      return { outcome: { result, instructions: stats.instructions, virtualNs: stats.virtualNs } };
    };
    const regions = (): readonly { joined: boolean; instructions: number }[] =>
      new TranslationFiles(folder).load(key as string).modules.flatMap((module) => module.regions);
    const cold = await run();
    await written(0);
    const pieces = regions();
    expect(pieces.length).toBeGreaterThan(10);
    expect(pieces.some(({ joined }) => joined)).toBe(false);
    for (let round = 0; round < 3; round++) {
      expect((await run()).outcome).toEqual(cold.outcome);
      await sleep(300); // the thread's last answers come after the end
    }
    const joined = regions().filter((region) => region.joined);
    expect(joined.length).toBeGreaterThan(5);
    expect(regions().length).toBeLessThan(pieces.length + joined.length);
  });

  it('never runs what was joined with another page than there is now', async () => {
    const program = await buildMipsProgram({
      name: 'mapped-code',
      byteOrder: 'little',
      sources: [new URL('./mapped-code.c', import.meta.url).pathname],
      flags: ['-O1', '-static'],
    });
    const root = join(folder.folder, 'root');
    mkdirSync(root);
    copyFileSync(program, join(root, 'program'));
    const run = async (added: number, kept: boolean) => {
      writeFileSync(join(root, 'code'), functionOfTwoPages(added));
      let output = '';
      const { stats } = await runProgram({
        ...{ arch: 'mipsel', program: '/program', jitThreshold: 40 },
        files: {
          ...{ root, stdin: new Uint8Array(), stderr: () => undefined },
          stdout: (data) => void (output += Buffer.from(data).toString()),
        },
        ...(kept && { translationService: translateInlineWith(new TranslationFiles(folder)) }),
      });
      const { instructions, virtualNs, translation } = stats;
      return { outcome: { output, instructions, virtualNs }, cache: translation?.cache };
    };
    const expected = new Map<number, unknown>();
    for (const added of [1, 7]) expected.set(added, (await run(added, false)).outcome);
    expect(expected.get(1)).not.toEqual(expected.get(7));
    // The second run joins what the first has translated, and each of the others meets the code of the one before.
    for (const added of [1, 1, 1, 7, 1, 7, 7]) {
      const { outcome, cache } = await run(added, true);
      expect(outcome).toEqual(expected.get(added));
      if (added === 1 && cache?.bytes) expect(cache.hits).toBeGreaterThan(0);
    }
  });
});

/** Adds up things on its first page; given other than 0, goes on to the second page, which adds something. */
function functionOfTwoPages(added: number): Uint8Array {
  const [V0, A0, RA] = [2, 4, 31];
  const a = new MipsAssembler(0x10000000);
  for (let i = 0; i < 200; i++) a.op('addiu', { rt: V0, rs: i === 0 ? 0 : V0, imm: i });
  a.branch('bne', { rs: A0, rt: 0 }, 'second').emit(NOP);
  a.op('jr', { rs: RA }).emit(NOP);
  while (a.here < 0x10001000) a.emit(NOP);
  a.label('second');
  for (let i = 0; i < 200; i++) a.op('addiu', { rt: V0, rs: V0, imm: added });
  a.op('jr', { rs: RA }).emit(NOP);
  return wordsToBytes(a.finish(), 'little');
}

describe('other machines', () => {
  it('find nothing: another image, CPU, or size of memory is another key', async () => {
    const shape = (): RunShape => ({ engine: inline(), slice: Infinity, instructions: 1e9 });
    await runBoard(selfTest('little'), shape());
    for (const config of [
      selfTest('big'),
      { ...selfTest('little'), cpu: '4Kc' },
      { ...selfTest('little'), memoryBytes: 64 << 20 },
    ])
      expect(cacheOf(await runBoard(config, shape())).bytes).toBe(0);
    expect(filesIn()).toHaveLength(4);
  });

  it('damaged files are dropped and made anew', async () => {
    const shape = (): RunShape => ({ engine: inline(), slice: Infinity, instructions: 1e9 });
    const { outcome } = await runBoard(selfTest('little'), shape());
    const file = join(folder.folder, filesIn()[0] as string);
    const bytes = readFileSync(file);
    bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
    writeFileSync(file, bytes);
    const again = await runBoard(selfTest('little'), shape());
    expect(again.outcome).toEqual(outcome);
    expect(cacheOf(again).bytes).toBe(0);
    expect(cacheOf(await runBoard(selfTest('little'), shape())).bytes).toBeGreaterThan(0);
  });
});

describeWith(['malta-el', 'malta-be'], 'Linux', () => {
  it.each([
    ['malta-el', 60e6],
    ['malta-be', 25e6],
  ] as const)('%s begins to boot in the same way with translations of an earlier run', async (name, instructions) => {
    const runs = await expectSameOutcome(linux(name), [
      { engine: INTERPRETER, instructions, slice: 4e6 },
      { engine: inline(), instructions, slice: 1e6 + 3 },
      { engine: inline(), instructions, slice: 1e6 + 3 },
      { engine: inThread(), instructions, slice: 33_331 },
    ]);
    expect(cacheOf(runs[2]).hits).toBeGreaterThan(0.8 * cacheOf(runs[1]).misses);
    expect(runs[2]?.translated).toBeGreaterThan(runs[1]?.translated ?? 1);
  });
});
