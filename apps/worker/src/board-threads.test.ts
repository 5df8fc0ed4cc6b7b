import { afterEach, describe, expect, it } from '@jest/globals';
import { MessageChannel } from 'node:worker_threads';
import { eventually } from '@bootlab/lab/testing';
import { BoardHost, type BoardEnd } from './board-host.js';
import { BoardThreads, type BoardThreadsOptions } from './board-threads.js';
import type { BoardTask } from './protocol.js';

const entry = new URL('./testing/fake-board.mjs', import.meta.url);

/** What the fake board looks at. */
const task = (cmdline: string): BoardTask => ({
  board: 'fake',
  cmdline,
  files: {},
  clock: 'virtual',
  timeoutNs: 1e9,
  wallGuardMs: 60_000,
  consoleLimitBytes: 2 ** 20,
  artifactFolder: '.',
  artifactLimitBytes: 0,
});

describe('the threads of boards', () => {
  const made: BoardThreads[] = [];
  afterEach(async () => {
    await Promise.all(made.splice(0).map((threads) => threads.close()));
  });

  function threadsWith(options: Partial<BoardThreadsOptions> = {}): BoardThreads {
    const threads = new BoardThreads({ heapBytes: 2 ** 27, maxIdle: 2, entry, ...options });
    made.push(threads);
    return threads;
  }

  interface Run {
    host: BoardHost;
    text: () => string;
    ended: Promise<BoardEnd>;
  }

  async function start(threads: BoardThreads, cmdline: string): Promise<Run> {
    let text = '';
    const events = {
      console: (spans: readonly { data: Uint8Array }[]) => {
        text += spans.map(({ data }) => Buffer.from(data).toString()).join('');
        return Promise.resolve();
      },
      progress: () => undefined,
      remark: (line: string) => void (text += `(${line})`),
    };
    const host = new BoardHost(task(cmdline), events, await threads.lend(), new MessageChannel().port2);
    return { host, text: () => text, ended: host.ended };
  }

  /** The number of the thread that a job ran in. */
  async function threadOf(threads: BoardThreads, cmdline = 'thread'): Promise<number> {
    const { ended, text } = await start(threads, cmdline);
    expect((await ended).report.end.kind).toBe('power-off');
    return Number(text());
  }

  const printed = (run: Run, text: string) => eventually(async () => run.text().includes(text), text);

  it('run job after job, those at the same time apart', async () => {
    const threads = threadsWith();
    const first = await threadOf(threads);
    expect(await threadOf(threads)).toBe(first);
    const long = await start(threads, 'echo');
    const other = await threadOf(threads);
    expect(other).not.toBe(first);
    long.host.input('uart0', Buffer.from('poweroff'));
    await long.ended;
    expect([first, other]).toContain(await threadOf(threads));
    expect(threads.count).toBe(2);
  });

  it('pass on what the emulator remarks', async () => {
    const { ended, text } = await start(threadsWith(), 'remark');
    expect((await ended).report.end.kind).toBe('power-off');
    expect(text()).toBe('(it got along)');
  });

  it.each(['throw', 'exit', 'hoard'])('are not used again after a board that broke (%s)', async (cmdline) => {
    const threads = threadsWith();
    const before = await threadOf(threads);
    const { ended } = await start(threads, cmdline);
    expect((await ended).report.end.kind).toBe('engine-failure');
    expect(await threadOf(threads)).not.toBe(before);
    await eventually(async () => threads.count === 1, 'the broken thread to be gone');
  });

  it('are not used again where a board did not answer that it was to stop', async () => {
    const threads = threadsWith();
    const before = await threadOf(threads);
    const run = await start(threads, 'deaf');
    await printed(run, 'ready');
    run.host.abort();
    expect(await run.ended).toMatchObject({ reported: false, report: { end: { kind: 'aborted' } } });
    expect(await threadOf(threads)).not.toBe(before);
  });

  it('are used again where it did, and no later word for that board reaches the next', async () => {
    const threads = threadsWith();
    const first = await start(threads, 'echo');
    await printed(first, 'ready');
    first.host.abort();
    expect(await first.ended).toMatchObject({ reported: true, report: { end: { kind: 'aborted' } } });
    first.host.input('uart0', Buffer.from('late'));
    const second = await start(threads, 'echo');
    first.host.input('uart0', Buffer.from('later'));
    first.host.abort();
    await printed(second, 'ready');
    second.host.input('uart0', Buffer.from('poweroff'));
    expect((await second.ended).report.end.kind).toBe('power-off');
    expect(second.text()).toBe('ready\npoweroff');
    expect(threads.count).toBe(1);
  });

  it('end where something goes on after the board has reported its end', async () => {
    const threads = threadsWith();
    const lingering = await threadOf(threads, 'lingers');
    const started = performance.now();
    expect(await threadOf(threads)).not.toBe(lingering);
    expect(performance.now() - started).toBeLessThan(2000); // it did not wait for that
    await eventually(async () => threads.count === 1, 'the lingering thread to be stopped');
  });

  it('end when they have waited long enough', async () => {
    const threads = threadsWith({ idleMs: 100 });
    await threadOf(threads);
    await eventually(async () => threads.count === 0, 'the idle thread to end');
  });

  it('end after so many jobs', async () => {
    const threads = threadsWith({ maxJobs: 2 });
    const ran = [await threadOf(threads), await threadOf(threads), await threadOf(threads)];
    expect(ran[1]).toBe(ran[0]);
    expect(ran[2]).not.toBe(ran[0]);
  });

  it('end when they keep too much of their jobs', async () => {
    const threads = threadsWith();
    await threadOf(threads, 'keeps much');
    await eventually(async () => threads.count === 0, 'the thread to end');
  });

  it('wait for jobs in no greater number than is allowed', async () => {
    const threads = threadsWith({ maxIdle: 1 });
    const runs = await Promise.all([1, 2, 3].map(() => start(threads, 'echo')));
    await Promise.all(runs.map((run) => printed(run, 'ready')));
    expect(threads.count).toBe(3);
    for (const { host } of runs) host.abort();
    await Promise.all(runs.map(({ ended }) => ended));
    await eventually(async () => threads.count === 1, 'two of them to end');
  });

  it('are gone once they are closed; those with a job, after it', async () => {
    const threads = threadsWith();
    const run = await start(threads, 'echo');
    await threadOf(threads);
    expect(threads.count).toBe(2);
    await threads.close();
    expect(threads.count).toBe(1);
    run.host.input('uart0', Buffer.from('poweroff'));
    expect((await run.ended).report.end.kind).toBe('power-off');
    await eventually(async () => threads.count === 0, 'the last one to end');
  });
});
