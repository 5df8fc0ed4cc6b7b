/** Pipes and FIFOs, pipe(7) and fifo(7). */
import { Errno, Poll, WaitQueue } from '../kernel/contracts.js';
import type { Inode } from '../vfs/inode.js';
import type { Mount } from '../vfs/mounts.js';
import type { MemoryBudget } from '../vfs/sparse-bytes.js';
import { ByteQueue } from './byte-queue.js';
import { OpenFile } from './open-file.js';
import type { FileFlags, FoundAt } from './open-file.js';

/** Writes up to this length are never interleaved with others. */
export const PIPE_BUF = 4096;
const DEFAULT_CAPACITY = 65536;
/** /proc/sys/fs/pipe-max-size. */
const MAX_CAPACITY = 1024 * 1024;

export class Pipe {
  readonly changed = new WaitQueue();
  readonly #bytes = new ByteQueue();
  #capacity = DEFAULT_CAPACITY;
  #readers = 0;
  #writers = 0;
  /** How often each side was opened: a FIFO's open waits for the other side's next. */
  #readerOpens = 0;
  #writerOpens = 0;

  constructor(private readonly memory: MemoryBudget) {}

  get length(): number {
    return this.#bytes.length;
  }
  get capacity(): number {
    return this.#capacity;
  }
  get readers(): number {
    return this.#readers;
  }
  get writers(): number {
    return this.#writers;
  }
  get readerOpens(): number {
    return this.#readerOpens;
  }
  get writerOpens(): number {
    return this.#writerOpens;
  }

  attach({ read, write }: { readonly read: boolean; readonly write: boolean }): void {
    if (read) {
      this.#readers++;
      this.#readerOpens++;
    }
    if (write) {
      this.#writers++;
      this.#writerOpens++;
    }
    this.changed.wake();
  }

  detach({ read, write }: { readonly read: boolean; readonly write: boolean }): void {
    if (read) this.#readers--;
    if (write) this.#writers--;
    if (this.#readers === 0 && this.#writers === 0) {
      this.memory.give(this.#bytes.length);
      this.#bytes.clear();
    }
    this.changed.wake();
  }

  read(limit: number): Uint8Array | undefined {
    if (limit === 0) return new Uint8Array(0);
    if (this.#bytes.length === 0) return this.#writers === 0 ? new Uint8Array(0) : undefined;
    const bytes = this.#bytes.take(limit);
    this.memory.give(bytes.length);
    this.changed.wake();
    return bytes;
  }

  write(bytes: Uint8Array): number | undefined {
    if (this.#readers === 0) throw new Errno('EPIPE');
    const room = this.#capacity - this.#bytes.length;
    if (room === 0 || (bytes.length <= PIPE_BUF && room < bytes.length)) return undefined;
    const count = Math.min(room, bytes.length);
    if (!this.memory.tryTake(count)) throw new Errno('ENOMEM');
    this.#bytes.put(bytes.slice(0, count));
    this.changed.wake();
    return count;
  }

  /** fcntl F_SETPIPE_SZ: rounded up to a power of two of pages. */
  resize(bytes: number): number {
    if (bytes > MAX_CAPACITY) throw new Errno('EPERM');
    let capacity = 4096;
    while (capacity < bytes) capacity *= 2;
    if (capacity < this.#bytes.length) throw new Errno('EBUSY');
    this.#capacity = capacity;
    this.changed.wake();
    return capacity;
  }

  poll({ read, write }: { readonly read: boolean; readonly write: boolean }, everWritten: boolean): number {
    let events = 0;
    if (read) {
      if (this.#bytes.length > 0) events |= Poll.IN;
      if (this.#writers === 0 && everWritten) events |= Poll.HUP;
    }
    if (write) {
      if (this.#capacity - this.#bytes.length >= PIPE_BUF) events |= Poll.OUT;
      if (this.#readers === 0) events |= Poll.ERR;
    }
    return events;
  }
}

/** One open end of a pipe, or a FIFO opened for both. */
export class PipeEnd extends OpenFile {
  /** Writers of a FIFO before this end was opened do not count as hung up. */
  readonly #writersBefore: number;

  constructor(
    readonly pipe: Pipe,
    inode: Inode,
    mount: Mount,
    flags: FileFlags,
    foundAt?: FoundAt,
  ) {
    super(inode, mount, flags, foundAt, pipe.changed);
    this.#writersBefore = pipe.writers > 0 ? -1 : pipe.writerOpens;
    pipe.attach(flags);
  }

  override read(limit: number): Uint8Array | undefined {
    return this.pipe.read(limit);
  }

  override write(bytes: Uint8Array): number | undefined {
    return this.pipe.write(bytes);
  }

  override poll(): number {
    return this.pipe.poll(this.flags, this.foundAt === undefined || this.pipe.writerOpens > this.#writersBefore);
  }

  override available(): number {
    return this.pipe.length;
  }

  override get anonymousName(): string | undefined {
    return this.foundAt ? undefined : `pipe:[${this.inode.attributes().inode}]`;
  }

  protected override release(): void {
    this.pipe.detach(this.flags);
  }
}
