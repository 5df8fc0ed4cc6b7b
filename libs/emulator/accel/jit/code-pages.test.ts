import { beforeEach, describe, expect, it } from '@jest/globals';
import type { RamBlock } from '../../memory/index.js';
import { LinearMemory, PAGE_BYTES, PageFlag } from '../../memory/index.js';
import { CodePages } from './code-pages.js';

describe('CodePages', () => {
  let ram: RamBlock;
  let other: RamBlock;
  let dropped: string[];
  let pages: CodePages<string>;
  /** Linear-memory offset of a byte of RAM. */
  const at = (page: number, offset = 0): number => ram.linearOffset + page * PAGE_BYTES + offset;
  const write = (page: number, offset: number, length = 4): void => ram.markWritten(page * PAGE_BYTES + offset, length);

  beforeEach(() => {
    const memory = new LinearMemory(2 ** 20);
    ram = memory.allocateRam('ram', 16 * PAGE_BYTES);
    other = memory.allocateRam('not followed', PAGE_BYTES);
    dropped = [];
    pages = new CodePages((region) => dropped.push(region));
    pages.follow(ram);
  });

  it('knows the memory that it follows, by signed offsets as well', () => {
    expect([at(0), at(15, PAGE_BYTES - 4), at(0) | 0].map((linear) => pages.has(linear))).toEqual([true, true, true]);
    expect([at(16), at(0) - 1, other.linearOffset].map((linear) => pages.has(linear))).toEqual([false, false, false]);
    expect(() => pages.watch('a', other.linearOffset)).toThrow('RAM');
  });

  it('gives back the regions of a page that is written to, once', () => {
    pages.watch('a', at(1, 0x123));
    pages.watch('b', at(1));
    pages.watch('b', at(2));
    write(3, 0);
    write(1, 0xffc);
    expect(dropped).toEqual(['a', 'b']);
    write(1, 0);
    expect(dropped).toEqual(['a', 'b']);
    expect((ram.pageFlags[1] as number) & PageFlag.HasCode).toBe(0);
  });

  it('gives back what a write over several pages hits, and not what was dropped before', () => {
    for (const [page, region] of ['a', 'b', 'c', 'd'].entries()) pages.watch(region, at(page));
    pages.unwatch('b', at(1));
    write(0, 0xffe, PAGE_BYTES + 4);
    expect(dropped).toEqual(['a', 'c']);
  });

  it('counts how often code is overwritten, and forgets half of it', () => {
    for (let i = 0; i < 5; i++) {
      pages.watch('a', at(1));
      write(1, 8);
      write(1, 12); // there is no code any more
    }
    expect([pages.rewrites(at(1, 0x800)), pages.rewrites(at(2))]).toEqual([5, 0]);
    pages.forgive(at(1));
    expect(pages.rewrites(at(1))).toBe(2);
  });

  it('remembers that when all is uninstalled', () => {
    pages.watch('a', at(1));
    write(1, 0);
    pages.watch('b', at(1));
    pages.clear();
    write(1, 0);
    expect(dropped).toEqual(['a']);
    expect(pages.rewrites(at(1))).toBe(1);
  });
});
