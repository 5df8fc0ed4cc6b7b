import { openLog, readWorkerConfig } from '@bootlab/lab/server';
import { setV8Flags } from './board-threads.js';
import { serveOperations } from './operations-server.js';
import { startWorker } from './worker.js';

/** Beyond the grace of running jobs: for handing back what did not finish. */
const HAND_BACK_MS = 10_000;

setV8Flags();
const log = openLog('worker');
const config = readWorkerConfig(process.env);
const worker = await startWorker(config, { log, translations: config.translations });
const operations =
  config.operationsPort === undefined
    ? undefined
    : await serveOperations(config.operationsPort, config.host, worker.metrics);
log.info({ concurrency: config.concurrency }, 'ready');
// Whoever started us and keeps a channel open is told, and takes us along when it dies.
process.send?.({ type: 'ready' });

let stopping = false;
/** @param graceMs how long running jobs may go on; told a second time, they are handed back at once */
async function stop(graceMs: number): Promise<void> {
  if (stopping) {
    void worker.close(0);
    return;
  }
  stopping = true;
  log.info({ graceMs }, 'stopping');
  // Without database or queue there is nobody to give the jobs back to; they are picked up as those of a lost worker.
  setTimeout(() => process.exit(1), graceMs + HAND_BACK_MS).unref();
  await worker.close(graceMs);
  operations?.close();
  process.exit(0);
}
process.on('SIGTERM', () => void stop(config.drainMs));
process.on('SIGINT', () => void stop(0));
process.on('disconnect', () => void stop(0));
