// A worker's threads run many jobs: what a job does must not depend on what ran in its thread before, and nothing of it may stay.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { selfTestFirmware } from '@bootlab/emulator';
import { buildMipsProgram } from '@bootlab/emulator/testkit';
import { TranslationHub, cacheFolder } from '@bootlab/emulator/threads';
import type { ConsoleSpan, JobSpec } from '@bootlab/lab';
import { eventually } from '@bootlab/lab/testing';
import { BoardHost, BoardThreads, type BoardEnd, type BoardTask } from '@bootlab/worker/boards';
import { elfOf, guests } from '../chaos/guests.js';
import { beqz, bAlways, jump, lui, memory, NOP, T0, T1, T2, xor, addiu } from '../support/mips-words.js';
import { describeWith } from '../support/requirements.js';

/** Writes one word into each page from 2 MiB to 192 MiB, then spins. */
const FILLS = elfOf([
  ...[lui(T0, 0x8020), lui(T1, 0x8c00)],
  ...[memory('sw', T1, T0), addiu(T0, T0, 0x1000), xor(T2, T0, T1), ...beqz(T2, 3), ...jump(2), NOP],
  ...bAlways(-1),
]);
const FILLED_MIB = 190;
/** A thread collects what a job left so long after its end, and V8 and the host take their time. */
const COLLECTED_MS = 800;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bootlab-threads-'));
  mkdirSync(join(folder, 'artifacts'));
  writeFileSync(join(folder, 'self-test'), selfTestFirmware('malta', 'little'));
  writeFileSync(join(folder, 'fills'), FILLS);
  writeFileSync(join(folder, 'spins'), elfOf(guests.spins));
  writeFileSync(join(folder, 'no-program'), 'not an ELF file');
  writeFileSync(join(folder, 'drive'), Buffer.alloc(1 << 20, 'bootlab '));
});
afterAll(() => rmSync(folder, { recursive: true }));

let threads: BoardThreads[] = [];
let hub: TranslationHub;

beforeEach(() => {
  hub = new TranslationHub(undefined);
});
afterEach(async () => {
  await Promise.all(threads.map((each) => each.close()));
  threads = [];
});

function newThreads(): BoardThreads {
  const made = new BoardThreads({ heapBytes: 2 ** 30, maxIdle: 2 });
  threads.push(made);
  return made;
}

const board = (firmware: string, change: Partial<BoardTask> = {}): BoardTask => ({
  board: 'malta',
  files: { firmware: join(folder, firmware) },
  clock: 'virtual',
  timeoutNs: 60e9,
  wallGuardMs: 60_000,
  consoleLimitBytes: 2 ** 20,
  artifactFolder: join(folder, 'artifacts'),
  artifactLimitBytes: 2 ** 30,
  ...change,
});

const program = (file: string): BoardTask => {
  const spec: JobSpec = { kind: 'process', board: 'linux-user', images: {}, arch: 'mipsel', program: './program' };
  return board('none', { process: { spec, files: [[0, file]] } });
};

interface Run {
  end: BoardEnd;
  spans: ConsoleSpan[];
}

async function run(on: BoardThreads, task: BoardTask, whileRunning?: (host: BoardHost) => void): Promise<Run> {
  const spans: ConsoleSpan[] = [];
  const remarks: string[] = [];
  const events = {
    console: (more: ConsoleSpan[]) => Promise.resolve(void spans.push(...more)),
    progress: () => undefined,
    remark: (line: string) => remarks.push(line),
  };
  const interpreters = cacheFolder(join(folder, 'interpreters'));
  const host = new BoardHost({ ...task, interpreters }, events, await on.lend(), hub.connect());
  whileRunning?.(host);
  const end = await host.ended;
  expect(remarks).not.toContainEqual(expect.stringContaining('cannot be translated'));
  // A busy machine takes its time; the next job would begin in another thread.
  await eventually(async () => on.idleCount === on.count, 'the thread to be idle or gone');
  return { end, spans };
}

/** What a run comes to; where its console was cut into messages depends on the host. */
function outcomeOf({ end, spans }: Run): object {
  const consoles: Record<string, { text: string; times: number[] }> = {};
  for (const { uart, tNs, data } of spans) {
    const log = (consoles[uart] ??= { text: '', times: [] });
    log.text += Buffer.from(data).toString('latin1');
    log.times.push(tNs);
  }
  return { report: end.report, reported: end.reported, consoles };
}

const BOARDS = (): readonly (readonly [string, BoardTask])[] => [
  ['a board', board('self-test')],
  ['a board with more memory', board('self-test', { memoryBytes: 192 << 20 })],
  ['a board whose steps fail', board('self-test', { steps: [{ expect: 'alu +ok' }, { expect: 'no such text' }] })],
  ['a board that runs out of time', board('spins', { timeoutNs: 20e6 })],
  ['a program that cannot be started', program(join(folder, 'no-program'))],
];

/** Runs jobs in fresh threads, then in one thread, forwards and backwards: each comes after others, and after itself. */
async function compare(jobs: readonly (readonly [string, BoardTask])[]): Promise<void> {
  const fresh = new Map<string, object>();
  for (const [name, task] of jobs) fresh.set(name, outcomeOf(await run(newThreads(), task)));
  expect(fresh.get('a board')).toMatchObject({
    report: { end: { kind: 'power-off' }, ramSha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
  });
  const used = newThreads();
  for (const [name, task] of [...jobs, ...jobs.toReversed()]) {
    expect([name, outcomeOf(await run(used, task))]).toEqual([name, fresh.get(name)]);
  }
  expect(used.count).toBe(1);
}

describeWith('cross-mips', 'a thread that has run programs', () => {
  it('runs them and boards as a fresh one does', async () => {
    const source = new URL('../conformance/user/processes.c', import.meta.url).pathname;
    const shape = { name: 'user-processes-static', byteOrder: 'little', flags: ['-O1', '-static'] } as const;
    const processes = program(await buildMipsProgram({ ...shape, sources: [source] }));
    await compare([['a program', processes], ...BOARDS()]);
  }, 180_000);
});

describe('a thread that has run other jobs', () => {
  it('runs each as a fresh one does', () => compare(BOARDS()), 120_000);

  it('runs a board the same after one that was stopped', async () => {
    const task = board('self-test');
    const fresh = outcomeOf(await run(newThreads(), task));
    // On a busy machine the board may not get to answer in time; its thread is ended then, and there is nothing to see.
    for (let reported = false; !reported;) {
      const used = newThreads();
      await run(used, task);
      const stopped = await run(used, board('spins', { clock: 'wall' }), (host) => setTimeout(() => host.abort(), 300));
      expect(stopped.end.report.end.kind).toBe('aborted');
      ({ reported } = stopped.end);
      if (!reported) continue;
      expect(outcomeOf(await run(used, task))).toEqual(fresh);
      expect(used.count).toBe(1);
    }
  }, 120_000);

  it('has not told the log that something in Node is experimental', async () => {
    const script = `
      const { collectGarbage } = await import(${JSON.stringify(import.meta.resolve('@bootlab/emulator/threads'))});
      await collectGarbage();
      process.emitWarning('of something else');`;
    const { stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    expect(stderr).toMatch(/^\(node:\d+\) Warning: of something else\n/);
  });

  it('leaves no files open', async () => {
    const used = newThreads();
    const task = board('self-test', {
      files: { firmware: join(folder, 'self-test'), drives: [join(folder, 'drive')] },
    });
    const open = async (): Promise<number> => {
      await run(used, task);
      return readdirSync('/proc/self/fd').length;
    };
    await open();
    const before = await open();
    for (let times = 0; times < 3; times++) await open();
    expect(await open()).toBe(before);
    expect(used.count).toBe(1);
  }, 60_000);

  it('has given back the memory of their guests', async () => {
    const used = newThreads();
    const task = board('fills', { memoryBytes: 256 << 20, timeoutNs: 20e6 });
    const resident = async (): Promise<number> => {
      expect((await run(used, task)).end.report.end.kind).toBe('timeout');
      await sleep(COLLECTED_MS);
      return process.memoryUsage().rss / 2 ** 20;
    };
    const before = await resident();
    for (let times = 0; times < 3; times++) await resident();
    expect((await resident()) - before).toBeLessThan(FILLED_MIB / 2);
    // Without a pause, that of one job before is still there.
    const most: number[] = [];
    for (let times = 0; times < 4; times++) {
      await run(used, task);
      most.push(process.memoryUsage().rss / 2 ** 20);
    }
    expect(Math.max(...most) - before).toBeLessThan(2.5 * FILLED_MIB);
    expect(used.count).toBe(1);
  }, 60_000);
});
