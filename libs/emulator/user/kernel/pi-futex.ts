import type { UserMemory } from './contracts.js';
import { Errno, WaitQueue } from './contracts.js';
import { FUTEX_OWNER_DIED, FUTEX_TID_MASK, FUTEX_WAITERS } from './futex.js';

/** A thread, as locks with priority inheritance see it. */
export interface LockingThread {
  readonly tid: number;
  /** As sched_setscheduler set it: 0 ordinary, 1 to 99 real-time. */
  readonly priority: number;
  readonly memory: UserMemory;
}

/** A thread that waits for a lock. */
export interface LockWaiter {
  readonly thread: LockingThread;
  /** Where this thread sees the lock's word. */
  readonly address: number;
  readonly queue: WaitQueue;
  /** The lock is its own now. */
  owns: boolean;
}

interface Lock {
  owner: LockingThread;
  /** In order of arrival. */
  readonly waiters: LockWaiter[];
}

/**
 * Locks whose owner inherits the priority of those that wait (FUTEX_LOCK_PI, futex(2)). The word holds the owner's thread id, so
 * that locks nobody waits for never come here.
 */
export class PiFutexTable {
  readonly #locks = new Map<number, Lock>();

  /**
   * FUTEX_LOCK_PI. @param key says the same word to all who share it
   * @param threadOf finds the owner by its id
   * @returns undefined: the lock is the caller's. @throws Errno EDEADLK, ESRCH, EAGAIN where `mayWait` is false
   */
  lock(
    key: number,
    thread: LockingThread,
    address: number,
    threadOf: (tid: number) => LockingThread | undefined,
    mayWait: boolean,
  ): LockWaiter | undefined {
    const { memory, tid } = thread;
    const word = memory.u32(address);
    const ownerTid = word & FUTEX_TID_MASK;
    if (ownerTid === tid) throw new Errno('EDEADLK');
    const lock = this.#locks.get(key);
    if (ownerTid === 0 && !lock) {
      memory.setU32(address, ((word & FUTEX_OWNER_DIED) | tid) >>> 0);
      return undefined;
    }
    const owner = lock?.owner ?? threadOf(ownerTid);
    if (!owner) throw new Errno('ESRCH');
    if (!mayWait) throw new Errno('EAGAIN');
    memory.setU32(address, (word | FUTEX_WAITERS) >>> 0);
    const waiter: LockWaiter = { thread, address, queue: new WaitQueue(), owns: false };
    if (lock) lock.waiters.push(waiter);
    else this.#locks.set(key, { owner, waiters: [waiter] });
    return waiter;
  }

  /** FUTEX_UNLOCK_PI: the lock goes to who waits with the highest priority, the longest. @throws Errno EPERM */
  unlock(key: number, thread: LockingThread, address: number): void {
    const { memory, tid } = thread;
    if ((memory.u32(address) & FUTEX_TID_MASK) !== tid) throw new Errno('EPERM');
    const lock = this.#locks.get(key);
    if (lock) this.#handOver(key, lock, 0);
    else memory.setU32(address, 0);
  }

  /** Who waited gives up: time-out or signal. */
  cancel(key: number, waiter: LockWaiter): void {
    const lock = this.#locks.get(key);
    const index = lock?.waiters.indexOf(waiter) ?? -1;
    if (!lock || index < 0) return;
    lock.waiters.splice(index, 1);
    if (lock.waiters.length === 0) this.#locks.delete(key);
  }

  /** A thread ended: locks of its that others wait for go on, marked as orphaned. */
  ownerEnded(thread: LockingThread): void {
    for (const [key, lock] of [...this.#locks]) if (lock.owner === thread) this.#handOver(key, lock, FUTEX_OWNER_DIED);
  }

  /** The priority that a thread runs with: its own, or of whoever waits for it, directly or through others. */
  priorityOf(thread: LockingThread, seen: ReadonlySet<LockingThread> = new Set()): number {
    if (this.#locks.size === 0 || seen.has(thread)) return thread.priority;
    const path = new Set([...seen, thread]);
    const waiting = [...this.#locks.values()].filter(({ owner }) => owner === thread).flatMap(({ waiters }) => waiters);
    return Math.max(thread.priority, ...waiting.map((waiter) => this.priorityOf(waiter.thread, path)));
  }

  #handOver(key: number, lock: Lock, flags: number): void {
    const highest = Math.max(...lock.waiters.map(({ thread }) => this.priorityOf(thread)));
    const index = lock.waiters.findIndex(({ thread }) => this.priorityOf(thread) === highest);
    const [next] = lock.waiters.splice(index, 1);
    if (!next) return; // a lock is here only while somebody waits
    const { thread, address } = next;
    // The next owner gives it up through the kernel, whether or not somebody waits then.
    thread.memory.setU32(address, (thread.tid | FUTEX_WAITERS | flags) >>> 0);
    if (lock.waiters.length === 0) this.#locks.delete(key);
    else lock.owner = thread;
    next.owns = true;
    next.queue.wake();
  }
}
