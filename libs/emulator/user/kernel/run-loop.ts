import type { Vcpu } from '../../accel/index.js';
import type { Scheduler } from '../../core/index.js';
import type { EngineHost, KernelAbi, UserCpu } from '../../targets/index.js';
import type { KernelClock } from './clock.js';
import type { Blocked, SyscallResult } from './contracts.js';
import { Errno } from './contracts.js';
import { deliverSignals } from './deliver.js';
import type { LinuxKernel } from './linux-kernel.js';
import type { ProcessMmu } from './mmu.js';
import type { SyscallTracer } from './strace.js';
import type { Thread } from './thread.js';
import { enterSyscallStop } from './tracing.js';

/** Instructions that a thread executes before the next one's turn. */
export const QUANTUM = 50_000;
/** The same where nobody waits for a turn. The end of each is interpreted; a signal of the host's waits for some milliseconds. */
const LONE_QUANTUM = 10_000_000;
/** The policy, sched(7), whose threads run until they wait or give up their turn. */
const SCHED_FIFO = 1;
/** Host time after which the host gets a turn, for input and signals. */
const HOST_TURN_MS = 40;
/** Longest wait in one go; Node's timers hold no more than 2^31 ms. */
const LONGEST_WAIT_MS = 2 ** 30;

/** The registers are set already (execve, sigreturn), or there is no thread left to return to. */
export const NO_RESULT = Symbol('no result');
export type KernelResult = SyscallResult | typeof NO_RESULT;
/** A system call of the kernel half: it sees more of its thread than the file half does. */
export type KernelSyscall = (thread: Thread, ...args: number[]) => KernelResult;

export interface RunLoopParts {
  readonly kernel: LinuxKernel;
  readonly vcpu: Vcpu;
  readonly cpu: UserCpu;
  readonly host: EngineHost;
  readonly mmu: ProcessMmu;
  /** Finds a system call by its generic name. */
  readonly syscall: (name: string) => KernelSyscall | undefined;
  readonly cpuScheduler: Scheduler;
  readonly nsPerInstruction: number;
  readonly tracer: SyscallTracer | undefined;
  readonly warn: (line: string) => void;
}

/** Numbers without a system call that are told apart: a program may try four thousand million. */
const MAX_UNKNOWN = 100;

/**
 * Runs threads in turn on one CPU, each for a fixed number of instructions: the order depends on nothing but the programs
 * and their input.
 */
export class RunLoop {
  readonly syscallCounts = new Map<string, number>();
  readonly #ready: Thread[] = [];
  readonly #warned = new Set<string>();
  /** Numbers of system calls that no kernel has. */
  readonly #unknown = new Set<number>();
  /** Whose registers are in the CPU. */
  #loaded: Thread | undefined;
  #yielded = false;
  #stopped = false;
  /** Ends the wait for the host. */
  #wake: (() => void) | undefined;

  constructor(private readonly parts: RunLoopParts) {}

  get #abi(): KernelAbi {
    return this.parts.kernel.abi;
  }

  get #clock(): KernelClock {
    return this.parts.kernel.clock;
  }

  /** Queues a thread that can run. */
  makeReady(thread: Thread): void {
    if (thread.queued) return;
    thread.queued = true;
    this.#ready.push(thread);
    this.#wake?.();
  }

  /** A thread whose turn was taken away, not used up, is the next of its priority. */
  #makeReadyFirst(thread: Thread): void {
    if (thread.queued) return;
    thread.queued = true;
    this.#ready.unshift(thread);
  }

  /** Takes the thread that runs next: of the highest priority the one that has waited longest (sched(7)). */
  #takeReady(): Thread | undefined {
    const { kernel } = this.parts;
    if (!kernel.usesPriorities) return this.#ready.shift();
    const highest = this.#highestReady();
    const index = this.#ready.findIndex((thread) => kernel.piFutexes.priorityOf(thread) === highest);
    return index < 0 ? undefined : this.#ready.splice(index, 1)[0];
  }

  #highestReady(): number {
    const { piFutexes } = this.parts.kernel;
    return Math.max(...this.#ready.map((thread) => piFutexes.priorityOf(thread)));
  }

  /** A thread of a higher priority can run. */
  #isPreempted(thread: Thread): boolean {
    const { kernel } = this.parts;
    if (!kernel.usesPriorities || this.#ready.length === 0) return false;
    return this.#highestReady() > kernel.piFutexes.priorityOf(thread);
  }

  /** The thread that runs gives up the rest of its turn. */
  yieldTurn(): void {
    this.#yielded = true;
  }

  /** Ends {@link run} at the next chance, with the guest unfinished. */
  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  /** Runs until the first process has ended. */
  async run(): Promise<void> {
    const { kernel } = this.parts;
    let hostTurnAt = performance.now() + HOST_TURN_MS;
    while (!kernel.result && !this.#stopped) {
      this.#clock.synchronise();
      this.#clock.fireDue();
      const thread = this.#takeReady();
      if (!thread) {
        await this.#idle();
        continue;
      }
      this.#runThread(thread);
      if (performance.now() > hostTurnAt) {
        await new Promise((resolve) => setImmediate(resolve));
        hostTurnAt = performance.now() + HOST_TURN_MS;
      }
    }
  }

  /** Nothing can run: time jumps to the next deadline, or the host's passes where somebody waits for the host. */
  async #idle(): Promise<void> {
    if (this.#stopped) return; // a timer that was due did it
    const deadline = this.#clock.nextDeadlineNs;
    const forHost = [...this.parts.kernel.threads.values()].some(({ sleep }) =>
      sleep?.blocked.queues.some(({ external }) => external),
    );
    let waitMs = LONGEST_WAIT_MS;
    if (deadline !== Infinity) {
      waitMs = forHost ? (deadline - this.#clock.monotonicNs()) / 1e6 : this.#clock.skipTo(deadline);
      if (waitMs <= 0) return;
    }
    const woken = await this.#waitForHost(Math.min(waitMs, LONGEST_WAIT_MS));
    if (!woken && forHost && deadline !== Infinity) this.#clock.skipTo(deadline);
  }

  /** @returns whether something became ready before the time was over */
  #waitForHost(milliseconds: number): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (woken: boolean) => () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve(woken);
      };
      const timer = setTimeout(finish(false), Math.ceil(milliseconds));
      this.#wake = finish(true);
    });
  }

  // ---- one thread's turn ---------------------------------------------------------------------------------------------

  #runThread(thread: Thread): void {
    thread.queued = false;
    const { owner } = thread;
    if (!thread.alive || owner.stoppedBy !== undefined || thread.trace?.stop) return;
    this.#load(thread);
    this.#goOnForTracer(thread);
    if (thread.sleep) this.#wakeUp(thread);
    this.#yielded = false;
    let budget = QUANTUM;
    while (this.#mayRun(thread)) {
      if (this.#yielded) return this.makeReady(thread);
      if (this.#isPreempted(thread)) return this.#makeReadyFirst(thread);
      if (budget <= 0) return thread.policy === SCHED_FIFO ? this.#makeReadyFirst(thread) : this.makeReady(thread);
      const alone = this.#ready.length === 0 && owner.timers.cpu.every(({ deadlineNs }) => deadlineNs === Infinity);
      budget -= this.#execute(thread, alone ? LONE_QUANTUM : budget);
      const trap = this.parts.cpu.takeTrap();
      if (trap?.kind === 'syscall') this.#syscall(thread);
      else if (trap) this.parts.kernel.sender.fault(thread, trap);
    }
  }

  /** Delivers signals. @returns whether the thread goes on in user mode */
  #mayRun(thread: Thread): boolean {
    for (;;) {
      if (!thread.alive || this.parts.kernel.result || this.#stopped) return false;
      if (thread.owner.stoppedBy !== undefined || thread.trace?.stop) return false;
      if (thread.sleep && thread.sleep.wakeReason !== 'signal') return false;
      if (!thread.signalsToCheck && !thread.sleep) return true;
      const outcome = deliverSignals(thread, this.parts.cpu, this.#abi, this.parts.tracer);
      if (outcome === 'again' && thread.sleep) {
        const { blocked } = thread.sleep;
        thread.sleep = undefined;
        this.#complete(thread, blocked.retry);
      }
    }
  }

  #load(thread: Thread): void {
    const { cpu, mmu, host } = this.parts;
    if (this.#loaded !== thread) {
      if (this.#loaded?.alive) this.#loaded.registers = cpu.saveState();
      cpu.loadState(thread.registers);
      this.#loaded = thread;
    }
    const { space } = thread.owner;
    if (mmu.space !== space) {
      mmu.space = space;
      host.selectAddressSpace(space.identifier);
    }
  }

  /** @returns instructions executed */
  #execute(thread: Thread, budget: number): number {
    const { vcpu, cpuScheduler, nsPerInstruction, mmu, host } = this.parts;
    const { space } = thread.owner;
    if (mmu.space !== space) {
      mmu.space = space; // execve
      host.selectAddressSpace(space.identifier);
    }
    const untilDeadline = Math.ceil((cpuScheduler.nextDeadlineNs - cpuScheduler.nowNs) / nsPerInstruction);
    const before = cpuScheduler.nowNs;
    vcpu.run(Math.max(1, Math.min(budget, untilDeadline)));
    const elapsedNs = cpuScheduler.nowNs - before;
    thread.cpuNs += elapsedNs;
    thread.owner.userNs += elapsedNs;
    this.#fireCpuTimers(thread);
    this.#clock.fireDue();
    return elapsedNs / nsPerInstruction;
  }

  #fireCpuTimers({ owner }: Thread): void {
    for (const timer of owner.timers.cpu) {
      if (owner.userNs < timer.deadlineNs) continue;
      timer.deadlineNs = timer.intervalNs > 0 ? owner.userNs + timer.intervalNs : Infinity;
      this.parts.kernel.sender.toProcess(owner, this.parts.kernel.signals.ofKernel(timer.signal));
    }
  }

  // ---- system calls ----------------------------------------------------------------------------------------------------

  /** A tracer let the thread go on: a call that it was stopped at is made now, one that ended is made again. */
  #goOnForTracer(thread: Thread): void {
    const { callAgain, callPending } = thread;
    thread.callAgain = undefined;
    callAgain?.();
    if (!callPending) return;
    thread.callPending = false;
    this.#syscall(thread, thread.syscall?.trapped.restart);
  }

  /** @param restart of a call that a tracer has seen at its entry, and may have changed */
  #syscall(thread: Thread, restart?: () => void): void {
    const { cpu, syscall, tracer } = this.parts;
    let trapped;
    try {
      trapped = cpu.readSyscall(thread.memory);
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      return cpu.setError(this.#errno(error.code));
    }
    const { number, args } = trapped;
    const { trace } = thread;
    if (trace?.untilSyscall && !restart) {
      thread.syscall = { name: '', args, trapped };
      thread.callPending = true;
      return enterSyscallStop(thread, 'enter');
    }
    if (restart) trapped = { number, args, restart };
    const name = this.#nameOf(number);
    this.syscallCounts.set(name, (this.syscallCounts.get(name) ?? 0) + 1);
    thread.syscall = { name, args, trapped };
    thread.secondResult = undefined;
    if (thread.trace) thread.trace.inCall = true;
    tracer?.enter(thread);
    const handler = syscall(name);
    this.#complete(thread, handler ? () => handler(thread, ...args) : () => this.#missing(name));
  }

  #nameOf(number: number): string {
    const known = this.#abi.syscall(number)?.name;
    if (known !== undefined) return known;
    if (this.#unknown.size < MAX_UNKNOWN) this.#unknown.add(number);
    return this.#unknown.has(number) ? `syscall_${number}` : 'syscall_unknown';
  }

  #missing(name: string): never {
    if (!this.#warned.has(name)) {
      this.#warned.add(name);
      this.parts.warn(`the system call ${name} is not implemented; the program is told ENOSYS`);
    }
    throw new Errno('ENOSYS');
  }

  /** Makes a call, or goes on with one, until it has a result or sleeps. */
  #complete(thread: Thread, call: () => KernelResult): void {
    const { cpu, tracer } = this.parts;
    try {
      const result = call();
      if (!thread.alive) return tracer?.exit(thread, undefined);
      if (typeof result === 'object') return this.#sleep(thread, result);
      if (result !== NO_RESULT) cpu.setResult(result, thread.secondResult);
      tracer?.exit(thread, typeof result === 'number' ? { value: result } : undefined);
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      if (!thread.alive) return;
      cpu.setError(this.#errno(error.code));
      tracer?.exit(thread, { error: error.code });
    }
    thread.syscall = undefined;
    if (thread.savedMask !== undefined && !thread.signalsToCheck) this.#restoreMask(thread);
    this.#endForTracer(thread);
  }

  /** The end of a system call, for a tracer that wants to see it. */
  #endForTracer(thread: Thread): void {
    const { trace } = thread;
    if (!trace?.inCall) return;
    trace.inCall = false;
    if (trace.stop) trace.exitPending = true;
    else if (trace.untilSyscall) enterSyscallStop(thread, 'exit');
  }

  #restoreMask(thread: Thread): void {
    const mask = thread.savedMask;
    thread.savedMask = undefined;
    if (mask !== undefined) thread.setMask(mask);
  }

  #errno(code: string): number {
    return this.#abi.errno(code) ?? this.#abi.errno('EIO') ?? 5;
  }

  #sleep(thread: Thread, blocked: Blocked): void {
    const detachments: (() => void)[] = [];
    const sleep: Thread['sleep'] & object = {
      blocked,
      detach: () => {
        for (const detach of detachments.splice(0)) detach();
      },
    };
    const wake = (reason: 'event' | 'deadline') => (): void => {
      if (sleep.wakeReason) return;
      sleep.wakeReason = reason;
      sleep.detach();
      if (thread.owner.stoppedBy === undefined) this.makeReady(thread);
    };
    thread.sleep = sleep;
    for (const queue of blocked.queues) detachments.push(queue.add(wake('event')));
    if (blocked.deadlineNs !== undefined) detachments.push(this.#clock.at(blocked.deadlineNs, wake('deadline')));
    // A signal that the call's own mask let in is not waited for.
    if (thread.deliverable !== 0n && !blocked.uninterruptible) {
      sleep.wakeReason = 'signal';
      sleep.detach();
    }
  }

  /** The sleep is over, except when a signal ended it: then delivery decides. */
  #wakeUp(thread: Thread): void {
    const { sleep } = thread;
    if (!sleep?.wakeReason || sleep.wakeReason === 'signal') return;
    thread.sleep = undefined;
    const { blocked } = sleep;
    const timeout = (): SyscallResult => {
      if (blocked.timeout) return blocked.timeout();
      throw new Errno('ETIMEDOUT');
    };
    this.#complete(thread, sleep.wakeReason === 'deadline' ? timeout : blocked.retry);
  }
}
