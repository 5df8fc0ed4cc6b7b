import { patiently } from '../patience.js';

/** One entry of a stream; `seq` counts from 0 without gaps, whatever is trimmed. */
export interface StreamEntry {
  readonly seq: number;
  readonly data: Buffer;
}

/** A stream that is to have one writer has another one by now, or is not as this one left it. */
export class StreamConflictError extends Error {
  override readonly name = 'StreamConflictError';

  constructor(stream: string, epoch: number) {
    super(`Stream ${stream} is no longer as writer ${epoch} left it: another writer is at work on it, or it was lost`);
  }
}

/** Where the only writer of a stream appends. */
export interface WriterPosition {
  /** What the stream was claimed with. */
  readonly epoch: number;
  /** Number that the first entry is to get. */
  readonly seq: number;
}

/**
 * Append-only streams between processes (consoles, control messages), and announcements that something changed.
 * Two implementations, PostgreSQL and Redis, pass one contract suite.
 */
export interface LiveStreams {
  /**
   * Adds entries in order and wakes followers; resolves to the number of the first one. With a position, appending the
   * same once more changes nothing: a writer that does not know whether it was heard says it again.
   * @throws StreamConflictError when the stream was claimed by somebody else, or does not reach to that position
   */
  append(stream: string, entries: readonly Uint8Array[], options?: { at?: WriterPosition }): Promise<number>;
  /**
   * Makes the caller the only one who may append at positions, with an epoch higher than those before. Doing so again
   * changes nothing.
   * @returns the number that the next entry will get, at least `atLeast`
   * @throws StreamConflictError when somebody with a higher epoch has done so
   */
  claim(stream: string, epoch: number, atLeast?: number): Promise<number>;
  /** Up to `limit` entries from number `from` on; fewer, or none, when the stream is shorter or trimmed. */
  read(stream: string, from: number, limit?: number): Promise<StreamEntry[]>;
  /** The number that the next entry will get. */
  next(stream: string): Promise<number>;
  /** Yields entries from number `from` on, then each as it arrives, until `signal` aborts. */
  follow(stream: string, from: number, signal: AbortSignal): AsyncGenerator<StreamEntry[], void, undefined>;
  /** Drops entries with numbers below `before`; numbering goes on. */
  trim(stream: string, before: number): Promise<void>;
  /** Drops a stream with its numbering. */
  delete(stream: string): Promise<void>;
  /** Wakes the subscribers of a topic in every process. Carries no data: whoever wakes looks for himself. */
  announce(topic: string): Promise<void>;
  /** Calls `listener` when a topic is announced or its stream grows; returns how to end that. */
  subscribe(topic: string, listener: () => void): () => void;
  close(): Promise<void>;
}

export const DEFAULT_READ_LIMIT = 1000;

// An announcement can be lost while a connection is rebuilt; followers look again after this time at the latest.
const RECHECK_MS = 2000;

/** Listeners by topic, within one process. */
export class Topics {
  private readonly listeners = new Map<string, Set<() => void>>();

  constructor(private readonly changed: (topic: string, wanted: boolean) => void = () => undefined) {}

  add(topic: string, listener: () => void): () => void {
    let set = this.listeners.get(topic);
    if (!set) {
      set = new Set();
      this.listeners.set(topic, set);
      this.changed(topic, true);
    }
    // A wrapper, so that one function subscribed twice counts twice.
    const entry = (): void => listener();
    set.add(entry);
    return () => {
      if (!set.delete(entry) || set.size > 0 || this.listeners.get(topic) !== set) return;
      this.listeners.delete(topic);
      this.changed(topic, false);
    };
  }

  wake(topic: string): void {
    for (const listener of [...(this.listeners.get(topic) ?? [])]) listener();
  }

  wakeAll(): void {
    for (const topic of [...this.listeners.keys()]) this.wake(topic);
  }
}

/** Waits for one of some topics; a wake-up between two waits is not missed. */
export class Waker {
  private woken = false;
  private resolve: (() => void) | undefined;
  private readonly unsubscribe: (() => void)[];

  /** @param timedOut called when a wait ended without any topic: something may have been missed */
  constructor(
    streams: Pick<LiveStreams, 'subscribe'>,
    topics: readonly string[],
    signal: AbortSignal,
    private readonly timedOut?: () => void,
  ) {
    const wake = (): void => {
      this.woken = true;
      this.resolve?.();
    };
    this.unsubscribe = topics.map((topic) => streams.subscribe(topic, wake));
    signal.addEventListener('abort', wake, { once: true });
    this.unsubscribe.push(() => signal.removeEventListener('abort', wake));
  }

  async wait(): Promise<void> {
    if (!this.woken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => {
          this.timedOut?.();
          resolve();
        }, RECHECK_MS);
        this.resolve = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.resolve = undefined;
    }
    this.woken = false;
  }

  close(): void {
    this.unsubscribe.forEach((end) => end());
  }
}

/**
 * The `follow` of both implementations: read, and wait for the stream's topic when there is nothing to read. A stream
 * that is away is waited for, a minute long.
 */
export async function* followStream(
  streams: LiveStreams,
  stream: string,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<StreamEntry[], void, undefined> {
  const waker = new Waker(streams, [stream], signal);
  let position = from;
  try {
    while (!signal.aborted) {
      const entries = await patiently(() => streams.read(stream, position), { over: () => signal.aborted });
      const last = entries.at(-1);
      if (!last) {
        await waker.wait();
        continue;
      }
      position = last.seq + 1;
      yield entries;
    }
  } catch (error) {
    if (!signal.aborted) throw error; // else nobody waits for it any more
  } finally {
    waker.close();
  }
}
