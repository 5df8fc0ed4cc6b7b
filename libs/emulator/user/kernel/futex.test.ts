import { describe, expect, it } from '@jest/globals';
import type { UserMemory } from './contracts.js';
import { ANY_BITS, FutexTable, releaseRobustList } from './futex.js';

describe('the futex table', () => {
  it('wakes in order of arrival, as many as asked for, with matching bits', () => {
    const table = new FutexTable();
    const order: number[] = [];
    const waiters = [1, 2, 3, 4].map((n) => {
      const waiter = table.wait(100, n === 2 ? 2 : 1);
      waiter.queue.add(() => order.push(n));
      return waiter;
    });
    expect(table.wake(100, 2, 1)).toBe(2);
    expect(order).toEqual([1, 3]);
    expect(waiters.map(({ woken }) => woken)).toEqual([true, false, true, false]);
    expect(table.wake(100, 10, ANY_BITS)).toBe(2);
    expect(table.wake(100, 10)).toBe(0);
  });

  it('forgets who gave up', () => {
    const table = new FutexTable();
    table.cancel(table.wait(1, ANY_BITS));
    expect(table.wake(1, 1)).toBe(0);
  });

  it('moves waiters to another word, where they are woken later', () => {
    const table = new FutexTable();
    const [first, second] = [table.wait(1, ANY_BITS), table.wait(1, ANY_BITS)];
    expect(table.requeue(1, 2, 5)).toBe(2);
    expect(table.wake(1, 1)).toBe(0);
    expect(table.wake(2, 1)).toBe(1);
    expect([first.woken, second.woken]).toEqual([true, false]);
    table.cancel(second);
    expect(table.wake(2, 1)).toBe(0);
  });
});

describe('robust lists', () => {
  /** Words of memory by address. */
  const memoryOf = (words: Map<number, number>): UserMemory =>
    ({
      pointerBytes: 4,
      u32: (address: number) => words.get(address) ?? 0,
      i32: (address: number) => (words.get(address) ?? 0) | 0,
      setU32: (address: number, value: number) => void words.set(address, value),
    }) as unknown as UserMemory; // what the walk uses

  it("marks the dead thread's locks, wakes those with waiters, and leaves others' alone", () => {
    const words = new Map([
      // head at 100: first entry, offset from an entry to its word, pending
      [100, 200],
      [104, -8],
      [108, 400],
      // entries and, 8 bytes before, their locks
      [200, 300],
      [192, 7],
      [300, 100],
      [292, 9],
      [392, 0x80000007],
    ]);
    const woken: number[] = [];
    releaseRobustList(memoryOf(words), 100, 7, (address) => woken.push(address));
    expect(words.get(192)).toBe(0x40000000);
    expect(words.get(292)).toBe(9);
    expect(words.get(392)).toBe(0xc0000000);
    expect(woken).toEqual([392]);
  });

  it('ends on a circle that never returns to its head', () => {
    const words = new Map([
      [100, 200],
      [200, 200],
    ]);
    releaseRobustList(memoryOf(words), 100, 7, () => undefined);
    expect(words.get(200)).toBe(200);
  });
});
