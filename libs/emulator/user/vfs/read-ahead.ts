import type { BackingBytes } from './sparse-bytes.js';

const AHEAD_BYTES = 64 * 1024;
/** So many reads follow each other before more is read than was asked for: programs look at the beginning of many files. */
const READS_IN_ORDER = 2;

/**
 * The file below an overlay, read in larger pieces where it is read in order: a read of the host's costs several times as much
 * as the bytes. What is read ahead may be older than the file when it is asked for. That is permitted: an overlay's lower files
 * must not change while it is in use (Linux, filesystems/overlayfs, "Changes to underlying filesystems").
 */
export class ReadAhead implements BackingBytes {
  /** Made when a file is read in order. */
  #bytes: Uint8Array | undefined;
  /** Which part of the file is there. */
  #from = 0;
  #count = 0;
  /** Where the last read ended, and how many have begun where the one before ended. */
  #end = -1;
  #inOrder = 0;

  constructor(private readonly file: BackingBytes) {}

  read(offset: number, target: Uint8Array): number {
    this.#inOrder = offset === this.#end ? this.#inOrder + 1 : 0;
    const count = this.#isAhead(offset, target.length) ? this.#take(offset, target) : this.file.read(offset, target);
    this.#end = offset + count;
    return count;
  }

  /** Does what is asked for begin in what was read ahead, if need be now? */
  #isAhead(offset: number, length: number): boolean {
    if (length >= AHEAD_BYTES || this.#inOrder < READS_IN_ORDER) return false;
    if (offset >= this.#from && offset < this.#from + this.#count) return true;
    this.#bytes ??= new Uint8Array(AHEAD_BYTES);
    this.#from = offset;
    this.#count = this.file.read(offset, this.#bytes);
    return true;
  }

  #take(offset: number, target: Uint8Array): number {
    const bytes = this.#bytes as Uint8Array; // something was read ahead
    const at = offset - this.#from;
    const count = Math.min(target.length, this.#count - at);
    target.set(bytes.subarray(at, at + count));
    if (count === target.length || this.#count < AHEAD_BYTES) return count;
    return count + this.file.read(offset + count, target.subarray(count));
  }
}
