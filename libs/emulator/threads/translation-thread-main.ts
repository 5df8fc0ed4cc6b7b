// The translation thread: reads the machine's memory while the vCPU runs, and posts compiled regions back.
import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import { describeTarget } from '../targets/index.js';
import type { CompiledBatch, TranslationRequest } from '../accel/jit/index.js';
import { RegionCompiler } from '../accel/jit/index.js';
import type { ThreadStart } from './protocol.js';

/** Regions that wait at the same time share a module, which costs less to compile; but none should wait long. */
const MAX_BATCH = 8;

const { setup, target, port } = workerData as ThreadStart; // what translation-thread.ts passes
const compiler = new RegionCompiler(setup, describeTarget(target.name, target.model, target.byteOrder));

port.on('message', (first: TranslationRequest) => {
  const requests = [first];
  while (requests.length < MAX_BATCH) {
    const next = receiveMessageOnPort(port);
    if (!next) break;
    requests.push(next.message);
  }
  for (const batch of batchesOf(requests)) port.postMessage(batch);
});

/**
 * The vCPU may rewrite code while it is read, which can leave a region that contradicts itself. What fails is tried alone,
 * and what fails alone is put off; a fault of the translator's own shows where it runs inline.
 */
function batchesOf(requests: readonly TranslationRequest[]): CompiledBatch[] {
  try {
    return [compiler.compile(requests)];
  } catch {
    if (requests.length > 1) return requests.flatMap((request) => batchesOf([request]));
    return [{ ...compiler.compile([]), postponed: requests }];
  }
}
