const NS_PER_SECOND = 1_000_000_000;

/**
 * A part's crystal: converts between virtual nanoseconds and whole clock cycles since power-on. Exact for frequencies
 * up to 4 MHz, because seconds and the rest are converted apart and every product stays below 2^53.
 */
export class Oscillator {
  constructor(readonly hz: number) {}

  /** Cycles completed at a virtual time. */
  cyclesAt(timeNs: number): number {
    const seconds = Math.floor(timeNs / NS_PER_SECOND);
    return seconds * this.hz + Math.floor(((timeNs - seconds * NS_PER_SECOND) * this.hz) / NS_PER_SECOND);
  }

  /** The first nanosecond at which that many cycles are complete. */
  timeOf(cycles: number): number {
    const seconds = Math.floor(cycles / this.hz);
    return seconds * NS_PER_SECOND + Math.ceil(((cycles - seconds * this.hz) * NS_PER_SECOND) / this.hz);
  }
}
