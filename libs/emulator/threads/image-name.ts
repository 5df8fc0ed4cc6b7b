import { crc32 } from './crc32.js';

/**
 * A short name for an image, to keep its translations under, without Node's cryptography, which takes 2 MiB of an idle board. Images with
 * the same name share a file, of which each uses what is its own code; since such images can be made on purpose, who runs those of
 * several people keeps them apart by SHA-256.
 */
export const imageName = (bytes: Uint8Array): string => `${bytes.length} ${crc32(bytes).toString(16)}`;
