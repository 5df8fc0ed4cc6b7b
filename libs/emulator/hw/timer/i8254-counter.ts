// One counter of an 8254: counting element, output and gate in each mode, as functions of the clock cycle.
// Intel, "8254 Programmable Interval Timer", order number 231164-005, section "Mode Definitions".

/** How the counter reacts, by the mode's number in the control word. */
export const Mode = {
  InterruptOnTerminalCount: 0,
  OneShot: 1,
  RateGenerator: 2,
  SquareWave: 3,
  SoftwareStrobe: 4,
  HardwareStrobe: 5,
} as const;

/** What a counter remembers; the device declares it as its saved state. */
export interface CounterState {
  mode: number;
  /** Count in clock cycles, 1..65536; 0 until the first one is in the counting element. */
  count: number;
  /** Cycle at which the counting element held `count` at the start of a period, -1 while it waits to be loaded. */
  start: number;
  /** A written count that is not yet in the counting element, 0 for none. */
  nextCount: number;
  /** Cycle at which it goes there, -1 while it waits for a trigger at the gate. */
  loadAt: number;
  /** Position in its period at which it begins, other than 0 for the low half of a square wave. */
  loadPhase: number;
  gate: boolean;
  /** Cycle at which a low gate stopped counting, -1 while the gate lets it count. */
  stoppedAt: number;
}

/** State after power-on, which the data sheet leaves undefined: programmed for nothing, output high. */
export const initialCounter = (gate: boolean) => ({
  mode: 2,
  count: 0,
  start: -1,
  nextCount: 0,
  loadAt: -1,
  loadPhase: 0,
  gate,
  stoppedAt: gate ? -1 : 0,
});

/** The longer half of an odd square wave is the high one. */
const highHalf = (count: number): number => Math.ceil(count / 2);

/** Counting logic over a {@link CounterState}; `cycle` arguments never decrease. */
export class Counter {
  constructor(private readonly state: CounterState) {}

  get mode(): number {
    return this.state.mode;
  }

  /** Null count: the last count written is not yet in the counting element. */
  get isWaiting(): boolean {
    return this.state.count === 0 || this.state.nextCount !== 0;
  }

  /** A control word: the output takes the mode's first level, and counting waits for a count. */
  program(mode: number, cycle: number): void {
    const { gate } = this.state;
    Object.assign(this.state, initialCounter(gate), {
      mode,
      stoppedAt: gate || this.#isTriggeredByGate(mode) ? -1 : cycle,
    });
  }

  /** The first of two bytes of a count: in mode 0 it stops counting and drops the output. */
  beginCount(cycle: number): void {
    this.#advance(cycle);
    if (this.state.mode === Mode.InterruptOnTerminalCount) this.state.start = -1;
  }

  /** A complete count. */
  writeCount(count: number, cycle: number): void {
    this.#advance(cycle);
    const { state } = this;
    state.nextCount = count;
    state.loadPhase = 0;
    if (this.#isTriggeredByGate()) {
      state.loadAt = -1;
    } else if (!this.#isPeriodic() || state.start < 0 || state.stoppedAt >= 0) {
      state.loadAt = cycle + 1;
      if (state.mode === Mode.InterruptOnTerminalCount) state.start = -1;
    } else {
      // The current period, or half-period of a square wave, ends with the old count.
      const phase = (cycle - state.start) % state.count;
      const periodStart = cycle - phase;
      const inHighHalf = state.mode === Mode.SquareWave && phase < highHalf(state.count);
      state.loadAt = periodStart + (inHighHalf ? highHalf(state.count) : state.count);
      state.loadPhase = inHighHalf ? highHalf(count) : 0;
    }
  }

  setGate(level: boolean, cycle: number): void {
    this.#advance(cycle);
    const { state } = this;
    if (level === state.gate) return;
    state.gate = level;
    if (!level) {
      if (!this.#isTriggeredByGate()) state.stoppedAt = cycle;
      return;
    }
    if (this.#isTriggeredByGate() || this.#isPeriodic()) {
      // The rising edge reloads the counting element with the next clock pulse.
      const count = state.nextCount || state.count;
      if (count !== 0) Object.assign(state, { nextCount: count, loadAt: cycle + 1, loadPhase: 0 });
    } else if (state.start >= 0 && state.stoppedAt >= 0) {
      state.start += cycle - state.stoppedAt;
    }
    state.stoppedAt = -1;
  }

  output(cycle: number): boolean {
    this.#advance(cycle);
    const { mode, count, start, stoppedAt } = this.state;
    if (start < 0) return mode !== Mode.InterruptOnTerminalCount;
    const elapsed = this.#elapsed(cycle);
    switch (mode) {
      case Mode.InterruptOnTerminalCount:
        return elapsed >= count;
      case Mode.OneShot:
        return elapsed >= count;
      case Mode.RateGenerator:
        return stoppedAt >= 0 || count === 1 || elapsed % count !== count - 1;
      case Mode.SquareWave:
        return stoppedAt >= 0 || elapsed % count < highHalf(count);
      default:
        return elapsed !== count;
    }
  }

  /** The counting element. @param modulus 65536, or 10000 for a BCD counter */
  value(cycle: number, modulus: number): number {
    this.#advance(cycle);
    const { mode, count, start } = this.state;
    if (start < 0) return 0;
    const elapsed = this.#elapsed(cycle);
    let value = count - elapsed;
    if (mode === Mode.RateGenerator) value = count - (elapsed % count);
    if (mode === Mode.SquareWave) {
      const phase = elapsed % count;
      const half = highHalf(count);
      value = count - (count % 2) - 2 * (phase < half ? phase : phase - half);
    }
    return ((value % modulus) + modulus) % modulus;
  }

  /** First cycle after `cycle` at which the output can change, Infinity when none is in sight. */
  nextEdge(cycle: number): number {
    this.#advance(cycle);
    const { loadAt } = this.state;
    const own = this.#nextOwnEdge(cycle);
    return loadAt > cycle ? Math.min(loadAt, own) : own;
  }

  #nextOwnEdge(cycle: number): number {
    const { mode, count, start, stoppedAt } = this.state;
    if (start < 0 || stoppedAt >= 0) return Infinity;
    const elapsed = cycle - start;
    if (this.#isPeriodic()) {
      if (count === 1) return Infinity;
      const phase = elapsed % count;
      const firstPart = mode === Mode.RateGenerator ? count - 1 : highHalf(count);
      return cycle - phase + (phase < firstPart ? firstPart : count);
    }
    if (elapsed < count) return start + count;
    const isStrobe = mode === Mode.SoftwareStrobe || mode === Mode.HardwareStrobe;
    return isStrobe && elapsed === count ? cycle + 1 : Infinity;
  }

  /** Moves a count whose time has come into the counting element. */
  #advance(cycle: number): void {
    const { state } = this;
    if (state.loadAt < 0 || state.loadAt > cycle) return;
    state.count = state.nextCount;
    state.start = state.loadAt - state.loadPhase;
    if (state.stoppedAt >= 0) state.stoppedAt = Math.max(state.stoppedAt, state.start);
    state.nextCount = 0;
    state.loadAt = -1;
  }

  #elapsed(cycle: number): number {
    return (this.state.stoppedAt >= 0 ? Math.min(this.state.stoppedAt, cycle) : cycle) - this.state.start;
  }

  #isTriggeredByGate(mode = this.state.mode): boolean {
    return mode === Mode.OneShot || mode === Mode.HardwareStrobe;
  }

  #isPeriodic(): boolean {
    return this.state.mode === Mode.RateGenerator || this.state.mode === Mode.SquareWave;
  }
}
