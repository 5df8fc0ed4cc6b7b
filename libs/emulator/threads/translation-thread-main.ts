// The translation thread: reads the machine's memory while the vCPU runs, and posts compiled regions back.
import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import { describeTarget } from '../targets/index.js';
import type { CompiledBatch, TranslationRequest } from '../accel/jit/index.js';
import { RegionCompiler } from '../accel/jit/index.js';
import type { FromTranslator, ThreadStart, ToTranslator } from './protocol.js';

/** Regions that wait at the same time share a module, which costs less to compile; but none should wait long. */
const MAX_BATCH = 8;
/** After this long without a request the thread offers to end. */
const IDLE_MS = 2000;

const { setup, target, port, known } = workerData as ThreadStart; // what translation-thread.ts passes
let bytes: Uint8Array<ArrayBuffer> | undefined;
const compiler = new RegionCompiler(setup, describeTarget(target.name, target.model, target.byteOrder), (made) => {
  bytes = made.bytes;
});
compiler.learn(known);
const post = (message: FromTranslator): void => port.postMessage(message);

let requestCount = 0;
const idle = setTimeout(() => post({ kind: 'idle', requests: requestCount }), IDLE_MS);

port.on('message', (first: ToTranslator) => {
  const requests: TranslationRequest[] = [];
  let closing = false;
  for (let next: ToTranslator | undefined = first; next; next = receiveMessageOnPort(port)?.message) {
    if (next.kind === 'learn') compiler.learn(next.regions);
    else if (next.kind === 'request') requests.push(next.request);
    else closing = true;
    if (requests.length === MAX_BATCH) break;
  }
  answer(requests);
  if (closing) return close();
  requestCount += requests.length;
  idle.refresh();
});

function close(): void {
  clearTimeout(idle);
  port.close();
}

/**
 * The vCPU may rewrite code while it is read, which can leave a region that contradicts itself. What fails is tried alone,
 * and what fails alone is put off; a fault of the translator's own shows where it runs inline.
 */
function answer(requests: readonly TranslationRequest[]): void {
  if (requests.length === 0) return;
  let batch: CompiledBatch;
  try {
    bytes = undefined;
    batch = compiler.compile(requests);
  } catch {
    if (requests.length > 1) return requests.forEach((request) => answer([request]));
    batch = { ...compiler.compile([]), postponed: requests };
  }
  post({ kind: 'answer', batch, bytes });
}
