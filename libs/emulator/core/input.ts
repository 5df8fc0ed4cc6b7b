import type { Scheduler } from './clock.js';
import { Timer } from './clock.js';

/** One thing the outside did to the machine, stamped with the virtual time at which the guest can first see it. */
export interface InputEvent {
  readonly tNs: number;
  /** Name of the sink, for example `uart0`. */
  readonly target: string;
  readonly data: Uint8Array;
}

/**
 * The only door through which the outside reaches a machine. Each event gets a stamp when it enters and is delivered
 * at exactly that instant; {@link log} plus the images therefore determine the whole run.
 */
export class InputQueue {
  readonly #sinks = new Map<string, (data: Uint8Array) => void>();
  readonly #pending: InputEvent[] = [];
  readonly #log: InputEvent[] = [];
  readonly #timer: Timer;

  constructor(private readonly scheduler: Scheduler) {
    this.#timer = new Timer(scheduler, 'input', () => this.#deliver());
  }

  /** Everything that was delivered so far, in order. */
  get log(): readonly InputEvent[] {
    return this.#log;
  }

  attach(target: string, sink: (data: Uint8Array) => void): void {
    this.#sinks.set(target, sink);
  }

  /**
   * Enters an event.
   * @param tNs stamp; default now. A replayed log passes its recorded stamps, which must not decrease.
   */
  push(target: string, data: Uint8Array, tNs: number = this.scheduler.nowNs): void {
    if (!this.#sinks.has(target))
      throw new RangeError(`no input named '${target}'; there are: ${[...this.#sinks.keys()].join(', ')}`);
    const last = this.#pending.at(-1);
    const stamp = Math.max(tNs, this.scheduler.nowNs, last?.tNs ?? 0);
    this.#pending.push({ tNs: stamp, target, data: data.slice() });
    if (!this.#timer.armed) this.#timer.arm(stamp);
  }

  #deliver(): void {
    for (let event = this.#pending[0]; event && event.tNs <= this.scheduler.nowNs; event = this.#pending[0]) {
      this.#pending.shift();
      this.#log.push(event);
      this.#sinks.get(event.target)?.(event.data);
    }
    const next = this.#pending[0];
    if (next) this.#timer.arm(next.tNs);
  }
}
