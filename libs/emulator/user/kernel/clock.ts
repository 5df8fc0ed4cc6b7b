import type { Scheduler } from '../../core/index.js';
import { Timer } from '../../core/index.js';
import type { GuestClock } from './contracts.js';

/** A moment at which virtual clocks start unless told otherwise: 2026-01-01T00:00:00Z. */
export const DEFAULT_EPOCH_NS = BigInt(Date.UTC(2026, 0, 1)) * 1_000_000n;

/** The guest's clocks, and how the kernel moves them. */
export interface KernelClock extends GuestClock {
  /** Takes note of time that passed outside. */
  synchronise(): void;
  /** Calls back whoever waited for a time that is over. */
  fireDue(): void;
  /** The soonest time that someone waits for, Infinity when nobody does. */
  readonly nextDeadlineNs: number;
  /** Nothing can run before the next deadline: jump there. @returns host milliseconds to wait instead, 0 for none */
  skipTo(deadlineNs: number): number;
}

function callAt(scheduler: Scheduler, deadlineNs: number, callback: () => void): () => void {
  const timer = new Timer(scheduler, 'guest', callback);
  timer.arm(deadlineNs);
  return () => timer.disarm();
}

/** Time that advances with instructions and jumps when nothing runs: the same in every run. */
export class VirtualClock implements KernelClock {
  constructor(
    private readonly scheduler: Scheduler,
    private readonly epochNs: bigint,
  ) {}

  monotonicNs(): number {
    return this.scheduler.nowNs;
  }

  realtimeNs(): bigint {
    return this.epochNs + BigInt(this.scheduler.nowNs);
  }

  at(deadlineNs: number, callback: () => void): () => void {
    return callAt(this.scheduler, deadlineNs, callback);
  }

  synchronise(): void {
    // Nothing outside moves this clock.
  }

  fireDue(): void {
    this.scheduler.fireDue();
  }

  get nextDeadlineNs(): number {
    return this.scheduler.nextDeadlineNs;
  }

  skipTo(deadlineNs: number): number {
    this.scheduler.setTime(Math.max(deadlineNs, this.scheduler.nowNs));
    return 0;
  }
}

/** The host's time, for programs that a person watches or that talk to the world. */
export class WallClock implements KernelClock {
  readonly #startMs = performance.now();
  readonly #epochNs = BigInt(Date.now()) * 1_000_000n;

  /** @param scheduler keeps deadlines; no CPU moves it */
  constructor(private readonly scheduler: Scheduler) {}

  monotonicNs(): number {
    this.synchronise();
    return this.scheduler.nowNs;
  }

  realtimeNs(): bigint {
    return this.#epochNs + BigInt(this.monotonicNs());
  }

  at(deadlineNs: number, callback: () => void): () => void {
    return callAt(this.scheduler, deadlineNs, callback);
  }

  synchronise(): void {
    const elapsed = Math.round((performance.now() - this.#startMs) * 1e6);
    if (elapsed > this.scheduler.nowNs) this.scheduler.setTime(elapsed);
  }

  fireDue(): void {
    this.scheduler.fireDue();
  }

  get nextDeadlineNs(): number {
    return this.scheduler.nextDeadlineNs;
  }

  skipTo(deadlineNs: number): number {
    return Math.max(0.05, (deadlineNs - this.monotonicNs()) / 1e6);
  }
}
