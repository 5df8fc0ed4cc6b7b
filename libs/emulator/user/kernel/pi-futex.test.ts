import { describe, expect, it } from '@jest/globals';
import type { UserMemory } from './contracts.js';
import type { LockingThread } from './pi-futex.js';
import { PiFutexTable } from './pi-futex.js';

const WAITERS = 0x80000000;
const OWNER_DIED = 0x40000000;

/** Threads that share some words of memory. */
function threads(...priorities: number[]): { words: Uint32Array; all: LockingThread[] } {
  const words = new Uint32Array(4);
  const memory = {
    u32: (address: number) => words[address / 4],
    setU32: (address: number, value: number) => void (words[address / 4] = value),
  } as unknown as UserMemory;
  return { words, all: priorities.map((priority, i) => ({ tid: i + 100, priority, memory })) };
}

describe('locks with priority inheritance', () => {
  const find = (all: readonly LockingThread[]) => (tid: number) => all.find((thread) => thread.tid === tid);

  it('go to the highest priority, then to who waited longest', () => {
    const { words, all } = threads(0, 5, 9, 9);
    const table = new PiFutexTable();
    const [owner, low, high, late] = all as [LockingThread, LockingThread, LockingThread, LockingThread];
    expect(table.lock(1, owner, 0, find(all), true)).toBeUndefined();
    expect(words[0]).toBe(100);
    const waiters = [low, high, late].map((thread) => table.lock(1, thread, 0, find(all), true));
    table.unlock(1, owner, 0);
    expect(waiters.map((waiter) => waiter?.owns)).toEqual([false, true, false]);
    expect(words[0]).toBe((WAITERS | high.tid) >>> 0);
    table.unlock(1, high, 0);
    expect(waiters.map((waiter) => waiter?.owns)).toEqual([false, true, true]);
  });

  it('pass a priority on through a chain of owners, and end with it', () => {
    const { all } = threads(0, 2, 50);
    const table = new PiFutexTable();
    const [first, second, third] = all as [LockingThread, LockingThread, LockingThread];
    table.lock(1, first, 0, find(all), true);
    table.lock(2, second, 4, find(all), true);
    table.lock(1, second, 0, find(all), true);
    expect(table.priorityOf(first)).toBe(2);
    const waiter = table.lock(2, third, 4, find(all), true);
    expect(table.priorityOf(first)).toBe(50);
    table.cancel(2, waiter!);
    expect(table.priorityOf(first)).toBe(2);
    table.unlock(1, first, 0);
    expect(table.priorityOf(first)).toBe(0);
  });

  it('survive threads that wait for each other', () => {
    const { all } = threads(3, 7);
    const table = new PiFutexTable();
    const [a, b] = all as [LockingThread, LockingThread];
    table.lock(1, a, 0, find(all), true);
    table.lock(2, b, 4, find(all), true);
    table.lock(2, a, 4, find(all), true);
    table.lock(1, b, 0, find(all), true);
    expect([table.priorityOf(a), table.priorityOf(b)]).toEqual([7, 7]);
  });

  it('are handed on, marked, when their owner ends', () => {
    const { words, all } = threads(0, 0);
    const table = new PiFutexTable();
    const [owner, other] = all as [LockingThread, LockingThread];
    table.lock(1, owner, 0, find(all), true);
    const waiter = table.lock(1, other, 0, find(all), true);
    table.ownerEnded(owner);
    expect(waiter?.owns).toBe(true);
    expect(words[0]).toBe((WAITERS | OWNER_DIED | other.tid) >>> 0);
  });

  it('refuse a second time, a stranger, and an owner that is gone', () => {
    const { words, all } = threads(0, 0);
    const table = new PiFutexTable();
    const [owner, other] = all as [LockingThread, LockingThread];
    table.lock(1, owner, 0, find(all), true);
    expect(() => table.lock(1, owner, 0, find(all), true)).toThrow('EDEADLK');
    expect(() => table.lock(1, other, 0, find(all), false)).toThrow('EAGAIN');
    expect(() => table.unlock(1, other, 0)).toThrow('EPERM');
    words[0] = 77;
    expect(() => table.lock(1, other, 0, find(all), true)).toThrow('ESRCH');
  });
});
