import { readConfig } from '@bootlab/lab/server';
import { startWorker } from './worker.js';

const SHUTDOWN_MS = 10_000;

const log = (message: string): void => void process.stdout.write(`worker: ${message}\n`);
const config = readConfig(process.env);
const worker = await startWorker(config, { log });
log(`ready, ${config.concurrency} board${config.concurrency === 1 ? '' : 's'} at a time`);
// Whoever started us and keeps a channel open is told, and takes us along when it dies.
process.send?.({ type: 'ready' });

let stopping = false;
const stop = async (): Promise<void> => {
  if (stopping) return;
  stopping = true;
  // Without database or queue there is nobody to give the jobs back to; they are picked up as those of a lost worker.
  setTimeout(() => process.exit(1), SHUTDOWN_MS).unref();
  await worker.close();
  process.exit(0);
};
process.on('SIGTERM', () => void stop());
process.on('SIGINT', () => void stop());
process.on('disconnect', () => void stop());
