import { EmulatorError } from './errors.js';

/**
 * Virtual time and everything that happens in it.
 *
 * Time is an integer count of virtual nanoseconds since power-on (exact up to 2^53 ns, 104 days). Whoever runs the CPU
 * moves it forward as instructions execute; nothing here ever looks at the host's clock. Timers that are due at the
 * same instant fire in the order in which they were armed, so a run is a pure function of its inputs.
 */
export class Scheduler {
  #nowNs = 0;
  /** Armed timers, soonest last, so that taking the next one is a pop. */
  readonly #queue: Timer[] = [];
  #nextDeadlineNs = Infinity;

  /** Current virtual time in nanoseconds. */
  get nowNs(): number {
    return this.#nowNs;
  }

  /** Deadline of the soonest armed timer, `Infinity` when none is armed. */
  get nextDeadlineNs(): number {
    return this.#nextDeadlineNs;
  }

  /**
   * Moves time to `nowNs` without firing anything: the CPU does this before a device is accessed in the middle of a
   * run. Never goes back.
   */
  setTime(nowNs: number): void {
    if (nowNs < this.#nowNs) throw new EmulatorError(`virtual time ran backwards: ${this.#nowNs} -> ${nowNs}`);
    this.#nowNs = nowNs;
  }

  /** Fires every timer that is due at or before the current time, in deadline order. */
  fireDue(): void {
    while (this.#nextDeadlineNs <= this.#nowNs) {
      const timer = this.#queue.pop() as Timer; // not empty: the deadline is finite
      this.#updateNext();
      timer.expire();
    }
  }

  /** @internal used by {@link Timer} */
  insert(timer: Timer): void {
    let index = this.#queue.length;
    while (index > 0 && (this.#queue[index - 1] as Timer).deadlineNs <= timer.deadlineNs) index--;
    this.#queue.splice(index, 0, timer);
    this.#updateNext();
  }

  /** @internal used by {@link Timer} */
  remove(timer: Timer): void {
    const index = this.#queue.indexOf(timer);
    if (index >= 0) this.#queue.splice(index, 1);
    this.#updateNext();
  }

  #updateNext(): void {
    this.#nextDeadlineNs = this.#queue.at(-1)?.deadlineNs ?? Infinity;
  }
}

/** One device's alarm. A timer is created once and armed as often as needed; its deadline is part of device state. */
export class Timer {
  #deadlineNs = Infinity;

  constructor(
    private readonly scheduler: Scheduler,
    readonly name: string,
    private readonly onExpire: (deadlineNs: number) => void,
  ) {}

  /** Virtual time at which it fires, `Infinity` while disarmed. */
  get deadlineNs(): number {
    return this.#deadlineNs;
  }

  get armed(): boolean {
    return this.#deadlineNs !== Infinity;
  }

  /** Arms for an absolute virtual time, replacing an earlier deadline. A time in the past fires at the next chance. */
  arm(deadlineNs: number): void {
    if (this.armed) this.scheduler.remove(this);
    this.#deadlineNs = Math.max(Math.ceil(deadlineNs), 0);
    if (this.armed) this.scheduler.insert(this);
  }

  disarm(): void {
    if (!this.armed) return;
    this.#deadlineNs = Infinity;
    this.scheduler.remove(this);
  }

  /** @internal called by the scheduler after it took the timer off its queue */
  expire(): void {
    const deadline = this.#deadlineNs;
    this.#deadlineNs = Infinity;
    this.onExpire(deadline);
  }
}
