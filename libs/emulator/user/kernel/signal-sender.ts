import type { SignalInfo, UserTrap } from '../../targets/index.js';
import { CLOCK_TICKS } from '../loader/index.js';
import type { LinuxKernel } from './linux-kernel.js';
import type { Process } from './process.js';
import { bitOf, SIG_DFL, SIG_IGN, SignalCode } from './signals.js';
import type { Thread } from './thread.js';
import { enterEvent, enterGroupStop, TraceEvent } from './tracing.js';

/**
 * The way of a signal to who is to get it: what is told to whom, whom it wakes, stops or continues. What a thread then does on it
 * is {@link deliverSignals}'s part.
 */
export class SignalSender {
  constructor(private readonly kernel: LinuxKernel) {}

  toProcess(process: Process, info: SignalInfo): void {
    if (!process.isAlive || !this.#prepare(process, info.signal)) return;
    const threads = [...process.threads];
    const ignored =
      process.handlers.ignores(info.signal) &&
      !threads.every((thread) => thread.blocks(info.signal)) &&
      !threads.some(({ trace }) => trace);
    if (ignored) return;
    process.pending.add(info);
    const target = threads.find((thread) => !thread.blocks(info.signal)) ?? threads[0];
    this.#arrived(process, target);
  }

  toThread(thread: Thread, info: SignalInfo): void {
    const { owner } = thread;
    if (!thread.alive || !this.#prepare(owner, info.signal)) return;
    if (owner.handlers.ignores(info.signal) && !thread.blocks(info.signal) && !thread.trace) return;
    thread.pending.add(info);
    this.#arrived(owner, thread);
  }

  /** Tells a process's parent of a change. @param status exit code, or the signal that changed it */
  toParent(process: Process, signal: number, code: number, status: number): void {
    if (!process.parent) return;
    const ticks = Math.floor((process.userNs * CLOCK_TICKS) / 1e9);
    this.toProcess(process.parent, {
      signal,
      code,
      detail: {
        kind: 'child',
        pid: process.pid,
        uid: process.credentials.uid,
        status,
        userTicks: ticks,
        systemTicks: 0,
      },
    });
  }

  /** A signal is pending; `target` is the thread that takes it, if it can. */
  #arrived(process: Process, target: Thread | undefined): void {
    for (const thread of process.threads) thread.signalsToCheck = true;
    if (target) this.#interrupt(target);
    process.signalArrival.wake();
  }

  /** Wakes a sleeping thread for which a signal has become deliverable. */
  #interrupt(thread: Thread): void {
    if (!thread.sleep || thread.sleep.wakeReason || thread.sleep.blocked.uninterruptible) return;
    if (thread.deliverable === 0n) return;
    thread.sleep.wakeReason = 'signal';
    thread.sleep.detach();
    this.kernel.parts.makeReady(thread);
  }

  /** Lets a thread run that its tracer had stopped, unless it sleeps. */
  goOn(thread: Thread): void {
    if (!thread.sleep || thread.sleep.wakeReason) this.kernel.parts.makeReady(thread);
    this.#interrupt(thread);
  }

  /**
   * Stop and continue signals cancel each other when they are sent, whatever is done with them later.
   * @returns whether there is still somebody to be told
   */
  #prepare(process: Process, signal: number): boolean {
    const cont = this.kernel.signals.number('SIGCONT');
    const pendings = [process.pending, ...[...process.threads].map(({ pending }) => pending)];
    if (signal === cont) {
      for (const pending of pendings) pending.discard(this.kernel.signals.stopping);
      this.#resume(process, cont);
    } else if (bitOf(signal) & this.kernel.signals.stopping) {
      for (const pending of pendings) pending.discard(bitOf(cont));
    } else if (signal === this.kernel.signals.number('SIGKILL')) {
      this.kernel.exitProcess(process, { kind: 'killed', signal });
      return false;
    }
    return true;
  }

  /** A fault of the program: cannot be put off. Where it is blocked or ignored, the default action is taken. */
  force(thread: Thread, info: SignalInfo): void {
    const { handlers } = thread.owner;
    const action = handlers.get(info.signal);
    if (thread.blocks(info.signal) || action.handler === SIG_IGN) {
      handlers.set(info.signal, { ...action, handler: SIG_DFL });
      thread.setMask(thread.mask & ~bitOf(info.signal));
    }
    thread.pending.add(info);
    thread.signalsToCheck = true;
  }

  /** The signal of a trap that is none of a system call; without memory for the guest, its end. */
  fault(thread: Thread, trap: Extract<UserTrap, { kind: 'signal' }>): void {
    if (trap.signal === 'SIGKILL') {
      this.kernel.parts.warn(
        `process ${thread.owner.pid} was killed: the guest's memory is used up; --memory sets its size`,
      );
      return this.kernel.exitProcess(thread.owner, { kind: 'killed', signal: this.kernel.signals.number('SIGKILL') });
    }
    this.force(thread, {
      signal: this.kernel.signals.number(trap.signal),
      code: trap.code,
      detail: { kind: 'fault', address: trap.address },
    });
  }

  /** A stop signal's default action. */
  stop(process: Process, signal: number): void {
    const traced = [...process.threads].filter(({ trace }) => trace);
    for (const thread of traced) if (!thread.trace?.stop) enterGroupStop(thread, signal);
    if (traced.length > 0) return; // when they go on is their tracer's decision
    if (process.stoppedBy !== undefined) return;
    process.stoppedBy = signal;
    process.unreported = 'stopped';
    this.#reportJobControl(process, SignalCode.ChildStopped, signal);
  }

  #resume(process: Process, signal: number): void {
    for (const thread of process.threads) if (thread.trace?.stop?.listening) enterEvent(thread, TraceEvent.Stop, 0);
    if (process.stoppedBy === undefined) return;
    process.stoppedBy = undefined;
    process.unreported = 'continued';
    for (const thread of process.threads)
      if (!thread.sleep || thread.sleep.wakeReason) this.kernel.parts.makeReady(thread);
    this.#reportJobControl(process, SignalCode.ChildContinued, signal);
  }

  #reportJobControl(process: Process, code: number, signal: number): void {
    const { parent } = process;
    if (!parent) return;
    const child = this.kernel.signals.number('SIGCHLD');
    if (!(parent.handlers.get(child).flags & this.kernel.abi.actionFlags.noChildStop))
      this.toParent(process, child, code, signal);
    parent.childChange.wake();
  }
}
