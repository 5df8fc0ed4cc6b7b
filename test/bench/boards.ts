import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { MissingPrerequisite, maltaGuest } from '@bootlab/emulator/testkit';
import type { CacheFolder } from '@bootlab/emulator/threads';
import { TranslationHub, cacheFolder } from '@bootlab/emulator/threads';
import type { BoardStart } from './board-thread.js';
import { WARMING_RUNS, withTranslations } from './bootlab.js';
import type { Report } from './report.js';
import type { Subject } from './statistics.js';
import { interleave, median } from './statistics.js';

/** What two boards together must do, as a multiple of what one does alone. */
const TARGET_THROUGHPUT = 1.9;

/**
 * Boards in the threads of one process, as a worker runs them, each booting Linux to BOOT-OK: how much more two do than
 * one. A board alone already keeps a second core busy while it translates, which is why a cold start has no target.
 */
export async function boardsBenchmark(runs: number, progress: (text: string) => void): Promise<Report> {
  if (availableParallelism() < 2) throw new MissingPrerequisite('a second core', 'Measure on a machine with two.');
  return withTranslations(async (translations) => {
    const folder = cacheFolder(translations);
    const hub = new TranslationHub(folder);
    const cold = (name: string, boards: number): Subject<number> => ({
      name,
      run: () => boot(boards, new TranslationHub(undefined), undefined),
    });
    const warm = (name: string, boards: number): Subject<number> => ({ name, run: () => boot(boards, hub, folder) });
    const subjects = [
      cold('one board, cold', 1),
      cold('two boards, cold', 2),
      { ...warm('one board, warm', 1), warmingRuns: WARMING_RUNS },
      warm('two boards, warm', 2),
    ];
    return reportOf(subjects, await interleave(subjects, runs, progress));
  });
}

/** Boots boards side by side. @returns seconds until all are there */
async function boot(boards: number, hub: TranslationHub, interpreters: CacheFolder | undefined): Promise<number> {
  const { kernel, initrd } = maltaGuest('little');
  const threads = Array.from({ length: boards }, () => {
    const hubPort = hub.connect();
    const workerData: BoardStart = { kernel, initrd, hub: hubPort, interpreters };
    return new Worker(new URL('./board-thread.js', import.meta.url), { workerData, transferList: [hubPort] });
  });
  // They have loaded their modules and images: what is measured is boards, not the start of threads.
  await Promise.all(threads.map((thread) => once(thread, 'message')));
  const startedAt = performance.now();
  const booted = Promise.all(threads.map((thread) => once(thread, 'message')));
  const ended = Promise.all(threads.map((thread) => once(thread, 'exit')));
  for (const thread of threads) thread.postMessage('go');
  await booted;
  const seconds = (performance.now() - startedAt) / 1000;
  await ended; // they keep what they made
  return seconds;
}

function reportOf(subjects: readonly Subject<number>[], samples: number[][]): Report {
  const [oneCold = NaN, twoCold = NaN, oneWarm = NaN, twoWarm = NaN] = samples.map(median);
  return {
    title: 'Two boards on two cores: Linux on Malta to BOOT-OK',
    note: `wall seconds until all are there, medians of ${samples[0]?.length} interleaved runs; boards are threads of one process`,
    columns: ['seconds', 'boards a minute', 'of one board'],
    rows: subjects.map(({ name }, index) => {
      const seconds = [oneCold, twoCold, oneWarm, twoWarm][index] ?? NaN;
      const boards = index % 2 === 0 ? 1 : 2;
      const one = index < 2 ? oneCold : oneWarm;
      return { name, values: [seconds, (60 * boards) / seconds, (boards * one) / seconds] };
    }),
    targets: [
      {
        name: "two boards' throughput as a multiple of one's, warm",
        value: (2 * oneWarm) / twoWarm,
        atLeast: TARGET_THROUGHPUT,
      },
    ],
  };
}
