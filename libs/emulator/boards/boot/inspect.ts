import type { ByteOrder } from '../../core/index.js';
import { ElfError, isElf, parseElfHeader } from './elf.js';

export type ImageType =
  | 'elf'
  | 'uimage'
  | 'zimage'
  | 'bzimage'
  | 'linux-image'
  | 'fit'
  | 'dtb'
  | 'cpio'
  | 'gzip'
  | 'xz'
  | 'zstd'
  | 'bzip2'
  | 'lzma'
  | 'lz4'
  | 'lzo'
  | 'squashfs'
  | 'cramfs'
  | 'romfs'
  | 'jffs2'
  | 'ubi'
  | 'iso9660'
  | 'ext'
  | 'tar'
  | 'disk-raw'
  | 'qcow2'
  | 'disk-other'
  | 'firmware-raw'
  | 'text'
  | 'empty';

/** What a file is, told from its bytes alone. */
export interface ImageInfo {
  type: ImageType;
  /** One line for a person. */
  description: string;
  arch?: string;
  byteOrder?: ByteOrder;
  bits?: 32 | 64;
  /** Entry point, virtual address. */
  entry?: number;
}

type Recogniser = (image: Bytes) => ImageInfo | undefined;

/**
 * Names the type of an image from its magic numbers; never throws. Bytes that no format claims are raw firmware.
 * Sources: each format's own specification, named at its recogniser.
 */
export function inspectImage(bytes: Uint8Array): ImageInfo {
  if (bytes.length === 0) return { type: 'empty', description: 'an empty file' };
  const image = new Bytes(bytes);
  for (const recognise of RECOGNISERS) {
    const info = recognise(image);
    if (info) return info;
  }
  return { type: 'firmware-raw', description: `raw firmware or unknown data, ${sizeText(bytes.length)}` };
}

class Bytes {
  readonly #view: DataView;
  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  get length(): number {
    return this.bytes.length;
  }
  /** Unsigned 32 bits, or -1 beyond the end. */
  u32(offset: number, little = false): number {
    return offset + 4 <= this.length ? this.#view.getUint32(offset, little) : -1;
  }
  u16(offset: number, little = false): number {
    return offset + 2 <= this.length ? this.#view.getUint16(offset, little) : -1;
  }
  u8(offset: number): number {
    return this.bytes[offset] ?? -1;
  }
  starts(text: string, offset = 0): boolean {
    return this.latin1(offset, text.length) === text;
  }
  /** Text up to a NUL. */
  string(offset: number, maximum: number): string {
    return this.latin1(offset, maximum).split('\0', 1)[0] ?? '';
  }
  latin1(offset: number, length: number): string {
    return String.fromCharCode(...this.bytes.subarray(offset, offset + length));
  }
}

export function sizeText(bytes: number): string {
  const [unit, name] = bytes < 1024 ? [1, 'bytes'] : bytes < 2 ** 20 ? [1024, 'KiB'] : [2 ** 20, 'MiB'];
  const count = bytes / unit;
  return `${Number.isInteger(count) ? count : count.toFixed(1)} ${name}`;
}

const COMPRESSED: readonly (readonly [ImageType, string, readonly number[]])[] = [
  ['gzip', 'gzip-compressed data', [0x1f, 0x8b, 8]], // RFC 1952, 2.3.1
  ['xz', 'xz-compressed data', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]], // .xz file format 2.1.1.1
  ['zstd', 'Zstandard-compressed data', [0x28, 0xb5, 0x2f, 0xfd]], // RFC 8878, 3.1.1
  ['bzip2', 'bzip2-compressed data', [0x42, 0x5a, 0x68]],
  ['lz4', 'LZ4-compressed data', [0x04, 0x22, 0x4d, 0x18]], // LZ4 frame format 1.6
  ['lz4', 'LZ4-compressed data (legacy frame)', [0x02, 0x21, 0x4c, 0x18]], // the same, "Legacy frame"
  ['lzo', 'LZO-compressed data', [0x89, 0x4c, 0x5a, 0x4f, 0, 0x0d, 0x0a, 0x1a, 0x0a]], // lzop
  ['lzma', 'LZMA-compressed data', [0x5d, 0, 0]], // lzma-file-format.txt 1.1.1
];

function compressionAt(image: Bytes, offset: number): string | undefined {
  return COMPRESSED.find(([, , magic]) => magic.every((byte, index) => image.u8(offset + index) === byte))?.[0];
}

/** U-Boot, include/image.h: architecture numbers of the legacy header. */
const UIMAGE_ARCHES: Readonly<Record<number, string>> = {
  2: 'arm',
  3: 'x86',
  5: 'mips',
  6: 'mips64',
  7: 'ppc',
  11: 'sparc64',
  22: 'aarch64',
  26: 'riscv',
};
const UIMAGE_TYPES: Readonly<Record<number, string>> = {
  2: 'kernel',
  3: 'ramdisk',
  4: 'multi-file',
  5: 'firmware',
  6: 'script',
  7: 'file system',
  8: 'flat device tree',
};

const RECOGNISERS: readonly Recogniser[] = [
  (image) => {
    if (!isElf(image.bytes)) return undefined;
    try {
      const { machine, byteOrder, bits, entry, type } = parseElfHeader(image.bytes);
      const unpacks = type === 'executable' && hasCompressedPayload(image) ? ', unpacks itself' : '';
      return {
        type: 'elf',
        description: `ELF ${bits}-bit ${type} for ${machine}, ${byteOrder}-endian${unpacks}`,
        arch: machine,
        byteOrder,
        bits,
        entry,
      };
    } catch (error) {
      if (!(error instanceof ElfError)) throw error;
      return { type: 'elf', description: `a damaged ELF file: ${error.message}` };
    }
  },
  // U-Boot legacy image: magic, then big-endian header of 64 bytes.
  (image) => {
    if (image.u32(0) !== 0x27051956 || image.length < 64) return undefined;
    const arch = UIMAGE_ARCHES[image.u8(29)];
    const what = UIMAGE_TYPES[image.u8(30)] ?? 'image';
    return { type: 'uimage', description: `U-Boot ${what} '${image.string(32, 32)}'`, arch, entry: image.u32(20) };
  },
  // Devicetree specification 0.4, 5.2; a FIT is a device tree with a node /images (U-Boot, doc/usage/fit/source_file_format).
  (image) => {
    if (image.u32(0) !== 0xd00dfeed || image.length < 40) return undefined;
    const size = sizeText(image.u32(4));
    return hasTopLevelNode(image, 'images')
      ? { type: 'fit', description: `U-Boot FIT image, ${size}` }
      : { type: 'dtb', description: `flattened device tree, ${size}` };
  },
  // ARM Linux boot protocol: magic 0x016f2818 at 0x24, then start, end and an endianness mark.
  (image) => {
    if (image.u32(0x24, true) !== 0x016f2818) return undefined;
    const byteOrder = image.u32(0x30, true) === 0x01020304 ? 'big' : 'little';
    return { type: 'zimage', description: 'ARM Linux zImage', arch: 'arm', bits: 32, byteOrder };
  },
  // Linux, Documentation/arch/x86/boot.rst: "HdrS" at 0x202, protocol version at 0x206, the kernel's version by 0x20e.
  (image) => {
    if (!image.starts('HdrS', 0x202) || image.u16(510) !== 0x55aa) return undefined;
    const version = image.string(0x200 + image.u16(0x20e, true), 64).split(' ', 1)[0] ?? '';
    const known = /^[\w.+~-]+$/.test(version) ? ` ${version}` : '';
    return { type: 'bzimage', description: `x86 Linux${known}, bzImage`, arch: 'x86', byteOrder: 'little' };
  },
  // Linux, Documentation/arch/arm64/booting.rst and arch/riscv/boot-image-header.rst: magic at 56.
  (image) => {
    const arch = image.starts('ARM\x64', 56) ? 'aarch64' : image.starts('RSC\x05', 56) ? 'riscv' : undefined;
    // Flags at 24; bit 0 is the byte order of either.
    return (
      arch && {
        type: 'linux-image',
        description: `Linux Image for ${arch}`,
        arch,
        byteOrder: image.u8(24) & 1 ? 'big' : 'little',
      }
    );
  },
  // cpio(5): "new ASCII" format with and without checksum, and the portable format.
  (image) =>
    ['070701', '070702', '070707'].some((magic) => image.starts(magic))
      ? { type: 'cpio', description: 'cpio archive (initramfs)' }
      : undefined,
  (image) => {
    const found = COMPRESSED.find(([, , magic]) => magic.every((byte, index) => image.u8(index) === byte));
    if (!found) return undefined;
    const [type, description] = found;
    // RFC 1952, 2.3.1: FLG.FNAME announces the original name.
    const name = type === 'gzip' && (image.u8(3) & 0x0c) === 0x08 ? ` of '${image.string(10, 100)}'` : '';
    return { type, description: `${description}${name}, ${sizeText(image.length)}` };
  },
  // QEMU, docs/interop/qcow2: magic "QFI\xfb", version, virtual size at 24.
  (image) => {
    if (image.u32(0) !== 0x514649fb) return undefined;
    const virtualBytes = image.length >= 32 ? image.u32(24) * 2 ** 32 + image.u32(28) : 0;
    return { type: 'qcow2', description: `QCOW2 disk image v${image.u32(4)}, ${sizeText(virtualBytes)} virtual` };
  },
  // Disks of other hypervisors, which boards here do not read: VMDK, VHDX, VHD, VDI.
  (image) => {
    const format =
      image.starts('KDMV') || image.starts('# Disk DescriptorFile')
        ? 'VMDK'
        : image.starts('vhdxfile')
          ? 'VHDX'
          : image.starts('conectix')
            ? 'VHD'
            : image.u32(0x40, true) === 0xbeda107f
              ? 'VDI'
              : undefined;
    return format && { type: 'disk-other', description: `${format} disk image, ${sizeText(image.length)}` };
  },
  // SquashFS: magic in the byte order of its creator.
  (image) => {
    const byteOrder = image.starts('hsqs') ? 'little' : image.starts('sqsh') ? 'big' : undefined;
    return byteOrder && { type: 'squashfs', description: `SquashFS file system, ${byteOrder}-endian`, byteOrder };
  },
  // Linux, Documentation/filesystems/cramfs.rst: the superblock may stand behind 512 bytes for a boot loader.
  (image) => {
    for (const offset of [0, 512]) {
      const little = image.u32(offset, true) === 0x28cd3d45;
      if (!little && image.u32(offset) !== 0x28cd3d45) continue;
      return { type: 'cramfs', description: 'cramfs file system', byteOrder: little ? 'little' : 'big' };
    }
    return undefined;
  },
  // Linux, Documentation/filesystems/romfs.rst.
  (image) => (image.starts('-rom1fs-') ? { type: 'romfs', description: 'romfs file system' } : undefined),
  // UBI: erase counter header, magic "UBI#"; JFFS2: node magic 0x1985 and one of its node types.
  (image) => (image.starts('UBI#') ? { type: 'ubi', description: 'UBI volumes for raw flash' } : undefined),
  (image) => {
    for (const little of [true, false]) {
      if (image.u16(0, little) !== 0x1985 || !JFFS2_NODES.has(image.u16(2, little))) continue;
      const byteOrder = little ? 'little' : 'big';
      return { type: 'jffs2', description: `JFFS2 file system, ${byteOrder}-endian`, byteOrder };
    }
    return undefined;
  },
  // POSIX.1-2017 pax: "ustar" at 257; older archives have a sum of the header's bytes in octal at 148.
  (image) =>
    image.starts('ustar', 257) || hasTarChecksum(image) ? { type: 'tar', description: 'tar archive' } : undefined,
  // ECMA-119, 8.1: volume descriptors begin at sector 16.
  (image) =>
    image.starts('CD001', 0x8001)
      ? { type: 'iso9660', description: `ISO 9660 file system, ${sizeText(image.length)}` }
      : undefined,
  // ext2/3/4: superblock at 1024, magic 0xef53 at its offset 56.
  (image) =>
    image.u16(1080, true) === 0xef53
      ? { type: 'ext', description: `ext2/3/4 file system, ${sizeText(image.length)}` }
      : undefined,
  // A master boot record ends with 55 aa; UEFI specification 2.10, 5.2.1.
  (image) => {
    if (image.length < 512 || image.u16(510) !== 0x55aa) return undefined;
    const gpt = image.starts('EFI PART', 512);
    return {
      type: 'disk-raw',
      description: `raw disk image with ${gpt ? 'a GUID' : 'an MBR'} partition table, ${sizeText(image.length)}`,
    };
  },
  (image) => {
    const sample = image.bytes.subarray(0, 512);
    const printable = sample.every((byte) => (byte >= 0x20 && byte < 0x7f) || (byte >= 9 && byte <= 13));
    return printable ? { type: 'text', description: 'text' } : undefined;
  },
];

/** A boot wrapper (Linux arch/<arch>/boot/compressed) carries the kernel compressed on an aligned offset in its data. */
function hasCompressedPayload(image: Bytes): boolean {
  const end = Math.min(image.length, 0x40000);
  for (let offset = 0x1000; offset < end; offset += 4)
    if (compressionAt(image, offset) === 'xz' || (compressionAt(image, offset) === 'gzip' && image.u8(offset + 3) <= 8))
      return true;
  return false;
}

// Linux, include/uapi/linux/jffs2.h: directory entry, inode, clean marker, padding, summary, xattr, xref.
const JFFS2_NODES: ReadonlySet<number> = new Set([0xe001, 0xe002, 0x2003, 0x2004, 0x2006, 0xe008, 0xe009]);

/** Whether octal digits at 148 are the sum of the header's 512 bytes, themselves counted as spaces. */
function hasTarChecksum(image: Bytes): boolean {
  const digits = /^ *([0-7]{1,7})[ \0]/.exec(image.latin1(148, 8))?.[1];
  if (digits === undefined || image.length < 512) return false;
  let sum = 8 * 0x20;
  for (let offset = 0; offset < 512; offset++) if (offset < 148 || offset >= 156) sum += image.u8(offset);
  return sum === parseInt(digits, 8);
}

// Devicetree specification 0.4, 5.4.1.
const FDT_BEGIN_NODE = 1;
const FDT_END_NODE = 2;
const FDT_PROP = 3;
const FDT_NOP = 4;
// A tree has some thousand tokens; what has more has said enough about itself.
const FDT_MAX_TOKENS = 100_000;

/** Walks the structure block as far as it is sound. */
function hasTopLevelNode(image: Bytes, name: string): boolean {
  let offset = image.u32(8);
  let depth = 0;
  for (let tokens = 0; tokens < FDT_MAX_TOKENS && offset + 4 <= image.length; tokens++) {
    const token = image.u32(offset);
    offset += 4;
    if (token === FDT_BEGIN_NODE) {
      const node = image.string(offset, 256);
      if (depth === 1 && node === name) return true;
      depth++;
      offset += (node.length + 4) & ~3; // its NUL, and up to a multiple of four
    } else if (token === FDT_PROP) {
      if (offset + 8 > image.length) return false;
      offset += 8 + Math.ceil(image.u32(offset) / 4) * 4;
    } else if (token === FDT_END_NODE) {
      if (--depth <= 0) return false;
    } else if (token !== FDT_NOP) {
      return false;
    }
  }
  return false;
}
