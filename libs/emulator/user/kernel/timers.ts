import type { GuestClock } from './contracts.js';

/** One of a process's timers: fires once or periodically, on a clock that others advance. */
export class IntervalTimer {
  #cancel: (() => void) | undefined;
  #deadlineNs = Infinity;
  #intervalNs = 0;

  /** @param onExpire @param overrun how many periods passed at once, beyond the first */
  constructor(
    private readonly clock: GuestClock,
    private readonly onExpire: (overrun: number) => void,
  ) {}

  /** ns until it fires, and its period; 0 while disarmed. */
  get setting(): { remainingNs: number; intervalNs: number } {
    if (this.#deadlineNs === Infinity) return { remainingNs: 0, intervalNs: this.#intervalNs };
    return { remainingNs: Math.max(1, this.#deadlineNs - this.clock.monotonicNs()), intervalNs: this.#intervalNs };
  }

  arm(deadlineNs: number, intervalNs: number): void {
    this.disarm();
    this.#deadlineNs = deadlineNs;
    this.#intervalNs = intervalNs;
    this.#cancel = this.clock.at(deadlineNs, () => this.#expire());
  }

  disarm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#deadlineNs = Infinity;
  }

  #expire(): void {
    const late = this.clock.monotonicNs() - this.#deadlineNs;
    const interval = this.#intervalNs;
    const overrun = interval > 0 ? Math.max(0, Math.floor(late / interval)) : 0;
    if (interval > 0) this.arm(this.#deadlineNs + (overrun + 1) * interval, interval);
    else this.disarm();
    this.onExpire(overrun);
  }
}

/** A timer on a process's own processor time (ITIMER_VIRTUAL, ITIMER_PROF). */
export interface CpuTimer {
  deadlineNs: number;
  intervalNs: number;
  readonly signal: string;
}

/** What timer_create makes. */
export interface PosixTimer {
  readonly id: number;
  readonly clockId: number;
  readonly timer: IntervalTimer;
  overrun: number;
}

/** All timers of one process. */
export class ProcessTimers {
  readonly real: IntervalTimer;
  readonly cpu: CpuTimer[] = [
    { deadlineNs: Infinity, intervalNs: 0, signal: 'SIGVTALRM' },
    { deadlineNs: Infinity, intervalNs: 0, signal: 'SIGPROF' },
  ];
  readonly posix = new Map<number, PosixTimer>();
  #nextId = 0;

  constructor(clock: GuestClock, onAlarm: () => void) {
    this.real = new IntervalTimer(clock, onAlarm);
  }

  takeId(): number {
    return this.#nextId++;
  }

  /** For execve: timers made with timer_create end, the interval timers go on. */
  exec(): void {
    for (const { timer } of this.posix.values()) timer.disarm();
    this.posix.clear();
  }

  end(): void {
    this.exec();
    this.real.disarm();
  }
}
