import type { BlockBackend } from '../core/index.js';
import { checkRange } from './bounds.js';

/** Unit of copying. Large enough that a guest's file system writes rarely copy twice, small beside a disk. */
const CHUNK_BYTES = 64 * 1024;

/**
 * A writable view of a disk that is itself never written: the first write into a 64 KiB chunk copies that chunk into
 * memory, and everything after reads and writes the copy. What the guest wrote is gone with the object.
 */
export class CopyOnWriteOverlay implements BlockBackend {
  readonly readOnly = false;
  readonly sizeBytes: number;
  readonly #chunks = new Map<number, Uint8Array>();

  constructor(private readonly base: BlockBackend) {
    this.sizeBytes = base.sizeBytes;
  }

  /** Memory that the guest's writes occupy so far. */
  get overlayBytes(): number {
    return this.#chunks.size * CHUNK_BYTES;
  }

  read(offset: number, target: Uint8Array): void {
    checkRange('copy-on-write disk', this.sizeBytes, offset, target.length);
    for (const { index, inChunk, start, end } of pieces(offset, target.length)) {
      const piece = target.subarray(start, end);
      const chunk = this.#chunks.get(index);
      if (chunk) piece.set(chunk.subarray(inChunk, inChunk + piece.length));
      else this.base.read(offset + start, piece);
    }
  }

  write(offset: number, source: Uint8Array): void {
    checkRange('copy-on-write disk', this.sizeBytes, offset, source.length);
    for (const { index, inChunk, start, end } of pieces(offset, source.length)) {
      this.#writableChunk(index).set(source.subarray(start, end), inChunk);
    }
  }

  flush(): void {
    // The overlay lives in memory only; the base has nothing to flush, because it is never written.
  }

  #writableChunk(index: number): Uint8Array {
    let chunk = this.#chunks.get(index);
    if (!chunk) {
      chunk = new Uint8Array(CHUNK_BYTES);
      const startByte = index * CHUNK_BYTES;
      this.base.read(startByte, chunk.subarray(0, Math.min(CHUNK_BYTES, this.sizeBytes - startByte)));
      this.#chunks.set(index, chunk);
    }
    return chunk;
  }
}

/** Splits a transfer at chunk borders; `start` and `end` index the caller's buffer. */
function* pieces(
  offset: number,
  length: number,
): Generator<{ index: number; inChunk: number; start: number; end: number }> {
  for (let start = 0; start < length;) {
    const inChunk = (offset + start) % CHUNK_BYTES;
    const end = Math.min(length, start + CHUNK_BYTES - inChunk);
    yield { index: Math.floor((offset + start) / CHUNK_BYTES), inChunk, start, end };
    start = end;
  }
}
