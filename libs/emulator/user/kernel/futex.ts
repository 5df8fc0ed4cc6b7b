import { getOrInsertComputed } from '../../core/index.js';
import type { UserMemory } from './contracts.js';
import { Errno, WaitQueue } from './contracts.js';

/** Every bit: what plain waits and wakes match. */
export const ANY_BITS = 0xffffffff;

/** A thread that waits on a futex. */
export interface FutexWaiter {
  readonly queue: WaitQueue;
  readonly bits: number;
  woken: boolean;
  key: number;
  /** FUTEX_WAIT_REQUEUE_PI: the lock that it is to be moved to, and what makes it wait for that. */
  readonly lock: { readonly key: number; readonly join: () => void } | undefined;
}

/** Bits of a robust futex's word (linux/futex.h). */
export const FUTEX_WAITERS = 0x80000000;
export const FUTEX_OWNER_DIED = 0x40000000;
export const FUTEX_TID_MASK = 0x3fffffff;
/** Entries of a robust list that are looked at: a list may be a circle. */
const ROBUST_LIST_LIMIT = 2048;

/** Who waits on which word of memory, in order of arrival. Keys are numbers that say the same word to all who share it. */
export class FutexTable {
  readonly #waiters = new Map<number, FutexWaiter[]>();

  wait(key: number, bits: number, lock?: FutexWaiter['lock']): FutexWaiter {
    const waiter: FutexWaiter = { queue: new WaitQueue(), bits, woken: false, key, lock };
    this.#listOf(key).push(waiter);
    return waiter;
  }

  /** The waiter gives up: time-out or signal. */
  cancel(waiter: FutexWaiter): void {
    const list = this.#waiters.get(waiter.key);
    const index = list?.indexOf(waiter) ?? -1;
    if (!list || index < 0) return;
    list.splice(index, 1);
    if (list.length === 0) this.#waiters.delete(waiter.key);
  }

  /** @returns how many were woken */
  wake(key: number, limit: number, bits: number = ANY_BITS): number {
    let woken = 0;
    for (const waiter of [...(this.#waiters.get(key) ?? [])]) {
      if (woken >= limit) break;
      if (!(waiter.bits & bits)) continue;
      this.cancel(waiter);
      waiter.woken = true;
      waiter.queue.wake();
      woken++;
    }
    return woken;
  }

  /**
   * FUTEX_CMP_REQUEUE_PI: waiters get a lock, or wait for it, in their order.
   * @returns how many. @throws Errno EINVAL where one waits for something else
   */
  requeueToLock(from: number, lockKey: number, limit: number): number {
    const waiters = (this.#waiters.get(from) ?? []).slice(0, Math.max(0, limit));
    if (waiters.some(({ lock }) => lock?.key !== lockKey)) throw new Errno('EINVAL');
    for (const waiter of waiters) {
      this.cancel(waiter);
      waiter.lock?.join();
      waiter.queue.wake();
    }
    return waiters.length;
  }

  /** @returns how many were moved to the other word */
  requeue(from: number, to: number, limit: number): number {
    let moved = 0;
    for (const waiter of [...(this.#waiters.get(from) ?? [])]) {
      if (moved >= limit) break;
      this.cancel(waiter);
      waiter.key = to;
      this.#listOf(to).push(waiter);
      moved++;
    }
    return moved;
  }

  #listOf(key: number): FutexWaiter[] {
    return getOrInsertComputed(this.#waiters, key, () => []);
  }
}

/**
 * A thread ended: the locks on its robust list are marked as orphaned, and one waiter of each is woken.
 * @param head address of struct robust_list_head
 * @param wake wakes one waiter of a futex
 */
export function releaseRobustList(
  memory: UserMemory,
  head: number,
  tid: number,
  wake: (address: number) => void,
): void {
  const { pointerBytes } = memory;
  const pointer = (address: number): number => (pointerBytes === 8 ? Number(memory.u64(address)) : memory.u32(address));
  const offset = pointerBytes === 8 ? Number(BigInt.asIntN(64, memory.u64(head + 8))) : memory.i32(head + 4);
  const orphan = (entry: number): void => {
    const address = (entry & ~1) + offset;
    const value = memory.u32(address);
    if ((value & FUTEX_TID_MASK) !== tid) return;
    memory.setU32(address, ((value & FUTEX_WAITERS) | FUTEX_OWNER_DIED) >>> 0);
    if (value & FUTEX_WAITERS) wake(address);
  };
  const pending = pointer(head + 2 * pointerBytes);
  let entry = pointer(head);
  for (let i = 0; i < ROBUST_LIST_LIMIT && entry !== head && entry !== 0; i++) {
    const next = pointer(entry & ~1);
    if (entry !== pending) orphan(entry);
    entry = next;
  }
  if (pending !== 0) orphan(pending);
}
