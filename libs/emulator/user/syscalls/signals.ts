/** Signals: sigaction(2), sigprocmask(2), kill(2) and relatives, sigaltstack(2), sigsuspend(2), sigtimedwait(2). */
import type { SignalInfo } from '../../targets/index.js';
import type { SyscallResult, WaitQueue } from '../kernel/contracts.js';
import { Errno } from '../kernel/contracts.js';
import { isOnStack } from '../kernel/deliver.js';
import type { Process } from '../kernel/process.js';
import type { KernelSyscall } from '../kernel/run-loop.js';
import { NO_RESULT } from '../kernel/run-loop.js';
import { bitOf, SignalCode } from '../kernel/signals.js';
import type { Thread } from '../kernel/thread.js';
import { SS_DISABLE } from '../kernel/thread.js';
import { readTimespec } from './time-values.js';

const SS_ONSTACK = 1;
const SS_AUTODISARM = 0x80000000;
/** Smallest alternate stack (MINSIGSTKSZ). */
const MINIMUM_STACK = 2048;

function requireSetSize(thread: Thread, bytes: number): void {
  if (bytes !== thread.kernel.abi.signalSetBytes) throw new Errno('EINVAL');
}

function requireSignal(thread: Thread, signal: number): void {
  if (signal < 1 || signal > thread.kernel.signals.last) throw new Errno('EINVAL');
}

function changeAction(thread: Thread, signal: number, action: number, old: number): number {
  const { abi, signals } = thread.kernel;
  requireSignal(thread, signal);
  const { handlers } = thread.owner;
  const before = handlers.get(signal);
  const next = action === 0 ? undefined : abi.readSignalAction(thread.memory, action);
  if (next && bitOf(signal) & signals.unblockable) throw new Errno('EINVAL');
  if (old !== 0) abi.writeSignalAction(thread.memory, old, before);
  if (next) {
    handlers.set(signal, next);
    if (handlers.ignores(signal)) {
      thread.owner.pending.discard(bitOf(signal));
      for (const { pending } of thread.owner.threads) pending.discard(bitOf(signal));
    }
  }
  return 0;
}

function changeMask(thread: Thread, how: number, set: number, old: number): number {
  const { abi } = thread.kernel;
  const before = thread.mask;
  if (set !== 0) {
    const mask = abi.readSignalSet(thread.memory, set);
    const { block, unblock, set: replace } = abi.maskOperations;
    if (how === block) thread.setMask(before | mask);
    else if (how === unblock) thread.setMask(before & ~mask);
    else if (how === replace) thread.setMask(mask);
    else throw new Errno('EINVAL');
  }
  if (old !== 0) abi.writeSignalSet(thread.memory, old, before);
  return 0;
}

/** Sleeps until a handler has run. */
function untilSignal(): SyscallResult {
  return { queues: [], retry: untilSignal, interrupted: 'eintr' };
}

function suspend(thread: Thread, set: number): SyscallResult {
  return thread.withSignalMask(thread.kernel.abi.readSignalSet(thread.memory, set), untilSignal);
}

function sender(thread: Thread, signal: number, code: number): SignalInfo {
  const { pid, credentials } = thread.owner;
  return { signal, code, detail: { kind: 'sender', pid, uid: credentials.uid } };
}

/** Processes that kill(2) means. @throws Errno ESRCH */
function receivers(thread: Thread, pid: number): readonly Process[] {
  const alive = [...thread.kernel.processes.values()];
  let chosen: Process[];
  if (pid > 0) chosen = alive.filter((process) => process.pid === pid);
  else if (pid === -1) chosen = alive.filter((process) => process !== thread.owner);
  else {
    const group = pid === 0 ? thread.owner.group : -pid;
    chosen = alive.filter((process) => process.group === group);
  }
  if (chosen.length === 0) throw new Errno('ESRCH');
  return chosen;
}

function mayBeSent(thread: Thread, signal: number): void {
  if (signal !== 0) requireSignal(thread, signal);
}

function sendToTid(thread: Thread, group: number | undefined, tid: number, signal: number, info: SignalInfo): number {
  mayBeSent(thread, signal);
  if ((tid | 0) <= 0 || (group !== undefined && (group | 0) <= 0)) throw new Errno('EINVAL');
  const target = thread.kernel.threads.get(tid);
  if (!target || (group !== undefined && target.owner.pid !== group)) throw new Errno('ESRCH');
  if (signal !== 0) thread.kernel.sender.toThread(target, info);
  return 0;
}

/** siginfo_t of rt_sigqueueinfo: its code must be one that programs may send. */
export function queuedInfo(thread: Thread, signal: number, target: number, address: number): SignalInfo {
  const bytes = thread.memory.read(address, 128);
  const reader = thread.memory;
  // si_code is the second or third word; of both only codes of programs are negative.
  const [second, third] = [reader.i32(address + 4), reader.i32(address + 8)];
  const code = thread.kernel.abi.encodeSignalInfo({ signal: 0, code: -1, detail: { kind: 'none' } })[4]
    ? second
    : third;
  if ((code >= 0 || code === SignalCode.Tkill) && target !== thread.owner.pid) throw new Errno('EPERM');
  return { signal, code, detail: { kind: 'bytes', bytes } };
}

function timedWait(wide: boolean): KernelSyscall {
  return (thread, set, infoAddress, timeout, setBytes) => {
    requireSetSize(thread, setBytes);
    const { abi, signals } = thread.kernel;
    const wanted = abi.readSignalSet(thread.memory, set) & ~signals.unblockable;
    const deadlineNs = timeout === 0 ? undefined : thread.clock.monotonicNs() + readTimespec(thread, timeout, wide);
    const take = (): number | undefined => {
      const info = thread.takePending(wanted);
      if (!info) return undefined;
      if (infoAddress !== 0) thread.memory.write(infoAddress, abi.encodeSignalInfo(info));
      return info.signal;
    };
    const timedOut = (): never => {
      throw new Errno('EAGAIN');
    };
    const queues: WaitQueue[] = [thread.signalArrival];
    const wait = (): SyscallResult => {
      const signal = take();
      if (signal !== undefined) return signal;
      if (deadlineNs !== undefined && thread.clock.monotonicNs() >= deadlineNs) return timedOut();
      return { queues, deadlineNs, retry: wait, timeout: () => take() ?? timedOut(), interrupted: 'eintr' };
    };
    return wait();
  };
}

function returnFromHandler(withInfo: boolean): KernelSyscall {
  return (thread) => {
    const { kernel } = thread;
    const { cpu } = kernel.parts;
    try {
      const { mask, alternateStack } = cpu.leaveHandler(thread.memory, withInfo);
      thread.setMask(mask);
      if (alternateStack && !isOnStack(thread.alternateStack, cpu.stackPointer)) thread.alternateStack = alternateStack;
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      kernel.sender.force(thread, kernel.signals.ofKernel('SIGSEGV')); // the frame is gone
    }
    return NO_RESULT;
  };
}

function alternateStack(thread: Thread, next: number, old: number): number {
  const { abi } = thread.kernel;
  const { cpu } = thread.kernel.parts;
  const current = thread.alternateStack;
  const onStack = isOnStack(current, cpu.stackPointer);
  const wanted = next === 0 ? undefined : abi.readSignalStack(thread.memory, next);
  if (old !== 0) {
    const state = current.size === 0 ? SS_DISABLE : onStack ? SS_ONSTACK : 0;
    abi.writeSignalStack(thread.memory, old, { ...current, flags: ((current.flags & SS_AUTODISARM) | state) >>> 0 });
  }
  if (wanted) {
    if (onStack) throw new Errno('EPERM');
    const mode = (wanted.flags & ~SS_AUTODISARM) >>> 0;
    if (mode !== 0 && mode !== SS_ONSTACK && mode !== SS_DISABLE) throw new Errno('EINVAL');
    if (mode === SS_DISABLE) thread.alternateStack = { address: 0, size: 0, flags: wanted.flags };
    else if (wanted.size < MINIMUM_STACK) throw new Errno('ENOMEM');
    else thread.alternateStack = { ...wanted, flags: (wanted.flags & SS_AUTODISARM) >>> 0 };
  }
  return 0;
}

export const signalSyscalls: Readonly<Record<string, KernelSyscall>> = {
  rt_sigaction: (thread, signal, action, old, setBytes) => {
    requireSetSize(thread, setBytes);
    return changeAction(thread, signal, action, old);
  },
  sigaction: changeAction,
  rt_sigprocmask: (thread, how, set, old, setBytes) => {
    requireSetSize(thread, setBytes);
    return changeMask(thread, how, set, old);
  },
  sigprocmask: changeMask,
  rt_sigpending: (thread, set, setBytes) => {
    if (setBytes > thread.kernel.abi.signalSetBytes) throw new Errno('EINVAL');
    thread.kernel.abi.writeSignalSet(thread.memory, set, (thread.pending.set | thread.owner.pending.set) & thread.mask);
    return 0;
  },
  sigpending: (thread, set) => {
    thread.kernel.abi.writeSignalSet(thread.memory, set, (thread.pending.set | thread.owner.pending.set) & thread.mask);
    return 0;
  },
  rt_sigsuspend: (thread, set, setBytes) => {
    requireSetSize(thread, setBytes);
    return suspend(thread, set);
  },
  sigsuspend: suspend,
  pause: untilSignal,
  rt_sigtimedwait: timedWait(false),
  rt_sigtimedwait_time64: timedWait(true),
  kill: (thread, pid, signal) => {
    mayBeSent(thread, signal);
    const processes = receivers(thread, pid | 0);
    if (signal !== 0)
      for (const process of processes) thread.kernel.sender.toProcess(process, sender(thread, signal, SignalCode.User));
    return 0;
  },
  tkill: (thread, tid, signal) => sendToTid(thread, undefined, tid, signal, sender(thread, signal, SignalCode.Tkill)),
  tgkill: (thread, group, tid, signal) =>
    sendToTid(thread, group, tid, signal, sender(thread, signal, SignalCode.Tkill)),
  rt_sigqueueinfo: (thread, pid, signal, info) => {
    requireSignal(thread, signal);
    const queued = queuedInfo(thread, signal, pid, info);
    const [process] = receivers(thread, pid);
    if (process) thread.kernel.sender.toProcess(process, queued);
    return 0;
  },
  rt_tgsigqueueinfo: (thread, group, tid, signal, info) =>
    sendToTid(thread, group, tid, signal, queuedInfo(thread, signal, group, info)),
  sigaltstack: alternateStack,
  sigreturn: returnFromHandler(false),
  rt_sigreturn: returnFromHandler(true),
};
