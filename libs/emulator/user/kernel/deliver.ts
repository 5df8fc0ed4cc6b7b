import type { KernelAbi, SignalInfo, SignalStack, UserCpu } from '../../targets/index.js';
import { Errno } from './contracts.js';
import { writeCoreFile } from './core-file.js';
import { statusWord } from './process.js';
import { bitOf, SIG_DFL, SIG_IGN, SignalCode } from './signals.js';
import type { SyscallTracer } from './strace.js';
import type { Thread } from './thread.js';
import { SS_DISABLE } from './thread.js';
import { enterStop, enterSyscallStop, exitTraced } from './tracing.js';

/** What only tracers see of a call that is made again (linux/errno.h). */
const ERESTARTSYS = 512;
/** SS_AUTODISARM: the alternate stack is off while a handler runs on it. */
const SS_AUTODISARM = 0x80000000;

/**
 * What happens to a thread before it goes on in user mode: handlers are set up, default actions taken, an interrupted
 * system call ends.
 * @returns `again`: no handler ran, an interrupted call goes on sleeping
 */
export function deliverSignals(
  thread: Thread,
  cpu: UserCpu,
  abi: KernelAbi,
  tracer: SyscallTracer | undefined,
): 'done' | 'again' {
  const { kernel, owner } = thread;
  thread.signalsToCheck = false;
  let handled = false;
  for (;;) {
    const { trace } = thread;
    const injected = trace?.injected;
    const info = injected ?? thread.takePending(~thread.mask);
    if (!info) break;
    const { signal } = info;
    if (injected) trace.injected = undefined;
    else if (trace && signal !== kernel.signals.number('SIGKILL')) {
      enterStop(thread, { kind: 'signal', status: signal, info });
      return 'done';
    }
    tracer?.signal(thread, info);
    const action = owner.handlers.get(signal);
    if (action.handler === SIG_IGN) continue;
    if (action.handler === SIG_DFL) {
      const what = kernel.signals.defaultAction(signal);
      if (what === 'ignore' || what === 'continue') continue;
      if (what === 'stop') kernel.sender.stop(owner, signal);
      else {
        tracer?.killed(thread, signal);
        const dumped = what === 'core' && writeCoreFile(thread, info);
        const status = { kind: 'killed', signal, dumped } as const;
        exitTraced(thread, statusWord(status), () => kernel.exitProcess(owner, status));
      }
      thread.signalsToCheck = true; // what else is pending waits for the continuation
      return 'done';
    }
    if (endSyscall(thread, cpu, abi, (action.flags & abi.actionFlags.restart) !== 0, tracer)) {
      // The tracer sees the call's end before the handler.
      if (trace) trace.injected = info;
      enterSyscallStop(thread, 'exit');
      return 'done';
    }
    enterHandler(thread, cpu, abi, info);
    handled = true;
    if (!thread.alive) return 'done';
  }
  if (handled) return 'done';
  if (!thread.sleep && thread.savedMask !== undefined) {
    const mask = thread.savedMask;
    thread.savedMask = undefined;
    thread.setMask(mask);
  }
  return 'again';
}

/**
 * A handler runs although the call has not returned: it is restarted later, or returns what it has.
 * @returns whether a tracer wants to see that
 */
function endSyscall(
  thread: Thread,
  cpu: UserCpu,
  abi: KernelAbi,
  restart: boolean,
  tracer: SyscallTracer | undefined,
): boolean {
  const { sleep, syscall, trace } = thread;
  if (!sleep || !syscall) return false;
  sleep.detach();
  const { blocked } = sleep;
  const partial = blocked.partial?.();
  blocked.cancel?.();
  if (partial !== undefined) {
    cpu.setResult(partial);
    tracer?.exit(thread, { value: partial });
  } else if (blocked.interrupted === 'always' || (restart && blocked.interrupted !== 'eintr')) {
    if (trace?.inCall && trace.untilSyscall) {
      cpu.setError(ERESTARTSYS);
      thread.callAgain = () => syscall.trapped.restart();
    } else syscall.trapped.restart();
    tracer?.exit(thread, { error: 'ERESTARTSYS' });
  } else {
    cpu.setError(abi.errno('EINTR') ?? 4);
    tracer?.exit(thread, { error: 'EINTR' });
  }
  thread.sleep = undefined;
  thread.syscall = undefined;
  const seen = trace?.inCall === true && trace.untilSyscall;
  if (trace) trace.inCall = false;
  return seen;
}

function enterHandler(thread: Thread, cpu: UserCpu, abi: KernelAbi, info: SignalInfo): void {
  const { kernel, owner } = thread;
  const { actionFlags: flags } = abi;
  const action = owner.handlers.get(info.signal);
  const stack = thread.alternateStack;
  const onAlternate = isOnStack(stack, cpu.stackPointer);
  const switchStack = (action.flags & flags.onStack) !== 0 && stack.size > 0 && !onAlternate;
  const mask = thread.savedMask ?? thread.mask;
  thread.savedMask = undefined;
  if (action.flags & flags.resetHandler) owner.handlers.set(info.signal, { ...action, handler: SIG_DFL });
  try {
    cpu.enterHandler(thread.memory, {
      info,
      handler: action.handler,
      withInfo: (action.flags & flags.info) !== 0,
      restorer: action.restorer,
      stackPointer: switchStack ? stack.address + stack.size : cpu.stackPointer,
      mask,
      alternateStack: stack,
    });
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    // No room for the frame: the thread cannot be told of anything any more.
    const segv = kernel.signals.number('SIGSEGV');
    if (info.signal === segv) owner.handlers.set(segv, { ...action, handler: SIG_DFL });
    thread.setMask(mask);
    kernel.sender.force(thread, { signal: segv, code: SignalCode.Kernel, detail: { kind: 'none' } });
    return;
  }
  if (switchStack && stack.flags & SS_AUTODISARM) thread.alternateStack = { address: 0, size: 0, flags: SS_DISABLE };
  const own = action.flags & flags.noDefer ? 0n : bitOf(info.signal);
  thread.setMask(thread.mask | action.mask | own);
}

export function isOnStack(stack: SignalStack, stackPointer: number): boolean {
  if (stack.flags & (SS_AUTODISARM | SS_DISABLE)) return false;
  return stackPointer > stack.address && stackPointer - stack.address <= stack.size;
}
