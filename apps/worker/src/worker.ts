import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import {
  ConsoleLogs,
  JobStore,
  openBlobStore,
  openDatabase,
  openJobWorker,
  openLiveStreams,
  type LabConfig,
} from '@bootlab/lab/server';
import { JobProcessor } from './job-processor.js';

// A worker that dies is noticed when its lock on a job runs out: these bound how long its jobs rest.
const LOCK_MS = 10_000;
const STALLED_CHECK_MS = 5_000;
// How often a job may come back from a lost worker is decided in the database; the queue must not be stricter.
const MAX_STALLED_COUNT = 100;

export interface LabWorker {
  /** Puts running jobs back into the queue and ends. */
  close(): Promise<void>;
}

export interface WorkerOptions {
  log: (message: string) => void;
  /** Entry of the board threads; another one in tests. */
  boardEntry?: URL;
  /** How soon a lost worker's jobs are taken up, for tests. */
  lockMs?: number;
  stalledCheckMs?: number;
}

/** Starts a worker: it takes jobs from the queue until it is closed. */
export async function startWorker(config: LabConfig, options: WorkerOptions): Promise<LabWorker> {
  const report = (error: Error): void => options.log(`queue or stream: ${error.message}`);
  const database = openDatabase(config.databaseUrl);
  const streams = await openLiveStreams(config, report);
  const blobs = await openBlobStore(config.blobUrl);
  const processor = new JobProcessor({
    config,
    jobs: new JobStore(database, streams),
    logs: new ConsoleLogs(database, streams, blobs),
    blobs,
    streams,
    workerName: `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`,
    log: options.log,
    ...(options.boardEntry && { boardEntry: options.boardEntry }),
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
  return {
    close: async () => {
      const closed = worker.close(); // takes no further job, and waits for those that run
      processor.shutDown();
      await closed;
      await streams.close();
      await database.$disconnect();
    },
  };
}
