import type { MessagePort } from 'node:worker_threads';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type {
  CompiledBatch,
  CompiledRegion,
  CompilerSetup,
  KeptModule,
  PutOff,
  TranslationRequest,
  TranslationResult,
  TranslationService,
  TranslationServiceFactory,
} from '../accel/index.js';
import { joinRegions, libraryKey, placeKey, putOffAgain, putOffOf } from '../accel/index.js';
import { translateInline, translateInlineWith, withoutRegions } from '../accel/index.js';
import type { TargetDescription } from '../jit/ir/index.js';
import type { BoardCache, TranslationCache } from './board-cache.js';
import { openCache } from './board-cache.js';
import type { FromHub, FromTranslator, ThreadStart, ToTranslator } from './protocol.js';

/** What translating leaves behind is garbage at once: much room for it only makes the process larger. */
const YOUNG_GENERATION_MB = 4;
/** This many requests do not occupy a thread, nor one more every so many milliseconds. */
const MAX_FEW = 8;
const FEW_MS = 200;

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
 * as a small board. What an idle guest asks for every few seconds is made here then, and all the little that is missing where a
 * cache has the rest.
 */
class ThreadedTranslation implements TranslationService {
  readonly #cache: BoardCache | undefined;
  /** What a thread must know when it starts: everything there is. */
  readonly #known: CompiledRegion[] = [];
  /** What was asked for in vain, in earlier runs too. */
  readonly #putOff = new Map<string, PutOff>();
  readonly #finished: TranslationResult[] = [];
  /** What was asked for before the cache said what it has; undefined: it has. */
  #early: TranslationRequest[] | undefined;
  /** Makes what is asked for now and then. */
  readonly #aside: TranslationService;
  #thread: Thread | undefined;
  /** Requests that the present thread got. */
  #requests = 0;
  /** Of how many requests it may be said that they are few; before a first thread has ended, and without a cache, of none. */
  #few = 0;
  #lastRequestMs = Infinity;

  constructor(
    private readonly setup: CompilerSetup,
    private readonly description: TargetDescription,
    cache: TranslationCache | undefined,
  ) {
    const key = cache && libraryKey(setup, description);
    this.#cache = cache && key !== undefined ? openCache(cache, key) : undefined;
    if (this.#cache) this.#early = [];
    const library = {
      has: () => false,
      load: () => ({ modules: [], putOff: new Map() }),
      add: (_key: string, made: KeptModule) => this.#keep(made),
      putOff: () => undefined,
      replace: () => undefined,
      save: () => undefined,
    };
    this.#aside = translateInlineWith(library)(setup, description);
  }

  request(request: TranslationRequest): void {
    if (this.#early) return void this.#early.push(request);
    const why = request.before.length === 0 ? this.#putOff.get(placeKey(request)) : undefined;
    if (why) return void this.#finished.push(putOffAgain(request, why));
    if (this.#isOneOfFew()) return this.#aside.request(request);
    this.#send({ kind: 'request', request });
    this.#requests++;
  }

  poll(): TranslationResult | undefined {
    for (let news = this.#cache?.poll(); news; news = this.#cache?.poll()) this.#learn(news);
    const result = this.#finished.shift() ?? this.#pollThread() ?? this.#aside.poll();
    if (result?.kind === 'answer') this.#note(result.batch);
    return result;
  }

  /** Returns at once. What the thread has been asked for is of use to the next run: the process waits for it. */
  close(): void {
    const thread = this.#thread;
    if (!thread || thread.failure || !this.#cache) {
      this.#end();
      this.#cache?.close();
      return;
    }
    this.#send({ kind: 'close' });
    this.#thread = undefined;
    thread.port.on('message', (message: FromTranslator) => {
      if (message.kind === 'answer') this.#note(this.#take(message));
    });
    thread.port.on('close', () => this.#cache?.close());
  }

  #learn(news: FromHub): void {
    const { modules, putOff } = this.#early ? this.#joined(news) : news;
    for (const { made, wasmBytes } of modules) {
      this.#known.push(...made.regions);
      this.#finished.push({ kind: 'known', made, wasmBytes });
    }
    this.#thread?.post({ kind: 'learn', regions: modules.flatMap(({ made }) => made.regions) });
    for (const [place, why] of putOff) this.#putOff.set(place, why);
    const early = this.#early;
    if (!early) return; // other boards go on
    this.#early = undefined;
    if (modules.length === 0) return early.forEach((request) => this.request(request));
    if (early.length > 0) this.#finished.push({ kind: 'put-off', covered: early, postponed: [] });
    this.#lastRequestMs = -Infinity; // there are few left
  }

  /** What a program has from earlier runs, in whole functions. */
  #joined(news: FromHub): FromHub {
    const kept = news.modules.map(({ made }) => made);
    const joined = joinRegions(kept, this.setup, this.description, (error) => {
      this.#finished.push({ kind: 'failed', failure: { request: undefined, error } });
    });
    if (!joined) return news;
    this.#cache?.join(joined);
    const sizes = new Map(news.modules.map(({ made, wasmBytes }) => [made.module, wasmBytes]));
    const others = withoutRegions(kept, joined.replaced).map((made) => {
      return { made, wasmBytes: sizes.get(made.module) as number }; // it is one of them
    });
    const made = joined.made.map(({ module, regions, bytes }) => {
      return { made: { module, regions }, wasmBytes: bytes.length };
    });
    return { modules: [...others, ...made], putOff: new Map() };
  }

  #keep(made: KeptModule): void {
    this.#cache?.keep(made);
  }

  #note(batch: CompiledBatch): void {
    if (batch.made) this.#known.push(...batch.made.regions);
    for (const [place, why] of putOffOf(batch)) {
      if (this.#putOff.has(place)) continue;
      this.#putOff.set(place, why);
      this.#cache?.putOff(place, why);
    }
  }

  /** Is there no thread, and has there been little for one to do of late? Host time decides where, never what. */
  #isOneOfFew(): boolean {
    if (this.#thread || this.#lastRequestMs === Infinity) return false;
    const now = performance.now();
    this.#few = Math.min(MAX_FEW, this.#few + (now - this.#lastRequestMs) / FEW_MS);
    this.#lastRequestMs = now;
    if (this.#few < 1) return false;
    this.#few--;
    return true;
  }

  #send(message: ToTranslator): void {
    this.#thread ??= startThread(this.setup, this.description, this.#known);
    const { failure } = this.#thread;
    if (failure) throw new Error(`the translation thread failed: ${failure.message}`, { cause: failure });
    this.#thread.post(message);
  }

  #pollThread(): TranslationResult | undefined {
    for (let result = this.#receive(); result; result = this.#receive()) {
      if (result.kind === 'answer') return { kind: 'answer', batch: this.#take(result) };
      if (result.kind === 'failed') return result;
      if (result.requests !== this.#requests) continue;
      this.#end();
      this.#lastRequestMs = -Infinity; // long enough ago
    }
    return undefined;
  }

  #take({ batch, bytes }: FromTranslator & { kind: 'answer' }): CompiledBatch {
    if (batch.made && bytes) this.#keep({ ...batch.made, bytes, memory: this.setup.memory });
    return batch;
  }

  #receive(): FromTranslator | undefined {
    return this.#thread && receiveMessageOnPort(this.#thread.port)?.message;
  }

  #end(): void {
    this.#thread?.port.close();
    void this.#thread?.worker.terminate();
    this.#thread = undefined;
    this.#requests = 0;
  }
}

interface Thread {
  readonly worker: Worker;
  readonly port: MessagePort;
  post(message: ToTranslator): void;
  failure: Error | undefined;
}

function startThread(
  setup: CompilerSetup,
  { name, model, byteOrder }: TargetDescription,
  known: readonly CompiledRegion[],
): Thread {
  const { port1: port, port2 } = new MessageChannel();
  const posted = new Int32Array(new SharedArrayBuffer(4));
  const start: ThreadStart = { setup, target: { name, model, byteOrder }, port: port2, posted, known };
  const worker = new Worker(new URL('./translation-thread-main.js', import.meta.url), {
    workerData: start,
    transferList: [port2],
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
  });
  const post = (message: ToTranslator): void => {
    port.postMessage(message);
    Atomics.add(posted, 0, 1);
    Atomics.notify(posted, 0);
  };
  const thread: Thread = { worker, port, post, failure: undefined };
  worker.on('error', (error: Error) => (thread.failure = error));
  worker.unref();
  port.unref();
  return thread;
}
