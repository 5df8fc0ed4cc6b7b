import type { RamBlock } from '../../memory/index.js';
import { PAGE_BYTES, PAGE_SHIFT } from '../../memory/index.js';

/** No page is left: the system of processes needs more memory than it was given. */
export class OutOfPages extends Error {}

/**
 * Physical pages of a system of processes, counted by reference: a page belongs to as many page table entries and caches
 * as its count says. Pages come zeroed. The order in which they are handed out is fixed, so that runs repeat exactly.
 */
export class PagePool {
  readonly #references: Uint32Array;
  /** Pages given back, the last one first; their bytes are stale. */
  readonly #free: number[] = [];
  /** Pages from here on were never used and are zero. Page 0 is never handed out. */
  #next = 1;
  #peak = 0;

  constructor(readonly block: RamBlock) {
    this.#references = new Uint32Array(block.sizeBytes >>> PAGE_SHIFT);
  }

  get totalPages(): number {
    return this.#references.length - 1;
  }

  get usedPages(): number {
    return this.#next - 1 - this.#free.length;
  }

  get peakPages(): number {
    return this.#peak;
  }

  /** @returns a zeroed page's number, with one reference. @throws OutOfPages */
  allocate(): number {
    const page = this.#take();
    this.block.bytes.fill(0, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    this.written(page);
    return page;
  }

  /** @returns a new page with the bytes of another. @throws OutOfPages */
  copy(source: number): number {
    const page = this.#take();
    this.block.bytes.copyWithin(page * PAGE_BYTES, source * PAGE_BYTES, (source + 1) * PAGE_BYTES);
    this.written(page);
    return page;
  }

  #take(): number {
    const page = this.#free.pop() ?? this.#next;
    if (page === this.#next) {
      if (page >= this.#references.length) throw new OutOfPages();
      this.#next++;
    }
    this.#references[page] = 1;
    this.#peak = Math.max(this.#peak, this.usedPages);
    return page;
  }

  retain(page: number): void {
    this.#references[page] = this.references(page) + 1;
  }

  release(page: number): void {
    const left = this.references(page) - 1;
    this.#references[page] = left;
    if (left === 0) this.#free.push(page);
  }

  references(page: number): number {
    return this.#references[page] as number;
  }

  /** The page's bytes themselves; whoever changes them says so with {@link written}. */
  bytes(page: number): Uint8Array {
    return this.block.bytes.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
  }

  /** Announces a change that no guest store made: translations of code on the page are dropped. */
  written(page: number, offset = 0, length = PAGE_BYTES): void {
    this.block.markWritten(page * PAGE_BYTES + offset, length);
  }
}
