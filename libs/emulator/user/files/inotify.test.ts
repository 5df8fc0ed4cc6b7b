import { describe, expect, it } from '@jest/globals';
import { BUFFER, O, TestGuest } from './guest.test-support.js';

const IN = { MODIFY: 2, CREATE: 0x100, Q_OVERFLOW: 0x4000 };

/** The events that a read gives, as mask and name. */
function events(guest: TestGuest, fd: number, bytes = 65536): { mask: number; name: string; wd: number }[] {
  const count = guest.call('read', fd, BUFFER, bytes);
  if (typeof count !== 'number') return [];
  const found = [];
  for (let at = BUFFER; at < BUFFER + count;) {
    const length = guest.memory.u32(at + 12);
    const name = Buffer.from(guest.memory.read(at + 16, length))
      .toString('latin1')
      .replace(/\0+$/, '');
    found.push({ wd: guest.memory.i32(at), mask: guest.memory.u32(at + 4), name });
    at += 16 + length;
  }
  return found;
}

describe.each(['little', 'big'] as const)('inotify, %s-endian', (byteOrder) => {
  it('stops with one event where nobody reads', () => {
    const guest = new TestGuest({ byteOrder });
    const fd = guest.ok('inotify_init1', O.O_NONBLOCK);
    guest.ok('inotify_add_watch', fd, '/', IN.CREATE);
    for (let i = 0; i < 16_390; i++) {
      guest.ok('mkdir', `/d`, 0o755);
      guest.ok('rmdir', `/d`);
      guest.ok('mkdir', `/e`, 0o755);
      guest.ok('rmdir', `/e`);
    }
    const all = [];
    for (let some = events(guest, fd); some.length > 0; some = events(guest, fd)) all.push(...some);
    expect(all).toHaveLength(16_385);
    expect(all.at(-1)).toEqual({ wd: -1, mask: IN.Q_OVERFLOW, name: '' });
  });

  it('tells of changes in files that are reached by another name, and not of other files', () => {
    const guest = new TestGuest({ byteOrder });
    guest.write(guest.ok('open', '/a', O.O_CREAT | 1, 0o644), 'text');
    guest.ok('link', '/a', '/b');
    const fd = guest.ok('inotify_init1', O.O_NONBLOCK);
    const watch = guest.ok('inotify_add_watch', fd, '/b', IN.MODIFY);
    guest.ok('truncate', '/a', 1);
    guest.ok('mkdir', '/c', 0o755);
    expect(events(guest, fd)).toEqual([{ wd: watch, mask: IN.MODIFY, name: '' }]);
  });

  it('gives as many events as fit, and wakes who waits', () => {
    const guest = new TestGuest({ byteOrder });
    const fd = guest.ok('inotify_init1', 0);
    guest.ok('inotify_add_watch', fd, '/', IN.CREATE);
    const waiting = guest.waits('read', fd, BUFFER, 100);
    for (const name of ['/one', '/two', '/three', '/four']) guest.ok('mkdir', name, 0o755);
    expect(waiting).toMatchObject({ done: true, result: 32 });
    expect(guest.call('read', fd, BUFFER, 31)).toBe('EINVAL');
    expect(events(guest, fd, 100).map(({ name }) => name)).toEqual(['two', 'three', 'four']);
  });
});
