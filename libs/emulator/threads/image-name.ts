import { crc32 } from './crc32.js';

/**
 * A short name for an image, to keep its translations under, without Node's cryptography, which takes 2 MiB of an idle board. Images that
 * share a name share a file, and each takes of it what is code of its own. For images of one person: others' could be made to.
 */
export const imageName = (bytes: Uint8Array): string => `${bytes.length} ${crc32(bytes).toString(16)}`;
