import { JumpCache } from '../jit/ir/index.js';
import type { LinearMemory } from '../memory/index.js';

/** What an entry is in use for, as it says: an address with a mode key, and a place in linear memory. Signed numbers. */
export interface JumpCacheKey {
  readonly tag: number;
  readonly linear: number;
}

export const jumpCacheKey = (address: number, modeKey: number, linear: number): JumpCacheKey => ({
  tag: (address + modeKey) | 0,
  linear: linear | 0,
});

const [TAG, LINEAR, TARGET, ENTRY] = [
  JumpCache.tag >> 2,
  JumpCache.linear >> 2,
  JumpCache.target >> 2,
  JumpCache.entry >> 2,
];

/** What the host writes to a vCPU's jump cache. */
export class JumpCacheTable {
  /** In linear memory. */
  readonly offset: number;
  readonly #words: Int32Array;

  constructor(memory: LinearMemory) {
    this.offset = memory.allocate(JumpCache.bytes);
    this.#words = new Int32Array(memory.buffer, this.offset, JumpCache.bytes >> 2);
  }

  /** What the entry at an offset in linear memory is in use for. */
  keyAt(offset: number): JumpCacheKey {
    const at = (offset - this.offset) >> 2;
    return { tag: this.#words[at + TAG] as number, linear: this.#words[at + LINEAR] as number };
  }

  /** So many visits are left until it is asked for, if the entry is in use for this. */
  count(key: JumpCacheKey, visits: number): void {
    const at = this.#indexOf(key);
    if (this.#isFor(at, key)) this.#words[at + TARGET] = -visits;
  }

  /** @param target index of the translation @param entry where it is entered, and its size, as `packEntry` does */
  enter(key: JumpCacheKey, target: number, entry: number): void {
    const at = this.#indexOf(key);
    this.#words[at + TAG] = key.tag;
    this.#words[at + LINEAR] = key.linear;
    this.#words[at + TARGET] = target;
    this.#words[at + ENTRY] = entry;
  }

  /** The translation is entered there no more. */
  leave(key: JumpCacheKey, target: number): void {
    const at = this.#indexOf(key);
    if (this.#words[at + TARGET] === target && this.#words[at + LINEAR] === key.linear) this.#words.fill(0, at, at + 4);
  }

  clear(): void {
    this.#words.fill(0);
  }

  #indexOf({ tag }: JumpCacheKey): number {
    return JumpCache.offset(tag & ~3, tag & 3) >> 2;
  }

  #isFor(at: number, { tag, linear }: JumpCacheKey): boolean {
    return this.#words[at + TAG] === tag && this.#words[at + LINEAR] === linear;
  }
}
