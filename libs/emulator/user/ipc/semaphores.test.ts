import { describe, expect, it } from '@jest/globals';
import { IPC_NOWAIT } from './registry.js';
import { SemaphoreSet } from './semaphores.js';

const SEM_UNDO = 0x1000;
const permissions = { uid: 0, gid: 0, cuid: 0, cgid: 0, mode: 0o600 };
const create = (count: number): SemaphoreSet => new SemaphoreSet(0, permissions, count, () => 1);
const change = (number: number, by: number, flags = 0) => ({ number, change: by, flags });

describe('semaphores', () => {
  it('complete waiting calls in their order, each as soon as it can be done', () => {
    const set = create(2);
    const [a, b, c] = [1, 2, 3].map((pid) => ({ pid }));
    const first = set.operate([change(0, -2)], a!)!;
    const second = set.operate([change(0, -1), change(1, 1)], b!)!;
    const third = set.operate([change(1, -1)], c!)!;
    expect(set.operate([change(0, 1)], { pid: 4 })).toBeUndefined();
    expect([first, second, third].map(({ outcome }) => outcome)).toEqual([undefined, 'done', 'done']);
    expect(set.waiting(0, 'growth')).toBe(1);
    set.operate([change(0, 2)], { pid: 4 });
    expect(first.outcome).toBe('done');
    expect(set.semaphores.map(({ value }) => value)).toEqual([0, 0]);
  });

  it('do all operations of a call or none', () => {
    const set = create(2);
    expect(() => set.operate([change(0, 5), change(1, -1, IPC_NOWAIT)], { pid: 1 })).toThrow('EAGAIN');
    expect(set.semaphores[0]?.value).toBe(0);
    expect(() => set.operate([change(0, 32767), change(0, 1)], { pid: 1 })).toThrow('ERANGE');
  });

  it('take back what an ended process did, which may let others go on', () => {
    const set = create(1);
    const user = { pid: 1 };
    set.set(new Map([[0, 3]]), 9);
    set.operate([change(0, -3, SEM_UNDO)], user);
    const waiter = set.operate([change(0, -2)], { pid: 2 });
    set.processEnded(user);
    expect(waiter?.outcome).toBe('done');
    expect(set.semaphores[0]).toEqual({ value: 1, pid: 2 });
  });

  it('forget that once the value is set', () => {
    const set = create(1);
    const user = { pid: 1 };
    set.operate([change(0, 4, SEM_UNDO)], user);
    set.set(new Map([[0, 10]]), 9);
    set.processEnded(user);
    expect(set.semaphores[0]?.value).toBe(10);
  });

  it('do not let a call that gave up take anything', () => {
    const set = create(1);
    const waiter = set.operate([change(0, -1)], { pid: 1 })!;
    set.cancel(waiter);
    set.operate([change(0, 1)], { pid: 2 });
    expect(waiter.outcome).toBeUndefined();
    expect(set.semaphores[0]?.value).toBe(1);
  });
});
