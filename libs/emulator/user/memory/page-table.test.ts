import { describe, expect, it } from '@jest/globals';
import { PageTable } from './page-table.js';

const PAGE = 4096;
const pagesOf = (table: PageTable, start: number, end: number): number[] => {
  const seen: number[] = [];
  table.forEach(start, end, (address) => seen.push(address / PAGE));
  return seen;
};

describe('a page table', () => {
  /** First and last entries of words and of tables, and the end of the address space. */
  const pages = [0, 1, 31, 32, 33, 1023, 1024, 5000, 0x7ffff, 0xfffff];

  it('shows what is there in a range, in ascending order', () => {
    const table = new PageTable();
    for (const page of pages.toReversed()) table.set(page * PAGE, page * PAGE + 8);
    expect(pagesOf(table, 0, 2 ** 32)).toEqual(pages);
    expect(pagesOf(table, 31 * PAGE, 1024 * PAGE)).toEqual([31, 32, 33, 1023]);
    expect(pagesOf(table, 32 * PAGE, 33 * PAGE)).toEqual([32]);
    expect(pagesOf(table, 34 * PAGE, 1023 * PAGE)).toEqual([]);
    expect(pages.map((page) => table.get(page * PAGE + 5))).toEqual(pages.map((page) => page * PAGE + 8));
    expect(table.present).toBe(pages.length);
  });

  it('forgets what is set to 0, also while it is shown', () => {
    const table = new PageTable();
    for (const page of pages) table.set(page * PAGE, 8);
    table.set(32 * PAGE, 0);
    table.set(34 * PAGE, 0);
    expect(table.present).toBe(pages.length - 1);
    const seen: number[] = [];
    table.forEach(0, 2 ** 32, (address) => {
      seen.push(address / PAGE);
      if (address + PAGE < 2 ** 32) table.set(address + PAGE, 0);
    });
    expect(seen).toEqual([0, 31, 33, 1023, 5000, 0x7ffff, 0xfffff]);
    expect(pagesOf(table, 0, 2 ** 32)).toEqual(seen);
  });
});
