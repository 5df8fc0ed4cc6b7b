// The translation thread: reads the machine's memory while the vCPU runs, and posts compiled regions back.
import { once } from 'node:events';
import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import { describeTarget } from '../targets/index.js';
import type { CompiledBatch, KeptModule, RegionModule, TranslationRequest } from '../accel/jit/index.js';
import { RegionCompiler } from '../accel/jit/index.js';
import type { FromHub, FromTranslator, ThreadStart, ToHub, ToTranslator } from './protocol.js';
import { TranslationFiles } from './translation-files.js';

/** Regions that wait at the same time share a module, which costs less to compile; but none should wait long. */
const MAX_BATCH = 8;
/** After this long without a request the thread offers to end. */
const IDLE_MS = 2000;

const { setup, target, port, cache } = workerData as ThreadStart; // what translation-thread.ts passes
const files = cache?.kind === 'files' ? new TranslationFiles(cache.folder) : undefined;
const compiler = new RegionCompiler(setup, describeTarget(target.name, target.model, target.byteOrder), (made) => {
  if (cache?.kind === 'files') files?.add(cache.key, made);
  else if (cache?.kind === 'hub') cache.port.postMessage({ made } satisfies ToHub);
});
const post = (message: FromTranslator): void => port.postMessage(message);
const postKnown = ({ module, regions }: RegionModule, wasmBytes: number): void => {
  compiler.learn(regions);
  post({ kind: 'known', made: { module, regions }, wasmBytes });
};

if (cache?.kind === 'files') {
  for (const made of files?.load(cache.key) ?? []) postKnown(made, made.bytes.length);
} else if (cache?.kind === 'hub') {
  cache.port.on('message', ({ modules }: FromHub) => {
    for (const { made, wasmBytes } of modules) postKnown(made, wasmBytes);
  });
  await once(cache.port, 'message'); // what it has is not translated again, however early somebody asks
}

let requestCount = 0;
const idle = setTimeout(() => post({ kind: 'idle', requests: requestCount }), IDLE_MS);

port.on('message', (first: ToTranslator) => {
  const requests: TranslationRequest[] = [];
  let closing: readonly KeptModule[] | undefined;
  for (let next: ToTranslator | undefined = first; next; next = receiveMessageOnPort(port)?.message) {
    if (next.kind === 'close') closing = next.made;
    else requests.push(next.request);
    if (requests.length === MAX_BATCH) break;
  }
  if (closing) return close(closing);
  for (const batch of batchesOf(requests)) post({ kind: 'answer', batch });
  requestCount += requests.length;
  idle.refresh();
});

function close(made: readonly KeptModule[]): void {
  clearTimeout(idle);
  if (cache?.kind === 'files') {
    for (const one of made) files?.add(cache.key, one);
    files?.save(cache.key);
  }
  if (cache?.kind === 'hub') cache.port.close();
  port.close();
}

/**
 * The vCPU may rewrite code while it is read, which can leave a region that contradicts itself. What fails is tried alone,
 * and what fails alone is put off; a fault of the translator's own shows where it runs inline.
 */
function batchesOf(requests: readonly TranslationRequest[]): CompiledBatch[] {
  if (requests.length === 0) return [];
  try {
    return [compiler.compile(requests)];
  } catch {
    if (requests.length > 1) return requests.flatMap((request) => batchesOf([request]));
    return [{ ...compiler.compile([]), postponed: requests }];
  }
}
