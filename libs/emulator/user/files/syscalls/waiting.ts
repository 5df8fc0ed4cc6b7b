/** Waiting for several files at once: poll(2), select(2), epoll(7); and the descriptors that are there to be waited for. */
import type { LinuxFileAbi } from '../../../targets/linux-abi/file-abi.js';
import { POLLFD, TIMESPEC64 } from '../../../targets/linux-abi/common.js';
import { readStruct, writeStruct } from '../../abi/struct.js';
import { Errno, Poll, WaitQueue } from '../../kernel/contracts.js';
import type { SyscallContext, SyscallHandler, SyscallResult, SyscallTable } from '../../kernel/contracts.js';
import { FileType } from '../../vfs/inode.js';
import { EventFile, SignalFile, TimerFile } from '../counters.js';
import type { TimerSetting } from '../counters.js';
import { EpollFile } from '../epoll.js';
import type { OpenFile } from '../open-file.js';
import { plainFlags, waitUntil } from '../open-file.js';
import { filesOf } from '../process-files.js';
import { deadlineAfter, int, signalMask, timespecNs, timevalNs } from './arguments.js';

const NS_PER_S = 1_000_000_000;
const NS_PER_MS = 1_000_000;
const EPOLL_CTL = { ADD: 1, DEL: 2, MOD: 3 } as const;
const EFD_SEMAPHORE = 1;
const TFD_TIMER_ABSTIME = 1;
const CLOCK_REALTIME = 0;
/** CLOCK_MONOTONIC, CLOCK_BOOTTIME, and the alarm clocks, which need privileges that a container has not. */
const TIMER_CLOCKS = new Set([CLOCK_REALTIME, 1, 7]);
const FD_SETSIZE = 1024;

/** Takes the time that was left when a wait ended, ns. */
type StoreRemaining = (remainingNs: number) => void;

/** What a wait looks at. */
interface Watched {
  readonly file: OpenFile;
  readonly events: number;
}

export function waitingSyscalls(abi: LinuxFileAbi): SyscallTable {
  /** Waits until `look` finds something, or for a time. */
  const wait = (
    c: SyscallContext,
    files: readonly Watched[],
    timeoutNs: number | undefined,
    look: () => number | undefined,
    empty: () => number,
    storeRemaining: StoreRemaining = () => undefined,
  ): SyscallResult => {
    const found = look();
    if (found !== undefined || timeoutNs === 0) return found ?? empty();
    const deadlineNs = deadlineAfter(c, timeoutNs);
    const stop = (): void => {
      if (deadlineNs !== undefined) storeRemaining(Math.max(0, deadlineNs - c.clock.monotonicNs()));
    };
    const finish = (result: number | undefined): number | undefined => {
      if (result !== undefined) stop();
      return result;
    };
    const nothing = new WaitQueue();
    return waitUntil(
      () => (files.length === 0 ? [nothing] : files.flatMap(({ file }) => file.queues(c))),
      () => finish(look()),
      {
        interrupted: 'eintr',
        cancel: stop,
        ...(deadlineNs === undefined ? {} : { deadlineNs, timeout: () => finish(look() ?? empty()) ?? 0 }),
      },
    );
  };

  /** select(2), ppoll(2): Linux stores the time that was left; where it cannot, it says nothing. */
  const storeRemainingAt = (
    c: SyscallContext,
    address: number,
    unit: 'timespec' | 'timespec64' | 'timeval',
  ): StoreRemaining => {
    return (ns) => {
      const [seconds, rest] = [Math.floor(ns / NS_PER_S), ns % NS_PER_S];
      try {
        if (unit === 'timeval') {
          writeStruct(c.memory, address, abi.structs.timeval, { tv_sec: seconds, tv_usec: Math.floor(rest / 1000) });
        } else {
          const layout = unit === 'timespec64' ? TIMESPEC64 : abi.structs.timespec;
          writeStruct(c.memory, address, layout, { tv_sec: seconds, tv_nsec: rest });
        }
      } catch (error) {
        if (!(error instanceof Errno)) throw error; // the time is in read-only memory
      }
    };
  };

  const poll = (
    c: SyscallContext,
    address: number,
    count: number,
    timeoutNs: number | undefined,
    storeRemaining?: StoreRemaining,
  ): SyscallResult => {
    if (count > c.process.maxFiles) throw new Errno('EINVAL');
    const files = filesOf(c);
    const entries: ({ fd: number; events: number } & ({ file: OpenFile } | { file: undefined }))[] = [];
    for (let i = 0; i < count; i++) {
      const { fd, events } = readStruct(c.memory, address + i * POLLFD.size, POLLFD);
      entries.push({ fd, events, file: files.descriptorTable.has(fd) ? files.file(fd) : undefined });
    }
    const store = (): number => {
      let ready = 0;
      for (const [index, { fd, events, file }] of entries.entries()) {
        let revents = 0;
        if (fd >= 0) revents = file ? file.poll(c) & (events | Poll.ERR | Poll.HUP | Poll.NVAL) : Poll.NVAL;
        if (revents !== 0) ready++;
        writeStruct(c.memory, address + index * POLLFD.size, POLLFD, { fd, events, revents });
      }
      return ready;
    };
    const watched = entries.flatMap(({ file, events }) => (file ? [{ file, events }] : []));
    return wait(
      c,
      watched,
      timeoutNs,
      () => store() || undefined,
      () => 0,
      storeRemaining,
    );
  };

  const select = (
    c: SyscallContext,
    count: number,
    addresses: readonly [read: number, write: number, except: number],
    timeoutNs: number | undefined,
    storeRemaining?: StoreRemaining,
  ): SyscallResult => {
    if (int(count) < 0) throw new Errno('EINVAL');
    const files = filesOf(c);
    const limit = Math.min(count, FD_SETSIZE, files.descriptorTable.capacity);
    const word = abi.dataModel.longBytes;
    const words = Math.ceil(limit / (8 * word));
    // select(2): readable includes hang-up and errors, writable errors, exceptional is urgent data.
    const wanted = [Poll.IN | Poll.HUP | Poll.ERR, Poll.OUT | Poll.ERR, Poll.PRI] as const;
    const members: { set: number; fd: number; file: OpenFile }[] = [];
    for (const [set, address] of addresses.entries()) {
      if (address === 0) continue;
      const bits = readWords(c, address, words, word);
      for (let fd = 0; fd < limit; fd++) {
        if (((bits[Math.floor(fd / 32)]! >>> (fd % 32)) & 1) !== 0) members.push({ set, fd, file: files.file(fd) });
      }
    }
    const store = (only?: 'empty'): number => {
      const results = addresses.map(() => new Uint32Array(Math.ceil((words * word) / 4)));
      let ready = 0;
      if (!only) {
        for (const { set, fd, file } of members) {
          if ((file.poll(c) & wanted[set as 0 | 1 | 2]) === 0) continue;
          results[set]![Math.floor(fd / 32)]! |= 1 << (fd % 32);
          ready++;
        }
        if (ready === 0) return 0;
      }
      for (const [set, address] of addresses.entries()) {
        if (address !== 0) writeWords(c, address, results[set]!, word);
      }
      return ready;
    };
    const watched = members.map(({ file, set }) => ({ file, events: wanted[set as 0 | 1 | 2] }));
    return wait(
      c,
      watched,
      timeoutNs,
      () => store() || undefined,
      () => store('empty'),
      storeRemaining,
    );
  };

  /** pselect6's sixth argument: address and size of a signal set, in two words. */
  const pselectMask = (c: SyscallContext, address: number): bigint | undefined => {
    if (address === 0) return undefined;
    const { memory } = c;
    const size = memory.pointerBytes;
    const at = (index: number): number =>
      size === 8 ? Number(memory.u64(address + index * 8)) : memory.u32(address + index * 4);
    return signalMask(abi, memory, at(0), at(1));
  };

  const epollWait = (
    c: SyscallContext,
    fd: number,
    address: number,
    limit: number,
    timeoutNs: number | undefined,
  ): SyscallResult => {
    if (int(limit) <= 0) throw new Errno('EINVAL');
    const epoll = epollAt(c, fd);
    const layout = abi.structs.epollEvent;
    const look = (): number | undefined => {
      const ready = epoll.take(limit, c);
      for (const [index, event] of ready.entries()) writeStruct(c.memory, address + index * layout.size, layout, event);
      return ready.length || undefined;
    };
    return wait(c, [{ file: epoll, events: Poll.IN }], timeoutNs, look, () => 0);
  };

  const epollAt = (c: SyscallContext, fd: number): EpollFile => {
    const file = filesOf(c).file(fd);
    if (!(file instanceof EpollFile)) throw new Errno('EINVAL');
    return file;
  };

  /** A new descriptor for a file without a name. */
  const create = (c: SyscallContext, file: OpenFile, closeOnExec: boolean): number =>
    filesOf(c).descriptorTable.add(file, { limit: c.process.maxFiles, closeOnExec });

  const creationFlags = (flags: number, more = 0): { nonblocking: boolean; closeOnExec: boolean } => {
    const { O_NONBLOCK, O_CLOEXEC } = abi.openFlags;
    if ((flags & ~(O_NONBLOCK | O_CLOEXEC | more)) !== 0) throw new Errno('EINVAL');
    return { nonblocking: (flags & O_NONBLOCK) !== 0, closeOnExec: (flags & O_CLOEXEC) !== 0 };
  };

  const anonymous = (c: SyscallContext) => {
    const { fileSystem } = filesOf(c);
    return { inode: fileSystem.anonymousInode(FileType.REGULAR), mount: fileSystem.anonymousMount };
  };

  const epollCreate = (c: SyscallContext, closeOnExec: boolean): number => {
    const { inode, mount } = anonymous(c);
    return create(c, new EpollFile(inode, mount, plainFlags({ read: true, write: true })), closeOnExec);
  };

  const eventfd = (c: SyscallContext, initial: number, flags: number): number => {
    const { nonblocking, closeOnExec } = creationFlags(flags, EFD_SEMAPHORE);
    const { inode, mount } = anonymous(c);
    const fileFlags = plainFlags({ read: true, write: true, nonblocking });
    return create(c, new EventFile(inode, mount, fileFlags, initial, (flags & EFD_SEMAPHORE) !== 0), closeOnExec);
  };

  const signalfd = (c: SyscallContext, fd: number, address: number, size: number, flags: number): number => {
    const { nonblocking, closeOnExec } = creationFlags(flags);
    const mask = signalMask(abi, c.memory, address, size);
    if (mask === undefined) throw new Errno('EFAULT');
    if (int(fd) !== -1) {
      const file = filesOf(c).file(fd);
      if (!(file instanceof SignalFile)) throw new Errno('EINVAL');
      file.mask = mask;
      return fd;
    }
    const { inode, mount } = anonymous(c);
    return create(c, new SignalFile(inode, mount, plainFlags({ read: true, nonblocking }), mask), closeOnExec);
  };

  const timerAt = (c: SyscallContext, fd: number): TimerFile => {
    const file = filesOf(c).file(fd);
    if (!(file instanceof TimerFile)) throw new Errno('EINVAL');
    return file;
  };

  /** struct itimerspec: interval, then value. */
  const storeSetting = (c: SyscallContext, address: number, setting: TimerSetting, wide: boolean): void => {
    const layout = wide ? TIMESPEC64 : abi.structs.timespec;
    const store = (at: number, ns: number): void =>
      writeStruct(c.memory, at, layout, { tv_sec: Math.floor(ns / NS_PER_S), tv_nsec: ns % NS_PER_S });
    store(address, setting.intervalNs);
    store(address + layout.size, setting.valueNs);
  };

  const settime = (wide: boolean): SyscallHandler => {
    const size = (wide ? TIMESPEC64 : abi.structs.timespec).size;
    return (c, fd = 0, flags = 0, next = 0, previous = 0) => {
      if ((flags & ~3) !== 0) throw new Errno('EINVAL');
      const timer = timerAt(c, fd);
      const intervalNs = timespecNs(abi, c.memory, next, wide);
      const valueNs = timespecNs(abi, c.memory, next + size, wide);
      const before = timer.set({ valueNs, intervalNs }, (flags & TFD_TIMER_ABSTIME) !== 0);
      if (previous !== 0) storeSetting(c, previous, before, wide);
      return 0;
    };
  };
  const gettime =
    (wide: boolean): SyscallHandler =>
    (c, fd = 0, address = 0) => {
      storeSetting(c, address, timerAt(c, fd).setting(), wide);
      return 0;
    };

  const milliseconds = (word: number): number | undefined => (int(word) < 0 ? undefined : int(word) * NS_PER_MS);
  const ppoll =
    (wide: boolean): SyscallHandler =>
    (c, address = 0, count = 0, timeout = 0, mask = 0, size = 0) => {
      const timeoutNs = timeout === 0 ? undefined : timespecNs(abi, c.memory, timeout, wide);
      const store = storeRemainingAt(c, timeout, wide ? 'timespec64' : 'timespec');
      return c.withSignalMask(signalMask(abi, c.memory, mask, size), () => poll(c, address, count, timeoutNs, store));
    };
  const pselect =
    (wide: boolean): SyscallHandler =>
    (c, count = 0, read = 0, write = 0, except = 0, timeout = 0, mask = 0) => {
      const timeoutNs = timeout === 0 ? undefined : timespecNs(abi, c.memory, timeout, wide);
      const store = storeRemainingAt(c, timeout, wide ? 'timespec64' : 'timespec');
      return c.withSignalMask(pselectMask(c, mask), () => select(c, count, [read, write, except], timeoutNs, store));
    };
  const plainSelect: SyscallHandler = (c, count = 0, read = 0, write = 0, except = 0, timeout = 0) =>
    select(
      c,
      count,
      [read, write, except],
      timeout === 0 ? undefined : timevalNs(abi, c.memory, timeout),
      storeRemainingAt(c, timeout, 'timeval'),
    );

  return {
    poll: (c, address = 0, count = 0, timeout = 0) => poll(c, address, count, milliseconds(timeout)),
    ppoll: ppoll(abi.dataModel.longBytes === 8),
    ppoll_time64: ppoll(true),
    select: plainSelect,
    _newselect: plainSelect,
    pselect6: pselect(abi.dataModel.longBytes === 8),
    pselect6_time64: pselect(true),

    epoll_create: (c, size = 0) => {
      if (int(size) <= 0) throw new Errno('EINVAL');
      return epollCreate(c, false);
    },
    epoll_create1: (c, flags = 0) => {
      if ((flags & ~abi.openFlags.O_CLOEXEC) !== 0) throw new Errno('EINVAL');
      return epollCreate(c, flags !== 0);
    },
    epoll_ctl: (c, fd = 0, operation = 0, target = 0, address = 0) => {
      const epoll = filesOf(c).file(fd);
      const file = filesOf(c).file(target);
      if (!(epoll instanceof EpollFile)) throw new Errno('EINVAL');
      if (operation === EPOLL_CTL.DEL) {
        epoll.remove(target, file);
        return 0;
      }
      const value = readStruct(c.memory, address, abi.structs.epollEvent);
      const event = { events: Number(value.events), data: BigInt(value.data) };
      if (operation === EPOLL_CTL.ADD) epoll.add(target, file, event, c);
      else if (operation === EPOLL_CTL.MOD) epoll.modify(target, file, event, c);
      else throw new Errno('EINVAL');
      return 0;
    },
    epoll_wait: (c, fd = 0, address = 0, limit = 0, timeout = 0) =>
      epollWait(c, fd, address, limit, milliseconds(timeout)),
    epoll_pwait: (c, fd = 0, address = 0, limit = 0, timeout = 0, mask = 0, size = 0) =>
      c.withSignalMask(signalMask(abi, c.memory, mask, size), () =>
        epollWait(c, fd, address, limit, milliseconds(timeout)),
      ),
    epoll_pwait2: (c, fd = 0, address = 0, limit = 0, timeout = 0, mask = 0, size = 0) => {
      const timeoutNs = timeout === 0 ? undefined : timespecNs(abi, c.memory, timeout, true);
      return c.withSignalMask(signalMask(abi, c.memory, mask, size), () => epollWait(c, fd, address, limit, timeoutNs));
    },

    eventfd: (c, initial = 0) => eventfd(c, initial, 0),
    eventfd2: (c, initial = 0, flags = 0) => eventfd(c, initial, flags),
    signalfd: (c, fd = 0, address = 0, size = 0) => signalfd(c, fd, address, size, 0),
    signalfd4: (c, fd = 0, address = 0, size = 0, flags = 0) => signalfd(c, fd, address, size, flags),
    timerfd_create: (c, clock = 0, flags = 0) => {
      const { nonblocking, closeOnExec } = creationFlags(flags);
      if (!TIMER_CLOCKS.has(clock)) throw new Errno('EINVAL');
      const { inode, mount } = anonymous(c);
      const fileFlags = plainFlags({ read: true, nonblocking });
      return create(c, new TimerFile(inode, mount, fileFlags, c.clock, clock === CLOCK_REALTIME), closeOnExec);
    },
    timerfd_settime: settime(abi.dataModel.longBytes === 8),
    timerfd_settime64: settime(true),
    timerfd_gettime: gettime(abi.dataModel.longBytes === 8),
    timerfd_gettime64: gettime(true),

    // fanotify(7) decides on accesses for administrators; there is none.
    fanotify_init: unavailable,
    fanotify_mark: unavailable,
  };
}

const unavailable: SyscallHandler = () => {
  throw new Errno('ENOSYS');
};

/** A set of descriptors, as 32-bit words, lowest descriptors first. Sets are arrays of `long`. */
function readWords(c: SyscallContext, address: number, count: number, size: 4 | 8): Uint32Array {
  const bits = new Uint32Array((count * size) / 4);
  for (let i = 0; i < count; i++) {
    if (size === 4) bits[i] = c.memory.u32(address + i * 4);
    else {
      const word = c.memory.u64(address + i * 8);
      bits[2 * i] = Number(word & 0xffffffffn);
      bits[2 * i + 1] = Number(word >> 32n);
    }
  }
  return bits;
}

function writeWords(c: SyscallContext, address: number, bits: Uint32Array, size: 4 | 8): void {
  if (size === 4) {
    for (const [i, word] of bits.entries()) c.memory.setU32(address + i * 4, word);
    return;
  }
  for (let i = 0; i < bits.length; i += 2) {
    c.memory.setU64(address + i * 4, BigInt(bits[i]!) | (BigInt(bits[i + 1]!) << 32n));
  }
}
