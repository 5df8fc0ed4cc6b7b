import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { MIPS_O32_FILES } from '../../targets/mips/linux-abi/files.js';
import { BUFFER, O, TestGuest, Waiting } from './guest.test-support.js';
import { SeededRandom } from './random.js';

/** Calls in a run: enough to reach every call with many kinds of arguments, in a second or two. */
const CALLS = 20_000;

/** A guest that calls anything with anything. */
function storm(guest: TestGuest, seed: number): number {
  const random = new SeededRandom(seed);
  const below = (limit: number): number => new DataView(random.bytes(4).buffer).getUint32(0) % limit;
  const pick = <T>(values: readonly T[]): T => values[below(values.length)]!;
  const names = Object.keys(guest.syscalls);
  const paths = [
    '/a',
    '/b',
    '/d',
    '/d/x',
    '/d/..',
    '/',
    '.',
    '..',
    '',
    'x/y',
    '/proc/self/fd/3',
    '/proc/self',
    '/dev/null',
  ];
  const argument = (): number | string | Uint8Array => {
    switch (below(9)) {
      case 0:
        return pick([0, 1, 2, 3, 4, 8, 16, 24, 100, 0x80, 0x100, 4096]);
      case 1:
        return pick([0xffffffff, 0x7fffffff, 0x80000000, 0xffffff9c, 0xfffffffe, 0xffff, ...numbers]);
      case 2:
        return below(2 ** 32);
      case 3:
        return BUFFER + below(64) * 4;
      case 4:
      case 5:
        return below(16);
      case 6:
        return pick([random.bytes(below(64)), ...structures]);
      default:
        return pick(paths);
    }
  };
  const words = (...values: number[]): Uint8Array => {
    const bytes = new Uint8Array(values.length * 4);
    const view = new DataView(bytes.buffer);
    for (const [index, value] of values.entries()) {
      view.setUint32(index * 4, value, guest.memory.byteOrder === 'little');
    }
    return bytes;
  };
  const loopback = guest.memory.byteOrder === 'little' ? [0x5000_0002, 0x0100_007f] : [0x0002_0050, 0x7f00_0001];
  const structures = [
    words(BUFFER, 16, BUFFER + 64, 8), // struct iovec[2]
    words(...loopback, 0, 0), // struct sockaddr_in
    words(0, 1000, 0, 5_000_000), // struct itimerspec
    words(0, 0, BUFFER, 1, BUFFER + 32, 16, 0), // struct msghdr
    words(0x10001, 0, 0, 0, 0, 16, 0, 0), // struct flock64
    words(1 << 16, 0, 0, 0), // sigset_t
    words(3, 0x10005, 4, 0x10005), // struct pollfd[2]
    words(0, 0, 0, 0, 0, 0), // struct open_how
  ];
  const { ioctl, socket, openFlags: flags } = MIPS_O32_FILES;
  const numbers = [...Object.values(ioctl), ...Object.values(socket.options), ...Object.values(flags)];
  let failures = 0;
  const waiting: Waiting[] = [];
  for (let i = 0; i < CALLS; i++) {
    const name = pick(names);
    const result = guest.start(name, ...Array.from({ length: 6 }, argument));
    if (typeof result === 'string') failures++;
    if (result instanceof Waiting) waiting.push(result);
    if (waiting.length > 20) waiting.shift()!.interrupt();
    if (i % 300 === 0) openOneOfEach(guest);
    if (i % 100 === 0) guest.memory.write(BUFFER, random.bytes(256));
    if (i % 1000 === 0) guest.clock.advance(1_000_000);
  }
  return failures;
}

/** Descriptors from 3 on: every kind of file. */
function openOneOfEach(guest: TestGuest): void {
  guest.call('close_range', 3, 0xffffffff, 0);
  guest.pipe(O.O_NONBLOCK);
  for (const type of [1, 2, 5]) guest.call('socketpair', 1, type, 0, BUFFER);
  guest.call('socket', 2, 2, 0);
  guest.call('socket', 2, 1, 0);
  guest.call('epoll_create1', 0);
  guest.call('timerfd_create', 1, 0);
  guest.call('eventfd2', 1, 0);
  guest.open('/f', ['O_RDWR', 'O_CREAT']);
  guest.open('/', ['O_DIRECTORY']);
}

it('arbitrary calls end in results or error numbers, on trees in memory', () => {
  const guest = new TestGuest({ memoryLimitBytes: 64 * 1024 * 1024 });
  guest.ok('mkdir', '/d', 0o755);
  expect(storm(guest, 1)).toBeGreaterThan(CALLS / 2);
});

it('and on a host directory, outside of which nothing changes', () => {
  const outside = mkdtempSync(join(tmpdir(), 'bootlab-hostile-'));
  try {
    writeFileSync(join(outside, 'secret'), 'secret');
    const guest = new TestGuest({ root: mkdtempSync(join(outside, 'root-')), byteOrder: 'big' });
    expect(storm(guest, 2)).toBeGreaterThan(CALLS / 2);
    guest.fileSystem.close();
    expect(readdirSync(outside)).toHaveLength(2);
  } finally {
    rmSync(outside, { recursive: true, force: true });
  }
});
