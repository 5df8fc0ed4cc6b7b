import type { MessagePort } from 'node:worker_threads';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { CompilerSetup, TranslationResult, TranslationServiceFactory } from '../accel/index.js';
import { libraryKey, translateInline } from '../accel/index.js';
import type { TargetDescription } from '../jit/ir/index.js';
import { generatorVersion } from './generator-version.js';
import type { FromTranslator, ThreadCache, ThreadStart, ToTranslator } from './protocol.js';
import type { TranslationFolder } from './translation-files.js';
import { connectToHub } from './translation-hub.js';

/** What translating leaves behind is garbage at once: much room for it only makes the process larger. */
const YOUNG_GENERATION_MB = 4;

/** Where translations of earlier runs and of other boards come from, and go to. */
export type TranslationCache =
  | { readonly kind: 'files'; readonly folder: TranslationFolder }
  /** A port of a `TranslationHub`: boards of a process share what they translate. */
  | { readonly kind: 'hub'; readonly port: MessagePort };

/**
 * A folder of this host as a cache. Undefined where nothing can be kept because the build does not say which it is.
 * @param limits `maxBytes`: that all files together may take, default 256 MiB; `build`: see {@link generatorVersion}
 */
export function translationFolder(
  folder: string,
  { maxBytes, build }: { readonly maxBytes?: number; readonly build?: URL } = {},
): TranslationFolder | undefined {
  const version = generatorVersion(build);
  return version === undefined ? undefined : { folder, version, maxBytes };
}

/**
 * Translates in a thread of its own, so that the vCPU interprets on meanwhile. Results are taken in when the vCPU looks
 * for them: it never waits for a message. Where the machine's memory cannot be shared, translation happens inline.
 */
export const translateInThread: TranslationServiceFactory = (setup, description) =>
  inThread(setup, description, undefined);

/** The same, and what the cache has is not translated again. A machine must be closed to be remembered. */
export const translateInThreadWith =
  (cache: TranslationCache): TranslationServiceFactory =>
  (setup, description) =>
    inThread(setup, description, cache);

function inThread(
  setup: CompilerSetup,
  description: TargetDescription,
  cache: TranslationCache | undefined,
): ReturnType<TranslationServiceFactory> {
  if (!setup.memory.shared) return translateInline(setup, description);
  const key = cache && libraryKey(setup, description);
  const start = (): Thread => startThread(setup, description, key === undefined ? undefined : openCache(cache, key));
  // Most short runs need no thread, but a cache is good for what comes first.
  let thread = key === undefined ? undefined : start();
  let requests = 0;
  const send = (message: ToTranslator): void => {
    thread ??= start();
    if (thread.failure)
      throw new Error(`the translation thread failed: ${thread.failure.message}`, { cause: thread.failure });
    thread.port.postMessage(message);
  };
  const close = (): void => {
    if (!thread) return;
    if (key !== undefined && cache?.kind === 'files' && !thread.failure) {
      thread.worker.ref(); // until it has written its file
      send({ kind: 'close' });
    } else {
      thread.port.close();
      void thread.worker.terminate();
    }
    thread = undefined;
    requests = 0;
  };
  const receive = (): FromTranslator | undefined => thread && receiveMessageOnPort(thread.port)?.message;
  return {
    request(request): void {
      send({ kind: 'request', request });
      requests++;
    },
    poll(): TranslationResult | undefined {
      for (let result = receive(); result; result = receive()) {
        if (result.kind !== 'idle') return result;
        // A thread takes as much memory as a small board. The next request starts another.
        if (result.requests === requests) close();
      }
      return undefined;
    },
    close,
  };
}

/** What is passed to the thread, and the ports that go with it. */
function openCache(
  cache: TranslationCache | undefined,
  key: string,
): { cache: ThreadCache; ports: MessagePort[] } | undefined {
  if (!cache) return undefined;
  if (cache.kind === 'files') return { cache: { kind: 'files', key, folder: cache.folder }, ports: [] };
  const port = connectToHub(cache.port, key);
  return { cache: { kind: 'hub', port }, ports: [port] };
}

interface Thread {
  readonly worker: Worker;
  readonly port: MessagePort;
  failure: Error | undefined;
}

function startThread(
  setup: CompilerSetup,
  { name, model, byteOrder }: TargetDescription,
  opened: { cache: ThreadCache; ports: MessagePort[] } | undefined,
): Thread {
  const { port1: port, port2 } = new MessageChannel();
  const start: ThreadStart = { setup, target: { name, model, byteOrder }, port: port2, cache: opened?.cache };
  const worker = new Worker(new URL('./translation-thread-main.js', import.meta.url), {
    workerData: start,
    transferList: [port2, ...(opened?.ports ?? [])],
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
  });
  const thread: Thread = { worker, port, failure: undefined };
  worker.on('error', (error: Error) => (thread.failure = error));
  worker.unref();
  port.unref();
  return thread;
}
