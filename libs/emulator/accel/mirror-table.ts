import { LOWEST_MIRRORED, MirrorPage } from '../jit/ir/index.js';
import type { LinearMemory, RamBlock } from '../memory/index.js';
import { PAGE_SHIFT } from '../memory/index.js';
import { DispatchTable } from './dispatch-table.js';

/** Pages of a 32-bit address space. */
const PAGES = 2 ** 20;
/**
 * Generated code looks an access of 2^n bytes up by its address rotated right by n bits, over the page size: aligned
 * addresses find their page, others something far behind the last page, which stays 0. Widest access: 8 bytes.
 */
const TABLE_BYTES = PAGES * 8;

/**
 * Says which pages of the current address space lie in a RAM block at their own address, so that translations reach
 * them by adding a constant: a byte a page and kind of access, see {@link MirrorPage}. Filled and emptied with the soft TLB.
 */
export class MirrorTable {
  static readonly bytes = 2 * TABLE_BYTES + PAGES + 192 + DispatchTable.bytes;
  /** Linear-memory offsets of the tables. */
  readonly reads: number;
  readonly writes: number;
  /** A byte a page and no more: targets of branches are aligned. */
  readonly fetches: number;
  readonly dispatch: DispatchTable;
  readonly #readable: Uint8Array;
  readonly #writable: Uint8Array;
  readonly #executable: Uint8Array;
  readonly #filled = new Set<number>();

  constructor(
    memory: LinearMemory,
    readonly block: RamBlock,
  ) {
    this.reads = memory.allocate(TABLE_BYTES);
    this.writes = memory.allocate(TABLE_BYTES);
    this.fetches = memory.allocate(PAGES);
    this.#readable = new Uint8Array(memory.buffer, this.reads, PAGES);
    this.#writable = new Uint8Array(memory.buffer, this.writes, PAGES);
    this.#executable = new Uint8Array(memory.buffer, this.fetches, PAGES);
    this.dispatch = new DispatchTable(memory, (page) => this.#executable[page] === 1);
  }

  /** Reading is allowed, and what else is said; what was allowed stays so. Nothing is below {@link LOWEST_MIRRORED}. */
  allow(address: number, allowed: { readonly write: boolean; readonly fetch: boolean }): void {
    if (address < LOWEST_MIRRORED) return;
    const page = address >>> PAGE_SHIFT;
    this.#filled.add(page);
    add(this.#readable, page);
    if (allowed.write) add(this.#writable, page);
    if (!allowed.fetch) return;
    this.#executable[page] = 1;
    this.dispatch.allow(page);
  }

  clear(): void {
    for (const page of this.#filled) this.#forbid(page);
    this.#filled.clear();
  }

  clearPage(address: number): void {
    const page = address >>> PAGE_SHIFT;
    this.#forbid(page);
    this.#filled.delete(page);
  }

  #forbid(page: number): void {
    remove(this.#readable, page);
    remove(this.#writable, page);
    if (this.#executable[page] === 0) return;
    this.#executable[page] = 0;
    this.dispatch.forbid(page);
  }

  /** Is reading an address allowed, or writing it? */
  allows(address: number, write: boolean): boolean {
    return (write ? this.#writable : this.#readable)[address >>> PAGE_SHIFT] !== 0;
  }

  /** @param offset of the one page in the block; default: all pages */
  clearWrites(offset?: number): void {
    if (offset !== undefined) remove(this.#writable, offset >>> PAGE_SHIFT);
    else for (const page of this.#filled) remove(this.#writable, page);
  }
}

function add(table: Uint8Array, page: number): void {
  table[page] = table[page + 1] ? MirrorPage.there | MirrorPage.next : MirrorPage.there;
  if (table[page - 1]) table[page - 1] = MirrorPage.there | MirrorPage.next;
}

function remove(table: Uint8Array, page: number): void {
  table[page] = 0;
  if (table[page - 1]) table[page - 1] = MirrorPage.there;
}
