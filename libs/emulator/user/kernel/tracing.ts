import type { SignalInfo } from '../../targets/index.js';
import type { Process } from './process.js';
import { SignalCode } from './signals.js';
import type { Thread } from './thread.js';

/** PTRACE_O_…, ptrace(2): what the tracer wants to be told of. */
export const TraceOption = {
  SysGood: 1,
  Fork: 2,
  Vfork: 4,
  Clone: 8,
  Exec: 16,
  VforkDone: 32,
  Exit: 64,
  ExitKill: 0x100000,
} as const;
/** Options that exist here; seccomp filters do not. */
export const KNOWN_OPTIONS = Object.values(TraceOption).reduce<number>((all, option) => all | option, 0);

/** PTRACE_EVENT_… */
export const TraceEvent = { Fork: 1, Vfork: 2, Clone: 3, Exec: 4, VforkDone: 5, Exit: 6, Stop: 128 } as const;

/** A tracee that stands still until its tracer says otherwise. */
export interface TraceStop {
  /**
   * `signal`: a signal waits to be delivered, and the tracer decides. `group`: a stop signal took effect. `event`: something that
   * an option asks for. `enter` and `exit`: a system call.
   */
  readonly kind: 'signal' | 'group' | 'event' | 'enter' | 'exit';
  /** What wait shows above the byte 0x7f: the signal, and an event in the byte above it. */
  readonly status: number;
  readonly info: SignalInfo;
  /** Wait has shown it. */
  reported: boolean;
  /** PTRACE_LISTEN: it goes on standing, but SIGCONT is told. */
  listening?: boolean;
}

/** The end of a tracee, which its tracer learns by waiting. */
export interface TracedEnd {
  readonly tid: number;
  readonly process: Process;
  /** wait's status word. */
  readonly word: number;
  /** The process has ended, not just one thread: its parent is told after its tracer. */
  readonly last: boolean;
}

/** That a thread is traced: by whom, and how far it may go. */
export class Tracing {
  eventMessage = 0;
  stop: TraceStop | undefined;
  /** PTRACE_SYSCALL: it stops at the next entry to a system call, or exit from one. */
  untilSyscall = false;
  /** Between entry and exit of a system call. */
  inCall = false;
  /** The call ended while the thread stood still already. */
  exitPending = false;
  /** The signal that the tracer lets through. */
  injected: SignalInfo | undefined;
  /** What else is to be done when the thread goes on, by the kernel. */
  onResume: (() => void) | undefined;

  constructor(
    readonly tracer: Process,
    readonly seized: boolean,
    public options: number,
  ) {}

  wants(option: number): boolean {
    return (this.options & option) !== 0;
  }
}

/** Makes a process a thread's tracer. */
export function trace(thread: Thread, tracer: Process, { seized = false, options = 0 } = {}): Tracing {
  thread.trace = new Tracing(tracer, seized, options);
  tracer.tracees.add(thread);
  return thread.trace;
}

/** Stops a traced thread and tells its tracer. */
export function enterStop(thread: Thread, stop: Omit<TraceStop, 'reported'>): void {
  const { trace } = thread;
  if (!trace) return;
  trace.stop = { ...stop, reported: false };
  tell(trace.tracer, thread, SignalCode.ChildTrapped, stop.status & 0xff);
  thread.signalsToCheck = true; // it does not use up its turn
}

/** A stop with SIGTRAP for one of {@link TraceEvent}. */
export function enterEvent(thread: Thread, event: number, message: number): void {
  const { trace, kernel } = thread;
  if (!trace) return;
  trace.eventMessage = message;
  const trap = kernel.signals.number('SIGTRAP');
  const status = (event << 8) | trap;
  enterStop(thread, { kind: 'event', status, info: { signal: trap, code: status, detail: { kind: 'none' } } });
}

export function enterSyscallStop(thread: Thread, kind: 'enter' | 'exit'): void {
  const { trace, kernel } = thread;
  if (!trace) return;
  const trap = kernel.signals.number('SIGTRAP');
  const status = trace.wants(TraceOption.SysGood) ? trap | 0x80 : trap;
  enterStop(thread, { kind, status, info: { signal: trap, code: status, detail: { kind: 'none' } } });
}

/** A stop signal took effect in a traced thread. */
export function enterGroupStop(thread: Thread, signal: number): void {
  const status = thread.trace?.seized ? (TraceEvent.Stop << 8) | signal : signal;
  enterStop(thread, { kind: 'group', status, info: { signal, code: status, detail: { kind: 'none' } } });
}

/** Ends a thread, or its process; first it stops where its tracer wants that. @param word wait's status word */
export function exitTraced(thread: Thread, word: number, end: () => void): void {
  const { trace } = thread;
  if (!trace?.wants(TraceOption.Exit)) return end();
  trace.inCall = false;
  trace.onResume = end;
  enterEvent(thread, TraceEvent.Exit, word);
}

/**
 * Lets a stopped thread go on.
 * @param signal is delivered to it; 0 for none, which after a signal-delivery stop makes that signal vanish
 */
export function resume(thread: Thread, { untilSyscall, signal }: { untilSyscall: boolean; signal: number }): void {
  const { trace, kernel } = thread;
  if (!trace?.stop) return;
  const { kind, info } = trace.stop;
  trace.stop = undefined;
  trace.untilSyscall = untilSyscall;
  if (signal !== 0 && kind === 'signal')
    trace.injected = signal === info.signal ? info : { signal, code: SignalCode.User, detail: senderOf(trace.tracer) };
  else if (signal !== 0)
    kernel.sender.toThread(thread, { signal, code: SignalCode.User, detail: senderOf(trace.tracer) });
  const { onResume } = trace;
  trace.onResume = undefined;
  onResume?.();
  if (!thread.alive) return;
  if (trace.exitPending) {
    trace.exitPending = false;
    if (untilSyscall) return enterSyscallStop(thread, 'exit');
  }
  thread.signalsToCheck = true;
  kernel.sender.goOn(thread);
}

/** The thread is its own master again, and goes on. */
export function detach(thread: Thread, signal = 0): void {
  const { trace, kernel } = thread;
  if (!trace) return;
  trace.exitPending = false;
  if (trace.stop) resume(thread, { untilSyscall: false, signal });
  trace.tracer.tracees.delete(thread);
  if (!thread.alive) return;
  const { injected } = trace;
  thread.trace = undefined;
  if (injected) kernel.sender.toThread(thread, injected); // what the tracer let through must not be lost with it
}

/** A tracer ended: those it traced are let go, or end with it. */
export function tracerEnded(process: Process): void {
  for (const thread of [...process.tracees]) {
    const { trace, kernel, owner } = thread;
    const killed = trace?.wants(TraceOption.ExitKill) ?? false;
    detach(thread);
    if (killed) kernel.exitProcess(owner, { kind: 'killed', signal: kernel.signals.number('SIGKILL') });
  }
  process.tracees.clear();
  for (const end of process.tracedEnds.splice(0)) noteEnd(end);
}

/** The tracer knows of an end: now the parent learns of it. */
export function noteEnd({ process, last }: TracedEnd): void {
  if (!last || !process.status) return;
  process.awaitsTracer = false;
  process.kernel.reportEnd(process, process.status);
}

/**
 * A traced thread made a process or a thread: its tracer is told, and traces that as well, where it asked for it.
 * @param event the kind of {@link TraceEvent}; the option's bit has its number
 */
export function traceeCloned(thread: Thread, child: Thread, event: number): void {
  const { trace: tracing, kernel } = thread;
  if (!tracing?.wants(1 << event)) return;
  const { tracer, seized, options } = tracing;
  trace(child, tracer, { seized, options });
  if (seized) enterEvent(child, TraceEvent.Stop, 0);
  else kernel.sender.toThread(child, kernel.signals.ofKernel('SIGSTOP'));
  enterEvent(thread, event, child.tid);
}

/** A traced thread executes another program. @param tid its number before */
export function traceeExecuted(thread: Thread, tid: number): void {
  const { trace: tracing, kernel } = thread;
  if (!tracing) return;
  if (tracing.wants(TraceOption.Exec)) enterEvent(thread, TraceEvent.Exec, tid);
  else if (!tracing.seized)
    kernel.sender.toThread(thread, {
      signal: kernel.signals.number('SIGTRAP'),
      code: SignalCode.User,
      detail: senderOf(thread.owner),
    });
}

/**
 * A traced thread ended; its tracer will learn of it.
 * @param last its process ended with it
 * @returns whether somebody else than the parent has to be told first
 */
export function traceeEnded(thread: Thread, word: number, last: boolean): boolean {
  const { trace, owner } = thread;
  if (!trace) return false;
  const { tracer } = trace;
  tracer.tracees.delete(thread);
  thread.trace = undefined;
  if (!tracer.isAlive || (last && tracer === owner.parent)) return false;
  tracer.tracedEnds.push({ tid: thread.tid, process: owner, word, last });
  if (last) owner.awaitsTracer = true;
  const code = word & 0x7f ? SignalCode.ChildKilled : SignalCode.ChildExited;
  tell(tracer, thread, code, word & 0x7f ? word & 0x7f : word >>> 8);
  return last;
}

const senderOf = ({ pid, credentials }: Process): SignalInfo['detail'] => ({
  kind: 'sender',
  pid,
  uid: credentials.uid,
});

/** SIGCHLD, and whoever waits looks again. */
function tell(tracer: Process, { kernel, tid, owner }: Thread, code: number, status: number): void {
  const child = kernel.signals.number('SIGCHLD');
  if (!(tracer.handlers.get(child).flags & kernel.abi.actionFlags.noChildStop) || code <= SignalCode.ChildDumped)
    kernel.sender.toProcess(tracer, {
      signal: child,
      code,
      detail: { kind: 'child', pid: tid, uid: owner.credentials.uid, status, userTicks: 0, systemTicks: 0 },
    });
  tracer.childChange.wake();
}
