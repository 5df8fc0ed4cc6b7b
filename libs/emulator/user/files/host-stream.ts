import { WaitQueue } from '../kernel/contracts.js';
import { ByteQueue } from './byte-queue.js';

/** Bytes from the host (a terminal, a pipe, an uploaded file) on their way to the guest's standard input. */
export class HostInput {
  readonly arrival = new WaitQueue(true);
  readonly #bytes = new ByteQueue();
  #ended = false;

  /** All that will ever come. */
  static of(bytes: Uint8Array): HostInput {
    const input = new HostInput();
    input.push(bytes);
    input.end();
    return input;
  }

  /** Bytes that wait to be read. */
  get length(): number {
    return this.#bytes.length;
  }

  /** No more bytes will come; what was pushed can still be read. */
  get ended(): boolean {
    return this.#ended;
  }

  push(bytes: Uint8Array): void {
    if (this.#ended) throw new Error('HostInput: push() after end()');
    if (bytes.length === 0) return;
    this.#bytes.put(bytes.slice());
    this.arrival.wake();
  }

  end(): void {
    this.#ended = true;
    this.arrival.wake();
  }

  /** The next bytes, at most `limit`. */
  take(limit: number): Uint8Array {
    return this.#bytes.take(limit);
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
  /** The guest moved a process group to the foreground (TIOCSPGRP): what is typed as a signal is meant for it. */
  setForegroundGroup?(group: number): void;
}
