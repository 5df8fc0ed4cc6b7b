import type { ClockMode, JobSpec } from '../spec/job-spec.js';
import type { Step } from '../spec/step.js';
import { KERNEL_QUIET_NS, KernelWatch, type KernelEvent } from '../results/kernel/kernel-watch.js';
import { failOnKinds, type FailOn } from '../results/kernel/kinds.js';
import type { RunEnd } from '../verdict.js';
import { StepEngine, type UploadFile } from './step-engine.js';
import type { StepRecord } from './step-record.js';
import type { BoardAction } from './step-script.js';

/** What a job needs of a machine; the emulator's `Machine` is one. */
export interface BoardMachine {
  readonly consoles: readonly { readonly name: string }[];
  readonly nowNs: number;
  onConsole(listener: (chunk: { uart: string; tNs: number; data: Uint8Array }) => void): () => void;
  sendConsole(uart: string, data: Uint8Array): void;
  reset(): void;
  stats(): { readonly instructions: number; readonly virtualNs: number };
  ramSha256(): Promise<string>;
  /** Gives back what the machine holds of the host. It does not run again. */
  close?(): void;
}

/** How a stretch of running ends; the emulator's `MachineEnd`. */
export type StretchEnd =
  | { readonly kind: 'power-off' | 'reset' | 'timeout' | 'wall-guard' | 'aborted' }
  | { readonly kind: 'dead'; readonly reason: string };

export interface StretchLimits {
  readonly clock: ClockMode;
  readonly timeoutNs?: number;
  readonly wallGuardMs?: number;
  readonly signal: AbortSignal;
  readonly onSlice: (nowNs: number) => void;
  readonly onIdle?: () => void;
  readonly wake?: { wait(ms: number): Promise<void> };
}

export interface JobRunOptions<M extends BoardMachine> {
  readonly machine: M;
  /** Makes the machine anew, with the same drives: what a power cycle leaves. Needed by power steps only. */
  readonly rebuild?: () => Promise<M>;
  /** The emulator's `runMachine`. */
  readonly runMachine: (machine: M, limits: StretchLimits) => Promise<StretchEnd>;
  readonly steps: readonly Step[];
  readonly shell?: JobSpec['shell'];
  readonly prompt?: string | undefined;
  readonly onReboot?: JobSpec['on_reboot'];
  /** Kernel failures that fail the job; `none`: the console is not watched for any. */
  readonly failOn?: readonly FailOn[] | 'none' | undefined;
  readonly uploads?: ReadonlyMap<string, UploadFile>;
  readonly clock: ClockMode;
  /** Virtual time. Default: none. */
  readonly timeoutNs?: number | undefined;
  /** Host time. Default: none. */
  readonly wallGuardMs?: number | undefined;
  readonly consoleLimitBytes?: number;
  readonly wake?: { wait(ms: number): Promise<void> };
  onConsole?(chunk: { uart: string; tNs: number; data: Uint8Array }): void;
  onSlice?(nowNs: number): void;
  /** The guest has begun to wait for somebody, for a while as it seems. */
  onIdle?(): void;
  onStep?(record: StepRecord): void;
  onKernelEvent?(event: KernelEvent): void;
}

export interface RunReport {
  readonly end: RunEnd;
  readonly steps: readonly StepRecord[];
  readonly kernel: readonly KernelEvent[];
  readonly virtualNs: number;
  readonly instructions: number;
  /** Hash of the guest's memory at the end, where the end is a point in virtual time and so reproducible. */
  readonly ramSha256: string | undefined;
}

/**
 * One job on one board, from power-on to its end: the same on a worker, in the command line and in a test. Virtual time
 * alone decides when steps time out, waits end and buttons are pressed; host time only ends a run as an
 * infrastructure error.
 */
export class JobRun<M extends BoardMachine> {
  private readonly engine: StepEngine;
  private readonly watches = new Map<string, KernelWatch>();
  private readonly failKinds: ReadonlySet<string>;
  private readonly kernelEvents: KernelEvent[] = [];
  private readonly abort = new AbortController();
  private machine: M;
  private unsubscribe: () => void = () => undefined;
  private cause: RunEnd | undefined;
  /** Virtual time of the byte or the deadline that ended the run; the machine may have gone on to its stretch's end. */
  private endedNs = 0;
  private heardNs = 0;
  /** What earlier machines of this board, and the time in which it was off, add. */
  private base = { virtualNs: 0, instructions: 0 };
  private on = true;
  private printedBytes = 0;
  private spentMs = 0;

  /** @throws PatternError when a pattern does not compile */
  constructor(private readonly options: JobRunOptions<M>) {
    this.machine = options.machine;
    this.failKinds = options.failOn === 'none' ? new Set() : failOnKinds(options.failOn);
    const encoder = new TextEncoder();
    this.engine = new StepEngine({
      steps: options.steps,
      console: this.primary,
      shell: options.shell,
      prompt: options.prompt,
      ...(options.uploads && { uploads: options.uploads }),
      send: (console, text) => this.machine.sendConsole(console, encoder.encode(text)),
      onStep: (record) => this.options.onStep?.(record),
      onLogLine: (console, line) => {
        if (options.failOn !== 'none') this.watchOf(console).push(line);
      },
    });
  }

  /** The board's first console. */
  get primary(): string {
    return this.machine.consoles[0]?.name ?? 'uart0';
  }

  /** Virtual time since the job began. */
  get nowNs(): number {
    return this.base.virtualNs + (this.on ? this.machine.nowNs : 0);
  }

  get instructions(): number {
    return this.base.instructions + (this.on ? this.machine.stats().instructions : 0);
  }

  get steps(): readonly StepRecord[] {
    return this.engine.stepRecords;
  }

  /** What a person types. */
  type(console: string, data: Uint8Array): void {
    if (this.on) this.machine.sendConsole(console, data);
  }

  /** Ends the run from outside virtual time. */
  stop(cause: RunEnd = { kind: 'aborted' }): void {
    this.end(cause);
  }

  /** Gives back what the machine holds of the host, after the run. */
  close(): void {
    if (this.on) this.machine.close?.();
  }

  async run(): Promise<RunReport> {
    this.connect();
    this.engine.start(this.nowNs);
    this.settle();
    const ended = await this.drive();
    this.unsubscribe();
    this.engine.finish(this.nowNs);
    for (const watch of this.watches.values()) watch.end();
    return this.report(ended);
  }

  private async drive(): Promise<StretchEnd> {
    const { timeoutNs = Infinity } = this.options;
    for (;;) {
      if (this.abort.signal.aborted) return { kind: 'aborted' };
      const nowNs = this.nowNs;
      this.advance(nowNs);
      await this.act();
      if (this.abort.signal.aborted) return { kind: 'aborted' };
      if (nowNs >= timeoutNs) return { kind: 'timeout' };
      const untilNs = Math.min(timeoutNs, this.deadlineNs, nowNs + this.lookaheadNs);
      const end = this.on ? await this.stretch(untilNs) : this.passOff(untilNs);
      if (end.kind === 'timeout' && untilNs < timeoutNs) continue;
      if (end.kind === 'reset' && this.options.onReboot === 'restart') {
        this.machine.reset();
        this.engine.rebooted();
        continue;
      }
      return end;
    }
  }

  /** Runs the machine up to a point in virtual time. */
  private async stretch(untilNs: number): Promise<StretchEnd> {
    const { clock, wallGuardMs, runMachine, wake } = this.options;
    const beganMs = performance.now();
    const end = await runMachine(this.machine, {
      clock,
      timeoutNs: untilNs === Infinity ? undefined : untilNs - this.base.virtualNs,
      wallGuardMs: wallGuardMs === undefined ? undefined : wallGuardMs - this.spentMs,
      ...(wake && { wake }),
      signal: this.abort.signal,
      onSlice: (nowNs) => this.options.onSlice?.(this.base.virtualNs + nowNs),
      onIdle: () => this.options.onIdle?.(),
    });
    this.spentMs += performance.now() - beganMs;
    return end;
  }

  /** While the board is off, nothing happens but time. */
  private passOff(untilNs: number): StretchEnd {
    if (untilNs === Infinity) return { kind: 'power-off' };
    this.base.virtualNs = untilNs;
    return { kind: 'timeout' };
  }

  private async act(): Promise<void> {
    for (let { action } = this.engine; action; action = this.engine.action) {
      await this.perform(action);
      this.engine.acted(this.nowNs);
      this.settle();
    }
  }

  private async perform(action: BoardAction): Promise<void> {
    if (action.kind === 'reset') {
      this.machine.reset();
      return;
    }
    if (action.action !== 'on' && this.on) {
      this.base = { virtualNs: this.nowNs, instructions: this.instructions };
      this.on = false;
      this.unsubscribe();
      this.machine.close?.();
    }
    if (action.action === 'off') return;
    if (!this.options.rebuild) throw new Error('This run cannot switch its board on again');
    this.machine = await this.options.rebuild();
    this.on = true;
    this.connect();
  }

  private connect(): void {
    this.unsubscribe = this.machine.onConsole(({ uart, tNs, data }) => {
      // A run ends at the byte that ended it, not somewhere in the slice after it.
      if (this.abort.signal.aborted || !this.on) return;
      const chunk = { uart, tNs: this.base.virtualNs + tNs, data };
      this.heardNs = chunk.tNs;
      this.options.onConsole?.(chunk);
      this.printedBytes += data.length;
      const { consoleLimitBytes: limitBytes = Infinity } = this.options;
      if (this.printedBytes > limitBytes) this.end({ kind: 'console-limit', limitBytes });
      this.engine.feed(uart, data, chunk.tNs);
      this.settle();
    });
  }

  private advance(nowNs: number): void {
    this.heardNs = nowNs;
    for (const watch of this.watches.values()) watch.advance(nowNs);
    this.engine.advance(nowNs);
    this.settle();
  }

  /** Ends the run when the steps have; but a kernel's trace is always let out to its end. */
  private settle(): void {
    if ([...this.watches.values()].some(({ open }) => open)) return;
    const panicked =
      this.failKinds.has('kernel-panic') && this.kernelEvents.some(({ kind }) => kind === 'kernel-panic');
    if (panicked) this.end({ kind: 'kernel-panic' });
    else if (this.engine.endsRun && this.engine.end) this.end(this.engine.end);
  }

  private get deadlineNs(): number {
    let earliest = this.engine.deadlineNs;
    for (const watch of this.watches.values()) earliest = Math.min(earliest, watch.deadlineNs);
    return earliest;
  }

  private get lookaheadNs(): number {
    return this.options.failOn === 'none'
      ? this.engine.lookaheadNs
      : Math.min(this.engine.lookaheadNs, KERNEL_QUIET_NS);
  }

  private watchOf(console: string): KernelWatch {
    const known = this.watches.get(console);
    if (known) return known;
    const watch = new KernelWatch(console, (event) => {
      this.kernelEvents.push(event);
      this.options.onKernelEvent?.(event);
    });
    this.watches.set(console, watch);
    return watch;
  }

  private end(cause: RunEnd): void {
    if (this.abort.signal.aborted) return;
    this.cause = cause;
    this.endedNs = this.heardNs;
    this.abort.abort();
  }

  private async report(end: StretchEnd): Promise<RunReport> {
    const { cause } = this;
    // The machine may have come to an end of its own in the slice in which we stopped it: what came first counts. Only
    // a cancellation, which comes from outside virtual time, gives way.
    const stoppedFirst = cause !== undefined && (cause.kind !== 'aborted' || end.kind === 'aborted');
    const reproducible = cause === undefined && end.kind !== 'wall-guard';
    const exact = stoppedFirst && cause.kind !== 'aborted';
    return {
      end: stoppedFirst ? cause : end.kind === 'aborted' ? { kind: 'aborted' } : end,
      steps: this.engine.stepRecords,
      kernel: this.kernelEvents,
      virtualNs: exact ? this.endedNs : this.nowNs,
      instructions: this.instructions,
      ramSha256: reproducible && this.on ? await this.machine.ramSha256() : undefined,
    };
  }
}

/** Which kernel events of a run fail its job. */
export function failingEvents(events: readonly KernelEvent[], failOn: readonly FailOn[] | undefined): KernelEvent[] {
  const kinds = failOnKinds(failOn);
  return events.filter(({ kind }) => kinds.has(kind));
}
