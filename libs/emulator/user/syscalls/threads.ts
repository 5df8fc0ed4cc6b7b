/** Threads: clone(2), futex(2), set_tid_address(2), thread pointers. */
import type { SyscallResult } from '../kernel/contracts.js';
import { Errno } from '../kernel/contracts.js';
import { ANY_BITS } from '../kernel/futex.js';
import type { LockWaiter } from '../kernel/pi-futex.js';
import type { CloneRequest } from '../kernel/linux-kernel.js';
import type { KernelSyscall } from '../kernel/run-loop.js';
import type { Thread } from '../kernel/thread.js';
import { enterEvent, traceeCloned, TraceEvent, TraceOption } from '../kernel/tracing.js';
import { openProcess } from './pidfd.js';
import { requireThread } from './scheduling.js';
import { readTimespec, readTimespecExact } from './time-values.js';

const CLONE_VM = 0x100;
const CLONE_FS = 0x200;
const CLONE_FILES = 0x400;
const CLONE_SIGHAND = 0x800;
const CLONE_PIDFD = 0x1000;
const CLONE_VFORK = 0x4000;
const CLONE_PARENT = 0x8000;
const CLONE_THREAD = 0x10000;
const CLONE_SETTLS = 0x80000;
const CLONE_PARENT_SETTID = 0x100000;
const CLONE_CHILD_CLEARTID = 0x200000;
const CLONE_UNTRACED = 0x800000;
const CLONE_CHILD_SETTID = 0x1000000;
/** Namespaces of their own: mounts, cgroups, UTS, IPC, users, processes, network. */
const CLONE_NAMESPACES = 0x7e020000;
const EXIT_SIGNAL = 0xff;

interface CloneArguments {
  readonly flags: number;
  readonly exitSignal: number;
  /** The child's stack pointer; 0 keeps the caller's. */
  readonly stackPointer: number;
  readonly parentTid: number;
  /** Where CLONE_PIDFD puts the descriptor. */
  readonly pidfd: number;
  readonly childTid: number;
  readonly tls: number;
}

function clone(thread: Thread, request: CloneArguments): SyscallResult {
  const { kernel } = thread;
  const { cpu } = kernel.parts;
  const { flags } = request;
  const has = (flag: number): boolean => (flags & flag) !== 0;
  if (has(CLONE_NAMESPACES)) throw new Errno('EPERM');
  if (has(CLONE_PIDFD) && (has(CLONE_THREAD) || request.pidfd === 0)) throw new Errno('EINVAL');
  if (has(CLONE_THREAD) && !has(CLONE_SIGHAND)) throw new Errno('EINVAL');
  if (has(CLONE_SIGHAND) && !has(CLONE_VM)) throw new Errno('EINVAL');

  // The child starts as a copy of the caller, with its own result, stack and thread pointer.
  const own = cpu.saveState();
  cpu.setResult(0);
  if (request.stackPointer !== 0) cpu.stackPointer = request.stackPointer;
  if (has(CLONE_SETTLS)) cpu.threadPointer = request.tls;
  const registers = cpu.saveState();
  cpu.loadState(own);

  const options: CloneRequest = {
    thread: has(CLONE_THREAD),
    shareMemory: has(CLONE_VM),
    shareFiles: has(CLONE_FILES),
    shareDirectories: has(CLONE_FS),
    shareHandlers: has(CLONE_SIGHAND),
    siblings: has(CLONE_PARENT),
    vfork: has(CLONE_VFORK),
    exitSignal: request.exitSignal,
  };
  const child = kernel.clone(thread, options, registers);
  const { tid } = child;
  if (has(CLONE_PIDFD)) thread.memory.setU32(request.pidfd, openProcess(thread, child.owner));
  if (has(CLONE_PARENT_SETTID)) thread.memory.setU32(request.parentTid, tid);
  if (has(CLONE_CHILD_SETTID)) child.memory.setU32(request.childTid, tid);
  if (has(CLONE_CHILD_CLEARTID)) child.clearChildTid = request.childTid;
  const isFork = options.exitSignal === kernel.signals.number('SIGCHLD');
  if (!has(CLONE_UNTRACED))
    traceeCloned(thread, child, options.vfork ? TraceEvent.Vfork : isFork ? TraceEvent.Fork : TraceEvent.Clone);
  if (!options.vfork || options.thread) return tid;
  const { owner } = child;
  const wait = (): SyscallResult => {
    if (owner.vforked) return { queues: [owner.vforkDone], retry: wait, uninterruptible: true };
    if (thread.trace?.wants(TraceOption.VforkDone)) enterEvent(thread, TraceEvent.VforkDone, tid);
    return tid;
  };
  return wait();
}

function legacyClone(thread: Thread, ...args: number[]): SyscallResult {
  const { parentTid, tls, childTid } = thread.kernel.abi.cloneArguments;
  const argument = (index: number): number => args[index] ?? 0;
  const flags = argument(0);
  return clone(thread, {
    flags: flags & ~EXIT_SIGNAL,
    exitSignal: flags & EXIT_SIGNAL,
    stackPointer: argument(1),
    parentTid: argument(parentTid),
    pidfd: argument(parentTid),
    tls: argument(tls),
    childTid: argument(childTid),
  });
}

/** struct clone_args of clone3: 64-bit words on every architecture. */
function clone3(thread: Thread, address: number, size: number): SyscallResult {
  if (size < 64) throw new Errno('EINVAL');
  const word = (index: number): number => Number(thread.memory.u64(address + 8 * index));
  const [flags, pidfd, childTid, parentTid, exitSignal, stack, stackSize, tls] = Array.from({ length: 8 }, (_, i) =>
    word(i),
  );
  if ((flags as number) > 0xffffffff) throw new Errno('EINVAL'); // CLONE_CLEAR_SIGHAND, CLONE_INTO_CGROUP
  return clone(thread, {
    flags: flags as number,
    exitSignal: exitSignal as number,
    stackPointer: stack === 0 ? 0 : (stack as number) + (stackSize as number),
    parentTid: parentTid as number,
    pidfd: pidfd as number,
    tls: tls as number,
    childTid: childTid as number,
  });
}

/** fork(2) and vfork(2) where the ABI has them as calls of their own. */
const forkLike =
  (flags: number): KernelSyscall =>
  (thread) =>
    clone(thread, {
      flags,
      exitSignal: thread.kernel.signals.number('SIGCHLD'),
      stackPointer: 0,
      parentTid: 0,
      pidfd: 0,
      childTid: 0,
      tls: 0,
    });

// ---- futex -------------------------------------------------------------------------------------------------------------

const FUTEX_PRIVATE = 128;
const FUTEX_CLOCK_REALTIME = 256;
const FutexOperation = {
  Wait: 0,
  Wake: 1,
  Requeue: 3,
  CompareRequeue: 4,
  WakeOp: 5,
  LockPi: 6,
  UnlockPi: 7,
  TryLockPi: 8,
  WaitBitset: 9,
  WakeBitset: 10,
  WaitRequeuePi: 11,
  CompareRequeuePi: 12,
  /** As LockPi, but its time-out may be on the monotonic clock. */
  LockPi2: 13,
} as const;

function keyOf(thread: Thread, address: number, isPrivate: boolean): number {
  if (address % 4 !== 0) throw new Errno('EINVAL');
  const key = thread.kernel.futexKey(thread, address, isPrivate);
  if (key === undefined) throw new Errno('EFAULT');
  return key;
}

function waitOn(
  thread: Thread,
  address: number,
  expected: number,
  bits: number,
  deadlineNs: number | undefined,
  isPrivate: boolean,
): SyscallResult {
  if (bits === 0) throw new Errno('EINVAL');
  const { futexes } = thread.kernel;
  const key = keyOf(thread, address, isPrivate);
  if (thread.memory.u32(address) !== expected) throw new Errno('EAGAIN');
  const waiter = futexes.wait(key, bits);
  const timedOut = (): never => {
    futexes.cancel(waiter);
    throw new Errno('ETIMEDOUT');
  };
  const wait = (): SyscallResult => {
    if (waiter.woken) return 0;
    if (deadlineNs !== undefined && thread.clock.monotonicNs() >= deadlineNs) return timedOut();
    return {
      queues: [waiter.queue],
      ...(deadlineNs === undefined ? {} : { deadlineNs }),
      retry: wait,
      timeout: () => (waiter.woken ? 0 : timedOut()),
      interrupted: deadlineNs === undefined ? 'restart' : 'eintr',
      partial: () => (waiter.woken ? 0 : undefined),
      cancel: () => futexes.cancel(waiter),
    };
  };
  return wait();
}

/** FUTEX_LOCK_PI and FUTEX_TRYLOCK_PI. */
function lockInheriting(
  thread: Thread,
  address: number,
  deadlineNs: number | undefined,
  isPrivate: boolean,
  mayWait: boolean,
): SyscallResult {
  const { piFutexes, threads } = thread.kernel;
  const key = keyOf(thread, address, isPrivate);
  const waiter = piFutexes.lock(key, thread, address, (tid) => threads.get(tid), mayWait);
  if (!waiter) return 0;
  const timedOut = (): number => {
    if (waiter.owns) return 0;
    piFutexes.cancel(key, waiter);
    throw new Errno('ETIMEDOUT');
  };
  const wait = (): SyscallResult =>
    waiter.owns
      ? 0
      : {
          queues: [waiter.queue],
          ...(deadlineNs === undefined ? {} : { deadlineNs }),
          retry: wait,
          timeout: timedOut,
          interrupted: 'always',
          partial: () => (waiter.owns ? 0 : undefined),
          cancel: () => piFutexes.cancel(key, waiter),
        };
  return wait();
}

/**
 * FUTEX_WAIT_REQUEUE_PI: waits on a word until FUTEX_CMP_REQUEUE_PI moves the waiter to a lock, and then until it has that.
 * @param lockAddress the lock's word, which the other call must name, too
 */
function waitForLock(
  thread: Thread,
  address: number,
  expected: number,
  deadlineNs: number | undefined,
  lockAddress: number,
  isPrivate: boolean,
): SyscallResult {
  const { futexes, piFutexes, threads } = thread.kernel;
  const key = keyOf(thread, address, isPrivate);
  const lockKey = keyOf(thread, lockAddress, isPrivate);
  if (key === lockKey) throw new Errno('EINVAL');
  if (thread.memory.u32(address) !== expected) throw new Errno('EAGAIN');
  let lock: LockWaiter | 'owned' | undefined;
  const waiter = futexes.wait(key, ANY_BITS, {
    key: lockKey,
    join: () => {
      lock = piFutexes.lock(lockKey, thread, lockAddress, (tid) => threads.get(tid), true) ?? 'owned';
    },
  });
  const owns = (): boolean => lock === 'owned' || lock?.owns === true;
  const giveUp = (): void => {
    if (lock === undefined) futexes.cancel(waiter);
    else if (lock !== 'owned') piFutexes.cancel(lockKey, lock);
  };
  const timedOut = (): number => {
    if (owns()) return 0;
    giveUp();
    throw new Errno('ETIMEDOUT');
  };
  const wait = (): SyscallResult =>
    owns()
      ? 0
      : {
          queues: [waiter.queue, ...(typeof lock === 'object' ? [lock.queue] : [])],
          ...(deadlineNs === undefined ? {} : { deadlineNs }),
          retry: wait,
          timeout: timedOut,
          interrupted: 'always',
          partial: () => (owns() ? 0 : undefined),
          cancel: giveUp,
        };
  return wait();
}

/** FUTEX_WAKE_OP: changes the second word, and wakes its waiters too where its old value compares as asked. */
function wakeAndOperate(
  thread: Thread,
  address: number,
  count: number,
  secondCount: number,
  second: number,
  code: number,
  isPrivate: boolean,
): number {
  const { futexes } = thread.kernel;
  const [key, secondKey] = [keyOf(thread, address, isPrivate), keyOf(thread, second, isPrivate)];
  const signed12 = (value: number): number => (value << 20) >> 20;
  const operation = (code >>> 28) & 7;
  const argument = code >>> 31 ? 1 << (signed12(code >>> 12) & 31) : signed12(code >>> 12);
  const old = thread.memory.i32(second);
  const results = [argument, old + argument, old | argument, old & ~argument, old ^ argument];
  const result = results[operation];
  const limit = signed12(code);
  const comparisons = [old === limit, old !== limit, old < limit, old <= limit, old > limit, old >= limit];
  const holds = comparisons[(code >>> 24) & 15];
  if (result === undefined || holds === undefined) throw new Errno('ENOSYS');
  thread.memory.setU32(second, result >>> 0);
  return futexes.wake(key, count) + (holds ? futexes.wake(secondKey, secondCount) : 0);
}

function futex(wide: boolean): KernelSyscall {
  return (thread, address, operation, value, timeout, second, third) => {
    const { futexes } = thread.kernel;
    const isPrivate = (operation & FUTEX_PRIVATE) !== 0;
    const key = (): number => keyOf(thread, address, isPrivate);
    const count = value | 0;
    /** The time-out of the calls that take an absolute one. */
    const deadlineOn = (realtime: boolean): number | undefined => {
      if (timeout === 0) return undefined;
      const until = readTimespecExact(thread, timeout, wide);
      return realtime ? thread.clock.monotonicNs() + Number(until - thread.clock.realtimeNs()) : Number(until);
    };
    switch (operation & ~(FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME)) {
      case FutexOperation.Wait: {
        const relative = timeout === 0 ? undefined : readTimespec(thread, timeout, wide);
        const deadline = relative === undefined ? undefined : thread.clock.monotonicNs() + relative;
        return waitOn(thread, address, value, ANY_BITS, deadline, isPrivate);
      }
      case FutexOperation.WaitBitset: {
        const deadline = deadlineOn((operation & FUTEX_CLOCK_REALTIME) !== 0);
        return waitOn(thread, address, value, third, deadline, isPrivate);
      }
      case FutexOperation.Wake:
        return futexes.wake(key(), count);
      case FutexOperation.WakeBitset:
        if (third === 0) throw new Errno('EINVAL');
        return futexes.wake(key(), count, third);
      case FutexOperation.CompareRequeue:
        if (thread.memory.u32(address) !== third) throw new Errno('EAGAIN');
        return requeue();
      case FutexOperation.Requeue:
        return requeue();
      case FutexOperation.WakeOp:
        return wakeAndOperate(thread, address, count, timeout | 0, second, third, isPrivate);
      case FutexOperation.LockPi:
        return lockInheriting(thread, address, deadlineOn(true), isPrivate, true);
      case FutexOperation.LockPi2:
        return lockInheriting(thread, address, deadlineOn((operation & FUTEX_CLOCK_REALTIME) !== 0), isPrivate, true);
      case FutexOperation.TryLockPi:
        return lockInheriting(thread, address, undefined, isPrivate, false);
      case FutexOperation.UnlockPi:
        thread.kernel.piFutexes.unlock(key(), thread, address);
        return 0;
      case FutexOperation.WaitRequeuePi: {
        const deadline = deadlineOn((operation & FUTEX_CLOCK_REALTIME) !== 0);
        return waitForLock(thread, address, value, deadline, second, isPrivate);
      }
      case FutexOperation.CompareRequeuePi: {
        if (count !== 1) throw new Errno('EINVAL');
        if (thread.memory.u32(address) !== third) throw new Errno('EAGAIN');
        return futexes.requeueToLock(key(), keyOf(thread, second, isPrivate), 1 + (timeout | 0));
      }
      default:
        throw new Errno('ENOSYS');
    }
    function requeue(): number {
      const target = keyOf(thread, second, isPrivate);
      const woken = futexes.wake(key(), count);
      return woken + futexes.requeue(key(), target, timeout | 0);
    }
  };
}

export const threadSyscalls: Readonly<Record<string, KernelSyscall>> = {
  clone: legacyClone,
  clone3,
  fork: forkLike(0),
  vfork: forkLike(CLONE_VM | CLONE_VFORK),
  gettid: ({ tid }) => tid,
  set_tid_address: (thread, address) => {
    thread.clearChildTid = address;
    return thread.tid;
  },
  set_thread_area: (thread, address) => {
    thread.kernel.parts.cpu.threadPointer = address;
    return 0;
  },
  set_robust_list: (thread, head, size) => {
    if (size !== 3 * thread.kernel.abi.pointerBytes) throw new Errno('EINVAL');
    thread.robustList = head;
    return 0;
  },
  get_robust_list: (thread, tid, head, size) => {
    const { memory } = thread;
    const target = requireThread(thread, tid);
    memory.setU32(head, target.robustList);
    memory.setU32(size, 3 * thread.kernel.abi.pointerBytes);
    return 0;
  },
  // Restartable sequences: libraries do without when they are told so.
  rseq: () => {
    throw new Errno('ENOSYS');
  },
  futex: futex(false),
  futex_time64: futex(true),
  membarrier: (_thread, command) => {
    // One thread runs at a time, so every barrier is passed. Query answers with the commands that exist.
    const known = 0x3ff;
    if (command === 0) return known;
    if ((command & (command - 1)) !== 0 || !(command & known)) throw new Errno('EINVAL');
    return 0;
  },
};
