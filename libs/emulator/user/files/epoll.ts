import { getOrInsertComputed } from '../../core/index.js';
/** epoll(7). */
import { Errno, Poll } from '../kernel/contracts.js';
import type { SyscallContext, WaitQueue } from '../kernel/contracts.js';
import type { Inode } from '../vfs/inode.js';
import type { Mount } from '../vfs/mounts.js';
import { DirectoryFile, OpenFile, RegularFile } from './open-file.js';
import type { FileFlags } from './open-file.js';

export const EpollFlag = { EXCLUSIVE: 2 ** 28, WAKEUP: 2 ** 29, ONESHOT: 2 ** 30, ET: 2 ** 31 } as const;
const FLAGS = EpollFlag.EXCLUSIVE + EpollFlag.WAKEUP + EpollFlag.ONESHOT + EpollFlag.ET;

/** Epoll descriptors that watch each other may be nested this deep. */
const MAX_NESTING = 5;

export interface EpollEvent {
  /** Bits of {@link Poll} and of {@link EpollFlag}. */
  readonly events: number;
  readonly data: bigint;
}

interface Interest extends EpollEvent {
  readonly file: OpenFile;
  readonly key: string;
  /** Edge-triggered: something changed since the last report. */
  edge: boolean;
  /** One-shot: reported, and silent until EPOLL_CTL_MOD. */
  spent: boolean;
  readonly unsubscribe: () => void;
}

export class EpollFile extends OpenFile {
  /** By descriptor number and file: a number may be used again while the old file lives on. */
  readonly #interests = new Map<string, Interest>();
  readonly #fileKeys = new WeakMap<OpenFile, number>();
  #nextFileKey = 0;

  constructor(inode: Inode, mount: Mount, flags: FileFlags) {
    super(inode, mount, flags, undefined);
  }

  add(descriptor: number, file: OpenFile, event: EpollEvent, context: SyscallContext): void {
    // epoll_ctl(2): files that are always ready cannot be watched.
    if (file instanceof RegularFile || file instanceof DirectoryFile) throw new Errno('EPERM');
    if (file === this) throw new Errno('EINVAL');
    if (file instanceof EpollFile && (file.#reaches(this) || this.#depth(file) > MAX_NESTING)) {
      throw new Errno('ELOOP');
    }
    const key = this.#key(descriptor, file);
    if (this.#interests.has(key)) throw new Errno('EEXIST');
    this.#watch(key, file, event, context);
  }

  modify(descriptor: number, file: OpenFile, event: EpollEvent, context: SyscallContext): void {
    const key = this.#key(descriptor, file);
    const interest = this.#interests.get(key);
    if (!interest) throw new Errno('ENOENT');
    interest.unsubscribe();
    this.#watch(key, file, event, context);
  }

  remove(descriptor: number, file: OpenFile): void {
    const key = this.#key(descriptor, file);
    const interest = this.#interests.get(key);
    if (!interest) throw new Errno('ENOENT');
    this.#forget(interest);
  }

  /** Ready files, at most `limit`. Reported ones move behind the others, so that none is starved. */
  take(limit: number, context: SyscallContext): EpollEvent[] {
    const result: EpollEvent[] = [];
    for (const interest of [...this.#interests.values()]) {
      if (result.length === limit) break;
      const events = this.#ready(interest, context);
      if (events === 0) continue;
      result.push({ events, data: interest.data });
      interest.edge = false;
      if (interest.events & EpollFlag.ONESHOT) interest.spent = true;
      this.#interests.delete(interest.key);
      this.#interests.set(interest.key, interest);
    }
    return result;
  }

  override queues(context: SyscallContext): WaitQueue[] {
    const queues = [this.changed];
    // Queues that are not the file's own (the host's input, signals of whoever asks) cannot be watched once for all.
    for (const { file } of this.#interests.values()) {
      for (const queue of file.queues(context)) if (queue !== file.changed) queues.push(queue);
    }
    return queues;
  }

  override poll(context: SyscallContext): number {
    for (const interest of this.#interests.values()) if (this.#ready(interest, context) !== 0) return Poll.IN;
    return 0;
  }

  override get anonymousName(): string {
    return 'anon_inode:[eventpoll]';
  }

  protected override release(): void {
    for (const interest of [...this.#interests.values()]) this.#forget(interest);
  }

  #ready(interest: Interest, context: SyscallContext): number {
    if (interest.spent || ((interest.events & EpollFlag.ET) !== 0 && !interest.edge)) return 0;
    return interest.file.poll(context) & ((interest.events & ~FLAGS) | Poll.ERR | Poll.HUP);
  }

  #watch(key: string, file: OpenFile, event: EpollEvent, context: SyscallContext): void {
    const stops = file.queues(context).map((queue) =>
      subscribe(queue, () => {
        interest.edge = true;
        this.changed.wake();
      }),
    );
    stops.push(file.onRelease(() => this.#forget(interest)));
    const interest: Interest = {
      ...event,
      file,
      key,
      edge: true,
      spent: false,
      unsubscribe: () => {
        for (const stop of stops) stop();
      },
    };
    this.#interests.set(key, interest);
    this.changed.wake();
  }

  #forget(interest: Interest): void {
    interest.unsubscribe();
    this.#interests.delete(interest.key);
  }

  #key(descriptor: number, file: OpenFile): string {
    const number = getOrInsertComputed(this.#fileKeys, file, () => this.#nextFileKey++);
    return `${descriptor}:${number}`;
  }

  #reaches(target: EpollFile, seen = new Set<EpollFile>()): boolean {
    if (seen.has(this)) return false;
    seen.add(this);
    for (const { file } of this.#interests.values()) {
      if (file === target || (file instanceof EpollFile && file.#reaches(target, seen))) return true;
    }
    return false;
  }

  #depth(file: OpenFile, known = new Map<OpenFile, number>()): number {
    if (!(file instanceof EpollFile)) return 0;
    let depth = known.get(file);
    if (depth !== undefined) return depth;
    depth = 1;
    for (const interest of file.#interests.values()) depth = Math.max(depth, 1 + this.#depth(interest.file, known));
    known.set(file, depth);
    return depth;
  }
}

/** Calls back at every wake-up until it is stopped. */
function subscribe(queue: WaitQueue, callback: () => void): () => void {
  let remove = (): void => undefined;
  const arm = (): void => {
    remove = queue.add(() => {
      arm();
      callback();
    });
  };
  arm();
  return () => remove();
}
