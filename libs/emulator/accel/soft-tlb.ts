import { SoftTlb } from '../jit/ir/index.js';
import type { LinearMemory } from '../memory/index.js';
import { PAGE_MASK } from '../memory/index.js';

/** Kernel, supervisor and user translations side by side, so that a mode switch flushes nothing. */
const MODES = 3;
/**
 * The address spaces used last keep their tables, so that switching between processes flushes nothing either. Kernels
 * also change the address space for a moment while they edit their TLB.
 */
const CONTEXTS = 4;
const TABLES = MODES * CONTEXTS;
const TABLE_BYTES = SoftTlb.modeStride;
const WORDS_PER_ENTRY = 1 << (SoftTlb.entryShift - 2);
const TABLE_WORDS = TABLE_BYTES >> 2;
const TableState = {
  /** Nothing was filled since the last flush. */
  Empty: 0,
  Used: 1,
  /** Fresh memory, which would hit: emptied when the first address space gets it. */
  Untouched: 2,
} as const;
/** No page starts there. */
const NOWHERE = 0xffff_ffff;

/** The soft TLBs of one vCPU in linear memory; generated code reads them, the slow path fills them. */
export class SoftTlbTables {
  static readonly bytes = TABLES * TABLE_BYTES;
  readonly #base: number;
  readonly #words: Int32Array;
  #context = 0;
  /** Address space identifier of each context, -1 for none; and when it was selected last. */
  readonly #identifiers = new Int32Array(CONTEXTS).fill(-1);
  readonly #lastUse = new Float64Array(CONTEXTS);
  #selections = 0;
  /** By table: most flushes find nothing to do. */
  readonly #state = new Uint8Array(TABLES).fill(TableState.Untouched);
  /** For each table that was ever used: where the pages start in linear memory to which its entries permit stores. */
  readonly #writable: (Uint32Array | undefined)[] = [];

  /** @param mode one element that holds the current mode, 0..2; generated code may change it */
  constructor(
    memory: LinearMemory,
    private readonly mode: Int32Array,
  ) {
    this.#base = memory.allocate(SoftTlbTables.bytes);
    this.#words = new Int32Array(memory.buffer, this.#base, SoftTlbTables.bytes >> 2);
    for (let table = 0; table < MODES; table++) this.#flushTable(table);
  }

  /** Linear-memory offset of the current mode's table. */
  get base(): number {
    return this.#base + this.#table * TABLE_BYTES;
  }

  get #table(): number {
    return this.#context * MODES + (this.mode[0] as number);
  }

  /** Continues with the translations of an address space; the one selected longest ago makes room. */
  selectAddressSpace(identifier: number): void {
    let context = this.#identifiers.indexOf(identifier);
    if (context < 0) {
      context = this.#lastUse.indexOf(Math.min(...this.#lastUse));
      this.#identifiers[context] = identifier;
      for (let mode = 0; mode < MODES; mode++) this.#flushTable(context * MODES + mode);
    }
    this.#lastUse[context] = ++this.#selections;
    this.#context = context;
  }

  /** Drops everything, in all address spaces. */
  flush(): void {
    for (let table = 0; table < TABLES; table++) if (this.#isUsed(table)) this.#flushTable(table);
  }

  #isUsed(table: number): boolean {
    return this.#state[table] === TableState.Used;
  }

  #flushTable(table: number): void {
    if (this.#state[table] === TableState.Empty) return;
    this.#state[table] = TableState.Empty;
    this.#words.fill(SoftTlb.invalidTag, table * TABLE_WORDS, (table + 1) * TABLE_WORDS);
    this.#writable[table]?.fill(NOWHERE);
  }

  /** Drops one 4 KiB page, in all modes and address spaces. */
  flushPage(address: number): void {
    for (let table = 0; table < TABLES; table++) {
      if (!this.#isUsed(table)) continue;
      const index = this.#indexOf(address);
      const at = table * TABLE_WORDS + index;
      this.#words.fill(SoftTlb.invalidTag, at, at + WORDS_PER_ENTRY);
      this.#writableOf(table)[index / WORDS_PER_ENTRY] = NOWHERE;
    }
  }

  /**
   * Store permissions became stale (dirty tracking, code tracking): drops write tags only.
   * @param linear where the page starts in linear memory; default: all pages
   */
  flushWriteTags(linear?: number): void {
    for (let table = 0; table < TABLES; table++) {
      if (!this.#isUsed(table)) continue;
      const writable = this.#writableOf(table);
      const drop = (entry: number): void => {
        this.#words[table * TABLE_WORDS + entry * WORDS_PER_ENTRY + (SoftTlb.writeTag >> 2)] = SoftTlb.invalidTag;
        writable[entry] = NOWHERE;
      };
      if (linear === undefined) writable.forEach((page, entry) => page !== NOWHERE && drop(entry));
      else for (let at = writable.indexOf(linear); at >= 0; at = writable.indexOf(linear, at + 1)) drop(at);
    }
  }

  #writableOf(table: number): Uint32Array {
    return (this.#writable[table] ??= new Uint32Array(SoftTlb.entries).fill(NOWHERE));
  }

  /**
   * Enters a page of the current mode. Tags that this fill does not allow keep their value if they are the same page's.
   * @param linearOffset where the page starts in linear memory
   */
  fill(
    address: number,
    linearOffset: number,
    allow: { readonly read: boolean; readonly write: boolean; readonly fetch: boolean },
  ): void {
    const page = address & PAGE_MASK;
    const index = this.#indexOf(address);
    const at = this.#table * TABLE_WORDS + index;
    const addend = (linearOffset - page) | 0;
    this.#state[this.#table] = TableState.Used;
    const w = this.#words;
    if (w[at + 3] !== addend) w.fill(SoftTlb.invalidTag, at, at + 3);
    w[at + 3] = addend;
    const enter = (tag: number, allowed: boolean): void => {
      if (allowed) w[at + (tag >> 2)] = page;
      else if (w[at + (tag >> 2)] !== page) w[at + (tag >> 2)] = SoftTlb.invalidTag;
    };
    enter(SoftTlb.readTag, allow.read);
    enter(SoftTlb.writeTag, allow.write);
    enter(SoftTlb.execTag, allow.fetch);
    const writable = w[at + (SoftTlb.writeTag >> 2)] === page;
    this.#writableOf(this.#table)[index / WORDS_PER_ENTRY] = writable ? linearOffset : NOWHERE;
  }

  /** Linear-memory offset of a byte that the current mode may fetch, or -1. */
  fetchOffset(address: number): number {
    const at = this.#table * TABLE_WORDS + this.#indexOf(address);
    if (this.#words[at + (SoftTlb.execTag >> 2)] !== (address & PAGE_MASK)) return -1;
    return (address + (this.#words[at + (SoftTlb.addend >> 2)] as number)) >>> 0;
  }

  /** Calls back for every page that the current mode reaches in the current address space. */
  forEachPage(
    visit: (address: number, linearOffset: number, allowed: { write: boolean; fetch: boolean }) => void,
  ): void {
    if (!this.#isUsed(this.#table)) return;
    const w = this.#words;
    const start = this.#table * TABLE_WORDS;
    for (let at = start; at < start + TABLE_WORDS; at += WORDS_PER_ENTRY) {
      const page = w[at + (SoftTlb.readTag >> 2)] as number;
      if (page === SoftTlb.invalidTag) continue;
      const linear = (page + (w[at + (SoftTlb.addend >> 2)] as number)) >>> 0;
      const write = w[at + (SoftTlb.writeTag >> 2)] === page;
      visit(page >>> 0, linear, { write, fetch: w[at + (SoftTlb.execTag >> 2)] === page });
    }
  }

  #indexOf(address: number): number {
    return ((address >>> 12) & (SoftTlb.entries - 1)) * WORDS_PER_ENTRY;
  }
}
