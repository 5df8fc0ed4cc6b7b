import type { MessagePort } from 'node:worker_threads';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type {
  CompilerSetup,
  KeptModule,
  TranslationRequest,
  TranslationResult,
  TranslationService,
  TranslationServiceFactory,
} from '../accel/index.js';
import { libraryKey, translateInline, translateInlineWith } from '../accel/index.js';
import type { TargetDescription } from '../jit/ir/index.js';
import type { CacheFolder } from './cache-folder.js';
import type { FromTranslator, ThreadCache, ThreadStart, ToTranslator } from './protocol.js';
import { TranslationFiles } from './translation-files.js';
import { connectToHub } from './translation-hub.js';

/** What translating leaves behind is garbage at once: much room for it only makes the process larger. */
const YOUNG_GENERATION_MB = 4;
/** Requests further apart than this many milliseconds do not occupy a thread. */
const ALONE_MS = 200;
/** Fewer translations than this are not worth writing a file of megabytes anew. */
const WORTH_KEEPING = 8;

/** Where translations of earlier runs and of other boards come from, and go to. */
export type TranslationCache =
  | { readonly kind: 'files'; readonly folder: CacheFolder }
  /** A port of a `TranslationHub`: boards of a process share what they translate. */
  | { readonly kind: 'hub'; readonly port: MessagePort };

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
): TranslationService {
  return setup.memory.shared ? new ThreadedTranslation(setup, description, cache) : translateInline(setup, description);
}

/**
 * A thread while there is much to translate. It ends when nobody has asked for anything for a while: it takes as much memory
 * as a small board. What an idle guest asks for every few seconds is made here then.
 */
class ThreadedTranslation implements TranslationService {
  readonly #key: string | undefined;
  /** Makes what is asked for now and then. */
  readonly #aside: TranslationService;
  readonly #madeAside: KeptModule[] = [];
  #thread: Thread | undefined;
  /** Requests that the present thread got. */
  #requests = 0;
  /** Host time of the last request; before a first thread has ended, every request is one of many. */
  #lastRequestMs: number | undefined;

  constructor(
    private readonly setup: CompilerSetup,
    private readonly description: TargetDescription,
    private readonly cache: TranslationCache | undefined,
  ) {
    this.#key = cache && libraryKey(setup, description);
    const library = { load: () => [], add: this.#keepAside, save: () => undefined };
    this.#aside = translateInlineWith(library)(setup, description);
    // Most short runs need no thread, but a cache is good for what comes first.
    if (this.#key !== undefined) this.#thread = this.#start();
  }

  request(request: TranslationRequest): void {
    if (this.#isAlone()) return this.#aside.request(request);
    this.#send({ kind: 'request', request });
    this.#requests++;
  }

  poll(): TranslationResult | undefined {
    for (let result = this.#receive(); result; result = this.#receive()) {
      if (result.kind !== 'idle') return result;
      if (result.requests !== this.#requests) continue;
      this.#end([]);
      this.#lastRequestMs = -Infinity; // long enough ago
    }
    return this.#aside.poll();
  }

  close(): void {
    const made = this.#madeAside.length < WORTH_KEEPING ? [] : this.#madeAside;
    if (this.#thread) return this.#end(made);
    if (made.length === 0 || this.cache?.kind !== 'files' || this.#key === undefined) return;
    const files = new TranslationFiles(this.cache.folder);
    files.load(this.#key);
    for (const one of made) files.add(this.#key, one);
    files.save(this.#key);
  }

  #keepAside = (_key: string, made: KeptModule): void => void this.#madeAside.push(made);

  /** Is there no thread, and has there been nothing for one to do of late? Host time decides where, never what. */
  #isAlone(): boolean {
    if (this.#thread || this.#lastRequestMs === undefined) return false;
    const before = this.#lastRequestMs;
    this.#lastRequestMs = performance.now();
    return this.#lastRequestMs - before > ALONE_MS;
  }

  #start(): Thread {
    const opened = this.#key === undefined ? undefined : openCache(this.cache, this.#key);
    return startThread(this.setup, this.description, opened);
  }

  #send(message: ToTranslator): void {
    this.#thread ??= this.#start();
    const { failure, port } = this.#thread;
    if (failure) throw new Error(`the translation thread failed: ${failure.message}`, { cause: failure });
    port.postMessage(message);
  }

  #receive(): FromTranslator | undefined {
    return this.#thread && receiveMessageOnPort(this.#thread.port)?.message;
  }

  /** Lets the thread keep what it made, and this. */
  #end(made: readonly KeptModule[]): void {
    const thread = this.#thread;
    if (!thread) return;
    if (this.#key !== undefined && this.cache?.kind === 'files' && !thread.failure) {
      thread.worker.ref(); // until it has written its file
      this.#send({ kind: 'close', made });
    } else {
      thread.port.close();
      void thread.worker.terminate();
    }
    this.#thread = undefined;
    this.#requests = 0;
  }
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
