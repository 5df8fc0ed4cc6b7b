import { describe, expect, it } from '@jest/globals';
import { LOWEST_MIRRORED, MirrorPage } from '../jit/ir/index.js';
import { LinearMemory, PAGE_BYTES } from '../memory/index.js';
import { MirrorTable } from './mirror-table.js';

const PAGE = 0x77f3b;
const { there, next } = MirrorPage;

function createTable() {
  const pages = 4;
  const memory = new LinearMemory(MirrorTable.bytes + LinearMemory.ramFootprint(pages * PAGE_BYTES));
  const table = new MirrorTable(memory, memory.allocateRam('pool', pages * PAGE_BYTES));
  const bytes = new Uint8Array(memory.buffer);
  const at = (offset: number, page: number): number[] => [...bytes.subarray(offset + page, offset + page + 3)];
  const allow = (page: number, write = true): void => table.allow(page * PAGE_BYTES, { write, fetch: false });
  return {
    table,
    allow,
    reads: (page = PAGE) => at(table.reads, page),
    writes: (page = PAGE) => at(table.writes, page),
  };
}

describe('the table of mirrored pages', () => {
  it('says which pages are there, and whether the one behind them is, whichever comes first', () => {
    const { table, allow, reads, writes } = createTable();
    allow(PAGE + 2, false);
    allow(PAGE);
    expect([reads(), writes()]).toEqual([
      [there, 0, there],
      [there, 0, 0],
    ]);
    allow(PAGE + 1);
    expect([reads(), writes()]).toEqual([
      [there | next, there | next, there],
      [there | next, there, 0],
    ]);
    table.clearPage((PAGE + 1) * PAGE_BYTES);
    expect([reads(), writes()]).toEqual([
      [there, 0, there],
      [there, 0, 0],
    ]);
  });

  it('forgets writes of one page or of all', () => {
    const { table, allow, reads, writes } = createTable();
    const first = LOWEST_MIRRORED / PAGE_BYTES;
    for (const page of [first, first + 1, first + 2]) allow(page);
    table.clearWrites(LOWEST_MIRRORED + PAGE_BYTES);
    expect(writes(first)).toEqual([there, 0, there]);
    table.clearWrites();
    expect([reads(first), writes(first)]).toEqual([
      [there | next, there | next, there],
      [0, 0, 0],
    ]);
    table.clear();
    expect(reads(first)).toEqual([0, 0, 0]);
  });

  it('has none of the lowest pages, which a distance from a register might reach by a carry', () => {
    const { allow, reads, writes } = createTable();
    for (const page of [0, 7, 8]) allow(page);
    expect([reads(0)[0], writes(0)[0], reads(7), writes(7)]).toEqual([0, 0, [0, there, 0], [0, there, 0]]);
  });

  it('knows none behind the last page of the address space', () => {
    const { allow, reads } = createTable();
    allow(0xfffff);
    allow(0);
    expect(reads(0xfffff).slice(0, 2)).toEqual([there, 0]);
  });
});
