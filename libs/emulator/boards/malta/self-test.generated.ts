import type { ByteOrder } from '../../core/index.js';

export function maltaSelfTest(byteOrder: ByteOrder): Uint8Array {
  throw new RangeError(byteOrder);
}
