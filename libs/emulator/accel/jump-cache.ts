import { JumpCache, TranslationWord } from '../jit/ir/index.js';
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

const [TAG, LINEAR, TARGET, SIZE] = [
  JumpCache.tag >> 2,
  JumpCache.linear >> 2,
  JumpCache.target >> 2,
  JumpCache.size >> 2,
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

  /** So many visits are left until it is asked for, if the entry is in use for this. @param visits at most `JumpCache.maxVisits` count */
  count(key: JumpCacheKey, visits: number): void {
    const at = this.#indexOf(key);
    if (this.#isFor(at, key)) this.#words[at + TARGET] = -Math.min(visits, JumpCache.maxVisits);
  }

  /** @param word how the translation is entered, see {@link TranslationWord} @param size its instructions */
  enter(key: JumpCacheKey, word: number, size: number): void {
    const at = this.#indexOf(key);
    this.#words[at + TAG] = key.tag;
    this.#words[at + LINEAR] = key.linear;
    this.#words[at + TARGET] = word;
    this.#words[at + SIZE] = size;
  }

  /** The translation is entered there no more. @param target its index in the function table */
  leave(key: JumpCacheKey, target: number): void {
    const at = this.#indexOf(key);
    const word = this.#words[at + TARGET] as number;
    if (word <= 0 || TranslationWord.targetOf(word) !== target) return;
    if (this.#words[at + LINEAR] === key.linear) this.#words.fill(0, at, at + 4);
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
