/** Advisory locks: flock(2), and fcntl(2) record locks of processes and of open file descriptions. */
import { Errno, WaitQueue } from '../kernel/contracts.js';
import type { SyscallResult } from '../kernel/contracts.js';
import { waitUntil } from './open-file.js';

/** A process's descriptor table, or an open file description: who holds a lock. */
export type LockOwner = object;

export interface RecordLock {
  readonly owner: LockOwner;
  /** What F_GETLK shows: -1 for open file descriptions. */
  readonly pid: number;
  readonly exclusive: boolean;
  readonly start: number;
  /** First byte behind the range; Infinity is the end of any file. */
  readonly end: number;
}

interface FileLocks {
  records: RecordLock[];
  readonly whole: Map<LockOwner, { exclusive: boolean }>;
  readonly released: WaitQueue;
}

export class LockTable {
  readonly #files = new Map<string, FileLocks>();
  /** Who waits for whom, to find a circle. */
  readonly #waiting = new Map<LockOwner, LockOwner>();

  get isEmpty(): boolean {
    return this.#files.size === 0;
  }

  /** flock(2). */
  lockWhole(file: string, owner: LockOwner, what: 'shared' | 'exclusive' | 'unlock', wait: boolean): SyscallResult {
    if (what === 'unlock') {
      const locks = this.#files.get(file);
      if (locks?.whole.delete(owner)) this.#afterRelease(file, locks);
      return 0;
    }
    const exclusive = what === 'exclusive';
    const locks = this.#locksOf(file);
    const mine = locks.whole.get(owner);
    if (mine && mine.exclusive !== exclusive) {
      locks.whole.delete(owner); // a conversion is not atomic, flock(2)
      locks.released.wake();
    }
    return waitUntil(
      () => [this.#locksOf(file).released],
      () => {
        const { whole } = this.#locksOf(file);
        for (const [other, lock] of whole) {
          if (other !== owner && (exclusive || lock.exclusive)) return undefined;
        }
        whole.set(owner, { exclusive });
        return 0;
      },
      { nonblocking: !wait },
    );
  }

  /** F_GETLK: a lock that stands in the way. */
  conflict(file: string, wanted: RecordLock): RecordLock | undefined {
    return this.#files
      .get(file)
      ?.records.find(
        (lock) =>
          lock.owner !== wanted.owner &&
          (lock.exclusive || wanted.exclusive) &&
          lock.start < wanted.end &&
          wanted.start < lock.end,
      );
  }

  /** F_SETLK and F_SETLKW. */
  lockRange(file: string, wanted: RecordLock, wait: boolean): SyscallResult {
    return waitUntil(
      () => [this.#locksOf(file).released],
      () => {
        this.#waiting.delete(wanted.owner);
        const conflict = this.conflict(file, wanted);
        if (conflict) {
          if (wait) this.#waitFor(wanted.owner, conflict.owner);
          return undefined;
        }
        const locks = this.#locksOf(file);
        locks.records = [...cutOut(locks.records, wanted), wanted].sort((a, b) => a.start - b.start);
        return 0;
      },
      {
        nonblocking: !wait,
        interrupted: 'restart',
        cancel: () => void this.#waiting.delete(wanted.owner),
      },
    );
  }

  unlockRange(file: string, range: Pick<RecordLock, 'owner' | 'start' | 'end'>): void {
    const locks = this.#files.get(file);
    if (!locks) return;
    locks.records = cutOut(locks.records, range);
    this.#afterRelease(file, locks);
  }

  /** An open file description is gone, or a process closed a descriptor of this file: all the owner's locks on it go. */
  release(file: string, owner: LockOwner): void {
    const locks = this.#files.get(file);
    if (!locks) return;
    const had = locks.whole.delete(owner);
    const records = locks.records.filter((lock) => lock.owner !== owner);
    if (!had && records.length === locks.records.length) return;
    locks.records = records;
    this.#afterRelease(file, locks);
  }

  releaseAll(owner: LockOwner): void {
    this.#waiting.delete(owner);
    for (const file of [...this.#files.keys()]) this.release(file, owner);
  }

  *list(): Iterable<{ file: string; lock: RecordLock }> {
    for (const [file, { records }] of this.#files) for (const lock of records) yield { file, lock };
  }

  #waitFor(owner: LockOwner, holder: LockOwner): void {
    for (let next: LockOwner | undefined = holder; next; next = this.#waiting.get(next)) {
      if (next === owner) throw new Errno('EDEADLK');
    }
    this.#waiting.set(owner, holder);
  }

  #locksOf(file: string): FileLocks {
    let locks = this.#files.get(file);
    if (!locks) {
      locks = { records: [], whole: new Map<LockOwner, { exclusive: boolean }>(), released: new WaitQueue() };
      this.#files.set(file, locks);
    }
    return locks;
  }

  #afterRelease(file: string, locks: FileLocks): void {
    if (locks.records.length === 0 && locks.whole.size === 0) this.#files.delete(file);
    locks.released.wake();
  }
}

/** An owner's locks without a range; what sticks out on either side stays. */
function cutOut(records: readonly RecordLock[], range: Pick<RecordLock, 'owner' | 'start' | 'end'>): RecordLock[] {
  return records.flatMap((lock) => {
    if (lock.owner !== range.owner || lock.end <= range.start || lock.start >= range.end) return [lock];
    const rest: RecordLock[] = [];
    if (lock.start < range.start) rest.push({ ...lock, end: range.start });
    if (lock.end > range.end) rest.push({ ...lock, start: range.end });
    return rest;
  });
}
