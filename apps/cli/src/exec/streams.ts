import { fstatSync, readSync, writeSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { HostInput } from '@bootlab/emulator/user';

/** Input beyond this waits at its source until the guest has read. */
const MOST_WAITING_BYTES = 4 << 20;
const RESUME_POLL_MS = 20;
/** Of a file, so much is read when the guest has read what there was. */
const FILE_CHUNK_BYTES = 64 << 10;

/** Where the guest's standard input comes from. */
type InputSource = Readable & { readonly fd?: number };

/**
 * Bootlab's standard input for the guest. It is left alone until the guest first looks at it: a program that does not
 * read must not take what a shell script's loop reads from. Files, which never make a reader wait, are read when the guest reads,
 * and without a stream of Node's, which takes milliseconds to load.
 */
export class StandardInput extends HostInput {
  #started = false;
  /** Descriptor of a file. */
  #file: number | undefined;
  #resume: NodeJS.Timeout | undefined;

  constructor(private readonly source: InputSource) {
    super();
  }

  override get length(): number {
    this.#look();
    return super.length;
  }

  override get ended(): boolean {
    this.#look();
    return super.ended;
  }

  #look(): void {
    if (!this.#started) this.#start();
    if (this.#file !== undefined && super.length === 0 && !super.ended) this.#readFile(this.#file);
  }

  #start(): void {
    this.#started = true;
    const { fd } = this.source;
    if (fd !== undefined && isFile(fd)) {
      this.#file = fd;
      return;
    }
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

  #readFile(fd: number): void {
    const chunk = new Uint8Array(FILE_CHUNK_BYTES);
    let count = 0;
    try {
      count = readSync(fd, chunk);
    } catch {
      // Input that cannot be read is input that ended.
    }
    if (count > 0) this.push(chunk.subarray(0, count));
    else this.end();
  }

  readonly #finish = (): void => {
    if (!super.ended) this.end();
  };

  /** Stops reading, so that Bootlab's process can end. */
  close(): void {
    clearInterval(this.#resume);
    if (!this.#started || this.#file !== undefined) return;
    this.source.off('data', this.#receive);
    this.source.destroy();
  }
}

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false; // it is closed
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
