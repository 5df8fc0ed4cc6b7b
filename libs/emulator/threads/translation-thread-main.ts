// The translation thread: reads the machine's memory while the vCPU runs, and posts compiled regions back.
import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import { describeTarget } from '../targets/index.js';
import type { TranslationRequest } from '../accel/jit/index.js';
import { RegionCompiler } from '../accel/jit/index.js';
import type { FromTranslator, ThreadStart, ToTranslator } from './protocol.js';

/**
 * Regions that are asked for within a short time share a module: each takes V8 25 KiB besides its code. The first ones, which
 * programs that end soon are made of, wait for nobody.
 */
const MAX_BATCH = 32;
const GATHER_MS = 50;
const UNGATHERED_BATCHES = 8;
/** After this long without a request the thread offers to end. */
const IDLE_MS = 2000;

const { setup, target, port, posted, known } = workerData as ThreadStart; // what translation-thread.ts passes
let bytes: Uint8Array<ArrayBuffer> | undefined;
const compiler = new RegionCompiler(setup, describeTarget(target.name, target.model, target.byteOrder), (made) => {
  bytes = made.bytes;
});
compiler.learn(known);
const post = (message: FromTranslator): void => port.postMessage(message);

let gathered: TranslationRequest[] = [];
let gatheredSinceMs = 0;
let requestCount = 0;
let batchCount = 0;
let isIdle = false;

for (let closing = false; !closing;) {
  const seen = Atomics.load(posted, 0);
  closing = receive();
  const isBatch = closing || gathered.length === MAX_BATCH || batchCount < UNGATHERED_BATCHES;
  if (isBatch && gathered.length > 0) answerGathered();
  else if (!closing && Atomics.wait(posted, 0, seen, waitMs()) === 'timed-out') timedOut();
}
port.close();

/** Takes what was posted. @returns whether nothing will be any more */
function receive(): boolean {
  while (gathered.length < MAX_BATCH) {
    const message: ToTranslator | undefined = receiveMessageOnPort(port)?.message;
    if (!message) return false;
    if (message.kind === 'close') return true;
    if (message.kind === 'learn') {
      compiler.learn(message.regions);
      continue;
    }
    if (gathered.length === 0) gatheredSinceMs = performance.now();
    gathered.push(message.request);
  }
  return false;
}

function waitMs(): number {
  if (gathered.length > 0) return Math.max(0, gatheredSinceMs + GATHER_MS - performance.now());
  return isIdle ? Infinity : IDLE_MS;
}

function timedOut(): void {
  if (gathered.length > 0) return answerGathered();
  isIdle = true;
  post({ kind: 'idle', requests: requestCount });
}

function answerGathered(): void {
  const requests = gathered;
  gathered = [];
  isIdle = false;
  for (const result of compiler.attempt(requests)) {
    post(result.kind === 'answer' ? { ...result, bytes } : result);
    bytes = undefined;
  }
  requestCount += requests.length;
  batchCount++;
}
