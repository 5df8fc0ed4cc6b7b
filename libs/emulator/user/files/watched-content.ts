import { identityOf } from '../vfs/inode.js';
import type { AttributeChange, Attributes, FileContent } from '../vfs/inode.js';
import type { FilePages } from './api.js';

/** What a hole that is punched shows. */
const ZEROS = new Uint8Array(65536);

/** A regular file's bytes, in agreement with the pages of it that are in memory. */
export class WatchedContent implements FileContent {
  /** Which file it is: `device:inode`. */
  readonly file: string;

  constructor(
    /** The file itself, as mappings read and write it. */
    readonly raw: FileContent,
    private readonly pages: () => FilePages | undefined,
  ) {
    this.file = identityOf(raw.attributes());
  }

  read(offset: number, target: Uint8Array): number {
    this.pages()?.beforeRead(this.file, offset, offset + target.length);
    return this.raw.read(offset, target);
  }

  write(offset: number, source: Uint8Array): number {
    const count = this.raw.write(offset, source);
    this.pages()?.written(this.file, offset, source.subarray(0, count));
    return count;
  }

  size(): number {
    return this.raw.size();
  }

  truncate(size: number): void {
    this.raw.truncate(size);
    this.pages()?.resized(this.file, size);
  }

  attributes(): Attributes {
    return this.raw.attributes();
  }

  change(change: AttributeChange): void {
    this.raw.change(change);
  }

  seek(offset: number, what: 'data' | 'hole'): number | undefined {
    return this.raw.seek(offset, what);
  }

  allocate(offset: number, length: number, what: 'reserve' | 'punch'): void {
    this.raw.allocate(offset, length, what);
    const pages = what === 'punch' ? this.pages() : undefined;
    if (!pages) return;
    const end = Math.min(offset + length, this.raw.size());
    for (let at = offset; at < end; at += ZEROS.length) {
      pages.written(this.file, at, ZEROS.subarray(0, end - at));
    }
  }

  sync(): void {
    this.pages()?.beforeRead(this.file, 0, Infinity);
    this.raw.sync();
  }

  close(): void {
    this.raw.close();
  }
}
