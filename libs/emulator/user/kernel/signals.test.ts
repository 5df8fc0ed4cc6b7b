import { describe, expect, it } from '@jest/globals';
import type { SignalInfo } from '../../targets/index.js';
import { mipsO32 } from '../../targets/index.js';
import { bitOf, PendingSignals, SIG_DFL, SIG_IGN, SignalHandlers, SignalTable } from './signals.js';

const table = new SignalTable(mipsO32('little'));
const signal = (name: string): number => table.number(name);
const info = (number: number, value = 0): SignalInfo => ({
  signal: number,
  code: 0,
  detail: { kind: 'sender', pid: 1, uid: 0, value },
});
const ALL = (1n << 128n) - 1n;

describe('signals that wait', () => {
  it('keeps one of a kind of the standard ones, and every real-time one in order', () => {
    const pending = new PendingSignals(table);
    for (const value of [1, 2]) pending.add(info(signal('SIGUSR1'), value));
    for (const value of [3, 4]) pending.add(info(40, value));
    expect(pending.take(ALL)).toEqual(info(signal('SIGUSR1'), 1));
    expect(pending.take(ALL)).toEqual(info(40, 3));
    expect(pending.set).toBe(bitOf(40));
    expect(pending.take(ALL)).toEqual(info(40, 4));
    expect(pending.take(ALL)).toBeUndefined();
    expect(pending.set).toBe(0n);
  });

  it('gives faults before others, then the lowest number, of those that are not blocked', () => {
    const pending = new PendingSignals(table);
    for (const name of ['SIGHUP', 'SIGSEGV', 'SIGUSR2']) pending.add(info(signal(name)));
    expect(pending.take(ALL)?.signal).toBe(signal('SIGSEGV'));
    expect(pending.take(ALL & ~bitOf(signal('SIGHUP')))?.signal).toBe(signal('SIGUSR2'));
    expect(pending.take(ALL & ~bitOf(signal('SIGHUP')))).toBeUndefined();
    pending.discard(bitOf(signal('SIGHUP')));
    expect(pending.take(ALL)).toBeUndefined();
  });
});

describe('handlers', () => {
  it('survive execve only as ignored or default, and never block SIGKILL and SIGSTOP', () => {
    const handlers = new SignalHandlers(table);
    const action = { handler: 0x400000, flags: 8, restorer: 0, mask: ALL };
    handlers.set(signal('SIGUSR1'), action);
    handlers.set(signal('SIGUSR2'), { ...action, handler: SIG_IGN });
    expect(handlers.get(signal('SIGUSR1')).mask).toBe(ALL & ~table.unblockable);
    const after = handlers.exec();
    expect(after.get(signal('SIGUSR1'))).toEqual({ handler: SIG_DFL, flags: 0, restorer: 0, mask: 0n });
    expect(after.get(signal('SIGUSR2')).handler).toBe(SIG_IGN);
    expect(handlers.get(signal('SIGUSR1')).handler).toBe(0x400000);
  });

  it.each([
    ['SIGCHLD', true],
    ['SIGWINCH', true],
    ['SIGTERM', false],
    ['SIGCONT', false],
    ['SIGSTOP', false],
  ])('%s: dropped without a handler: %s', (name, ignored) => {
    expect(new SignalHandlers(table).ignores(signal(name))).toBe(ignored);
  });

  it('have the numbers and defaults of MIPS', () => {
    expect([signal('SIGBUS'), signal('SIGCHLD'), signal('SIGSTOP'), table.last]).toEqual([10, 18, 23, 128]);
    expect(table.name(10)).toBe('SIGBUS');
    expect(table.defaultAction(signal('SIGTSTP'))).toBe('stop');
    expect(table.defaultAction(64)).toBe('terminate');
  });
});
