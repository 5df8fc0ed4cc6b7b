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

const [TAG, LINEAR, TARGET, SIZE, DISPLACED] = [
  JumpCache.tag >> 2,
  JumpCache.linear >> 2,
  JumpCache.target >> 2,
  JumpCache.size >> 2,
  JumpCache.displaced >> 2,
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

  /**
   * Has what an entry is in use for just taken the place of a translation? It was not visited often then, and will not be said to have
   * done so again.
   */
  takeDisplacer(offset: number): boolean {
    const at = ((offset - this.offset) >> 2) + DISPLACED;
    if (((this.#words[at] as number) & JumpCache.displacedVisits) !== JumpCache.displacedTranslation) return false;
    this.#words[at] = (this.#words[at] as number) + 1;
    return true;
  }

  /** So many visits are left until it is asked for, if there is an entry for it. @param visits at most `JumpCache.maxVisits` count */
  count(key: JumpCacheKey, visits: number): void {
    const at = this.#find(key);
    if (at !== undefined) this.#words[at + TARGET] = -Math.min(visits, JumpCache.maxVisits);
  }

  /** @param word how the translation is entered, see {@link TranslationWord} @param size its instructions */
  enter(key: JumpCacheKey, word: number, size: number): void {
    const at = this.#find(key) ?? this.#place(key);
    this.#words[at + TAG] = key.tag;
    this.#words[at + LINEAR] = key.linear;
    this.#words[at + TARGET] = word;
    this.#words[at + SIZE] = size;
  }

  /** The translation is entered there no more. @param target its index in the function table */
  leave(key: JumpCacheKey, target: number): void {
    const at = this.#find(key);
    if (at === undefined) return;
    const word = this.#words[at + TARGET] as number;
    if (word > 0 && TranslationWord.targetOf(word) === target) this.#words.fill(0, at, at + 4);
  }

  clear(): void {
    this.#words.fill(0);
  }

  /** Index of the first word of the entry that is in use for this. */
  #find(key: JumpCacheKey): number | undefined {
    return this.#entriesOf(key).find(
      (at) => this.#words[at + TAG] === key.tag && this.#words[at + LINEAR] === key.linear,
    );
  }

  /** The entry to be taken. */
  #place(key: JumpCacheKey): number {
    const [own, alternate] = this.#entriesOf(key);
    const target = (at: number): number => this.#words[at + TARGET] as number;
    return JumpCache.isColder(target(alternate), target(own)) ? alternate : own;
  }

  #entriesOf({ tag }: JumpCacheKey): readonly [own: number, alternate: number] {
    const offset = JumpCache.offset(tag & ~3, tag & 3);
    return [offset >> 2, (offset ^ JumpCache.alternate) >> 2];
  }
}
