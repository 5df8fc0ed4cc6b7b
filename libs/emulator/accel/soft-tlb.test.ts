import { beforeEach, describe, expect, it } from '@jest/globals';
import { SoftTlb } from '../jit/ir/index.js';
import { LinearMemory } from '../memory/index.js';
import { SoftTlbTables } from './soft-tlb.js';

const PAGE = 0x7fff_0000;
const ALL = { read: true, write: true, fetch: true };

describe('SoftTlbTables', () => {
  let memory: LinearMemory;
  let tlb: SoftTlbTables;
  let mode: Int32Array;
  beforeEach(() => {
    memory = new LinearMemory(2 ** 20);
    mode = new Int32Array(1);
    tlb = new SoftTlbTables(memory, mode);
  });

  /** What generated code would do: compare the tag, add the addend. */
  const hit = (address: number, tag: number, bytes = 4): number | undefined => {
    const words = new Int32Array(memory.buffer);
    const entry = (tlb.base + (((address >>> 12) & (SoftTlb.entries - 1)) << SoftTlb.entryShift)) >> 2;
    const compared = address & (0xfffff000 | (bytes - 1));
    if (words[entry + (tag >> 2)] !== compared) return undefined;
    return (address + (words[entry + (SoftTlb.addend >> 2)] as number)) >>> 0;
  };

  it('finds aligned accesses to a filled page and nothing else', () => {
    tlb.fill(PAGE + 0x123, 0x5000, ALL);
    expect(hit(PAGE + 0x120, SoftTlb.readTag)).toBe(0x5120);
    expect(hit(PAGE + 0x122, SoftTlb.readTag)).toBeUndefined();
    expect(hit(PAGE + 0x122, SoftTlb.readTag, 2)).toBe(0x5122);
    expect(hit(PAGE + 0x1000, SoftTlb.readTag)).toBeUndefined();
  });

  it('lists the pages that the current mode reaches in the current address space', () => {
    tlb.selectAddressSpace(3);
    tlb.fill(PAGE, 0x5000, ALL);
    tlb.fill(PAGE + 0x1000, 0x9000, { read: true, write: false, fetch: false });
    const pages = (): unknown[] => {
      const list: unknown[] = [];
      tlb.forEachPage((address, linear, { write }) => list.push([address, linear, write]));
      return list;
    };
    const expected = [
      [PAGE, 0x5000, true],
      [PAGE + 0x1000, 0x9000, false],
    ];
    expect(pages()).toEqual(expected);
    tlb.selectAddressSpace(7);
    expect(pages()).toEqual([]);
    tlb.selectAddressSpace(3);
    tlb.flushWriteTags();
    expect(pages()).toEqual(expected.map(([address, linear]) => [address, linear, false]));
  });

  it('keeps permissions apart and adds them up for the same page', () => {
    tlb.fill(PAGE, 0x5000, { read: true, write: false, fetch: false });
    expect(hit(PAGE, SoftTlb.writeTag)).toBeUndefined();
    tlb.fill(PAGE, 0x5000, { read: true, write: false, fetch: true });
    expect(hit(PAGE, SoftTlb.execTag)).toBe(0x5000);
    tlb.fill(PAGE, 0x5000, { read: true, write: true, fetch: false });
    expect(hit(PAGE, SoftTlb.execTag)).toBe(0x5000);
    expect(hit(PAGE, SoftTlb.writeTag)).toBe(0x5000);
  });

  it('drops all permissions of a page that moved, and of another page in the same entry', () => {
    tlb.fill(PAGE, 0x5000, ALL);
    tlb.fill(PAGE, 0x9000, { read: true, write: false, fetch: false });
    expect(hit(PAGE, SoftTlb.writeTag)).toBeUndefined();
    tlb.fill(PAGE, 0x5000, ALL);
    const twin = PAGE - (SoftTlb.entries << 12);
    tlb.fill(twin, 0x5000 + 0x1000, { read: true, write: false, fetch: false });
    expect(hit(PAGE, SoftTlb.execTag)).toBeUndefined();
    expect(hit(twin, SoftTlb.execTag)).toBeUndefined();
  });

  it('has a table for each mode, which page flushes reach alike', () => {
    tlb.fill(PAGE, 0x5000, ALL);
    mode[0] = 2;
    expect(hit(PAGE, SoftTlb.readTag)).toBeUndefined();
    tlb.fill(PAGE, 0x6000, ALL);
    tlb.flushPage(PAGE);
    expect(hit(PAGE, SoftTlb.readTag)).toBeUndefined();
    mode[0] = 0;
    expect(hit(PAGE, SoftTlb.readTag)).toBeUndefined();
  });

  it('keeps the address spaces used last apart, and makes room by forgetting the oldest', () => {
    tlb.selectAddressSpace(1);
    tlb.fill(PAGE, 0x5000, ALL);
    tlb.selectAddressSpace(2);
    expect(hit(PAGE, SoftTlb.readTag)).toBeUndefined();
    tlb.fill(PAGE, 0x6000, ALL);
    tlb.selectAddressSpace(1);
    expect(hit(PAGE, SoftTlb.readTag)).toBe(0x5000);
    for (const other of [3, 4, 5]) tlb.selectAddressSpace(other); // 5 takes the place of 2
    tlb.selectAddressSpace(1);
    expect(hit(PAGE, SoftTlb.readTag)).toBe(0x5000);
    tlb.selectAddressSpace(2);
    expect(hit(PAGE, SoftTlb.readTag)).toBeUndefined();
    tlb.selectAddressSpace(5);
    tlb.flushPage(PAGE);
    tlb.selectAddressSpace(1);
    expect(hit(PAGE, SoftTlb.readTag)).toBeUndefined();
  });

  it('drops store permissions only, when tracking asks for it', () => {
    tlb.fill(PAGE, 0x5000, ALL);
    tlb.flushWriteTags();
    expect(hit(PAGE, SoftTlb.writeTag)).toBeUndefined();
    expect(hit(PAGE, SoftTlb.readTag)).toBe(0x5000);
    tlb.flush();
    expect(hit(PAGE, SoftTlb.readTag)).toBeUndefined();
  });

  it('drops the store permissions of one page wherever it is mapped, and no other', () => {
    const [alias, other] = [PAGE + 0x3000, PAGE + 0x1000];
    tlb.fill(PAGE, 0x5000, ALL);
    tlb.fill(alias, 0x5000, ALL);
    tlb.fill(other, 0x6000, ALL);
    tlb.flushWriteTags(0x5000);
    for (const page of [PAGE, alias]) {
      expect(hit(page, SoftTlb.writeTag)).toBeUndefined();
      expect(hit(page, SoftTlb.readTag)).toBe(0x5000);
    }
    expect(hit(other, SoftTlb.writeTag)).toBe(0x6000);
    mode[0] = 2;
    tlb.fill(PAGE, 0x5000, ALL);
    mode[0] = 0;
    tlb.flushWriteTags(0x5000);
    mode[0] = 2;
    expect(hit(PAGE, SoftTlb.writeTag)).toBeUndefined();
  });

  it('drops them in entries that were something else before', () => {
    const twin = PAGE - (SoftTlb.entries << 12);
    tlb.fill(PAGE, 0x5000, ALL);
    tlb.fill(PAGE, 0x5000, { read: true, write: false, fetch: false });
    tlb.flushWriteTags(0x5000);
    expect(hit(PAGE, SoftTlb.writeTag)).toBeUndefined();
    tlb.fill(PAGE, 0x5000, ALL);
    tlb.fill(twin, 0x9000, ALL);
    tlb.flushWriteTags(0x5000);
    expect(hit(twin, SoftTlb.writeTag)).toBe(0x9000);
    tlb.flushWriteTags(0x9000);
    expect(hit(twin, SoftTlb.writeTag)).toBeUndefined();
    for (const forget of [() => tlb.flush(), () => tlb.flushPage(twin), () => tlb.flushWriteTags()]) {
      forget();
      tlb.fill(twin, 0x9000, ALL);
      expect(hit(twin, SoftTlb.writeTag)).toBe(0x9000);
      tlb.flushWriteTags(0x9000);
      expect(hit(twin, SoftTlb.writeTag)).toBeUndefined();
    }
  });
});
