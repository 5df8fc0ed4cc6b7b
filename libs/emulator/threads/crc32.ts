import { crc32 as crc32OfModule } from 'node:zlib';

/** Another's signature of {@link crc32}. */
type Crc32 = (data: Uint8Array | string, value: number) => number;

let found: Crc32 | undefined;

/**
 * CRC-32 (RFC 1952, section 8) by Node's zlib. The module `node:zlib` loads Node's streams, which takes longer than to sum megabytes;
 * the function itself is part of Node's binary, and is asked for there first.
 * @param value of what came before, if this goes on
 * @returns 0 to 2^32 - 1
 */
export function crc32(data: Uint8Array | string, value = 0): number {
  found ??= crc32OfBinary() ?? crc32OfModule;
  return found(data, value);
}

/** Undefined where what Node's modules are made of is out of reach, as with its permission model. */
function crc32OfBinary(): Crc32 | undefined {
  try {
    return (process as { binding?: (name: string) => { readonly crc32?: Crc32 } }).binding?.('zlib').crc32;
  } catch {
    return undefined;
  }
}
