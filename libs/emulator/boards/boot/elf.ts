import type { ByteOrder } from '../../core/index.js';

/**
 * ELF executables as untrusted bytes: every offset and size is checked against the file before it is used.
 * Source: System V ABI edition 4.1, chapter 4 (object files) and chapter 5 (program loading); ELF-64 object file format 1.5.
 */

export type ElfMachine =
  | 'mips'
  | 'arm'
  | 'aarch64'
  | 'ppc'
  | 'ppc64'
  | 'riscv'
  | 'sparc'
  | 'sparc64'
  | 'x86'
  | 'x86-64'
  | 's390'
  | 'microblaze'
  | 'cris'
  | 'other';

/** A part of the file that is loaded to memory; `memBytes` beyond the data are zero. */
export interface ElfSegment {
  readonly virtualAddress: number;
  readonly physicalAddress: number;
  readonly data: Uint8Array;
  readonly memBytes: number;
  readonly executable: boolean;
}

export interface ElfHeader {
  readonly bits: 32 | 64;
  readonly byteOrder: ByteOrder;
  readonly machine: ElfMachine;
  /** e_machine as the file has it. */
  readonly machineNumber: number;
  readonly type: 'relocatable' | 'executable' | 'shared' | 'core' | 'other';
  readonly entry: number;
}

export interface ElfImage extends ElfHeader {
  /** PT_LOAD segments that occupy memory, in file order. */
  readonly segments: readonly ElfSegment[];
}

/** Says what makes the bytes unusable as an ELF file. */
export class ElfError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ElfError';
  }
}

const MACHINES: Readonly<Record<number, ElfMachine>> = {
  2: 'sparc',
  3: 'x86',
  8: 'mips',
  20: 'ppc',
  21: 'ppc64',
  22: 's390',
  40: 'arm',
  43: 'sparc64',
  62: 'x86-64',
  76: 'cris',
  183: 'aarch64',
  189: 'microblaze',
  243: 'riscv',
};
const TYPES = ['other', 'relocatable', 'executable', 'shared', 'core'] as const;
const PT_LOAD = 1;
const PF_X = 1;

export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

/** Reads the file header only. @throws ElfError */
export function parseElfHeader(bytes: Uint8Array): ElfHeader {
  return headerOf(new ElfReader(bytes));
}

/** Reads headers and loadable segments. @throws ElfError */
export function parseElf(bytes: Uint8Array): ElfImage {
  const reader = new ElfReader(bytes);
  const header = headerOf(reader);
  const wide = reader.bits === 64;
  const tableOffset = reader.address(wide ? 32 : 28, 'program header offset');
  const entryBytes = reader.half(wide ? 54 : 42, 'program header size');
  const count = reader.half(wide ? 56 : 44, 'program header count');
  if (count === 0)
    throw new ElfError(
      'it has no program headers, so nothing can be loaded (an object file or a stripped debug file?)',
    );
  if (entryBytes < (wide ? 56 : 32)) throw new ElfError(`program headers of ${entryBytes} bytes are too short`);
  if (tableOffset + count * entryBytes > bytes.length) {
    throw new ElfError(
      `it is truncated: ${count} program headers end at ${tableOffset + count * entryBytes}, the file at ${bytes.length} bytes`,
    );
  }
  const segments: ElfSegment[] = [];
  for (let index = 0; index < count; index++) {
    const at = tableOffset + index * entryBytes;
    if (reader.word(at, 'segment type') !== PT_LOAD) continue;
    const flags = reader.word(at + (wide ? 4 : 24), 'segment flags');
    const offset = reader.address(at + (wide ? 8 : 4), 'segment offset');
    const virtualAddress = reader.address(at + (wide ? 16 : 8), 'segment address');
    const physicalAddress = reader.address(at + (wide ? 24 : 12), 'segment address');
    const fileBytes = reader.address(at + (wide ? 32 : 16), 'segment size');
    const memBytes = reader.address(at + (wide ? 40 : 20), 'segment size');
    if (memBytes === 0) continue;
    if (fileBytes > memBytes) throw new ElfError(`segment ${index} has more bytes in the file than in memory`);
    if (offset + fileBytes > bytes.length) {
      throw new ElfError(
        `it is truncated: segment ${index} ends at ${offset + fileBytes}, the file at ${bytes.length} bytes`,
      );
    }
    const data = bytes.subarray(offset, offset + fileBytes);
    segments.push({ virtualAddress, physicalAddress, data, memBytes, executable: (flags & PF_X) !== 0 });
  }
  if (segments.length === 0) throw new ElfError('it has no loadable segments');
  return { ...header, segments };
}

function headerOf(reader: ElfReader): ElfHeader {
  const machineNumber = reader.half(18, 'machine');
  return {
    bits: reader.bits,
    byteOrder: reader.byteOrder,
    machine: MACHINES[machineNumber] ?? 'other',
    machineNumber,
    type: TYPES[reader.half(16, 'type')] ?? 'other',
    entry: reader.address(24, 'entry point'),
  };
}

class ElfReader {
  readonly bits: 32 | 64;
  readonly byteOrder: ByteOrder;
  readonly #view: DataView;
  readonly #little: boolean;

  constructor(bytes: Uint8Array) {
    if (!isElf(bytes)) throw new ElfError('it is not an ELF file');
    if (bytes.length < 52) throw new ElfError(`it is truncated: ${bytes.length} bytes do not hold an ELF header`);
    const [fileClass, data] = [bytes[4], bytes[5]];
    if (fileClass !== 1 && fileClass !== 2) throw new ElfError(`its class ${fileClass} is neither 32 nor 64 bits`);
    if (data !== 1 && data !== 2) throw new ElfError(`its byte order code ${data} is unknown`);
    this.bits = fileClass === 1 ? 32 : 64;
    if (this.bits === 64 && bytes.length < 64)
      throw new ElfError(`it is truncated: ${bytes.length} bytes do not hold an ELF-64 header`);
    this.byteOrder = data === 1 ? 'little' : 'big';
    this.#little = data === 1;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  half(offset: number, what: string): number {
    return this.#checked(offset, 2, what).getUint16(offset, this.#little);
  }

  /** 32 bits in both classes. */
  word(offset: number, what: string): number {
    return this.#checked(offset, 4, what).getUint32(offset, this.#little);
  }

  /** An address, offset or size: 32 or 64 bits by class. Kernel addresses keep their low 32 bits when sign-extended. */
  address(offset: number, what: string): number {
    if (this.bits === 32) return this.word(offset, what);
    const value = this.#checked(offset, 8, what).getBigUint64(offset, this.#little);
    if (value >> 32n === 0xffff_ffffn) return Number(value & 0xffff_ffffn);
    if (value > BigInt(Number.MAX_SAFE_INTEGER))
      throw new ElfError(`its ${what} 0x${value.toString(16)} is out of range`);
    return Number(value);
  }

  #checked(offset: number, length: number, what: string): DataView {
    if (offset + length > this.#view.byteLength) throw new ElfError(`it is truncated before its ${what}`);
    return this.#view;
  }
}
