/** Descriptors that tell of changes to files, inotify(7). */
import { INOTIFY_EVENT } from '../../targets/linux-abi/common.js';
import type { ByteOrder } from '../../core/index.js';
import { encodeStruct } from '../abi/struct.js';
import { Errno, Poll } from '../kernel/contracts.js';
import type { SyscallContext } from '../kernel/contracts.js';
import { identityOf } from '../vfs/inode.js';
import type { Inode } from '../vfs/inode.js';
import type { Mount } from '../vfs/mounts.js';
import { FileEvent } from './change-notices.js';
import type { ChangeNotices, FileNotice, FileWatch } from './change-notices.js';
import { OpenFile } from './open-file.js';
import type { FileFlags } from './open-file.js';

/** Flags of inotify_add_watch(2). */
export const WatchFlag = {
  ONLYDIR: 0x01000000,
  DONT_FOLLOW: 0x02000000,
  EXCL_UNLINK: 0x04000000,
  MASK_CREATE: 0x10000000,
  MASK_ADD: 0x20000000,
  ONESHOT: 0x80000000,
} as const;
const ALL_EVENTS = 0xfff;
/** fs.inotify.max_queued_events and max_user_watches. */
const MAX_QUEUED = 16384;
const MAX_WATCHES = 65536;
/** Names are padded to whole structures. */
const NAME_ALIGNMENT = INOTIFY_EVENT.size;

interface QueuedEvent {
  readonly watch: number;
  readonly mask: number;
  readonly cookie: number;
  readonly name: string | undefined;
}

interface Watch {
  readonly number: number;
  readonly identity: string;
  /** Events, EXCL_UNLINK and ONESHOT. */
  mask: number;
  readonly end: () => void;
}

export class InotifyFile extends OpenFile {
  readonly #watches = new Map<number, Watch>();
  readonly #events: QueuedEvent[] = [];
  #nextWatch = 1;

  constructor(
    inode: Inode,
    mount: Mount,
    flags: FileFlags,
    private readonly notices: ChangeNotices,
  ) {
    super(inode, mount, flags, undefined);
  }

  /** @returns the watch's number: the one that the file has already, where it is watched. @throws Errno */
  watch(inode: Inode, mask: number): number {
    if ((mask & ALL_EVENTS) === 0) throw new Errno('EINVAL');
    if (mask & WatchFlag.MASK_ADD && mask & WatchFlag.MASK_CREATE) throw new Errno('EINVAL');
    const identity = identityOf(inode.attributes());
    const kept = mask & (ALL_EVENTS | WatchFlag.EXCL_UNLINK | WatchFlag.ONESHOT);
    const known = [...this.#watches.values()].find((watch) => watch.identity === identity);
    if (known) {
      if (mask & WatchFlag.MASK_CREATE) throw new Errno('EEXIST');
      known.mask = mask & WatchFlag.MASK_ADD ? known.mask | kept : kept;
      return known.number;
    }
    if (this.#watches.size >= MAX_WATCHES) throw new Errno('ENOSPC');
    const number = this.#nextWatch++;
    const listener: FileWatch = {
      tell: (notice) => this.#tell(number, notice),
      gone: () => this.remove(number),
    };
    this.#watches.set(number, { number, identity, mask: kept, end: this.notices.watch(identity, listener) });
    return number;
  }

  /** @throws Errno EINVAL */
  remove(number: number): void {
    const watch = this.#watches.get(number);
    if (!watch) throw new Errno('EINVAL');
    watch.end();
    this.#watches.delete(number);
    this.#queue({ watch: number, mask: FileEvent.IGNORED, cookie: 0, name: undefined });
  }

  #tell(number: number, { mask, cookie, name, unlinked = false }: FileNotice): void {
    const watch = this.#watches.get(number);
    if (!watch || (watch.mask & mask & ALL_EVENTS) === 0) return;
    if (unlinked && watch.mask & WatchFlag.EXCL_UNLINK) return;
    this.#queue({ watch: number, mask, cookie, name });
    if (watch.mask & WatchFlag.ONESHOT) this.remove(number);
  }

  #queue(event: QueuedEvent): void {
    const last = this.#events.at(-1);
    const repeated =
      last?.watch === event.watch &&
      last.mask === event.mask &&
      last.cookie === event.cookie &&
      last.name === event.name;
    if (repeated) return;
    if (this.#events.length > MAX_QUEUED) return;
    const overflow = { watch: -1, mask: FileEvent.Q_OVERFLOW, cookie: 0, name: undefined };
    this.#events.push(this.#events.length === MAX_QUEUED ? overflow : event);
    this.changed.wake();
  }

  override read(limit: number, _offset: number | undefined, { memory }: SyscallContext): Uint8Array | undefined {
    if (this.#events.length === 0) return undefined;
    const parts: Uint8Array[] = [];
    let used = 0;
    for (const event of this.#events) {
      const bytes = encode(event, memory.byteOrder);
      if (used + bytes.length > limit) break;
      parts.push(bytes);
      used += bytes.length;
    }
    if (parts.length === 0) throw new Errno('EINVAL');
    this.#events.splice(0, parts.length);
    return Buffer.concat(parts);
  }

  override poll(): number {
    return this.#events.length > 0 ? Poll.IN : 0;
  }

  override available(): number {
    return this.#events.reduce((sum, event) => sum + INOTIFY_EVENT.size + nameBytes(event.name), 0);
  }

  override get anonymousName(): string {
    return 'anon_inode:inotify';
  }

  protected override release(): void {
    for (const { end } of this.#watches.values()) end();
    this.#watches.clear();
  }
}

/** Bytes of a name with its NUL and padding; none where there is no name. */
function nameBytes(name: string | undefined): number {
  return name === undefined ? 0 : Math.ceil((name.length + 1) / NAME_ALIGNMENT) * NAME_ALIGNMENT;
}

function encode({ watch, mask, cookie, name }: QueuedEvent, byteOrder: ByteOrder): Uint8Array {
  const length = nameBytes(name);
  const bytes = new Uint8Array(INOTIFY_EVENT.size + length);
  bytes.set(encodeStruct(INOTIFY_EVENT, { wd: watch, mask, cookie, len: length }, byteOrder));
  if (name !== undefined) bytes.set(Buffer.from(name, 'latin1'), INOTIFY_EVENT.size);
  return bytes;
}
