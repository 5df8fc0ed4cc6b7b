import type { Image, ImageRole } from '../api/types.js';

/** The types that fit a role best; others are offered after them, because inspection cannot know a person's intent. */
const FITTING: Readonly<Record<ImageRole, readonly string[]>> = {
  kernel: ['elf', 'uimage', 'zimage', 'bzimage', 'linux-image', 'fit', 'gzip'],
  initrd: ['cpio', 'gzip', 'xz', 'zstd', 'lzma', 'bzip2', 'lz4', 'lzo'],
  firmware: ['firmware-raw', 'elf'],
  drive: ['disk-raw', 'ext', 'squashfs', 'iso9660', 'qcow2'],
  upload: [],
};

export function fitsRole(image: Image, role: ImageRole): boolean {
  return FITTING[role].includes(image.type);
}

/** "MIPS, 32-bit, little-endian", or nothing for images without an architecture. */
export function archText(image: Pick<Image, 'arch' | 'bits' | 'byteOrder'>): string {
  return [
    image.arch?.toUpperCase(),
    image.bits === null ? undefined : `${image.bits}-bit`,
    image.byteOrder === null ? undefined : `${image.byteOrder}-endian`,
  ]
    .filter((part) => part !== undefined)
    .join(', ');
}
