import { writeSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { HostInput } from '@bootlab/emulator/user';

/** Input beyond this waits at its source until the guest has read. */
const MOST_WAITING_BYTES = 4 << 20;
const RESUME_POLL_MS = 20;

/**
 * Bootlab's standard input for the guest. It is left alone until the guest first looks at it: a program that does not
 * read must not take what a shell script's loop reads from.
 */
export class StandardInput extends HostInput {
  #started = false;
  #resume: NodeJS.Timeout | undefined;

  constructor(private readonly source: Readable) {
    super();
  }

  override get length(): number {
    this.#start();
    return super.length;
  }

  override get ended(): boolean {
    this.#start();
    return super.ended;
  }

  #start(): void {
    if (this.#started) return;
    this.#started = true;
    this.source.on('data', this.#receive);
    this.source.on('end', this.#finish);
    this.source.on('error', this.#finish); // input that cannot be read is input that ended
  }

  readonly #receive = (data: Uint8Array): void => {
    this.push(data);
    if (super.length <= MOST_WAITING_BYTES || this.#resume) return;
    this.source.pause();
    this.#resume = setInterval(() => {
      if (super.length > MOST_WAITING_BYTES) return;
      clearInterval(this.#resume);
      this.#resume = undefined;
      this.source.resume();
    }, RESUME_POLL_MS);
  };

  readonly #finish = (): void => {
    if (!super.ended) this.end();
  };

  /** Stops reading, so that Bootlab's process can end. */
  close(): void {
    clearInterval(this.#resume);
    if (!this.#started) return;
    this.source.off('data', this.#receive);
    this.source.destroy();
  }
}

/**
 * Output that the guest writes, byte for byte, in the order of both streams: a descriptor is written to at once, and waits
 * for its reader; other streams keep what they cannot pass on yet.
 * @param onClosed nobody reads any more
 */
export function outputTo(stream: Writable & { fd?: number }, onClosed: () => void): (bytes: Uint8Array) => void {
  const { fd } = stream;
  if (fd === undefined) return (bytes) => void stream.write(bytes);
  const pause = new Int32Array(new SharedArrayBuffer(4));
  return (bytes) => {
    for (let written = 0; written < bytes.length;) {
      try {
        written += writeSync(fd, bytes, written);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException; // writeSync throws nothing else
        if (code !== 'EAGAIN') return onClosed();
        Atomics.wait(pause, 0, 0, 1); // a pipe in non-blocking mode is full
      }
    }
  };
}
