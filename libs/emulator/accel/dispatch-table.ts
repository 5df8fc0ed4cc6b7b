import type { LinearMemory } from '../memory/index.js';
import { PAGE_BYTES, PAGE_OFFSET, PAGE_SHIFT } from '../memory/index.js';
import { DispatchLayout, TranslationWord } from '../jit/ir/index.js';

/** Pages of code that may have entries at the same time. */
const MAX_BLOCKS = 4096;

/**
 * Where translations of mirrored code are entered, by the address of the branch target: quicker than the jump cache, which
 * must see whether what it has is meant. A page's entries count as long as it may be fetched from.
 */
export class DispatchTable {
  static readonly bytes = DispatchLayout.pagesBytes * DispatchLayout.modeKeys + (1 + MAX_BLOCKS) * PAGE_BYTES + 128;
  /** Linear-memory offset of the first mode key's pages. */
  readonly pages: number;
  /** Linear-memory offset of the blocks; the first one stays empty. */
  readonly blocks: number;
  readonly #words: Int32Array;
  /** Numbers of blocks, by mode key and page. */
  readonly #blockOf = Array.from({ length: DispatchLayout.modeKeys }, () => new Map<number, number>());
  #used = 1;

  /** @param isFetchable may a page be fetched from at its own address? */
  constructor(
    memory: LinearMemory,
    private readonly isFetchable: (page: number) => boolean,
  ) {
    this.pages = memory.allocate(DispatchLayout.pagesBytes * DispatchLayout.modeKeys);
    this.blocks = memory.allocate((1 + MAX_BLOCKS) * PAGE_BYTES);
    this.#words = new Int32Array(memory.buffer);
  }

  /**
   * A translation is entered at an address. There may be no room: the jump cache knows it as well.
   * @param word how, see {@link TranslationWord}
   */
  enter(modeKey: number, address: number, word: number): void {
    const page = address >>> PAGE_SHIFT;
    const blocks = this.#blockOf[modeKey] as Map<number, number>; // mode keys are few
    let block = blocks.get(page);
    if (block === undefined) {
      if (this.#used > MAX_BLOCKS) return;
      blocks.set(page, (block = this.#used++));
      if (this.isFetchable(page)) this.allow(page);
    }
    this.#words[this.#slot(block, address)] = word;
  }

  /** The translation is entered there no more. @param target its index in the function table */
  leave(modeKey: number, address: number, target: number): void {
    const block = this.#blockOf[modeKey]?.get(address >>> PAGE_SHIFT);
    if (block === undefined) return;
    const slot = this.#slot(block, address);
    if (TranslationWord.targetOf(this.#words[slot] as number) === target) this.#words[slot] = 0;
  }

  /** Nothing is entered any more. */
  clear(): void {
    const first = this.blocks >> 2;
    this.#words.fill(0, first, first + ((this.#used * PAGE_BYTES) >> 2));
  }

  /** A page may be fetched from at its own address. @param page its number */
  allow(page: number): void {
    this.#blockOf.forEach((blocks, modeKey) => {
      const block = blocks.get(page);
      if (block !== undefined) this.#words[this.#pageSlot(modeKey, page)] = block * PAGE_BYTES;
    });
  }

  forbid(page: number): void {
    this.#blockOf.forEach((blocks, modeKey) => {
      if (blocks.size > 0) this.#words[this.#pageSlot(modeKey, page)] = 0;
    });
  }

  #slot = (block: number, address: number): number => (this.blocks + block * PAGE_BYTES + (address & PAGE_OFFSET)) >> 2;

  #pageSlot = (modeKey: number, page: number): number =>
    (this.pages + modeKey * DispatchLayout.pagesBytes + 4 * page) >> 2;
}
