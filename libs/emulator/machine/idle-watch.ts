/** A guest that has waited for this share of so long idles. */
const IDLE_SHARE = 0.9;
const IDLE_WINDOW_MS = 2000;

/** Tells when a guest that worked begins to idle, from the host time that it takes and that it waits. */
export class IdleWatch {
  #windowStartMs: number;
  #waitedMs = 0;
  #hasWorked = true;

  /** @param nowMs host time in milliseconds, as all times here */
  constructor(nowMs: number) {
    this.#windowStartMs = nowMs;
  }

  /** Notes a wait. @returns whether the guest idles now and did not before */
  waited(fromMs: number, toMs: number): boolean {
    this.#waitedMs += toMs - fromMs;
    const windowMs = toMs - this.#windowStartMs;
    if (windowMs < IDLE_WINDOW_MS) return false;
    const idles = this.#waitedMs > IDLE_SHARE * windowMs;
    const begins = idles && this.#hasWorked;
    this.#windowStartMs = toMs;
    this.#waitedMs = 0;
    this.#hasWorked = !idles;
    return begins;
  }
}
