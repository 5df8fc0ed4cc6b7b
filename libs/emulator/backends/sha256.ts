import { createHash } from 'node:crypto';

/** Bytes hashed before the event loop has its turn: some ten milliseconds. */
const TURN_BYTES = 16 << 20;

/**
 * SHA-256, hexadecimal, of memory as it lies there. Web Crypto needs a copy of memory that threads share; this reads a
 * board's RAM in place, and pages that the guest never touched stay without memory.
 */
export async function sha256InPlace(bytes: Uint8Array): Promise<string> {
  const hash = createHash('sha256');
  for (let offset = 0; offset < bytes.length; offset += TURN_BYTES) {
    if (offset > 0) await new Promise((resolve) => setImmediate(resolve));
    hash.update(bytes.subarray(offset, offset + TURN_BYTES));
  }
  return hash.digest('hex');
}
