import { PAGE_BYTES } from '../../memory/index.js';
import type { Access, MemoryFault } from '../../targets/index.js';
import { Access as AccessKind } from '../../targets/index.js';
import { Errno } from '../kernel/contracts.js';
import { AddressMap, pageDown, pageUp } from './address-map.js';
import type { MappedPages } from './mapped-pages.js';
import { MappedPages as Pages } from './mapped-pages.js';
import type { Mapping } from './mapping.js';
import { Protection } from './mapping.js';
import type { PagePool } from './page-pool.js';
import { OutOfPages } from './page-pool.js';
import { Entry, PageTable } from './page-table.js';

/** si_code of memory faults (asm-generic/siginfo.h). */
const SEGV_MAPERR = 1;
const SEGV_ACCERR = 2;
const BUS_ADRERR = 2;

/** Pages between a growing stack and the mapping below it (vm.stack_guard_gap is 256 pages). */
const STACK_GUARD_BYTES = 256 * PAGE_BYTES;

/** Size of the blocks that large pieces of anonymous memory appear in, a power of two; and what is large. */
const BLOCK_BYTES = 16 * PAGE_BYTES;
const LARGE_BYTES = 3072 * PAGE_BYTES;

/** Beyond this many pages it is cheaper to drop all cached translations than each. */
const FLUSH_ALL_PAGES = 64;

/** Drops translations that the engine cached. */
export interface TranslationCache {
  flushPage(address: number): void;
  flushTranslations(): void;
}

export interface MapRequest {
  readonly length: number;
  readonly protection: number;
  readonly shared?: boolean;
  readonly growsDown?: boolean;
  readonly source?: MappedPages;
  readonly sourcePage?: number;
  readonly mayWrite?: boolean;
  readonly name?: string;
}

const ACCESS_BIT: Readonly<Record<Access, number>> = {
  [AccessKind.Read]: Entry.Read,
  [AccessKind.Write]: Entry.Write,
  [AccessKind.Fetch]: Entry.Execute,
};

/** Where an address leads. */
export interface Resolved {
  readonly physical: number;
  /** Stores to the page need no further check. */
  readonly writable: boolean;
  /** Size of the aligned block whose pages have appeared together with this one, in bytes, 0 where they have not. */
  readonly blockBytes: number;
}

/** Where an access leads, or the fault. */
export type Resolution = Resolved | MemoryFault;

/**
 * The address space of one process: its mappings and its page table. Pages appear when they are touched; private ones are
 * copied when they are first written, so that fork and file mappings share what stays the same.
 */
export class VirtualMemory {
  /** Selects this address space's translations in the engine; never used twice on its pool. */
  readonly identifier: number;
  readonly map: AddressMap;
  readonly table = new PageTable();
  /** Start and end of the heap that brk(2) moves. */
  heap = { start: 0, end: 0 };
  /** mmap gives out addresses downwards from here. */
  mapTop: number;
  /** Soft limit of RLIMIT_STACK in bytes. */
  stackLimit = Infinity;
  /** Every readable page may be executed, as programs without PT_GNU_STACK expect. */
  readImpliesExecute = false;
  #faults = 0;
  #users = 1;

  constructor(
    readonly pool: PagePool,
    private readonly cache: TranslationCache,
    lowest: number,
    limit: number,
  ) {
    this.identifier = pool.takeSpaceIdentifier();
    this.map = new AddressMap(lowest, limit);
    this.mapTop = limit;
  }

  get pageFaults(): number {
    return this.#faults;
  }

  /** Another process shares this address space (CLONE_VM). */
  share(): this {
    this.#users++;
    return this;
  }

  /** Gives up one share; with the last one all pages go back. */
  release(): void {
    if (--this.#users > 0) return;
    this.#dropPages(0, this.map.limit);
    this.map.clear();
  }

  get shared(): boolean {
    return this.#users > 1;
  }

  // ---- faults --------------------------------------------------------------------------------------------------------

  resolve(address: number, access: Access): Resolution {
    const entry = this.table.get(address);
    const need = ACCESS_BIT[access];
    if (entry & need) return resolution(entry, address);
    return this.#fault(address, access, entry);
  }

  /** The same for what may be read at once; undefined where there is no such page. */
  lookUp(address: number): Resolved | undefined {
    const entry = this.table.get(address);
    return entry & Entry.Read ? resolution(entry, address) : undefined;
  }

  /** Physical address of bytes that lie in one piece and can be written without a fault; undefined of all others. */
  writableAt(address: number, length: number): number | undefined {
    const end = address + length;
    let distance: number | undefined;
    for (let at = pageDown(address); at < end; at += PAGE_BYTES) {
      const entry = this.table.get(at);
      const here = entry - (entry % PAGE_BYTES) - at;
      if (!(entry & Entry.Write) || here !== (distance ??= here)) return undefined;
    }
    return distance === undefined ? undefined : address + distance;
  }

  #fault(address: number, access: Access, entry: number): Resolution {
    const mapping = this.map.find(address) ?? this.#growStack(address);
    if (!mapping) return { signal: 'SIGSEGV', code: SEGV_MAPERR };
    const bits = this.#entryBits(mapping);
    if (!(bits & ACCESS_BIT[access])) return { signal: 'SIGSEGV', code: SEGV_ACCERR };
    this.#faults++;
    try {
      const page = this.#materialise(mapping, address, access === AccessKind.Write, entry);
      if (page === undefined) return { signal: 'SIGBUS', code: BUS_ADRERR };
      const inBlock = entry === 0 && this.#appearsInBlocks(mapping);
      if (inBlock) this.#materialiseAround(mapping, address, bits);
      return { ...resolution(page, address), blockBytes: inBlock ? BLOCK_BYTES : 0 };
    } catch (error) {
      if (error instanceof OutOfPages) return { signal: 'SIGKILL', code: 0 };
      throw error;
    }
  }

  /**
   * Where a debugger may write, whatever the page's permissions: a private page becomes the process's own.
   * @returns the physical address; undefined where nothing is mapped, or a shared page may not be written
   */
  resolveForDebugger(address: number, write: boolean): number | undefined {
    const mapping = this.map.find(address);
    if (!mapping || mapping.protection === Protection.None) return undefined;
    if (write && mapping.shared && !(mapping.protection & Protection.Write)) return undefined;
    const entry = this.table.get(address);
    const page = this.#materialise(mapping, address, write, entry);
    return page === undefined ? undefined : page - (page % PAGE_BYTES) + (address % PAGE_BYTES);
  }

  #entryBits(mapping: Mapping): number {
    const { protection } = mapping;
    if (protection === Protection.None) return 0;
    // Linux's page tables make whatever is writable or executable readable, too.
    let bits = Entry.Present | Entry.Read;
    if (protection & Protection.Write) bits |= Entry.Write;
    if (protection & Protection.Execute || this.readImpliesExecute) bits |= Entry.Execute;
    return bits;
  }

  /** Makes the page present, for writing if so asked. @returns the new entry, undefined beyond the end of a file */
  #materialise(mapping: Mapping, address: number, write: boolean, old: number): number | undefined {
    const { pool } = this;
    const bits = this.#entryBits(mapping);
    const at = address - (address % PAGE_BYTES);
    const { source, shared } = mapping;
    const index = mapping.sourcePage + (at - mapping.start) / PAGE_BYTES;
    let entry: number;
    if (old & Entry.Present) {
      // Present, but not for this access: a first write, or the protection was widened.
      const page = Math.floor(old / PAGE_BYTES);
      if (!write) entry = page * PAGE_BYTES + (bits & ~Entry.Write) + (old & Entry.Write & bits);
      else if (shared || pool.references(page) === 1 || source?.handOver(index, page)) entry = page * PAGE_BYTES + bits;
      else {
        entry = pool.copy(page, at) * PAGE_BYTES + bits;
        pool.release(page);
      }
    } else if (source) {
      const copied = write && !shared;
      const page = source.page(index, copied ? undefined : at);
      if (page === undefined) return undefined;
      if (copied) entry = pool.copy(page, at) * PAGE_BYTES + bits;
      else {
        pool.retain(page);
        entry = page * PAGE_BYTES + (write ? bits : bits & ~Entry.Write);
      }
    } else {
      entry = pool.allocate(at) * PAGE_BYTES + bits;
    }
    if (write && shared) source?.markDirty(index);
    this.table.set(at, entry);
    if (old !== 0) this.cache.flushPage(at);
    return entry;
  }

  /**
   * As with Linux's multi-size THP (admin-guide/mm/transhuge.rst), but only large anonymous memory: tables whose pages are all touched sooner or
   * later, in any order. Not where memory may get scarce.
   */
  #appearsInBlocks({ source, start, end }: Mapping): boolean {
    return !source && end - start >= LARGE_BYTES && this.pool.usedPages < this.pool.limitPages / 2;
  }

  /** Makes the other pages of an address's block present, as far as they belong to the mapping. */
  #materialiseAround({ start, end }: Mapping, address: number, bits: number): void {
    const first = address - (address % BLOCK_BYTES);
    const until = Math.min(end, first + BLOCK_BYTES);
    for (let at = Math.max(start, first); at < until; at += PAGE_BYTES)
      if (this.table.get(at) === 0) this.table.set(at, this.pool.allocate(at) * PAGE_BYTES + bits);
  }

  /** The stack's mapping, extended to the address if it lies within what the stack may grow to. */
  #growStack(address: number): Mapping | undefined {
    const stack = this.map.above(address);
    if (!stack?.growsDown) return undefined;
    const start = address - (address % PAGE_BYTES);
    const [below] = this.map.within(Math.max(0, start - STACK_GUARD_BYTES), start);
    if (below || stack.end - start > this.stackLimit || start < this.map.lowest) return undefined;
    const grown = { ...stack, start, sourcePage: 0 };
    this.map.replace(stack, grown);
    return this.map.find(address);
  }

  // ---- mmap, munmap, mprotect, mremap, brk ------------------------------------------------------------------------------

  /**
   * Maps pages, in place of whatever was there.
   * @param address page-aligned; undefined lets the kernel choose
   * @throws Errno ENOMEM
   */
  mapPages(address: number | undefined, request: MapRequest): number {
    const length = pageUp(request.length);
    const start = address ?? this.map.findGap(length, this.mapTop);
    if (start === undefined) throw new Errno('ENOMEM');
    const end = start + length;
    if (end > this.map.limit || start < 0) throw new Errno('ENOMEM');
    this.unmap(start, length);
    this.map.insert({
      start,
      end,
      protection: request.protection,
      shared: request.shared ?? false,
      growsDown: request.growsDown ?? false,
      source: request.source,
      sourcePage: request.source ? (request.sourcePage ?? 0) : 0,
      mayWrite: request.mayWrite ?? true,
      name: request.name ?? '',
    });
    return start;
  }

  /** Anonymous memory that forked processes go on sharing. */
  sharedPages(): MappedPages {
    return new Pages(this.pool, undefined);
  }

  unmap(start: number, length: number): void {
    const end = start + pageUp(length);
    this.#dropPages(start, end);
    this.map.remove(start, end);
  }

  /** @throws Errno ENOMEM where something is not mapped, EACCES where a file may not be written */
  protect(start: number, length: number, protection: number): void {
    const end = start + pageUp(length);
    if (!this.map.covers(start, end)) throw new Errno('ENOMEM');
    for (const mapping of this.map.within(start, end))
      if (protection & Protection.Write && mapping.shared && !mapping.mayWrite) throw new Errno('EACCES');
    this.map.change(start, end, (mapping) => ({ ...mapping, protection }));
    this.table.forEach(start, end, (address, entry) => {
      const mapping = this.map.find(address) as Mapping; // the range is covered
      // Write permission returns with the next write, which knows whether the page must be copied first.
      const bits = this.#entryBits(mapping) & ~Entry.Write;
      this.table.set(address, entry - (entry % PAGE_BYTES) + (bits || Entry.Present));
    });
    this.#flush(start, end);
  }

  /** Drops pages; the next access finds them as if newly mapped (MADV_DONTNEED). */
  discard(start: number, length: number): void {
    this.#dropPages(start, start + pageUp(length));
  }

  /**
   * mremap: grows, shrinks or moves one mapping.
   * @param target where to move it to, in place of what is there
   * @throws Errno EFAULT, ENOMEM, EINVAL
   */
  remap(start: number, oldLength: number, newLength: number, mayMove: boolean, target: number | undefined): number {
    const [oldSize, size] = [pageUp(oldLength), pageUp(newLength)];
    const mapping = this.map.find(start);
    if (!mapping || start + oldSize > mapping.end) throw new Errno('EFAULT');
    if (target === undefined) {
      if (size <= oldSize) {
        if (size < oldSize) this.unmap(start + size, oldSize - size);
        return start;
      }
      const atEnd = start + oldSize === mapping.end;
      if (atEnd && start + size <= this.map.limit && this.map.isFree(mapping.end, start + size)) {
        this.map.replace(mapping, { ...mapping, end: start + size });
        return start;
      }
      if (!mayMove) throw new Errno('ENOMEM');
    }
    const to = target ?? this.map.findGap(size, this.mapTop);
    if (to === undefined || to + size > this.map.limit) throw new Errno('ENOMEM');
    if (target !== undefined && target < start + oldSize && start < target + size) throw new Errno('EINVAL');
    this.unmap(to, size);
    const sourcePage = mapping.sourcePage + (start - mapping.start) / PAGE_BYTES;
    this.map.insert({ ...mapping, start: to, end: to + size, sourcePage: mapping.source ? sourcePage : 0 });
    this.table.forEach(start, start + Math.min(oldSize, size), (address, entry) => {
      const [page, moved] = [Math.floor(entry / PAGE_BYTES), to + address - start];
      const copy = this.pool.copyToMirror(page, moved);
      if (copy === undefined) this.pool.retain(page);
      this.table.set(moved, (copy ?? page) * PAGE_BYTES + (entry % PAGE_BYTES));
    });
    this.unmap(start, oldSize);
    return to;
  }

  /** Moves the end of the heap. @returns the new end; the old one when it cannot be moved there */
  setBreak(end: number, limit: number): number {
    const { heap } = this;
    if (end < heap.start || end - heap.start > limit) return heap.end;
    const [from, to] = [pageUp(heap.end), pageUp(end)];
    if (to < from) this.unmap(to, from - to);
    else if (to > from) {
      if (to > this.mapTop || !this.map.isFree(from, to)) return heap.end;
      this.mapPages(from, { length: to - from, protection: Protection.Read | Protection.Write, name: '[heap]' });
    }
    heap.end = end;
    return end;
  }

  /** A file became shorter: its pages from one on are gone, private copies included. */
  forget(source: MappedPages, fromPage: number): void {
    for (const mapping of this.map.all) {
      if (mapping.source !== source) continue;
      const start = mapping.start + Math.max(0, fromPage - mapping.sourcePage) * PAGE_BYTES;
      if (start < mapping.end) this.#dropPages(start, mapping.end);
    }
  }

  #dropPages(start: number, end: number): void {
    if (this.table.present === 0) return;
    let dropped = false;
    this.table.forEach(start, end, (address, entry) => {
      this.pool.release(Math.floor(entry / PAGE_BYTES));
      this.table.set(address, 0);
      dropped = true;
    });
    if (dropped) this.#flush(start, end);
  }

  #flush(start: number, end: number): void {
    if ((end - start) / PAGE_BYTES > FLUSH_ALL_PAGES) return this.cache.flushTranslations();
    for (let address = start; address < end; address += PAGE_BYTES) this.cache.flushPage(address);
  }

  // ---- fork ----------------------------------------------------------------------------------------------------------

  /** A copy for a forked process: the same pages, private ones copied when either side writes. */
  fork(): VirtualMemory {
    const child = new VirtualMemory(this.pool, this.cache, this.map.lowest, this.map.limit);
    for (const mapping of this.map.all) child.map.insert(mapping);
    child.heap = { ...this.heap };
    child.mapTop = this.mapTop;
    child.stackLimit = this.stackLimit;
    child.readImpliesExecute = this.readImpliesExecute;
    for (const { start, end, shared } of this.map.all) {
      this.table.forEach(start, end, (address, entry) => {
        this.pool.retain(Math.floor(entry / PAGE_BYTES));
        const kept = shared ? entry : entry - (entry & Entry.Write);
        child.table.set(address, kept);
        this.table.set(address, kept);
      });
    }
    this.cache.flushTranslations();
    return child;
  }

  /** Bytes of pages that are present. */
  get residentBytes(): number {
    return this.table.present * PAGE_BYTES;
  }

  /** Does the process have pages of its own where a file is mapped? */
  hasOwnPages({ start, end, source, sourcePage, shared }: Mapping): boolean {
    if (!source) return true;
    let own = false;
    if (!shared)
      this.table.forEach(start, end, (address, entry) => {
        const index = sourcePage + (address - start) / PAGE_BYTES;
        if (Math.floor(entry / PAGE_BYTES) !== source.known(index)) own = true;
      });
    return own;
  }

  /** Visits the pages that were touched, and of files all: untouched memory is zero. */
  forEachPage(start: number, end: number, visit: (address: number, bytes: Uint8Array) => void): void {
    for (let address = start; address < end; address += PAGE_BYTES) {
      const entry = this.table.get(address);
      const at = entry - (entry % PAGE_BYTES);
      if (entry !== 0) visit(address, this.pool.block.bytes.subarray(at, at + PAGE_BYTES));
      else {
        const mapping = this.map.find(address);
        const index = mapping && mapping.sourcePage + (address - mapping.start) / PAGE_BYTES;
        if (mapping?.source?.file && index !== undefined) {
          const bytes = new Uint8Array(PAGE_BYTES);
          visit(address, bytes.subarray(0, mapping.source.file.read(index * PAGE_BYTES, bytes)));
        }
      }
    }
  }

  /** Text of /proc/self/maps. */
  describe(): string {
    return this.map.all
      .map(({ start, end, protection, shared, source, sourcePage, name }) => {
        const bits = `${protection & 1 ? 'r' : '-'}${protection & 2 ? 'w' : '-'}${protection & 4 ? 'x' : '-'}`;
        const file = source?.file;
        const device = file?.identity.device ?? 0n;
        const address = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
        const range = `${address(start, 8)}-${address(end, 8)} ${bits}${shared ? 's' : 'p'}`;
        const major = address(Number((device >> 8n) & 0xfffn), 2);
        const minor = address(Number(device & 0xffn), 2);
        const line = `${range} ${address(source?.file ? sourcePage * PAGE_BYTES : 0, 8)} ${major}:${minor} ${file?.identity.inode ?? 0n} `;
        const label = file?.path ?? name;
        return label ? `${line.padEnd(49)}${label}\n` : `${line}\n`;
      })
      .join('');
  }
}

function resolution(entry: number, address: number): Resolved {
  const bits = entry % PAGE_BYTES;
  return { physical: entry - bits + (address % PAGE_BYTES), writable: (bits & Entry.Write) !== 0, blockBytes: 0 };
}
