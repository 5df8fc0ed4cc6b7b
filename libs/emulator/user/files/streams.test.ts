import { describe, expect, it } from '@jest/globals';
import { MIPS_O32_FILES } from '../../targets/mips/linux-abi/files.js';
import { BUFFER, O, openFlags, TestGuest } from './guest.test-support.js';
import { HostInput } from './index.js';

const POLLIN = 1;
const POLLOUT = 4;
const POLLHUP = 16;

/** A pollfd at an address. */
function pollfd(guest: TestGuest, address: number, fd: number, events: number): void {
  guest.memory.setU32(address, fd >>> 0);
  const view = new DataView(guest.memory.bytes.buffer);
  view.setUint16(address + 4, events, guest.memory.byteOrder === 'little');
  view.setUint16(address + 6, 0);
}
const revents = (guest: TestGuest, address: number): number =>
  new DataView(guest.memory.bytes.buffer).getUint16(address + 6, guest.memory.byteOrder === 'little');

describe('pipes', () => {
  it('readers wait for writers, and get what one write gave', () => {
    const guest = new TestGuest();
    const [reader, writer] = guest.pipe();
    const waiting = guest.waits('read', reader, BUFFER + 64, 100);
    expect(waiting.done).toBe(false);
    guest.write(writer, 'hello');
    expect(waiting.result).toBe(5);
  });

  it('a long write waits for room, and an interruption tells how far it came', () => {
    const guest = new TestGuest();
    const [reader, writer] = guest.pipe();
    const waiting = guest.waits('write', writer, BUFFER, 100_000);
    expect(guest.read(reader, 1000)).toHaveLength(1000);
    expect(waiting.done).toBe(false);
    expect(waiting.interrupt()).toBe(66_536);
    const again = guest.waits('write', writer, BUFFER, 5000);
    expect(again.interrupt()).toBe('ERESTART');
  });

  it('writes of up to PIPE_BUF are not divided', () => {
    const guest = new TestGuest();
    const [reader, writer] = guest.pipe();
    guest.ok('write', writer, BUFFER, 65536 - 100);
    const waiting = guest.waits('write', writer, BUFFER, 4096);
    guest.read(reader, 3000);
    expect(waiting.done).toBe(false);
    guest.read(reader, 1000);
    expect(waiting.result).toBe(4096);
  });

  it('without readers: EPIPE and SIGPIPE', () => {
    const guest = new TestGuest();
    const [reader, writer] = guest.pipe();
    guest.ok('close', reader);
    expect(guest.write(writer, 'x')).toBe('EPIPE');
    expect(guest.signals).toEqual(['SIGPIPE']);
  });

  it('opened again by way of /proc do not wait for the other side, which was there', () => {
    const guest = new TestGuest();
    const [reader, writer] = guest.pipe();
    guest.write(writer, 'left');
    guest.ok('close', writer);
    expect(guest.read(guest.opened(`/proc/self/fd/${reader}`, []))).toBe('left');
    const other = guest.pipe();
    guest.ok('close', other[0]);
    expect(guest.write(guest.opened(`/proc/self/fd/${other[1]}`, ['O_WRONLY', 'O_NONBLOCK']), 'x')).toBe('EPIPE');
  });

  it('a waiting reader sees the end when the last writer goes, also in another process', () => {
    const guest = new TestGuest();
    const [reader, writer] = guest.pipe();
    const child = guest.fork(101);
    guest.ok('close', writer);
    const waiting = guest.waits('read', reader, BUFFER, 10);
    expect(waiting.done).toBe(false);
    child.files.exit();
    expect(waiting.result).toBe(0);
  });

  it('what waits in pipes and sockets counts as the guest’s memory', () => {
    const guest = new TestGuest({ memoryLimitBytes: 100_000 });
    const [reader, writer] = guest.pipe(O.O_NONBLOCK);
    expect(guest.ok('write', writer, BUFFER, 60_000)).toBe(60_000);
    const [, second] = guest.pipe(O.O_NONBLOCK);
    expect(guest.call('write', second, BUFFER, 60_000)).toBe('ENOMEM');
    guest.ok('socketpair', 1, 2 | O.O_NONBLOCK, 0, BUFFER);
    const [a, b] = [guest.memory.u32(BUFFER), guest.memory.u32(BUFFER + 4)];
    let sent = 0;
    while (guest.write(a, 'x') === 1) sent++;
    expect(sent).toBeLessThan(200);
    expect(guest.write(a, 'x')).toBe('ENOBUFS');
    expect(guest.read(b)).toHaveLength(sent);
    expect(guest.write(a, 'x')).toBe(1);
    for (const fd of [reader, writer, a, b]) guest.ok('close', fd);
    expect(guest.ok('write', second, BUFFER, 60_000)).toBe(60_000);
  });

  it('MIPS returns the second descriptor of pipe(2) in a register', () => {
    const guest = new TestGuest();
    const reader = guest.ok('pipe', 0);
    guest.write(guest.secondResult!, 'x');
    expect(guest.read(reader)).toBe('x');
  });

  it('a bad address leaves no descriptors behind', () => {
    const guest = new TestGuest();
    const before = guest.files.descriptors();
    expect(guest.call('pipe2', 4, 0)).toBe('EFAULT');
    expect(guest.files.descriptors()).toEqual(before);
  });
});

describe('descriptors', () => {
  it('are the lowest free numbers, up to the limit', () => {
    const guest = new TestGuest();
    Object.assign(guest.context.process, { maxFiles: 8 });
    const numbers = [3, 4, 5, 6, 7].map(() => guest.ok('dup', 0));
    expect(numbers).toEqual([3, 4, 5, 6, 7]);
    expect(guest.call('dup', 0)).toBe('EMFILE');
    expect(guest.call('socket', 1, 2, 0)).toBe('EMFILE');
    expect(guest.open('/f', ['O_WRONLY', 'O_CREAT'])).toBe('EMFILE');
    expect(guest.call('access', '/f', 0)).toBe('ENOENT');
    guest.ok('close', 5);
    expect(guest.call('pipe2', BUFFER, 0)).toBe('EMFILE');
    expect(guest.ok('dup', 0)).toBe(5);
    expect(guest.call('dup2', 0, 8)).toBe('EBADF');
    expect(guest.call('fcntl', 0, 0, 8)).toBe('EINVAL');
  });

  it('share offset and flags across dup and fork, but not close-on-exec', () => {
    const guest = new TestGuest();
    guest.writeFile('/f', 'abcdef');
    const fd = guest.opened('/f', ['O_CLOEXEC']);
    const child = guest.fork(101);
    expect(child.read(fd, 2)).toBe('ab');
    expect(guest.read(fd, 2)).toBe('cd');
    const copy = child.ok('dup', fd);
    child.files.exec();
    expect(child.call('read', fd, BUFFER, 1)).toBe('EBADF');
    expect(child.read(copy)).toBe('ef');
    expect(guest.read(fd)).toBe('');
  });

  it('CLONE_FILES shares the table until execve', () => {
    const guest = new TestGuest();
    const thread = guest.fork(101, { descriptors: true, directories: true });
    const fd = thread.opened('/dev/null');
    expect(guest.read(fd)).toBe('');
    guest.ok('mkdir', '/d', 0o755);
    guest.ok('chdir', '/d');
    expect(thread.call('getcwd', BUFFER, 10)).toBe(3);
    thread.files.exec();
    thread.ok('close', fd);
    expect(guest.read(fd)).toBe('');
  });

  it('close_range closes what is in use of a huge range', () => {
    const guest = new TestGuest();
    guest.pipe();
    expect(guest.ok('close_range', 3, 0xffffffff, 0)).toBe(0);
    expect(guest.files.descriptors()).toEqual([0, 1, 2]);
    expect(guest.call('close_range', 5, 3, 0)).toBe('EINVAL');
  });
});

describe('standard streams', () => {
  it('wait for the host, and end when it says so', () => {
    const stdin = new HostInput();
    const guest = new TestGuest({ stdin });
    const waiting = guest.waits('read', 0, BUFFER, 100);
    stdin.push(Buffer.from('typed'));
    expect(waiting.result).toBe(5);
    stdin.push(Buffer.from('more'));
    stdin.end();
    expect(guest.read(0)).toBe('more');
    expect(guest.read(0)).toBe('');
  });

  it('poll wakes with input, through epoll as well', () => {
    const stdin = new HostInput();
    const guest = new TestGuest({ stdin });
    pollfd(guest, BUFFER, 0, POLLIN);
    const waiting = guest.waits('poll', BUFFER, 1, -1);
    const epoll = guest.ok('epoll_create1', 0);
    guest.memory.setU32(BUFFER + 32, POLLIN);
    guest.ok('epoll_ctl', epoll, 1, 0, BUFFER + 32);
    const other = guest.waits('epoll_wait', epoll, BUFFER + 64, 1, -1);
    stdin.push(Buffer.from('x'));
    expect(waiting.result).toBe(1);
    expect(revents(guest, BUFFER)).toBe(POLLIN);
    expect(other.result).toBe(1);
  });

  it('go to the host, and are found by their names', () => {
    let output = '';
    const guest = new TestGuest({ stdout: (bytes) => (output += Buffer.from(bytes).toString()) });
    guest.write(1, 'one ');
    guest.write(guest.opened('/dev/stdout', ['O_WRONLY']), 'two ');
    guest.write(guest.opened('/proc/self/fd/1', ['O_WRONLY']), 'three');
    expect(output).toBe('one two three');
    expect(guest.call('lseek', 1, 0, 0)).toBe('ESPIPE');
    expect(guest.call('ioctl', 1, MIPS_O32_FILES.ioctl.TCGETS, BUFFER)).toBe('ENOTTY');
  });

  it('are a terminal where the host has one', () => {
    const modes: object[] = [];
    const guest = new TestGuest({
      byteOrder: 'big',
      terminal: { descriptors: [0, 1], size: () => ({ rows: 25, columns: 80 }), setMode: (mode) => modes.push(mode) },
    });
    const { ioctl, structs } = MIPS_O32_FILES;
    guest.ok('ioctl', 0, ioctl.TIOCGWINSZ, BUFFER);
    expect([...guest.memory.read(BUFFER, 4)]).toEqual([0, 25, 0, 80]);
    guest.ok('ioctl', 0, ioctl.TCGETS, BUFFER);
    const lflag = guest.memory.u32(BUFFER + structs.termios.fields.c_lflag.offset);
    expect(lflag & 0xb).toBe(0xb);
    guest.memory.setU32(BUFFER + structs.termios.fields.c_lflag.offset, 0);
    guest.ok('ioctl', 0, ioctl.TCSETS, BUFFER);
    expect(modes).toEqual([{ canonical: false, echo: false, signals: false }]);
    expect(guest.readlink('/proc/self/fd/1')).toBe('/dev/pts/0');
    expect(guest.call('ioctl', 2, ioctl.TCGETS, BUFFER)).toBe('ENOTTY');
    expect(guest.opened('/dev/tty', ['O_RDWR'])).toBeGreaterThan(2);
  });
});

describe('waiting', () => {
  it('poll ends at its deadline and is never restarted', () => {
    const guest = new TestGuest();
    const [reader, writer] = guest.pipe();
    pollfd(guest, BUFFER, reader, POLLIN);
    const waiting = guest.waits('poll', BUFFER, 1, 50);
    expect(waiting.deadlineNs).toBe(50_000_000);
    guest.clock.advance(49_000_000);
    expect(waiting.done).toBe(false);
    guest.clock.advance(1_000_000);
    expect(waiting.result).toBe(0);
    expect(guest.waits('poll', BUFFER, 1, -1).interrupt()).toBe('EINTR');
    guest.ok('close', writer);
    expect(guest.ok('poll', BUFFER, 1, 0)).toBe(1);
    expect(revents(guest, BUFFER)).toBe(POLLHUP);
    expect(guest.call('poll', BUFFER, 5000, 0)).toBe('EINVAL');
  });

  it('select and ppoll leave the time that was left, also when a signal ends them', () => {
    const guest = new TestGuest();
    const [reader, writer] = guest.pipe();
    const time = BUFFER + 256;
    const set = (): void => {
      guest.memory.setU32(BUFFER, 1 << reader);
      guest.memory.setU32(time, 2);
      guest.memory.setU32(time + 4, 500_000);
    };
    set();
    const interrupted = guest.waits('select', reader + 1, BUFFER, 0, 0, time);
    guest.clock.advance(1_000_000_000);
    expect(interrupted.interrupt()).toBe('EINTR');
    expect([guest.memory.u32(time), guest.memory.u32(time + 4)]).toEqual([1, 500_000]);
    set();
    const waiting = guest.waits('select', reader + 1, BUFFER, 0, 0, time);
    guest.clock.advance(2_100_000_000);
    guest.write(writer, 'x');
    expect(waiting.result).toBe(1);
    expect([guest.memory.u32(time), guest.memory.u32(time + 4)]).toEqual([0, 400_000]);
  });

  it('poll of no descriptors is a sleep', () => {
    const guest = new TestGuest();
    const waiting = guest.waits('poll', 0, 0, 10);
    guest.clock.advance(10_000_000);
    expect(waiting.result).toBe(0);
  });

  it('an epoll descriptor is itself ready when a watched file is, through levels', () => {
    const guest = new TestGuest();
    const [reader, writer] = guest.pipe();
    const [inner, outer] = [guest.ok('epoll_create1', 0), guest.ok('epoll_create1', 0)];
    guest.memory.setU32(BUFFER, POLLIN);
    guest.memory.setU64(BUFFER + 8, 42n);
    guest.ok('epoll_ctl', inner, 1, reader, BUFFER);
    guest.ok('epoll_ctl', outer, 1, inner, BUFFER);
    expect(guest.call('epoll_ctl', inner, 1, outer, BUFFER)).toBe('ELOOP');
    const waiting = guest.waits('epoll_wait', outer, BUFFER + 64, 4, -1);
    guest.write(writer, 'x');
    expect(waiting.result).toBe(1);
    expect(guest.memory.u64(BUFFER + 72)).toBe(42n);
  });

  it('closing a watched file takes it out of the set, a copy of it does not', () => {
    const guest = new TestGuest();
    const [reader, writer] = guest.pipe();
    const epoll = guest.ok('epoll_create1', 0);
    guest.memory.setU32(BUFFER, POLLOUT);
    guest.ok('epoll_ctl', epoll, 1, writer, BUFFER);
    const copy = guest.ok('dup', writer);
    guest.ok('close', writer);
    expect(guest.ok('epoll_wait', epoll, BUFFER, 1, 0)).toBe(1);
    guest.ok('close', copy);
    expect(guest.ok('epoll_wait', epoll, BUFFER, 1, 0)).toBe(0);
    expect(guest.read(reader)).toBe('');
  });

  it('chains of epolls are limited', () => {
    const guest = new TestGuest();
    const chain = Array.from({ length: 8 }, () => guest.ok('epoll_create1', 0));
    guest.memory.setU32(BUFFER, POLLIN);
    const results = chain.slice(1).map((fd, i) => guest.call('epoll_ctl', fd, 1, chain[i]!, BUFFER));
    expect(results).toContain('ELOOP');
  });

  it('a timer counts expiries in guest time', () => {
    const guest = new TestGuest();
    const fd = guest.ok('timerfd_create', 1, O.O_NONBLOCK);
    const [seconds, nanoseconds] = [0, 1_000_000];
    for (const [i, word] of [seconds, nanoseconds, 0, 10_000_000].entries()) guest.memory.setU32(BUFFER + i * 4, word);
    guest.ok('timerfd_settime', fd, 0, BUFFER, 0);
    expect(guest.call('read', fd, BUFFER, 8)).toBe('EAGAIN');
    guest.clock.advance(12_500_000);
    expect(guest.ok('read', fd, BUFFER, 8)).toBe(8);
    expect(guest.memory.u64(BUFFER)).toBe(3n);
  });

  it('a signalfd wakes with a signal', () => {
    const guest = new TestGuest();
    guest.memory.bytes.fill(0, BUFFER, BUFFER + 16);
    guest.memory.setU32(BUFFER, 1 << 15); // signal 16
    const fd = guest.ok('signalfd4', -1, BUFFER, 16, 0);
    expect(guest.call('signalfd4', -1, BUFFER, 8, 0)).toBe('EINVAL');
    const waiting = guest.waits('read', fd, BUFFER + 64, 256);
    guest.pending.push({ signal: 16, code: 0, pid: 7 });
    guest.signalArrival.wake();
    expect(waiting.result).toBe(128);
    expect(guest.memory.u32(BUFFER + 64)).toBe(16);
  });
});

describe('locks', () => {
  /** struct flock64 of o32. */
  const lock = (guest: TestGuest, type: number, start: number, length: number): number => {
    const view = new DataView(guest.memory.bytes.buffer, BUFFER, 32);
    view.setInt16(0, type, true);
    view.setInt16(2, 0, true);
    view.setBigInt64(8, BigInt(start), true);
    view.setBigInt64(16, BigInt(length), true);
    view.setInt32(24, 0, true);
    return BUFFER;
  };
  const { F_SETLKW64, F_SETLK64, F_GETLK64 } = MIPS_O32_FILES.fcntl as Record<string, number>;
  const [READ, WRITE, UNLOCK] = [0, 1, 2];

  const pair = (): [TestGuest, TestGuest, number] => {
    const guest = new TestGuest();
    const fd = guest.opened('/f', ['O_RDWR', 'O_CREAT']);
    return [guest, guest.fork(101), fd];
  };

  it('are per process, by range, and may wait', () => {
    const [guest, child, fd] = pair();
    guest.ok('fcntl64', fd, F_SETLK64!, lock(guest, WRITE, 0, 10));
    guest.ok('fcntl64', fd, F_SETLK64!, lock(guest, READ, 5, 10)); // its own: changed, not refused
    expect(child.call('fcntl64', fd, F_SETLK64!, lock(child, READ, 4, 1))).toBe('EAGAIN');
    expect(child.call('fcntl64', fd, F_SETLK64!, lock(child, READ, 5, 10))).toBe(0);
    const waiting = child.waits('fcntl64', fd, F_SETLKW64!, lock(child, WRITE, 0, 5));
    guest.ok('fcntl64', fd, F_SETLK64!, lock(guest, UNLOCK, 0, 0));
    expect(waiting.result).toBe(0);
    guest.ok('fcntl64', fd, F_GETLK64!, lock(guest, WRITE, 0, 0));
    const view = new DataView(guest.memory.bytes.buffer, BUFFER, 32);
    expect([view.getInt16(0, true), view.getInt32(24, true)]).toEqual([WRITE, 101]);
  });

  it('end with any close of the file, and with the process', () => {
    const [guest, child, fd] = pair();
    guest.ok('fcntl64', fd, F_SETLK64!, lock(guest, WRITE, 0, 0));
    guest.ok('close', guest.opened('/f'));
    expect(child.call('fcntl64', fd, F_SETLK64!, lock(child, WRITE, 0, 0))).toBe(0);
    child.files.exit();
    expect(guest.call('fcntl64', fd, F_SETLK64!, lock(guest, WRITE, 0, 0))).toBe(0);
  });

  it('in a circle are EDEADLK', () => {
    const [guest, child, fd] = pair();
    guest.ok('fcntl64', fd, F_SETLK64!, lock(guest, WRITE, 0, 1));
    child.ok('fcntl64', fd, F_SETLK64!, lock(child, WRITE, 1, 1));
    const waiting = guest.waits('fcntl64', fd, F_SETLKW64!, lock(guest, WRITE, 1, 1));
    expect(child.call('fcntl64', fd, F_SETLKW64!, lock(child, WRITE, 0, 1))).toBe('EDEADLK');
    waiting.interrupt();
    expect(child.start('fcntl64', fd, F_SETLKW64!, lock(child, WRITE, 0, 1))).toHaveProperty('done', false);
  });

  it('flock belongs to the open file: shared by fork, not by a second open', () => {
    const [guest, child, fd] = pair();
    guest.ok('flock', fd, 2);
    expect(child.ok('flock', fd, 2 | 4)).toBe(0);
    const other = child.opened('/f');
    expect(child.call('flock', other, 1 | 4)).toBe('EAGAIN');
    const waiting = child.waits('flock', other, 2);
    guest.ok('close', fd);
    expect(waiting.done).toBe(false);
    child.ok('close', fd);
    expect(waiting.result).toBe(0);
  });
});

describe('hostile arguments', () => {
  it('are errors', () => {
    const guest = new TestGuest();
    const fd = guest.opened('/f', ['O_RDWR', 'O_CREAT']);
    expect(guest.call('read', fd, BUFFER, 0xffffffff)).toBe('EINVAL');
    expect(guest.call('readv', fd, BUFFER, 1025)).toBe('EINVAL');
    guest.memory.setU32(BUFFER, BUFFER);
    guest.memory.setU32(BUFFER + 4, 0x80000000);
    expect(guest.call('readv', fd, BUFFER, 1)).toBe('EINVAL');
    expect(guest.call('pread64', fd, BUFFER, 1, 0, -1, -1)).toBe('EINVAL');
    expect(guest.call('pwrite64', fd, BUFFER, 1, 0, 0xffffffff, 0x7fffffff)).toBe('EFBIG');
    expect(guest.call('ftruncate64', fd, 0, 0xffffffff, 0x7fffffff)).toBe('EFBIG');
    expect(guest.call('fallocate', fd, 0, 0, 0, 0xffffffff, 0x7fffffff)).toBe('EFBIG');
    expect(guest.call('_llseek', fd, 0x7fffffff, 0xffffffff, BUFFER, 0)).toBe('EOVERFLOW');
    expect(guest.call('open', 4, 0)).toBe('EFAULT');
    expect(guest.call('fcntl64', fd, 14, 4)).toBe('EFAULT');
    expect(guest.call('getdents64', fd, BUFFER, 100)).toBe('ENOTDIR');
    expect(guest.call('poll', 4, 1, 0)).toBe('EFAULT');
    expect(guest.call('select', -1, 0, 0, 0, 0)).toBe('EINVAL');
    expect(guest.call('epoll_wait', fd, BUFFER, 1, 0)).toBe('EINVAL');
    expect(guest.call('sendfile', fd, fd, 0, 10)).toBe(0);
    expect(guest.call('fanotify_init')).toBe('ENOSYS');
    expect(guest.call('getxattr', '/f', 'user.x', BUFFER, 10)).toBe('EOPNOTSUPP');
  });

  it('descriptors in flight cannot pile up', () => {
    const guest = new TestGuest();
    Object.assign(guest.context.process, { maxFiles: 64 });
    const order = guest.memory.byteOrder === 'little';
    const view = new DataView(guest.memory.bytes.buffer);
    let result: number | string = 0;
    for (let i = 0; i < 200 && result !== 'ETOOMANYREFS'; i++) {
      guest.ok('socketpair', 1, 2, 0, BUFFER);
      const [a, b] = [guest.memory.u32(BUFFER), guest.memory.u32(BUFFER + 4)];
      // A socket that carries itself: without a limit nothing would ever free it.
      const [iov, control, header] = [BUFFER + 64, BUFFER + 96, BUFFER + 128];
      guest.memory.setU32(iov, BUFFER);
      guest.memory.setU32(iov + 4, 1);
      view.setUint32(control, 16, order);
      view.setInt32(control + 4, 0xffff, order);
      view.setInt32(control + 8, 1, order);
      view.setInt32(control + 12, b, order);
      for (const [at, word] of [0, 0, iov, 1, control, 16, 0].entries()) guest.memory.setU32(header + at * 4, word);
      result = guest.call('sendmsg', a, header, 0);
      guest.ok('close', a);
      guest.ok('close', b);
    }
    expect(result).toBe('ETOOMANYREFS');
  });
});

it('opens with the numbers of MIPS', () => {
  expect(openFlags(['O_CREAT', 'O_EXCL', 'O_NONBLOCK', 'O_APPEND'])).toBe(0x588);
});
