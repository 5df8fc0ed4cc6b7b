import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { TranslationHub, cacheFolder } from '@bootlab/emulator/threads';
import {
  ConsoleLogs,
  JobStore,
  Metrics,
  openBlobStore,
  openDatabase,
  openJobWorker,
  openLiveStreams,
  openTracing,
  type LabConfig,
  type Logger,
} from '@bootlab/lab/server';
import { BoardThreads } from './board-threads.js';
import { JobProcessor } from './job-processor.js';
import { WorkerMetrics } from './worker-metrics.js';

// A worker that dies is noticed when its lock on a job runs out: these bound how long its jobs rest.
const LOCK_MS = 10_000;
const STALLED_CHECK_MS = 5_000;
// How often a job may come back from a lost worker is decided in the database; the queue must not be stricter.
const MAX_STALLED_COUNT = 100;

export interface LabWorker {
  /**
   * Takes no further job and ends. Running jobs have `graceMs` to finish; those that do not go back into the queue.
   * Called again, it waits no longer.
   */
  close(graceMs?: number): Promise<void>;
  readonly metrics: Metrics;
}

export interface WorkerOptions {
  log: Logger;
  /** Folder in which translations and interpreters are kept from job to job; without it boards share translations while the worker lives. */
  translations?: string | undefined;
  /** Entry of the board threads; another one in tests. */
  boardEntry?: URL;
  /** How soon a lost worker's jobs are taken up, for tests. */
  lockMs?: number;
  stalledCheckMs?: number;
}

/** Starts a worker: it takes jobs from the queue until it is closed. */
export async function startWorker(config: LabConfig, options: WorkerOptions): Promise<LabWorker> {
  const report = (error: Error): void => options.log.warn({ err: error }, 'queue or stream');
  const handBack = new AbortController();
  const metrics = new Metrics();
  const database = openDatabase(config.databaseUrl);
  const streams = await openLiveStreams(config, report);
  const blobs = await openBlobStore(config.blobUrl);
  const tracing = await openTracing('worker', process.env, (message) => options.log.warn({ message }, 'traces'));
  const cache = options.translations === undefined ? undefined : cacheFolder(options.translations);
  const threads = new BoardThreads({
    heapBytes: config.boardHeapBytes,
    maxIdle: config.concurrency,
    entry: options.boardEntry,
  });
  const processor: JobProcessor = new JobProcessor({
    config,
    jobs: new JobStore(database, streams),
    logs: new ConsoleLogs(database, streams, blobs),
    blobs,
    streams,
    workerName: `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`,
    log: options.log,
    translations: new TranslationHub(cache),
    interpreters: cache,
    metrics: new WorkerMetrics(metrics, { running: () => processor.running, idleThreads: () => threads.idleCount }),
    threads,
    tracing,
  });
  const worker = openJobWorker(
    config,
    (job, token) => processor.process(job, token),
    {
      concurrency: config.concurrency,
      lockDuration: options.lockMs ?? LOCK_MS,
      stalledInterval: options.stalledCheckMs ?? STALLED_CHECK_MS,
      maxStalledCount: MAX_STALLED_COUNT,
    },
    report,
  );
  worker.on('lockRenewalFailed', (jobIds) => processor.abandon(jobIds));
  await worker.waitUntilReady();
  let closed: Promise<void> | undefined;
  const stop = async (graceMs: number): Promise<void> => {
    const finished = worker.close(); // takes no further job, and waits for those that run
    const grace = sleep(graceMs, undefined, { signal: handBack.signal }).catch(() => undefined);
    await Promise.race([finished, grace]);
    processor.shutDown();
    handBack.abort();
    await finished;
    await threads.close();
    await tracing.close();
    await streams.close();
    await database.$disconnect();
  };
  return {
    metrics,
    close: (graceMs = 0) => {
      if (graceMs === 0) handBack.abort();
      closed ??= stop(graceMs);
      return closed;
    },
  };
}
