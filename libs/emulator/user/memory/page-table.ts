/** Bits of a page table entry below the page number. */
export const Entry = { Read: 1, Write: 2, Execute: 4, Present: 8 } as const;

const TABLE_ENTRIES = 1024;

/** Virtual page to physical page: two levels, the second made where something is mapped. */
export class PageTable {
  readonly #tables: (Uint32Array | undefined)[] = [];
  #present = 0;

  /** Pages that are there. */
  get present(): number {
    return this.#present;
  }

  /** The entry for an address: physical page number × 4096 + {@link Entry} bits; 0 when nothing is there. */
  get(address: number): number {
    return this.#tables[address >>> 22]?.[(address >>> 12) & (TABLE_ENTRIES - 1)] ?? 0;
  }

  set(address: number, entry: number): void {
    const table = (this.#tables[address >>> 22] ??= new Uint32Array(TABLE_ENTRIES));
    const index = (address >>> 12) & (TABLE_ENTRIES - 1);
    this.#present += Number(entry !== 0) - Number(table[index] !== 0);
    table[index] = entry;
  }

  /** Every present page of a range, ascending. */
  forEach(start: number, end: number, visit: (address: number, entry: number) => void): void {
    for (let address = start; address < end;) {
      const table = this.#tables[address >>> 22];
      const tableStart = (address >>> 22) * TABLE_ENTRIES * 4096;
      const tableEnd = Math.min(end, tableStart + TABLE_ENTRIES * 4096);
      if (table) {
        const last = Math.ceil((tableEnd - tableStart) / 4096);
        for (let index = (address - tableStart) >>> 12; index < last; index++) {
          const entry = table[index] as number;
          if (entry !== 0) visit(tableStart + index * 4096, entry);
        }
      }
      address = tableEnd;
    }
  }
}
