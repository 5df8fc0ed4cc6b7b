import type { BlockBackend } from '../core/index.js';
import { checkRange, readOnlyError } from './bounds.js';

/** A disk whose storage is the given array itself: writes change the caller's bytes. */
export class MemoryBlock implements BlockBackend {
  readonly sizeBytes: number;

  constructor(
    private readonly bytes: Uint8Array,
    readonly readOnly = false,
  ) {
    this.sizeBytes = bytes.length;
  }

  read(offset: number, target: Uint8Array): void {
    checkRange('memory disk', this.sizeBytes, offset, target.length);
    target.set(this.bytes.subarray(offset, offset + target.length));
  }

  write(offset: number, source: Uint8Array): void {
    if (this.readOnly) throw readOnlyError('memory disk');
    checkRange('memory disk', this.sizeBytes, offset, source.length);
    this.bytes.set(source, offset);
  }

  flush(): void {
    // Memory has nothing behind it to flush to.
  }
}
