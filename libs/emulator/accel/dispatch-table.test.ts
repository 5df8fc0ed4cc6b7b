import { describe, expect, it } from '@jest/globals';
import { DispatchLayout, TranslationWord } from '../jit/ir/index.js';
import { LinearMemory, PAGE_BYTES, PAGE_OFFSET } from '../memory/index.js';
import { DispatchTable } from './dispatch-table.js';

const MODE = 2;
const ADDRESS = 0x77f3b044;
const PAGE = ADDRESS >>> 12;

function createTable() {
  const memory = new LinearMemory(DispatchTable.bytes);
  const fetchable = new Set<number>();
  const table = new DispatchTable(memory, (page) => fetchable.has(page));
  const view = new DataView(memory.buffer);
  /** What generated code finds, see `DispatchLookup`. */
  const find = (address: number, modeKey = MODE): number => {
    const rotated = ((address >>> 2) | (address << 30)) >>> 0;
    const block = view.getInt32(table.pages + modeKey * DispatchLayout.pagesBytes + ((rotated >>> 8) & ~3), true);
    return view.getInt32(table.blocks + block + (address & PAGE_OFFSET), true);
  };
  const allow = (page: number): void => {
    fetchable.add(page);
    table.allow(page);
  };
  return { table, find, allow };
}

describe('the dispatch table', () => {
  it('knows an entry while its page may be fetched from, whichever comes first', () => {
    const { table, find, allow } = createTable();
    table.enter(MODE, ADDRESS, TranslationWord.pack(77, 5));
    expect(find(ADDRESS)).toBe(0);
    allow(PAGE);
    expect(find(ADDRESS)).toBe(TranslationWord.pack(77, 5));
    expect(TranslationWord.targetOf(find(ADDRESS))).toBe(77);
    table.enter(MODE, ADDRESS + 4, TranslationWord.pack(78, 0));
    expect(find(ADDRESS + 4)).toBe(TranslationWord.pack(78, 0));
    table.forbid(PAGE);
    expect([find(ADDRESS), find(ADDRESS + 4)]).toEqual([0, 0]);
    allow(PAGE);
    expect(find(ADDRESS + 4)).toBe(TranslationWord.pack(78, 0));
    allow(5);
    table.enter(MODE, 5 * PAGE_BYTES, TranslationWord.pack(3, 1));
    expect(find(5 * PAGE_BYTES)).toBe(TranslationWord.pack(3, 1));
  });

  it('finds nothing under another mode key, on another page, or where the address is not aligned', () => {
    const { table, find, allow } = createTable();
    for (let page = 0; page < 2 ** 20; page += 1 << 12) allow(page);
    allow(PAGE);
    table.enter(MODE, ADDRESS, TranslationWord.pack(77, 5));
    expect(find(ADDRESS, MODE ^ 1)).toBe(0);
    expect(find(ADDRESS ^ 0x1000)).toBe(0);
    for (const offset of [1, 2, 3, -1, -2, -3]) expect(find((ADDRESS + offset) >>> 0)).toBe(0);
  });

  it('forgets a translation, but not one that took its place', () => {
    const { table, find, allow } = createTable();
    allow(PAGE);
    table.enter(MODE, ADDRESS, TranslationWord.pack(77, 5));
    table.enter(MODE, ADDRESS, TranslationWord.pack(78, 6));
    table.leave(MODE, ADDRESS, 77);
    expect(find(ADDRESS)).toBe(TranslationWord.pack(78, 6));
    table.leave(MODE, ADDRESS, 78);
    table.leave(MODE, 0x1000, 78); // was never entered
    expect(find(ADDRESS)).toBe(0);
    table.enter(MODE, ADDRESS, TranslationWord.pack(79, 0));
    table.clear();
    expect(find(ADDRESS)).toBe(0);
  });

  it('does without what there is no room for', () => {
    const { table, find, allow } = createTable();
    for (let page = 0; page < 5000; page++) {
      allow(page);
      table.enter(MODE, page * PAGE_BYTES, TranslationWord.pack(9, 0));
    }
    expect(find(0)).not.toBe(0);
    expect(find(4999 * PAGE_BYTES)).toBe(0);
  });
});
