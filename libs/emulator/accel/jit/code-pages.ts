import { getOrInsertComputed } from '../../core/index.js';
import type { RamBlock } from '../../memory/index.js';
import { PAGE_BYTES, PAGE_MASK } from '../../memory/index.js';

/** Linear-memory offset of the page that a linear-memory offset is in. RAM starts at a page there, see `LinearMemory`. */
const pageOf = (linear: number): number => (linear & PAGE_MASK) >>> 0;

/**
 * The pages of RAM that installed regions come from, until they are written to. Places are linear-memory offsets, signed
 * or not.
 */
export class CodePages<Region> {
  readonly #blocks: RamBlock[] = [];
  readonly #regions = new Map<number, Set<Region>>();
  readonly #rewrites = new Map<number, number>();

  /** @param onRewrite is given each region of a page that is written to; none of them is watched there any more */
  constructor(private readonly onRewrite: (region: Region) => void) {}

  /** Code may be in this memory. */
  follow(block: RamBlock): void {
    block.onCodeWrite((_, offset, length) => this.#written(block, offset, length));
    this.#blocks.push(block);
  }

  /** Is this in memory that is followed? */
  has(linear: number): boolean {
    return this.#blockAt(linear >>> 0) !== undefined;
  }

  /** A region comes from the page there. @throws Error for memory that is not followed */
  watch(region: Region, linear: number): void {
    const block = this.#blockAt(linear >>> 0);
    if (!block) throw new Error('code lies in RAM');
    block.markCode((linear >>> 0) - block.linearOffset);
    getOrInsertComputed(this.#regions, pageOf(linear), () => new Set()).add(region);
  }

  /** A region is dropped, for whatever reason. */
  unwatch(region: Region, linear: number): void {
    this.#regions.get(pageOf(linear))?.delete(region);
  }

  /** No region is installed any more. */
  clear(): void {
    this.#regions.clear();
  }

  /** How often the page there was written to while regions came from it. */
  rewrites(linear: number): number {
    return this.#rewrites.get(pageOf(linear)) ?? 0;
  }

  /** Half of the page's rewrites are forgotten. */
  forgive(linear: number): void {
    this.#rewrites.set(pageOf(linear), this.rewrites(linear) >> 1);
  }

  #written(block: RamBlock, offset: number, length: number): void {
    const first = pageOf(block.linearOffset + offset);
    for (let page = first; page < block.linearOffset + offset + length; page += PAGE_BYTES) {
      block.clearCode(page - block.linearOffset);
      const regions = this.#regions.get(page);
      if (!regions) continue;
      this.#regions.delete(page);
      for (const region of regions) this.onRewrite(region);
      this.#rewrites.set(page, this.rewrites(page) + 1);
    }
  }

  #blockAt(linear: number): RamBlock | undefined {
    return this.#blocks.find((block) => linear >= block.linearOffset && linear < block.linearOffset + block.sizeBytes);
  }
}
