import { Errno } from '../kernel/contracts.js';

/** How much all that a guest's files keep in memory may be together; beyond it a write to a tree gives ENOSPC. */
export class MemoryBudget {
  #used = 0;

  constructor(readonly limit: number) {}

  get used(): number {
    return this.#used;
  }

  /** @throws Errno ENOSPC */
  take(bytes: number): void {
    if (!this.tryTake(bytes)) throw new Errno('ENOSPC');
  }

  tryTake(bytes: number): boolean {
    if (this.#used + bytes > this.limit) return false;
    this.#used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }
}

export const PAGE_BYTES = 4096;

/** Where bytes come from that were never written: the file below an overlay. */
export interface BackingBytes {
  read(offset: number, target: Uint8Array): number;
}

/** Bytes with holes: pages exist once they are written. Unwritten pages show the backing below `backedBytes`, else zeros. */
export class SparseBytes {
  readonly #pages = new Map<number, Uint8Array>();
  readonly #budget: MemoryBudget;
  #backing: BackingBytes | undefined;
  #backedBytes: number;
  #size: number;

  constructor(budget: MemoryBudget, backing?: BackingBytes, backedBytes = 0) {
    this.#budget = budget;
    this.#backing = backing;
    this.#backedBytes = backedBytes;
    this.#size = backedBytes;
  }

  get size(): number {
    return this.#size;
  }

  /** Bytes that take memory. */
  get allocated(): number {
    return this.#pages.size * PAGE_BYTES;
  }

  read(offset: number, target: Uint8Array): number {
    const length = Math.max(0, Math.min(target.length, this.#size - offset));
    if (this.#pages.size === 0 && length === target.length) {
      this.#readBacking(offset, target);
      return length;
    }
    for (let done = 0; done < length;) {
      const at = offset + done;
      const inPage = at % PAGE_BYTES;
      const index = Math.floor(at / PAGE_BYTES);
      const page = this.#pages.get(index);
      let end = done + PAGE_BYTES - inPage;
      // Unwritten pages in one piece: mostly a whole file.
      if (!page) for (let next = index + 1; end < length && !this.#pages.has(next); next++) end += PAGE_BYTES;
      const part = target.subarray(done, Math.min(end, length));
      if (page) part.set(page.subarray(inPage, inPage + part.length));
      else this.#readBacking(at, part);
      done += part.length;
    }
    return length;
  }

  write(offset: number, source: Uint8Array): number {
    for (let done = 0; done < source.length;) {
      const at = offset + done;
      const inPage = at % PAGE_BYTES;
      const count = Math.min(PAGE_BYTES - inPage, source.length - done);
      let page;
      try {
        page = this.#pageForWriting(Math.floor(at / PAGE_BYTES), count === PAGE_BYTES);
      } catch (error) {
        if (done > 0) return done; // as full disks do: what fits is written
        throw error;
      }
      page.set(source.subarray(done, done + count), inPage);
      done += count;
      this.#size = Math.max(this.#size, at + count);
    }
    return source.length;
  }

  truncate(size: number): void {
    if (size < this.#size) {
      for (const index of [...this.#pages.keys()]) {
        if (index * PAGE_BYTES >= size) this.#drop(index);
      }
      const last = this.#pages.get(Math.floor(size / PAGE_BYTES));
      last?.fill(0, size % PAGE_BYTES);
      this.#backedBytes = Math.min(this.#backedBytes, size);
      if (this.#backedBytes === 0) this.#backing = undefined;
    }
    this.#size = size;
  }

  /** Takes memory for a range at once, so that later writes there cannot fail. */
  reserve(offset: number, length: number): void {
    for (let index = Math.floor(offset / PAGE_BYTES); index * PAGE_BYTES < offset + length; index++) {
      this.#pageForWriting(index, false);
    }
  }

  punch(offset: number, length: number): void {
    const end = Math.min(offset + length, this.#size);
    for (let at = offset; at < end;) {
      const index = Math.floor(at / PAGE_BYTES);
      const until = Math.min((index + 1) * PAGE_BYTES, end);
      const whole = at % PAGE_BYTES === 0 && until - at === PAGE_BYTES;
      if (whole && at >= this.#backedBytes) this.#drop(index);
      else if (this.#pages.has(index) || at < this.#backedBytes) {
        this.#pageForWriting(index, whole).fill(0, at % PAGE_BYTES, (at % PAGE_BYTES) + until - at);
      }
      at = until;
    }
  }

  /** The first data or hole at or after `offset`; the end of the file is a hole. */
  seek(offset: number, what: 'data' | 'hole'): number | undefined {
    if (offset >= this.#size) return undefined;
    const isData = (at: number): boolean => at < this.#backedBytes || this.#pages.has(Math.floor(at / PAGE_BYTES));
    if (isData(offset) === (what === 'data')) return offset;
    if (what === 'hole') {
      let index = Math.floor(Math.max(offset, this.#backedBytes - 1) / PAGE_BYTES);
      while (index * PAGE_BYTES < this.#size && isData(index * PAGE_BYTES)) index++;
      return Math.min(index * PAGE_BYTES, this.#size);
    }
    let next = Infinity;
    for (const index of this.#pages.keys()) {
      if (index * PAGE_BYTES > offset) next = Math.min(next, index * PAGE_BYTES);
    }
    return next < this.#size ? next : undefined;
  }

  /** Gives the memory back. */
  clear(): void {
    this.#budget.give(this.allocated);
    this.#pages.clear();
    this.#size = 0;
    this.#backing = undefined;
    this.#backedBytes = 0;
  }

  #pageForWriting(index: number, overwritten: boolean): Uint8Array {
    const existing = this.#pages.get(index);
    if (existing) return existing;
    this.#budget.take(PAGE_BYTES);
    const page = new Uint8Array(PAGE_BYTES);
    if (!overwritten) this.#readBacking(index * PAGE_BYTES, page);
    this.#pages.set(index, page);
    return page;
  }

  #readBacking(offset: number, target: Uint8Array): void {
    const backed = Math.max(0, Math.min(target.length, this.#backedBytes - offset));
    const part = backed < target.length ? target.subarray(0, backed) : target;
    const read = backed > 0 && this.#backing ? this.#backing.read(offset, part) : 0;
    if (read < target.length) target.fill(0, read);
  }

  #drop(index: number): void {
    if (this.#pages.delete(index)) this.#budget.give(PAGE_BYTES);
  }
}
