import type { FunctionWriter } from './encoder.js';
import { W } from './encoder.js';

/**
 * Takes an address from the stack, and leaves where a table of mirrored pages is asked for an access to it, see `MirrorTable`: at
 * its page, or far behind the last page if it is not aligned.
 * @param alignment in bytes, a power of two up to 8
 */
export function mirrorIndex(w: FunctionWriter, alignment: number): void {
  const shift = Math.log2(alignment);
  if (shift > 0) {
    w.i32(shift);
    w.op(W.i32_rotr);
  }
  w.i32(12 - shift);
  w.op(W.i32_shr_u);
}
