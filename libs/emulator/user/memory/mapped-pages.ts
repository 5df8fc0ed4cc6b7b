import { PAGE_BYTES } from '../../memory/index.js';
import type { FilePages, MappedFile } from '../files/index.js';
import type { PagePool } from './page-pool.js';

/** Pages of a file that are read at a time: programs touch code and data in clusters. */
const READ_PAGES = 4;
const NOTHING = new Uint8Array(0);

/**
 * Pages that several mappings share: a file's, or those of anonymous shared memory. Alive as long as a mapping refers to
 * it; pages are read when they are first touched.
 */
export class MappedPages {
  readonly #pages = new Map<number, number>();
  /** Pages that a shared mapping may have written. */
  readonly #dirty = new Set<number>();
  #mappings = 0;
  /** What the file has from an offset on, as it was read last; and where that lies. */
  #ahead = { offset: 0, length: 0 };
  #aheadBytes = NOTHING;
  #file: MappedFile | undefined;
  #writable: boolean;

  /** @param file without one the pages are anonymous memory. @param writable it was opened for writing */
  constructor(
    private readonly pool: PagePool,
    file: MappedFile | undefined,
    writable = false,
    private readonly onUnused: () => void = () => undefined,
  ) {
    this.#file = file;
    this.#writable = writable;
  }

  get file(): MappedFile | undefined {
    return this.#file;
  }

  /** Another opening of the same file: kept when it can be written and the one until now cannot, else closed. */
  adopt(file: MappedFile, writable: boolean): void {
    if (!writable || this.#writable) return file.close();
    this.#file?.close();
    this.#forgetAhead();
    this.#file = file;
    this.#writable = true;
  }

  retain(): void {
    this.#mappings++;
  }

  release(): void {
    if (--this.#mappings > 0) return;
    this.writeBack();
    for (const page of this.#pages.values()) this.pool.release(page);
    this.#pages.clear();
    this.file?.close();
    this.onUnused();
  }

  /** The page, if it was touched. */
  known(index: number): number | undefined {
    return this.#pages.get(index);
  }

  /**
   * The page that holds the `index`th 4 KiB. The reference is the cache's own.
   * @param address where it is going to be mapped, unless the mapping will make a copy of its own
   * @returns undefined wholly beyond the end of the file
   */
  page(index: number, address?: number): number | undefined {
    const known = this.#pages.get(index);
    if (known !== undefined) return address === undefined ? known : this.#moved(index, known, address);
    const bytes = this.#read(index * PAGE_BYTES);
    if (!bytes) return undefined;
    const page = this.pool.allocate(address);
    if (bytes.length > 0) {
      this.pool.bytes(page).set(bytes);
      this.pool.written(page);
    }
    this.#pages.set(index, page);
    return page;
  }

  /** @returns the file's bytes for a page, fewer at its end, none of anonymous memory; undefined wholly beyond the end */
  #read(offset: number): Uint8Array | undefined {
    const { file } = this;
    if (!file) return NOTHING;
    const start = offset - this.#ahead.offset;
    if (start >= 0 && start + PAGE_BYTES <= this.#ahead.length)
      return this.#aheadBytes.subarray(start, start + PAGE_BYTES);
    if (offset >= file.size()) return undefined;
    if (this.#aheadBytes.length === 0) this.#aheadBytes = new Uint8Array(READ_PAGES * PAGE_BYTES);
    const inside = offset % this.#aheadBytes.length;
    const length = file.read(offset - inside, this.#aheadBytes);
    this.#ahead = { offset: offset - inside, length };
    return this.#aheadBytes.subarray(inside, Math.min(inside + PAGE_BYTES, length));
  }

  #forgetAhead(): void {
    this.#ahead = { offset: 0, length: 0 };
  }

  /**
   * A page that nobody maps lies where it was used last, or read first: a library's last page of constants is also its first of data. It
   * comes to where it is going to be mapped, if there is room.
   */
  #moved(index: number, page: number, address: number): number {
    const copy = this.pool.copyToMirror(page, address);
    if (copy === undefined) return page;
    this.#pages.set(index, copy);
    this.pool.release(page);
    return copy;
  }

  /**
   * Gives a page to the one mapping that has it, which is about to change it: a copy takes its place here. So the mapping
   * keeps the page that lies where translated code reaches it best. @returns false when others have the page, too, or it
   * is not this one
   */
  handOver(index: number, page: number): boolean {
    if (this.#pages.get(index) !== page || this.pool.references(page) !== 2) return false;
    this.#pages.set(index, this.pool.copy(page));
    this.pool.release(page);
    return true;
  }

  /** The file's bytes changed: pages that are in memory follow. */
  update(offset: number, bytes: Uint8Array): void {
    this.#forgetAhead();
    for (let done = 0; done < bytes.length;) {
      const start = (offset + done) % PAGE_BYTES;
      const count = Math.min(bytes.length - done, PAGE_BYTES - start);
      const page = this.#pages.get((offset + done - start) / PAGE_BYTES);
      if (page !== undefined) {
        this.pool.bytes(page).set(bytes.subarray(done, done + count), start);
        this.pool.written(page, start, count);
      }
      done += count;
    }
  }

  /** The file ends here now: what was beyond is zero on its last page, and gone after it. */
  truncate(size: number): void {
    this.#forgetAhead();
    for (const [index, page] of this.#pages) {
      const end = size - index * PAGE_BYTES;
      if (end >= PAGE_BYTES) continue;
      if (end > 0) {
        this.pool.bytes(page).fill(0, end);
        this.pool.written(page, end, PAGE_BYTES - end);
        continue;
      }
      this.#pages.delete(index);
      this.#dirty.delete(index);
      this.pool.release(page);
    }
  }

  markDirty(index: number): void {
    if (this.file) this.#dirty.add(index);
  }

  /** Stores what shared mappings wrote, up to the file's size. They may go on writing, so the pages stay marked. */
  writeBack(from = 0, to = Infinity): void {
    const { file } = this;
    const wanted = [...this.#dirty].filter((index) => index >= from && index < to);
    if (!file || wanted.length === 0) return;
    const size = file.size();
    for (const index of wanted) {
      const offset = index * PAGE_BYTES;
      const page = this.#pages.get(index);
      if (offset >= size || page === undefined) continue;
      file.writeBack(offset, this.pool.bytes(page).slice(0, Math.min(PAGE_BYTES, size - offset)));
    }
  }
}

/**
 * The pages of files in memory, shared by all processes that map them. The file half tells of everything that happens to a
 * mapped file otherwise, so that mappings, reads and writes of it agree.
 */
export class PageCache implements FilePages {
  readonly #files = new Map<string, MappedPages>();

  /** @param unmap drops pages of a file, from one on, from all page tables: they do not exist any more */
  constructor(
    private readonly pool: PagePool,
    private readonly unmap: (pages: MappedPages, fromPage: number) => void = () => undefined,
  ) {}

  /**
   * Takes the file over: it is closed when its last mapping is gone, or at once when the cache has one as good.
   * @param writable it was opened for writing, so that shared mappings can be stored
   */
  open(file: MappedFile, writable = false): MappedPages {
    const { device, inode } = file.identity;
    const key = `${device}:${inode}`;
    const known = this.#files.get(key);
    if (known) {
      known.adopt(file, writable);
      return known;
    }
    const pages = new MappedPages(this.pool, file, writable, () => this.#files.delete(key));
    this.#files.set(key, pages);
    return pages;
  }

  beforeRead(file: string, start: number, end: number): void {
    this.#files.get(file)?.writeBack(Math.floor(start / PAGE_BYTES), Math.ceil(end / PAGE_BYTES));
  }

  written(file: string, offset: number, bytes: Uint8Array): void {
    this.#files.get(file)?.update(offset, bytes);
  }

  resized(file: string, size: number): void {
    const pages = this.#files.get(file);
    if (!pages) return;
    this.unmap(pages, Math.ceil(size / PAGE_BYTES));
    pages.truncate(size);
  }
}
