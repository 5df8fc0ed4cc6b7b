/** Clocks, sleeping and timers: clock_gettime(2), nanosleep(2), setitimer(2), timer_create(2), times(2). */
import type { SyscallResult } from '../kernel/contracts.js';
import { Errno } from '../kernel/contracts.js';
import type { KernelSyscall } from '../kernel/run-loop.js';
import type { Thread } from '../kernel/thread.js';
import type { PosixTimer } from '../kernel/timers.js';
import { IntervalTimer } from '../kernel/timers.js';
import { CLOCK_TICKS } from '../loader/index.js';
import {
  readTimespec,
  readTimespecExact,
  readTimeval,
  timespecBytes,
  timevalBytes,
  writeTimespec,
  writeTimeval,
} from './time-values.js';

const CLOCK_REALTIME = 0;
const CLOCK_PROCESS_CPUTIME = 2;
const CLOCK_THREAD_CPUTIME = 3;
const CLOCK_REALTIME_COARSE = 5;
const CLOCK_REALTIME_ALARM = 8;
const CLOCK_TAI = 11;
const TIMER_ABSTIME = 1;
/** Clock ids below zero name a process's or thread's processor time (linux/posix-timers.h). */
const CPU_CLOCK_THREAD = 4;
/** Timers of a process that timer_create made. */
const MAX_TIMERS = 1024;
const ITIMER_REAL = 0;
const SIGEV_SIGNAL = 0;
const SIGEV_NONE = 1;
const SIGEV_THREAD_ID = 4;

type Clock = 'realtime' | 'monotonic' | { readonly cpuNs: number };

function clockOf(thread: Thread, id: number): Clock {
  const number = id | 0;
  switch (number) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI:
      return 'realtime';
    case 1: // CLOCK_MONOTONIC
    case 4: // _RAW
    case 6: // _COARSE
    case 7: // CLOCK_BOOTTIME
    case 9: // _ALARM
      return 'monotonic';
    case CLOCK_PROCESS_CPUTIME:
      return { cpuNs: thread.owner.userNs };
    case CLOCK_THREAD_CPUTIME:
      return { cpuNs: thread.cpuNs };
  }
  if (number >= 0) throw new Errno('EINVAL');
  const pid = ~(number >> 3);
  const { kernel } = thread;
  if (number & CPU_CLOCK_THREAD) {
    const other = pid === 0 ? thread : kernel.threads.get(pid);
    if (other?.owner !== thread.owner) throw new Errno('EINVAL');
    return { cpuNs: other.cpuNs };
  }
  const process = pid === 0 ? thread.owner : kernel.processes.get(pid);
  if (!process) throw new Errno('EINVAL');
  return { cpuNs: process.userNs };
}

function readClock(thread: Thread, id: number): number | bigint {
  const clock = clockOf(thread, id);
  if (clock === 'realtime') return thread.clock.realtimeNs();
  return clock === 'monotonic' ? thread.clock.monotonicNs() : clock.cpuNs;
}

/** An absolute time of a clock as monotonic ns. */
function toMonotonic(thread: Thread, clock: Clock, timeNs: bigint): number {
  if (clock !== 'realtime') return Number(timeNs);
  return thread.clock.monotonicNs() + Number(timeNs - thread.clock.realtimeNs());
}

function getTime(wide: boolean): KernelSyscall {
  return (thread, id, address) => {
    writeTimespec(thread, address, readClock(thread, id), wide);
    return 0;
  };
}

function getResolution(wide: boolean): KernelSyscall {
  return (thread, id, address) => {
    clockOf(thread, id);
    if (address !== 0) writeTimespec(thread, address, 1, wide);
    return 0;
  };
}

/** Sleeps until a monotonic time. @param remaining where the rest goes when a handler interrupts; 0: nowhere */
function sleepUntil(thread: Thread, deadlineNs: number, remaining: number, wide: boolean): SyscallResult {
  const wait = (): SyscallResult => {
    if (thread.clock.monotonicNs() >= deadlineNs) return 0;
    return {
      queues: [],
      deadlineNs,
      retry: wait,
      timeout: () => 0,
      interrupted: 'eintr',
      cancel: () => {
        if (remaining === 0 || !thread.alive) return;
        const left = Math.max(0, deadlineNs - thread.clock.monotonicNs());
        writeTimespec(thread, remaining, left, wide);
      },
    };
  };
  return wait();
}

function clockNanosleep(wide: boolean): KernelSyscall {
  return (thread, id, flags, request, remaining) => {
    const clock = clockOf(thread, id);
    if (typeof clock === 'object') throw new Errno(id === CLOCK_THREAD_CPUTIME ? 'EINVAL' : 'EOPNOTSUPP');
    if (flags & TIMER_ABSTIME) {
      const deadline = toMonotonic(thread, clock, readTimespecExact(thread, request, wide));
      return sleepUntil(thread, deadline, 0, wide);
    }
    return sleepUntil(thread, thread.clock.monotonicNs() + readTimespec(thread, request, wide), remaining, wide);
  };
}

// ---- interval timers ---------------------------------------------------------------------------------------------------

interface IntervalSetting {
  readonly remainingNs: number;
  readonly intervalNs: number;
}

function intervalSetting({ owner }: Thread, which: number): IntervalSetting {
  if (which === ITIMER_REAL) return owner.timers.real.setting;
  const timer = owner.timers.cpu[which - 1];
  if (!timer) throw new Errno('EINVAL');
  const remainingNs = timer.deadlineNs === Infinity ? 0 : Math.max(1, timer.deadlineNs - owner.userNs);
  return { remainingNs, intervalNs: timer.intervalNs };
}

function setInterval(thread: Thread, which: number, { remainingNs, intervalNs }: IntervalSetting): void {
  const { owner } = thread;
  if (which === ITIMER_REAL) {
    if (remainingNs === 0) owner.timers.real.disarm();
    else owner.timers.real.arm(thread.clock.monotonicNs() + remainingNs, intervalNs);
    return;
  }
  const timer = owner.timers.cpu[which - 1];
  if (!timer) throw new Errno('EINVAL');
  timer.intervalNs = intervalNs;
  timer.deadlineNs = remainingNs === 0 ? Infinity : owner.userNs + remainingNs;
}

function writeIntervalTimeval(thread: Thread, address: number, setting: IntervalSetting): void {
  writeTimeval(thread, address, setting.intervalNs);
  // What is left rounds up: a timer that is still armed never shows zero.
  writeTimeval(thread, address + timevalBytes(thread), Math.ceil(setting.remainingNs / 1000) * 1000);
}

// ---- timer_create -------------------------------------------------------------------------------------------------------

function createTimer(thread: Thread, clockId: number, event: number, result: number): number {
  const { kernel, owner, memory } = thread;
  if (typeof clockOf(thread, clockId) === 'object') throw new Errno('EOPNOTSUPP');
  if (owner.timers.posix.size >= MAX_TIMERS) throw new Errno('EAGAIN');
  const id = owner.timers.takeId();
  const pointer = kernel.abi.pointerBytes;
  let [value, signal, notify, target] = [id, kernel.signals.number('SIGALRM'), SIGEV_SIGNAL, 0];
  if (event !== 0) {
    value = memory.u32(event + (pointer === 8 && memory.byteOrder === 'big' ? 4 : 0));
    signal = memory.u32(event + pointer);
    notify = memory.u32(event + pointer + 4);
    target = memory.u32(event + pointer + 8);
    if (notify !== SIGEV_NONE && (signal < 1 || signal > kernel.signals.last)) throw new Errno('EINVAL');
    if (notify !== SIGEV_SIGNAL && notify !== SIGEV_NONE && notify !== SIGEV_THREAD_ID) throw new Errno('EINVAL');
    if (notify === SIGEV_THREAD_ID && kernel.threads.get(target)?.owner !== owner) throw new Errno('EINVAL');
  }
  const expire = (overrun: number): void => {
    created.overrun = overrun;
    if (notify === SIGEV_NONE) return;
    const info = {
      signal,
      code: kernel.abi.timerSignalCode,
      detail: { kind: 'timer', id, overrun, value } as const,
    };
    const receiver = notify === SIGEV_THREAD_ID ? kernel.threads.get(target) : undefined;
    if (receiver) kernel.sender.toThread(receiver, info);
    else if (notify === SIGEV_SIGNAL) kernel.sender.toProcess(owner, info);
  };
  const created: PosixTimer = { id, clockId, timer: new IntervalTimer(thread.clock, expire), overrun: 0 };
  memory.setU32(result, id);
  owner.timers.posix.set(id, created);
  return 0;
}

function timerOf({ owner }: Thread, id: number): PosixTimer {
  const timer = owner.timers.posix.get(id);
  if (!timer) throw new Errno('EINVAL');
  return timer;
}

function writeSetting(thread: Thread, address: number, setting: IntervalSetting, wide: boolean): void {
  writeTimespec(thread, address, setting.intervalNs, wide);
  writeTimespec(thread, address + timespecBytes(thread, wide), setting.remainingNs, wide);
}

function setTimer(wide: boolean): KernelSyscall {
  return (thread, id, flags, setting, old) => {
    const { timer, clockId } = timerOf(thread, id);
    const intervalNs = readTimespec(thread, setting, wide);
    const value = readTimespecExact(thread, setting + timespecBytes(thread, wide), wide);
    const before = timer.setting;
    if (value === 0n) timer.disarm();
    else {
      const now = thread.clock.monotonicNs();
      const absolute = (flags & TIMER_ABSTIME) !== 0;
      timer.arm(absolute ? toMonotonic(thread, clockOf(thread, clockId), value) : now + Number(value), intervalNs);
    }
    if (old !== 0) writeSetting(thread, old, before, wide);
    return 0;
  };
}

function getTimer(wide: boolean): KernelSyscall {
  return (thread, id, result) => {
    writeSetting(thread, result, timerOf(thread, id).timer.setting, wide);
    return 0;
  };
}

const ticks = (ns: number): number => Math.floor((ns * CLOCK_TICKS) / 1e9);

export const timeSyscalls: Readonly<Record<string, KernelSyscall>> = {
  clock_gettime: getTime(false),
  clock_gettime64: getTime(true),
  clock_getres: getResolution(false),
  clock_getres_time64: getResolution(true),
  clock_settime: () => {
    throw new Errno('EPERM');
  },
  clock_settime64: () => {
    throw new Errno('EPERM');
  },
  adjtimex: () => {
    throw new Errno('EPERM');
  },
  settimeofday: () => {
    throw new Errno('EPERM');
  },
  gettimeofday: (thread, time, zone) => {
    if (time !== 0) writeTimeval(thread, time, thread.clock.realtimeNs());
    if (zone !== 0) thread.memory.write(zone, new Uint8Array(8));
    return 0;
  },
  time: (thread, address) => {
    const seconds = Number(thread.clock.realtimeNs() / 1_000_000_000n);
    if (address !== 0) thread.memory.setU32(address, seconds);
    return seconds;
  },
  nanosleep: (thread, request, remaining) =>
    sleepUntil(thread, thread.clock.monotonicNs() + readTimespec(thread, request, false), remaining, false),
  clock_nanosleep: clockNanosleep(false),
  clock_nanosleep_time64: clockNanosleep(true),
  times: (thread, address) => {
    const { owner, memory } = thread;
    if (address !== 0) {
      const word = memory.pointerBytes;
      const values = [ticks(owner.userNs), 0, ticks(owner.childrenNs), 0];
      values.forEach((value, i) =>
        word === 8 ? memory.setU64(address + 8 * i, BigInt(value)) : memory.setU32(address + 4 * i, value),
      );
    }
    return ticks(thread.clock.monotonicNs()) >>> 0;
  },
  alarm: (thread, seconds) => {
    const { remainingNs } = intervalSetting(thread, ITIMER_REAL);
    setInterval(thread, ITIMER_REAL, { remainingNs: seconds * 1e9, intervalNs: 0 });
    return Math.ceil(remainingNs / 1e9);
  },
  getitimer: (thread, which, address) => {
    writeIntervalTimeval(thread, address, intervalSetting(thread, which));
    return 0;
  },
  setitimer: (thread, which, value, old) => {
    const before = intervalSetting(thread, which);
    if (value !== 0) {
      const intervalNs = readTimeval(thread, value);
      setInterval(thread, which, { intervalNs, remainingNs: readTimeval(thread, value + timevalBytes(thread)) });
    }
    if (old !== 0) writeIntervalTimeval(thread, old, before);
    return 0;
  },
  timer_create: createTimer,
  timer_settime: setTimer(false),
  timer_settime64: setTimer(true),
  timer_gettime: getTimer(false),
  timer_gettime64: getTimer(true),
  timer_getoverrun: (thread, id) => timerOf(thread, id).overrun,
  timer_delete: (thread, id) => {
    timerOf(thread, id).timer.disarm();
    thread.owner.timers.posix.delete(id);
    return 0;
  },
};
