const SLAB_BYTES = 1 << 20;
/** More than this gets memory of its own: it would waste the rest of a slab. */
const MOST_FROM_SLAB = SLAB_BYTES / 16;

let slab = new Uint8Array(0);
let used = 0;

/**
 * Zeroed bytes that nobody else has. Memory is taken from the host in larger pieces: programs read files by the kilobyte, and
 * the host takes longer to make an array than to fill it.
 */
export function freshBytes(length: number): Uint8Array<ArrayBuffer> {
  if (length > MOST_FROM_SLAB) return new Uint8Array(length);
  if (used + length > slab.length) {
    slab = new Uint8Array(SLAB_BYTES);
    used = 0;
  }
  const bytes = slab.subarray(used, used + length);
  used += length;
  return bytes;
}
