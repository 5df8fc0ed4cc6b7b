import { beforeEach, describe, expect, it } from '@jest/globals';
import { LinearMemory } from '../../memory/index.js';
import { Access } from '../../targets/index.js';
import type { MappedFile } from '../files/index.js';
import { GuestMemory } from './guest-memory.js';
import { PageCache } from './mapped-pages.js';
import { Protection } from './mapping.js';
import { PagePool } from './page-pool.js';
import { VirtualMemory } from './virtual-memory.js';

const PAGE = 4096;
const RW = Protection.Read | Protection.Write;
const BASE = 0x100000;
const LIMIT = 0x40000000;

let pool: PagePool;
let space: VirtualMemory;
let memory: GuestMemory;
/** Pages whose cached translations were dropped; -1: all. */
let flushed: number[];

beforeEach(() => {
  flushed = [];
  pool = new PagePool(new LinearMemory(8 << 20).allocateRam('pages', 4 << 20));
  const cache = { flushPage: (at: number) => flushed.push(at), flushTranslations: () => flushed.push(-1) };
  space = new VirtualMemory(pool, cache, 0x10000, LIMIT);
  space.mapTop = 0x30000000;
  memory = memoryOf(space);
});

const memoryOf = (of: VirtualMemory): GuestMemory => new GuestMemory(of, 'little', 4);
const map = (address: number, pages: number, protection: number = RW): number =>
  space.mapPages(address, { length: pages * PAGE, protection });
const access = (of: VirtualMemory, address: number, kind: Access): unknown => {
  const found = of.resolve(address, kind);
  return 'physical' in found ? 'ok' : `${found.signal} ${found.code}`;
};

/** A file in memory that counts how often it was opened and closed. */
class TestFile implements MappedFile {
  readonly path = '/file';
  readonly identity = { device: 1n, inode: 2n, modifiedNs: 3n };
  readonly anonymous = false;
  static open = 0;
  reads = 0;
  constructor(readonly bytes: Uint8Array) {
    TestFile.open++;
  }
  size(): number {
    return this.bytes.length;
  }
  read(offset: number, target: Uint8Array): number {
    this.reads++;
    const bytes = this.bytes.subarray(offset, offset + target.length);
    target.set(bytes);
    return bytes.length;
  }
  writeBack(offset: number, bytes: Uint8Array): void {
    this.bytes.set(bytes, offset);
  }
  duplicate(): MappedFile {
    return new TestFile(this.bytes);
  }
  close(): void {
    TestFile.open--;
  }
}

describe('faults', () => {
  it('are told apart: nothing there, or not allowed', () => {
    map(BASE, 1, Protection.Read);
    map(BASE + PAGE, 1, Protection.None);
    expect(access(space, BASE, Access.Read)).toBe('ok');
    expect(access(space, BASE, Access.Write)).toBe('SIGSEGV 2');
    expect(access(space, BASE, Access.Fetch)).toBe('SIGSEGV 2');
    expect(access(space, BASE + PAGE, Access.Read)).toBe('SIGSEGV 2');
    expect(access(space, BASE + 2 * PAGE, Access.Read)).toBe('SIGSEGV 1');
  });

  it('bring zeroed pages, one at a time', () => {
    map(BASE, 100);
    expect(pool.usedPages).toBe(0);
    expect(memory.u32(BASE + 50 * PAGE)).toBe(0);
    expect(pool.usedPages).toBe(1);
    expect(space.pageFaults).toBe(1);
  });

  it('bring blocks of large anonymous memory, as far as they belong to it', () => {
    const [pages, block] = [3072, 16];
    map(BASE + PAGE, pages);
    const found = space.resolve(BASE + 40 * PAGE, Access.Write);
    expect(found).toMatchObject({ writable: true, blockBytes: block * PAGE });
    expect([pool.usedPages, space.pageFaults]).toEqual([block, 1]);
    for (const page of [32, 47])
      expect(space.lookUp(BASE + page * PAGE + 4)).toMatchObject({ writable: true, blockBytes: 0 });
    for (const page of [31, 48]) expect(space.lookUp(BASE + page * PAGE)).toBeUndefined();
    expect(space.resolve(BASE + 41 * PAGE, Access.Read)).toMatchObject({ blockBytes: 0 });
    memory.setU32(BASE + 10 * PAGE, 1);
    expect(space.lookUp(BASE)).toBeUndefined();
    expect([pool.usedPages, space.pageFaults]).toEqual([2 * block - 1, 2]);
  });

  it('bring single pages of large memory once half of all are in use', () => {
    const half = 512; // of 1023 pages, in blocks of 16
    map(BASE, 3072);
    for (let page = 0; page < half + 3; page++) memory.setU8(BASE + page * PAGE, 1);
    expect([pool.usedPages, space.pageFaults]).toEqual([half + 3, half / 16 + 3]);
  });

  it('end a process that needs more than there is', () => {
    map(BASE, 5000);
    let outcome: unknown = 'ok';
    for (let page = 0; page < 5000 && outcome === 'ok'; page++)
      outcome = access(space, BASE + page * PAGE, Access.Write);
    expect(outcome).toBe('SIGKILL 0');
  });

  it('never show what a page held before', () => {
    map(BASE, 1);
    memory.setU32(BASE, 0xdeadbeef);
    space.unmap(BASE, PAGE);
    map(BASE, 1);
    expect(memory.u32(BASE)).toBe(0);
  });
});

describe('the stack', () => {
  beforeEach(() => {
    space.stackLimit = 64 * PAGE;
    space.mapPages(BASE + 0x800000, { length: PAGE, protection: RW, growsDown: true, name: '[stack]' });
  });

  it('grows to its limit and no further', () => {
    const top = BASE + 0x801000;
    expect(access(space, top - 64 * PAGE, Access.Write)).toBe('ok');
    expect(access(space, top - 65 * PAGE, Access.Write)).toBe('SIGSEGV 1');
    expect(space.map.find(top - 1)).toMatchObject({ start: top - 64 * PAGE, end: top });
  });

  it('keeps its distance from the mapping below', () => {
    map(BASE + 0x800000 - 270 * PAGE, 1);
    expect(access(space, BASE + 0x800000 - 10 * PAGE, Access.Write)).toBe('ok');
    expect(access(space, BASE + 0x800000 - 20 * PAGE, Access.Write)).toBe('SIGSEGV 1');
  });
});

describe('mappings', () => {
  it('split and merge with their protection', () => {
    map(BASE, 8);
    space.protect(BASE + 2 * PAGE, 2 * PAGE, Protection.Read);
    expect(
      space.map.all.map(({ start, end, protection }) => [(start - BASE) / PAGE, (end - BASE) / PAGE, protection]),
    ).toEqual([
      [0, 2, RW],
      [2, 4, Protection.Read],
      [4, 8, RW],
    ]);
    space.protect(BASE + 2 * PAGE, 2 * PAGE, RW);
    expect(space.map.all).toHaveLength(1);
    space.unmap(BASE + PAGE, PAGE);
    expect(space.map.all).toHaveLength(2);
    expect(() => space.protect(BASE, 8 * PAGE, RW)).toThrow('ENOMEM');
  });

  it('take effect on pages that are there, cached translations included', () => {
    map(BASE, 2);
    memory.setU32(BASE, 7);
    space.protect(BASE, PAGE, Protection.Read);
    expect(flushed).toContain(BASE);
    expect(access(space, BASE, Access.Write)).toBe('SIGSEGV 2');
    expect(memory.u32(BASE)).toBe(7);
    space.protect(BASE, PAGE, Protection.None);
    expect(access(space, BASE, Access.Read)).toBe('SIGSEGV 2');
    space.protect(BASE, PAGE, RW);
    memory.setU32(BASE, 8);
    expect(memory.u32(BASE)).toBe(8);
  });

  it('are placed from the top down, into gaps that fit', () => {
    const first = space.mapPages(undefined, { length: 4 * PAGE, protection: RW });
    const second = space.mapPages(undefined, { length: PAGE, protection: Protection.Read });
    expect([first, second]).toEqual([space.mapTop - 4 * PAGE, space.mapTop - 5 * PAGE]);
    space.unmap(first, 2 * PAGE);
    expect(space.mapPages(undefined, { length: 2 * PAGE, protection: RW })).toBe(first);
    expect(() => space.mapPages(undefined, { length: LIMIT, protection: RW })).toThrow('ENOMEM');
  });

  it('keeps pages at the physical address of the same number, where translated code reaches them best', () => {
    pool = new PagePool(new LinearMemory(8 << 20).allocateRam('pages', 4 << 20), 0x300);
    space = new VirtualMemory(pool, { flushPage: () => undefined, flushTranslations: () => undefined }, 0x10000, LIMIT);
    space.mapTop = 0x300000;
    memory = memoryOf(space);
    const physical = (address: number): unknown => {
      const found = space.resolve(address, Access.Read);
      return 'physical' in found ? found.physical : found;
    };
    map(BASE, 2);
    map(BASE + 2 * PAGE, 1, Protection.None); // in the way
    memory.write(BASE, Uint8Array.of(1, 2, 3));
    expect(physical(BASE)).toBe(BASE);
    const moved = space.remap(BASE, 2 * PAGE, 4 * PAGE, true, undefined);
    expect([physical(moved), [...memory.read(moved, 3)]]).toEqual([moved, [1, 2, 3]]);
    // A private page of a file, read before it is written.
    const source = new PageCache(pool).open(new TestFile(Uint8Array.of(7, 8, 9)));
    space.mapPages(BASE, { length: PAGE, protection: RW, source });
    expect(memory.read(BASE, 1)[0]).toBe(7);
    memory.write(BASE, Uint8Array.of(1));
    expect([physical(BASE), [...memory.read(BASE, 2)]]).toEqual([BASE, [1, 8]]);
    // The same page of the file mapped a second time, as the end of a library's constants is: nobody has the file's own any more.
    const second = BASE + 0x10 * PAGE;
    space.mapPages(second, { length: PAGE, protection: Protection.Read, source });
    expect([physical(second), [...memory.read(second, 2)]]).toEqual([second, [7, 8]]);
    // A third mapping does not take it away from there.
    space.mapPages(second + PAGE, { length: PAGE, protection: Protection.Read, source });
    expect([physical(second + PAGE), physical(second)]).toEqual([second, second]);
  });

  it('move with their pages', () => {
    map(BASE, 2);
    memory.setU32(BASE + PAGE, 5);
    map(BASE + 2 * PAGE, 1, Protection.Read);
    expect(() => space.remap(BASE, 2 * PAGE, 4 * PAGE, false, undefined)).toThrow('ENOMEM');
    const moved = space.remap(BASE, 2 * PAGE, 4 * PAGE, true, undefined);
    expect(memory.u32(moved + PAGE)).toBe(5);
    expect(memory.u32(moved + 3 * PAGE)).toBe(0);
    expect(access(space, BASE, Access.Read)).toBe('SIGSEGV 1');
    expect(space.remap(moved, 4 * PAGE, PAGE, false, undefined)).toBe(moved);
    expect(access(space, moved + PAGE, Access.Read)).toBe('SIGSEGV 1');
  });

  it('are the heap up to where brk was moved', () => {
    space.heap = { start: BASE, end: BASE };
    expect(space.setBreak(0, Infinity)).toBe(BASE);
    expect(space.setBreak(BASE + 100, Infinity)).toBe(BASE + 100);
    memory.setU8(BASE + 99, 1);
    expect(space.setBreak(BASE + 5000, 4096)).toBe(BASE + 100); // beyond the limit
    expect(space.setBreak(BASE, Infinity)).toBe(BASE);
    expect(access(space, BASE, Access.Read)).toBe('SIGSEGV 1');
  });

  it('give all pages back in the end', () => {
    map(BASE, 10);
    memory.write(BASE, new Uint8Array(10 * PAGE));
    space.release();
    expect(pool.usedPages).toBe(0);
  });
});

describe('fork', () => {
  it('shares pages until one side writes', () => {
    map(BASE, 2);
    memory.setU32(BASE, 1);
    const child = space.fork();
    expect(flushed).toContain(-1);
    expect(pool.usedPages).toBe(1);
    memory.setU32(BASE, 2);
    expect(memoryOf(child).u32(BASE)).toBe(1);
    memoryOf(child).setU32(BASE, 3);
    expect(memory.u32(BASE)).toBe(2);
    expect(pool.usedPages).toBe(2);
    child.release();
    space.release();
    expect(pool.usedPages).toBe(0);
  });

  it('keeps shared memory shared, whoever touches it first', () => {
    space.mapPages(BASE, { length: 2 * PAGE, protection: RW, shared: true, source: space.sharedPages() });
    memory.setU32(BASE, 1);
    const child = memoryOf(space.fork());
    child.setU32(BASE, 2);
    child.setU32(BASE + PAGE, 3);
    expect([memory.u32(BASE), memory.u32(BASE + PAGE)]).toEqual([2, 3]);
  });
});

describe('files', () => {
  let cache: PageCache;
  let content: Uint8Array;
  const mapFile = (address: number, shared: boolean): void => {
    const source = cache.open(new TestFile(content));
    space.mapPages(address, { length: 2 * PAGE, protection: RW, shared, source });
  };

  beforeEach(() => {
    TestFile.open = 0;
    cache = new PageCache(pool);
    content = new Uint8Array(PAGE + 10).fill(9);
  });

  it('are read once for all who map them; private changes stay private', () => {
    mapFile(BASE, false);
    mapFile(BASE + 0x10000, false);
    expect(memory.u8(BASE)).toBe(9);
    expect(memory.u8(BASE + 0x10000)).toBe(9);
    expect(pool.usedPages).toBe(1);
    memory.setU8(BASE, 1);
    expect(memory.u8(BASE + 0x10000)).toBe(9);
    expect(TestFile.open).toBe(1);
    space.release();
    expect([TestFile.open, pool.usedPages]).toEqual([0, 0]);
    expect(content[0]).toBe(9);
  });

  it('belong to a writer alone only where nobody else has them', () => {
    mapFile(BASE, false);
    memory.setU8(BASE, 1); // a copy
    const child = space.fork();
    mapFile(BASE + 0x10000, false);
    expect(memory.u8(BASE + 0x10000)).toBe(9); // the original now has one mapping, as the copy has two
    memory.setU8(BASE, 2);
    expect([memory.u8(BASE), memoryOf(child).u8(BASE)]).toEqual([2, 1]);
    memory.setU8(BASE + 0x10000, 3);
    mapFile(BASE + 0x20000, false);
    expect([memory.u8(BASE + 0x10000), memory.u8(BASE + 0x20000), content[0]]).toEqual([3, 9, 9]);
  });

  it('end: zeros up to the page, SIGBUS beyond it', () => {
    content = content.slice(0, 10);
    mapFile(BASE, false);
    expect([memory.u8(BASE + 9), memory.u8(BASE + 10)]).toEqual([9, 0]);
    expect(access(space, BASE + PAGE, Access.Read)).toBe('SIGBUS 2');
  });

  it('get what shared mappings wrote, and never grow', () => {
    mapFile(BASE, true);
    memory.write(BASE + PAGE, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
    space.release();
    expect([...content.subarray(PAGE)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(TestFile.open).toBe(0);
  });
});

describe('a mapped file that changes', () => {
  it('shows what is written to it, stores what was mapped before it is read, and ends where it is cut', () => {
    TestFile.open = 0;
    const cache = new PageCache(pool, (pages, fromPage) => space.forget(pages, fromPage));
    const content = new Uint8Array(2 * PAGE).fill(1);
    const source = cache.open(new TestFile(content), true);
    space.mapPages(BASE, { length: 2 * PAGE, protection: RW, shared: true, source });
    expect([memory.u8(BASE + PAGE - 1), memory.u8(BASE + PAGE)]).toEqual([1, 1]);
    cache.written('1:2', PAGE - 1, Uint8Array.of(7, 8));
    expect([memory.u8(BASE + PAGE - 1), memory.u8(BASE + PAGE)]).toEqual([7, 8]);
    memory.setU8(BASE, 5);
    cache.beforeRead('1:2', PAGE, 2 * PAGE);
    expect(content[0]).toBe(1); // other bytes are asked for
    cache.beforeRead('1:2', 0, 1);
    expect(content[0]).toBe(5);
    cache.resized('1:2', 10);
    expect([memory.u8(BASE + 9), memory.u8(BASE + 10)]).toEqual([1, 0]);
    expect(flushed).toContain(BASE + PAGE);
    cache.written('other', 0, Uint8Array.of(9));
    cache.resized('other', 0);
    expect(memory.u8(BASE)).toBe(5);
  });

  it('is read ahead, and anew when it changes', () => {
    const cache = new PageCache(pool, (pages, fromPage) => space.forget(pages, fromPage));
    const content = new Uint8Array(20 * PAGE + 10).map((_, at) => Math.floor(at / PAGE) + 1);
    const file = new TestFile(content);
    space.mapPages(BASE, { length: 22 * PAGE, protection: RW, source: cache.open(file) });
    const page = (index: number): number => memory.u8(BASE + index * PAGE);
    expect([page(3), page(0), page(2), file.reads]).toEqual([4, 1, 3, 1]);
    expect([page(17), page(20), memory.u8(BASE + 20 * PAGE + 10)]).toEqual([18, 21, 0]);
    expect(access(space, BASE + 21 * PAGE, Access.Read)).toBe('SIGBUS 2');
    expect([page(5), page(6)]).toEqual([6, 7]);
    content[7 * PAGE] = content[4 * PAGE] = 99;
    cache.written('1:2', 7 * PAGE, content.subarray(7 * PAGE, 7 * PAGE + 1));
    expect([page(7), page(4)]).toEqual([99, 99]);
    content.fill(77, 9 * PAGE);
    cache.resized('1:2', content.length);
    expect([page(8), page(9)]).toEqual([9, 77]);
  });

  it('is written through the opening that may write', () => {
    const cache = new PageCache(pool);
    const [first, second, third] = [1, 2, 3].map((byte) => new TestFile(Uint8Array.of(byte)));
    const pages = cache.open(first as TestFile);
    pages.retain();
    expect(cache.open(second as TestFile, true)).toBe(pages);
    expect(cache.open(third as TestFile, true).file).toBe(second);
    pages.release();
  });
});

describe('access for system calls', () => {
  it('writes bytes where they lie, if they are there and lie together', () => {
    map(BASE, 4);
    const fill = (address: number, length: number, write = (bytes: Uint8Array) => bytes.fill(7).length) =>
      memory.fill(address, length, write);
    expect(fill(BASE, 10)).toBeUndefined(); // was never touched
    memory.write(BASE, new Uint8Array(2 * PAGE));
    expect(fill(BASE + PAGE - 2, 4)).toBe(4);
    expect([...memory.read(BASE + PAGE - 3, 6)]).toEqual([0, 7, 7, 7, 7, 0]);
    expect(fill(BASE + 2 * PAGE - 2, 4)).toBeUndefined(); // the third page is not there
    expect(fill(BASE, 0)).toBeUndefined();
    expect(fill(LIMIT - 2, 4)).toBeUndefined();
    expect(fill(BASE, 8, (bytes) => bytes.subarray(0, 3).fill(5).length)).toBe(3);
    expect([...memory.read(BASE, 4)]).toEqual([5, 5, 5, 0]);
    space.protect(BASE, PAGE, Protection.Read);
    expect(fill(BASE, 1)).toBeUndefined();
    space.protect(BASE, PAGE, RW);
    expect(fill(BASE, 1)).toBeUndefined(); // the first write decides about a copy
    const child = space.fork();
    memory.setU8(BASE + PAGE, 1);
    expect(fill(BASE + PAGE - 1, 2)).toBeUndefined(); // one copy and one page that is shared still
    expect(fill(BASE + PAGE, 1)).toBe(1);
    expect(memoryOf(child).u8(BASE + PAGE)).toBe(7);
    expect(memory.u8(BASE + PAGE)).toBe(7);
  });

  it('tells that what was filled in place has changed', () => {
    map(BASE, 1);
    memory.setU8(BASE, 0);
    const found = space.resolve(BASE, Access.Read);
    if (!('physical' in found)) throw new Error('it is mapped');
    pool.block.markCode(found.physical);
    const changes: number[][] = [];
    pool.block.onCodeWrite((_, offset, length) => changes.push([offset, length]));
    memory.fill(BASE, 100, () => 10);
    expect(changes).toEqual([[found.physical, 10]]);
  });

  it('counts the pages that are there', () => {
    map(BASE, 8);
    map(LIMIT - PAGE, 1);
    expect(space.residentBytes).toBe(0);
    for (const address of [BASE, BASE + 3 * PAGE, BASE, LIMIT - 1]) memory.setU8(address, 1);
    expect(space.residentBytes).toBe(3 * PAGE);
    const child = space.fork();
    space.unmap(BASE, PAGE);
    expect([space.residentBytes, child.residentBytes]).toEqual([2 * PAGE, 3 * PAGE]);
    space.release();
    child.release();
    expect([space.residentBytes, pool.usedPages]).toEqual([0, 0]);
  });

  it('crosses pages and stops at what is not mapped', () => {
    map(BASE, 2);
    memory.setU64(BASE + PAGE - 3, 0x1122334455667788n);
    expect(memory.u64(BASE + PAGE - 3)).toBe(0x1122334455667788n);
    expect(() => memory.read(BASE + PAGE, PAGE + 1)).toThrow('EFAULT');
    expect(() => memory.u8(LIMIT)).toThrow('EFAULT');
    expect(() => memory.u8(0)).toThrow('EFAULT');
  });

  it('reads strings to their end, and refuses those without one', () => {
    map(BASE, 2);
    memory.write(BASE + PAGE - 2, Uint8Array.of(65, 66, 67, 0));
    expect(memory.cString(BASE + PAGE - 2)).toEqual(Uint8Array.of(65, 66, 67));
    memory.write(BASE, new Uint8Array(2 * PAGE).fill(65));
    expect(() => memory.cString(BASE, 100)).toThrow('ENAMETOOLONG');
    expect(() => memory.cString(BASE + PAGE, 2 * PAGE)).toThrow('EFAULT');
  });
});
