import { PAGE_BYTES } from '../../memory/index.js';

/** Bits of a page table entry below the page number. */
export const Entry = { Read: 1, Write: 2, Execute: 4, Present: 8 } as const;

const TABLE_ENTRIES = 1024;
const TABLE_SHIFT = 22;
const TABLE_BYTES = TABLE_ENTRIES * PAGE_BYTES;
/** Of 32-bit addresses. */
const TABLES = 1024;
/** Bits of a word. */
const WORD = 32;

/** What 4 MiB are mapped to. */
interface Table {
  readonly entries: Uint32Array;
  /** A bit for each entry that is not 0: ranges are large and hold few pages. */
  readonly present: Int32Array;
}

/** Virtual page to physical page: two levels, the second made where something is mapped. */
export class PageTable {
  readonly #tables = new Array<Table | undefined>(TABLES).fill(undefined);
  #present = 0;

  /** Pages that are there. */
  get present(): number {
    return this.#present;
  }

  /** The entry for an address: physical page number × 4096 + {@link Entry} bits; 0 when nothing is there. */
  get(address: number): number {
    return this.#tables[address >>> TABLE_SHIFT]?.entries[indexOf(address)] ?? 0;
  }

  set(address: number, entry: number): void {
    const { entries, present } = (this.#tables[address >>> TABLE_SHIFT] ??= {
      entries: new Uint32Array(TABLE_ENTRIES),
      present: new Int32Array(TABLE_ENTRIES / WORD),
    });
    const index = indexOf(address);
    const word = Math.floor(index / WORD);
    const bit = 1 << (index % WORD);
    this.#present += Number(entry !== 0) - Number(entries[index] !== 0);
    entries[index] = entry;
    present[word] = entry === 0 ? (present[word] as number) & ~bit : (present[word] as number) | bit;
  }

  /** Every present page of a range, ascending. */
  forEach(start: number, end: number, visit: (address: number, entry: number) => void): void {
    for (let table = start >>> TABLE_SHIFT; table * TABLE_BYTES < end; table++) {
      const there = this.#tables[table];
      if (!there) continue;
      const { entries, present } = there;
      for (let word = 0; word < present.length; word++) {
        // The lowest bit that is left, as often as there is one.
        for (let left = present[word] as number; left !== 0; left &= left - 1) {
          const index = word * WORD + (WORD - 1 - Math.clz32(left & -left));
          const address = table * TABLE_BYTES + index * PAGE_BYTES;
          const entry = entries[index] as number;
          if (address >= start && address < end && entry !== 0) visit(address, entry);
        }
      }
    }
  }
}

const indexOf = (address: number): number => (address / PAGE_BYTES) & (TABLE_ENTRIES - 1);
