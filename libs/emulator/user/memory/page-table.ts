/** Bits of a page table entry below the page number. */
export const Entry = { Read: 1, Write: 2, Execute: 4, Present: 8 } as const;

const TABLE_ENTRIES = 1024;

/** Virtual page to physical page: two levels, the second made where something is mapped. */
export class PageTable {
  readonly #tables: (Uint32Array | undefined)[] = [];

  /** The entry for an address: physical page number × 4096 + {@link Entry} bits; 0 when nothing is there. */
  get(address: number): number {
    return this.#tables[address >>> 22]?.[(address >>> 12) & (TABLE_ENTRIES - 1)] ?? 0;
  }

  set(address: number, entry: number): void {
    const table = (this.#tables[address >>> 22] ??= new Uint32Array(TABLE_ENTRIES));
    table[(address >>> 12) & (TABLE_ENTRIES - 1)] = entry;
  }

  /** Every present page of a range, ascending. */
  forEach(start: number, end: number, visit: (address: number, entry: number) => void): void {
    for (let address = start; address < end;) {
      const table = this.#tables[address >>> 22];
      const tableEnd = ((address >>> 22) + 1) * TABLE_ENTRIES * 4096;
      if (table) {
        for (; address < Math.min(end, tableEnd); address += 4096) {
          const entry = table[(address >>> 12) & (TABLE_ENTRIES - 1)] as number;
          if (entry !== 0) visit(address, entry);
        }
      }
      address = tableEnd;
    }
  }
}
