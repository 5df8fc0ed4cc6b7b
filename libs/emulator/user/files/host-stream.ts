import { WaitQueue } from '../kernel/contracts.js';

/** Bytes from the host (a terminal, a pipe, an uploaded file) on their way to the guest's standard input. */
export class HostInput {
  readonly arrival = new WaitQueue(true);
  #chunks: Uint8Array[] = [];
  #length = 0;
  #ended = false;

  /** Bytes that wait to be read. */
  get length(): number {
    return this.#length;
  }

  /** No more bytes will come; what was pushed can still be read. */
  get ended(): boolean {
    return this.#ended;
  }

  push(bytes: Uint8Array): void {
    if (this.#ended) throw new Error('HostInput: push() after end()');
    if (bytes.length === 0) return;
    this.#chunks.push(bytes.slice());
    this.#length += bytes.length;
    this.arrival.wake();
  }

  end(): void {
    this.#ended = true;
    this.arrival.wake();
  }

  /** The next bytes, at most `limit`, without taking them. */
  peek(limit: number): Uint8Array {
    const result = new Uint8Array(Math.min(limit, this.#length));
    let filled = 0;
    for (const chunk of this.#chunks) {
      if (filled === result.length) break;
      const part = chunk.subarray(0, result.length - filled);
      result.set(part, filled);
      filled += part.length;
    }
    return result;
  }

  /** Takes bytes that {@link peek} showed. */
  drop(count: number): void {
    this.#length -= count;
    while (count > 0) {
      const first = this.#chunks[0]!;
      if (first.length > count) {
        this.#chunks[0] = first.subarray(count);
        return;
      }
      count -= first.length;
      this.#chunks.shift();
    }
  }
}

/** Bytes from the guest's standard output or error; called synchronously, the array is the callee's to keep. */
export type HostOutput = (bytes: Uint8Array) => void;

/** The terminal behind the standard streams. Its line discipline is the host's: the guest's termios are passed on. */
export interface HostTerminal {
  /** Which of descriptors 0, 1, 2 are the terminal. */
  readonly descriptors: readonly (0 | 1 | 2)[];
  size(): { readonly rows: number; readonly columns: number };
  /** The guest switched canonical mode or echo (TCSETS); the host's terminal should follow. */
  setMode?(mode: { readonly canonical: boolean; readonly echo: boolean; readonly signals: boolean }): void;
}
