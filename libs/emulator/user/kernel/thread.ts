import type { SignalInfo, SignalStack, TrappedSyscall } from '../../targets/index.js';
import type { Blocked, GuestClock, SyscallContext, SyscallResult, UserMemory, WaitQueue } from './contracts.js';
import type { LinuxKernel } from './linux-kernel.js';
import type { Process } from './process.js';
import { bitOf, PendingSignals } from './signals.js';
import type { Tracing } from './tracing.js';

/** SS_DISABLE: there is no alternate stack. */
export const SS_DISABLE = 2;

/** A system call that has not returned yet. */
export interface ActiveSyscall {
  readonly name: string;
  readonly args: readonly number[];
  readonly trapped: TrappedSyscall;
}

/** A thread that sleeps in a system call. */
export interface Sleep {
  readonly blocked: Blocked;
  /** Takes the thread off all queues. */
  readonly detach: () => void;
  /** What ended the sleep; undefined while it lasts. */
  wakeReason?: 'event' | 'deadline' | 'signal';
}

/** A thread of a process. Its registers are in the engine while it runs, else in {@link registers}. */
export class Thread implements SyscallContext {
  registers: Uint8Array = new Uint8Array();
  /** Blocked signals. */
  mask = 0n;
  /** The mask to return to when a call that replaced it ends (sigsuspend, ppoll). */
  savedMask: bigint | undefined;
  readonly pending: PendingSignals;
  alternateStack: SignalStack = { address: 0, size: 0, flags: SS_DISABLE };
  syscall: ActiveSyscall | undefined;
  sleep: Sleep | undefined;
  /** In the kernel's queue of threads that can run. */
  queued = false;
  alive = true;
  /** Who traces it, and how. */
  trace: Tracing | undefined;
  /** A tracer stopped it at the entry of {@link syscall}, which is still to be made. */
  callPending = false;
  /** A tracer stopped it at the end of a call that was interrupted: makes it again, with the registers loaded. */
  callAgain: (() => void) | undefined;
  /** Scheduling policy, sched(7), by its number; ordinary at first. */
  policy = 0;
  /** Of a real-time policy 1 to 99, else 0. */
  priority = 0;
  /** ioprio_set(2). */
  ioPriority = 0;
  /** SCHED_RESET_ON_FORK: what it creates is scheduled ordinarily. */
  resetOnFork = false;
  /** Word that is cleared, and woken as a futex, when the thread ends. */
  clearChildTid = 0;
  robustList = 0;
  cpuNs = 0;
  /** Signals may have become deliverable since they were last looked at. */
  signalsToCheck = false;
  /** Value of the second result register of the call that is being made. */
  secondResult: number | undefined;

  constructor(
    readonly kernel: LinuxKernel,
    public readonly owner: Process,
    public tid: number,
  ) {
    this.pending = new PendingSignals(kernel.signals);
  }

  get memory(): UserMemory {
    return this.owner.memory;
  }

  get clock(): GuestClock {
    return this.kernel.clock;
  }

  get process(): SyscallContext['process'] {
    return this.owner.view;
  }

  get signalArrival(): WaitQueue {
    return this.owner.signalArrival;
  }

  raiseSignal(name: string): void {
    this.kernel.sender.toThread(this, {
      signal: this.kernel.signals.number(name),
      code: 0,
      detail: { kind: 'sender', pid: this.owner.pid, uid: this.owner.credentials.uid },
    });
  }

  hasPendingSignal(mask: bigint): boolean {
    return ((this.pending.set | this.owner.pending.set) & mask) !== 0n;
  }

  takePending(mask: bigint): SignalInfo | undefined {
    return this.pending.take(mask) ?? this.owner.pending.take(mask);
  }

  takePendingSignal(mask: bigint): { signal: number; code: number; pid: number } | undefined {
    const info = this.takePending(mask);
    if (!info) return undefined;
    const pid = 'pid' in info.detail ? info.detail.pid : 0;
    return { signal: info.signal, code: info.code, pid };
  }

  setSecondResult(value: number): void {
    this.secondResult = value;
  }

  setMask(mask: bigint): void {
    this.mask = mask & ~this.kernel.signals.unblockable;
    this.signalsToCheck = true;
  }

  withSignalMask(mask: bigint | undefined, call: () => SyscallResult): SyscallResult {
    if (mask === undefined) return call();
    this.savedMask ??= this.mask;
    this.setMask(mask);
    return call();
  }

  /** Signals that would interrupt the thread now. */
  get deliverable(): bigint {
    return (this.pending.set | this.owner.pending.set) & ~this.mask;
  }

  blocks(signal: number): boolean {
    return (this.mask & bitOf(signal)) !== 0n;
  }
}
