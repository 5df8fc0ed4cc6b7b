import type { RamBlock } from '../../memory/index.js';
import { PAGE_BYTES, PAGE_SHIFT } from '../../memory/index.js';

/** No page is left: the system of processes needs more memory than it was given. */
export class OutOfPages extends Error {}

/**
 * Physical pages of a system of processes, counted by reference: a page belongs to as many page table entries and caches
 * as its count says. Pages come zeroed. The order in which they are handed out is fixed, so that runs repeat exactly.
 *
 * The block's first part mirrors the address space: a page asked for with a virtual address gets the physical page of the
 * same number while that is free. Translated code reaches such pages without a look-up (decision 19). The second part
 * serves all other requests, then what is left of the first does.
 */
export class PagePool {
  readonly #references: Uint32Array;
  /** Pages that were handed out before: their bytes are stale. */
  readonly #stale: Uint8Array;
  /** Pages of the second part given back, the last one first. */
  readonly #free: number[] = [];
  /** Pages of the second part from here on were never used. */
  #next: number;
  /** Pages of the first part below here may be free for anyone. */
  #spare: number;
  #used = 0;
  #peak = 0;
  #spaces = 0;

  /**
   * @param mirroredPages size of the first part
   * @param limitPages most pages in use at the same time
   */
  constructor(
    readonly block: RamBlock,
    readonly mirroredPages = 1,
    readonly limitPages = (block.sizeBytes >>> PAGE_SHIFT) - mirroredPages,
  ) {
    const pages = Math.floor(block.sizeBytes / PAGE_BYTES);
    // V8 collects garbage sooner where it holds megabytes for buffers, touched or not; shared ones do not count.
    this.#references = new Uint32Array(new SharedArrayBuffer(pages * Uint32Array.BYTES_PER_ELEMENT));
    this.#stale = new Uint8Array(new SharedArrayBuffer(pages));
    this.#next = mirroredPages;
    this.#spare = mirroredPages;
  }

  /** A number for another address space that gets its pages here, from 1 on. */
  takeSpaceIdentifier(): number {
    return ++this.#spaces;
  }

  get totalPages(): number {
    return this.limitPages;
  }

  get usedPages(): number {
    return this.#used;
  }

  get peakPages(): number {
    return this.#peak;
  }

  /**
   * @param address virtual address that the page is for
   * @returns a zeroed page's number, with one reference. @throws OutOfPages
   */
  allocate(address?: number): number {
    const page = this.#take(address);
    if (this.#stale[page]) this.block.bytes.fill(0, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    this.#stale[page] = 1;
    this.written(page);
    return page;
  }

  /** @returns a new page with the bytes of another. @throws OutOfPages */
  copy(source: number, address?: number): number {
    const page = this.#take(address);
    this.block.bytes.copyWithin(page * PAGE_BYTES, source * PAGE_BYTES, (source + 1) * PAGE_BYTES);
    this.#stale[page] = 1;
    this.written(page);
    return page;
  }

  /**
   * A copy of a page in the place that mirrors an address, where translated code reaches it best.
   * @returns undefined where that place, or any room at all, is taken, or the page is somebody else's too
   */
  copyToMirror(source: number, address: number): number | undefined {
    const free = this.#mirror(address) !== undefined && this.#used < this.limitPages;
    return free && this.references(source) === 1 ? this.copy(source, address) : undefined;
  }

  #take(address: number | undefined): number {
    if (this.#used >= this.limitPages) throw new OutOfPages();
    const page = this.#mirror(address) ?? this.#free.pop() ?? this.#fresh();
    this.#references[page] = 1;
    this.#peak = Math.max(this.#peak, ++this.#used);
    return page;
  }

  /** The page that mirrors an address, if there is one and it is free. Page 0 is never handed out. */
  #mirror(address: number | undefined): number | undefined {
    if (address === undefined) return undefined;
    const page = Math.floor(address / PAGE_BYTES);
    return page > 0 && page < this.mirroredPages && this.references(page) === 0 ? page : undefined;
  }

  #fresh(): number {
    if (this.#next < this.#references.length) return this.#next++;
    while (this.#spare > 1) if (this.references(--this.#spare) === 0) return this.#spare;
    throw new OutOfPages();
  }

  retain(page: number): void {
    this.#references[page] = this.references(page) + 1;
  }

  release(page: number): void {
    const left = this.references(page) - 1;
    this.#references[page] = left;
    if (left > 0) return;
    this.#used--;
    if (page >= this.mirroredPages) this.#free.push(page);
    else this.#spare = Math.max(this.#spare, page + 1);
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
