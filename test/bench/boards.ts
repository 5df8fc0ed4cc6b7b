import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { MissingPrerequisite, maltaGuest } from '@bootlab/emulator/testkit';
import type { CacheFolder } from '@bootlab/emulator/threads';
import { TranslationHub, cacheFolder } from '@bootlab/emulator/threads';
import { BoardHost, BoardThreads, setV8Flags, type BoardTask } from '@bootlab/worker/boards';
import { withTranslations } from './bootlab.js';
import type { Report } from './report.js';
import type { Subject } from './statistics.js';
import { interleave, median, mediansOf, medianRatio } from './statistics.js';

/** What two boards together must do, as a multiple of what one does alone. */
const TARGET_THROUGHPUT = 1.9;
/** Boards one after the other that a warm sample is made of, or more: what a thread does between two of them counts as well. */
const BOARDS_IN_A_ROW = 3;
/** After so many samples a thread has run eight boards or more, and V8 has compiled what it will compile. */
const WARMING_RUNS = 3;
/** As a worker has it unless told. */
const HEAP_BYTES = 2 ** 30;

/** What boards share. */
interface Shop {
  readonly threads: BoardThreads;
  readonly hub: TranslationHub;
  /** Where interpreters are kept; undefined: nowhere. */
  readonly interpreters: CacheFolder | undefined;
}

/**
 * Boards as a worker runs them, each a job that waits for BOOT-OK: how much more two at the same time do than one. A board
 * alone already keeps a second core busy while it translates, which is why a cold start has no target.
 */
export async function boardsBenchmark(runs: number, progress: (text: string) => void): Promise<Report> {
  if (availableParallelism() < 2) throw new MissingPrerequisite('a second core', 'Measure on a machine with two.');
  setV8Flags();
  return withTranslations(async (translations) => {
    const folder = cacheFolder(translations);
    const shop: Shop = { threads: newThreads(), hub: new TranslationHub(folder), interpreters: folder };
    const cold = (name: string, boards: number): Subject<number> => ({
      name,
      run: async () => {
        const empty: Shop = { threads: newThreads(), hub: new TranslationHub(undefined), interpreters: undefined };
        const perSecond = await throughput(empty, { places: boards, inARow: 1, goesOn: false });
        await empty.threads.close();
        return perSecond;
      },
    });
    const warm = (name: string, boards: number, warmingRuns: number): Subject<number> => ({
      name,
      warmingRuns,
      run: () => throughput(shop, { places: boards, inARow: BOARDS_IN_A_ROW, goesOn: true }),
    });
    const subjects = [
      cold('one board, cold', 1),
      cold('two boards, cold', 2),
      warm('one board, warm', 1, 1),
      warm('two boards, warm', 2, WARMING_RUNS),
    ];
    const report = reportOf(subjects, await interleave(subjects, runs, progress));
    await shop.threads.close();
    return report;
  });
}

const newThreads = (): BoardThreads => new BoardThreads({ heapBytes: HEAP_BYTES, maxIdle: availableParallelism() });

interface Load {
  /** Boards that run side by side, each followed by another. */
  readonly places: number;
  /** Boards that each place has to finish. */
  readonly inARow: number;
  /** Does a place go on until all have finished theirs? Where one core is slower for a while, the other then does not idle. */
  readonly goesOn: boolean;
}

/** @returns boards a second that all places finish together */
async function throughput(shop: Shop, { places, inARow, goesOn }: Load): Promise<number> {
  const finished = Array.from({ length: places }, () => 0);
  const perSecond = await Promise.all(
    finished.map(async (_, place) => {
      const startedAt = performance.now();
      let boards = 0;
      while (boards < inARow || (goesOn && Math.min(...finished) < inARow)) {
        await runJob(shop);
        finished[place] = ++boards;
      }
      return (1000 * boards) / (performance.now() - startedAt);
    }),
  );
  return perSecond.reduce((sum, rate) => sum + rate, 0);
}

async function runJob({ threads, hub, interpreters }: Shop): Promise<void> {
  const artifactFolder = mkdtempSync(join(tmpdir(), 'bootlab-boards-'));
  const { kernel, initrd } = maltaGuest('little');
  const task: BoardTask = {
    board: 'malta',
    cpu: '24Kf',
    memoryBytes: 256 << 20,
    cmdline: 'console=ttyS0',
    files: { kernel, initrd },
    clock: 'virtual',
    timeoutNs: 600e9,
    wallGuardMs: 300_000,
    consoleLimitBytes: 2 ** 28,
    steps: [{ expect: 'BOOT-OK' }],
    artifactFolder,
    artifactLimitBytes: 0,
    interpreters,
  };
  const events = { console: () => Promise.resolve(), progress: () => undefined, remark: console.warn };
  const { report } = await new BoardHost(task, events, await threads.lend(), hub.connect()).ended;
  rmSync(artifactFolder, { recursive: true });
  if (report.end.kind !== 'steps-done') throw new Error(`a board ended without BOOT-OK: ${JSON.stringify(report.end)}`);
}

/** @param samples boards a second */
function reportOf(subjects: readonly Subject<number>[], samples: number[][]): Report {
  const [oneCold = [], twoCold = [], oneWarm = [], twoWarm = []] = samples;
  const rows: [perSecond: readonly number[], places: number, one: readonly number[]][] = [
    [oneCold, 1, oneCold],
    [twoCold, 2, oneCold],
    [oneWarm, 1, oneWarm],
    [twoWarm, 2, oneWarm],
  ];
  return {
    title: 'Two boards on two cores: Linux on Malta to BOOT-OK',
    note:
      `wall seconds of a job, ${mediansOf(samples[0]?.length ?? 0)}, ratios of single rounds; boards in a worker's threads. Cold: nothing is ` +
      `kept, and the threads are new; warm: ${BOARDS_IN_A_ROW} jobs in a row in threads that have run others`,
    columns: ['seconds', 'boards a minute', 'of one board'],
    rows: subjects.map(({ name }, index) => {
      const [perSecond = [], places = NaN, one = []] = rows[index] ?? [];
      return { name, values: [places / median(perSecond), 60 * median(perSecond), medianRatio(perSecond, one)] };
    }),
    targets: [
      {
        name: "two boards' throughput as a multiple of one's, warm",
        value: medianRatio(twoWarm, oneWarm),
        atLeast: TARGET_THROUGHPUT,
      },
    ],
  };
}
