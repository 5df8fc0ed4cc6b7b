import { PAGE_BYTES } from '../../memory/index.js';
import type { MappedFile } from '../files/index.js';
import type { PagePool } from './page-pool.js';

/**
 * Pages that several mappings share: a file's, or those of anonymous shared memory. Alive as long as a mapping refers to
 * it; pages are read when they are first touched.
 */
export class MappedPages {
  readonly #pages = new Map<number, number>();
  /** Pages that a shared mapping may have written. */
  readonly #dirty = new Set<number>();
  #mappings = 0;

  /** @param file without one the pages are anonymous memory */
  constructor(
    private readonly pool: PagePool,
    readonly file: MappedFile | undefined,
    private readonly onUnused: () => void = () => undefined,
  ) {}

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

  /**
   * The page that holds the `index`th 4 KiB. The reference is the cache's own.
   * @param address where it is going to be mapped, unless the mapping will make a copy of its own
   * @returns undefined wholly beyond the end of the file
   */
  page(index: number, address?: number): number | undefined {
    const known = this.#pages.get(index);
    if (known !== undefined) return known;
    const { file } = this;
    const offset = index * PAGE_BYTES;
    if (file && offset >= file.size()) return undefined;
    const page = this.pool.allocate(address);
    if (file) {
      this.pool.bytes(page).set(file.read(offset, PAGE_BYTES));
      this.pool.written(page);
    }
    this.#pages.set(index, page);
    return page;
  }

  markDirty(index: number): void {
    if (this.file) this.#dirty.add(index);
  }

  /** Stores what shared mappings wrote, up to the file's size. They may go on writing, so the pages stay marked. */
  writeBack(from = 0, to = Infinity): void {
    const { file } = this;
    if (!file) return;
    const size = file.size();
    for (const index of this.#dirty) {
      const offset = index * PAGE_BYTES;
      const page = this.#pages.get(index);
      if (index < from || index >= to || offset >= size || page === undefined) continue;
      file.writeBack(offset, this.pool.bytes(page).slice(0, Math.min(PAGE_BYTES, size - offset)));
    }
  }
}

/** The pages of files in memory, shared by all processes that map the same content. */
export class PageCache {
  readonly #files = new Map<string, MappedPages>();

  constructor(private readonly pool: PagePool) {}

  /** Takes the file over: it is closed when its last mapping is gone, or at once when the cache already has it. */
  open(file: MappedFile): MappedPages {
    const { device, inode, modifiedNs } = file.identity;
    const key = `${device}:${inode}:${modifiedNs}`;
    const known = this.#files.get(key);
    if (known) {
      file.close();
      return known;
    }
    const pages = new MappedPages(this.pool, file, () => this.#files.delete(key));
    this.#files.set(key, pages);
    return pages;
  }
}
