/* eslint-disable @typescript-eslint/no-unused-vars -- the parameters of these defaults say what overriding methods get */
/** Open file descriptions, open(2): what descriptors refer to, shared by dup and fork. */
import type { LinuxFileAbi } from '../../targets/linux-abi/file-abi.js';
import { Errno, Poll, WaitQueue } from '../kernel/contracts.js';
import type { Blocked, SyscallContext, SyscallResult } from '../kernel/contracts.js';
import { FileType } from '../vfs/inode.js';
import type { Attributes, AttributeChange, Inode } from '../vfs/inode.js';
import type { Mount, Place } from '../vfs/mounts.js';
import { freshBytes } from './fresh-bytes.js';
import type { WatchedContent } from './watched-content.js';

/** Access mode and status flags, free of any ABI's numbers. */
export interface FileFlags {
  readonly read: boolean;
  readonly write: boolean;
  append: boolean;
  nonblocking: boolean;
  async: boolean;
  direct: boolean;
  noAccessTime: boolean;
  readonly sync: boolean;
  readonly dataSync: boolean;
  readonly largeFile: boolean;
  /** O_PATH. */
  readonly pathOnly: boolean;
  readonly directory: boolean;
  readonly noFollow: boolean;
}

export const plainFlags = (flags: Partial<FileFlags>): FileFlags => ({
  read: false,
  write: false,
  append: false,
  nonblocking: false,
  async: false,
  direct: false,
  noAccessTime: false,
  sync: false,
  dataSync: false,
  largeFile: false,
  pathOnly: false,
  directory: false,
  noFollow: false,
  ...flags,
});

/** Where a file was found, to tell its path later. */
export interface FoundAt {
  readonly directory: Place;
  /** Undefined for a directory, whose place is its own. */
  readonly name: string | undefined;
}

export interface Ioctl {
  readonly abi: LinuxFileAbi;
  readonly command: number;
  readonly argument: number;
  readonly context: SyscallContext;
}

/**
 * An open file. Reads and writes never wait: where they would, they give undefined, and the caller waits for
 * {@link queues}.
 */
export abstract class OpenFile {
  /** Woken when {@link poll} may give more than before. */
  readonly changed: WaitQueue;
  #references = 0;
  #released = false;
  readonly #onRelease = new Set<() => void>();
  /** fcntl F_SETOWN. */
  owner = 0;
  /** Locks of this open file are given back when it is released. */
  holdsLocks = false;

  constructor(
    readonly inode: Inode,
    readonly mount: Mount,
    readonly flags: FileFlags,
    readonly foundAt: FoundAt | undefined,
    changed = new WaitQueue(),
  ) {
    this.changed = changed;
  }

  get released(): boolean {
    return this.#released;
  }

  /** A descriptor, a message on its way or a mapping refers to the file. */
  retain(): this {
    this.#references++;
    return this;
  }

  drop(): void {
    if (--this.#references > 0 || this.#released) return;
    this.#released = true;
    for (const callback of this.#onRelease) callback();
    this.release();
    this.changed.wake();
  }

  onRelease(callback: () => void): () => void {
    this.#onRelease.add(callback);
    return () => this.#onRelease.delete(callback);
  }

  /** What threads that wait for this file wait for. */
  queues(_context: SyscallContext): WaitQueue[] {
    return [this.changed];
  }

  /** Bits of {@link Poll}. */
  poll(_context: SyscallContext): number {
    return Poll.IN | Poll.OUT;
  }

  /**
   * Reads at most `limit` bytes; an empty array is the end of the file.
   * @param offset as pread(2); undefined is the file's own position
   * @returns undefined where there is nothing yet
   */
  read(_limit: number, _offset: number | undefined, _context: SyscallContext): Uint8Array | undefined {
    throw new Errno('EINVAL');
  }

  /** @returns bytes written, at least one; undefined where there is no room yet */
  write(_bytes: Uint8Array, _offset: number | undefined, _context: SyscallContext): number | undefined {
    throw new Errno('EINVAL');
  }

  /** Whether reads and writes at an offset are possible (pread, mmap): regular files and some devices. */
  get seekable(): boolean {
    return false;
  }

  seek(_offset: number, _whence: number): number {
    throw new Errno('ESPIPE');
  }

  attributes(): Attributes {
    return this.inode.attributes();
  }

  change(change: AttributeChange): void {
    this.inode.change(change);
  }

  truncate(_size: number): void {
    throw new Errno('EINVAL');
  }

  allocate(_offset: number, _length: number, _what: 'reserve' | 'punch', _keepSize: boolean): void {
    throw new Errno('ENODEV');
  }

  sync(): void {
    throw new Errno('EINVAL');
  }

  /** Bytes that a read would give at once, FIONREAD. @throws Errno ENOTTY */
  available(_context: SyscallContext): number {
    throw new Errno('ENOTTY');
  }

  /** Commands of this kind of file. @returns undefined for a command it does not know */
  ioctl(_request: Ioctl): SyscallResult | undefined {
    return undefined;
  }

  /** A text like `pipe:[12]` for files that have no path. */
  get anonymousName(): string | undefined {
    return undefined;
  }

  /** The last reference is gone. */
  protected release(): void {
    // Most files hold nothing.
  }
}

/** Waits until `attempt` gives a result. */
export function waitUntil(
  queues: () => readonly WaitQueue[],
  attempt: () => number | undefined,
  options: Omit<Blocked, 'queues' | 'retry'> & { readonly nonblocking?: boolean } = {},
): SyscallResult {
  const { nonblocking, partial, ...others } = options;
  const rest = partial ? { ...others, partial: () => orUndefined(partial) } : others;
  const run = (): SyscallResult => {
    const result = attempt();
    if (result !== undefined) return result;
    if (nonblocking) throw new Errno('EAGAIN');
    return { ...rest, queues: queues(), retry: run };
  };
  return run();
}

/** What was done already cannot be handed over, for example to an address that is none: the wait ends as without it. */
function orUndefined(partial: () => number | undefined): number | undefined {
  try {
    return partial();
  } catch (error) {
    if (error instanceof Errno) return undefined;
    throw error;
  }
}

/** Most bytes of one read or write, as Linux's MAX_RW_COUNT. */
export const MAX_TRANSFER = 0x7ffff000;
/** Reads longer than this look at the file's size before they make room. */
const UNMEASURED_READ = 256 * 1024;
/** Largest file offset that is exact; Linux's limit is beyond. */
const MAX_OFFSET = Number.MAX_SAFE_INTEGER;

export const Seek = { SET: 0, CUR: 1, END: 2, DATA: 3, HOLE: 4 } as const;

/** What happened to a file's bytes. */
export type ContentEvent = 'read' | 'written';

export class RegularFile extends OpenFile {
  #position = 0;

  constructor(
    inode: Inode,
    mount: Mount,
    flags: FileFlags,
    foundAt: FoundAt | undefined,
    readonly content: WatchedContent,
    private readonly onChange: (file: RegularFile, what: ContentEvent) => void = () => undefined,
  ) {
    super(inode, mount, flags, foundAt);
  }

  override get seekable(): boolean {
    return true;
  }

  override read(limit: number, offset: number | undefined): Uint8Array {
    const at = offset ?? this.#position;
    const length = limit <= UNMEASURED_READ ? limit : Math.max(0, Math.min(limit, this.content.size() - at));
    const bytes = freshBytes(length);
    return bytes.subarray(0, this.readTo(bytes, offset));
  }

  /** {@link read} into bytes that are there. @returns how many */
  readTo(target: Uint8Array, offset: number | undefined): number {
    const at = offset ?? this.#position;
    if (at >= MAX_OFFSET) return 0; // no file is that long
    const count = this.content.read(at, target);
    if (offset === undefined) this.#position = at + count;
    if (count > 0) this.onChange(this, 'read');
    return count;
  }

  override write(bytes: Uint8Array, offset: number | undefined): number {
    // pwrite(2), BUGS: with O_APPEND Linux appends whatever the offset.
    const at = this.flags.append ? this.content.size() : (offset ?? this.#position);
    if (at + bytes.length > MAX_OFFSET) throw new Errno('EFBIG');
    const count = bytes.length === 0 ? 0 : this.content.write(at, bytes);
    if (offset === undefined) this.#position = at + count;
    if (count > 0) this.onChange(this, 'written');
    return count;
  }

  override seek(offset: number, whence: number): number {
    let position: number;
    if (whence === Seek.DATA || whence === Seek.HOLE) {
      const found = offset < 0 ? undefined : this.content.seek(offset, whence === Seek.DATA ? 'data' : 'hole');
      if (found === undefined) throw new Errno('ENXIO');
      position = found;
    } else if (whence === Seek.SET) position = offset;
    else if (whence === Seek.CUR) position = this.#position + offset;
    else if (whence === Seek.END) position = this.content.size() + offset;
    else throw new Errno('EINVAL');
    if (position < 0) throw new Errno('EINVAL');
    if (position > MAX_OFFSET) throw new Errno('EOVERFLOW');
    this.#position = position;
    return position;
  }

  override attributes(): Attributes {
    return this.content.attributes();
  }

  override change(change: AttributeChange): void {
    this.content.change(change);
  }

  override truncate(size: number): void {
    this.content.truncate(size);
    this.onChange(this, 'written');
  }

  override allocate(offset: number, length: number, what: 'reserve' | 'punch', keepSize: boolean): void {
    if (offset + length > MAX_OFFSET) throw new Errno('EFBIG');
    this.content.allocate(offset, length, what);
    if (!keepSize && offset + length > this.content.size()) this.content.truncate(offset + length);
    this.onChange(this, 'written');
  }

  override sync(): void {
    this.content.sync();
  }

  override available(): number {
    return Math.max(0, this.content.size() - this.#position);
  }

  protected override release(): void {
    this.content.close();
  }
}

/** What O_PATH opens, open(2): a place, not a file. */
export class PathFile extends OpenFile {
  override poll(): number {
    return Poll.NVAL;
  }

  override seek(): number {
    throw new Errno('EBADF');
  }
}

export interface ListedEntry {
  readonly name: string;
  readonly inode: bigint;
  readonly type: number;
}

export class DirectoryFile extends OpenFile {
  #entries: readonly ListedEntry[] | undefined;
  #position = 0;

  constructor(
    readonly place: Place,
    flags: FileFlags,
    private readonly list: () => readonly ListedEntry[],
  ) {
    super(place.inode, place.mount, flags, { directory: place, name: undefined });
  }

  override read(): never {
    throw new Errno('EISDIR');
  }

  /** Entries from the position on; a name that was removed since the first one was read may still come, readdir(3). */
  remaining(): readonly ListedEntry[] {
    if (this.place.inode.nameInParent === undefined) throw new Errno('ENOENT');
    this.#entries ??= this.list();
    return this.#entries.slice(this.#position);
  }

  get position(): number {
    return this.#position;
  }

  advance(count: number): void {
    this.#position += count;
  }

  override seek(offset: number, whence: number): number {
    const position = whence === Seek.SET ? offset : whence === Seek.CUR ? this.#position + offset : -1;
    if (position < 0) throw new Errno('EINVAL');
    if (position === 0) this.#entries = undefined; // rewinddir(3) sees the directory as it is now
    this.#position = position;
    return position;
  }

  override sync(): void {
    // Names are written through.
  }
}

/** Whether a file of this type has content that mmap, fallocate and ftruncate work on. */
export const isRegular = (file: OpenFile): file is RegularFile =>
  file instanceof RegularFile && file.inode.type === FileType.REGULAR;
