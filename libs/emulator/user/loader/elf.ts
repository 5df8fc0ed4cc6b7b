/**
 * Executable ELF files as untrusted bytes, read through the file that will be mapped.
 * Source: System V ABI edition 4.1, chapters 4 and 5; ELF-64 object file format 1.5.
 */
import type { ByteOrder } from '../../core/index.js';

/** Says what is wrong with a program's file, in words that follow its name: "it is …". */
export class ProgramError extends Error {
  constructor(
    message: string,
    /** What to do about it, a sentence without its full stop. */
    readonly mend: string,
    /** Not the program itself is at fault but the interpreter that it names. */
    readonly fault: 'program' | 'missing interpreter' | 'unfit interpreter' = 'program',
  ) {
    super(message);
  }
}

export const ProgramHeaderType = { Load: 1, Interpreter: 3, ProgramHeaders: 6, GnuStack: 0x6474e551 } as const;
export const SegmentFlag = { Execute: 1, Write: 2, Read: 4 } as const;

export interface ProgramHeader {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly virtualAddress: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
  readonly align: number;
}

export interface ElfProgram {
  readonly machine: number;
  readonly byteOrder: ByteOrder;
  readonly bits: 32 | 64;
  /** ET_DYN: may be loaded anywhere. */
  readonly positionIndependent: boolean;
  readonly flags: number;
  readonly entry: number;
  /** File offset, size of one and number of program headers. */
  readonly headerOffset: number;
  readonly headerBytes: number;
  readonly headers: readonly ProgramHeader[];
}

/** Names of e_machine values that a person is likely to meet. */
const MACHINES: Readonly<Record<number, string>> = {
  2: 'SPARC',
  3: 'x86 (i386)',
  4: 'm68k',
  8: 'MIPS',
  20: 'PowerPC',
  21: 'PowerPC 64',
  22: 's390',
  40: 'ARM',
  42: 'SuperH',
  43: 'SPARC V9',
  62: 'x86-64',
  183: 'AArch64',
  189: 'MicroBlaze',
  243: 'RISC-V',
  258: 'LoongArch',
};

export const machineName = (machine: number): string => MACHINES[machine] ?? `machine number ${machine}`;

const ET_EXEC = 2;
const ET_DYN = 3;
/** As many as Linux accepts: all must lie within one page-sized read. */
const MAX_PROGRAM_HEADERS = 4096 / 32;

export function isElf(start: Uint8Array): boolean {
  return start.length >= 4 && start[0] === 0x7f && start[1] === 0x45 && start[2] === 0x4c && start[3] === 0x46;
}

/**
 * @param read gives fewer bytes than asked for only at the end of the file
 * @throws ProgramError
 */
export function parseProgram(read: (offset: number, length: number) => Uint8Array, fileBytes: number): ElfProgram {
  const identification = read(0, 64);
  if (!isElf(identification))
    throw new ProgramError('is no ELF program', 'Name a Linux program, or a script that starts with #!');
  const bits = identification[4] === 2 ? 64 : 32;
  const headerBytes = bits === 64 ? 64 : 52;
  if (identification.length < headerBytes) throw truncated('its header is incomplete');
  const byteOrder: ByteOrder = identification[5] === 2 ? 'big' : 'little';
  const little = byteOrder === 'little';
  const view = new DataView(identification.buffer, identification.byteOffset, identification.length);
  const type = view.getUint16(16, little);
  const machine = view.getUint16(18, little);
  if (bits === 64) {
    // Nothing here executes 64-bit programs; who asks for the machine gets to know it.
    return {
      machine,
      byteOrder,
      bits,
      positionIndependent: type === ET_DYN,
      flags: 0,
      entry: 0,
      headerOffset: 0,
      headerBytes: 56,
      headers: [],
    };
  }
  if (type !== ET_EXEC && type !== ET_DYN)
    throw new ProgramError('is an ELF file but no program (an object file, or a core)', 'Link it first');
  const entry = view.getUint32(24, little);
  const headerOffset = view.getUint32(28, little);
  const flags = view.getUint32(36, little);
  const entryBytes = view.getUint16(42, little);
  const count = view.getUint16(44, little);
  if (entryBytes !== 32 || count === 0 || count > MAX_PROGRAM_HEADERS)
    throw new ProgramError('is an ELF file whose program headers make no sense', 'Build or fetch it again');
  const table = read(headerOffset, count * entryBytes);
  if (table.length < count * entryBytes) throw truncated('its program headers lie beyond its end');
  const rows = new DataView(table.buffer, table.byteOffset, table.length);
  const headers = Array.from({ length: count }, (_, i): ProgramHeader => {
    const word = (index: number): number => rows.getUint32(i * entryBytes + 4 * index, little);
    return {
      type: word(0),
      offset: word(1),
      virtualAddress: word(2),
      fileBytes: word(4),
      memoryBytes: word(5),
      flags: word(6),
      align: word(7),
    };
  });
  for (const header of headers) {
    if (header.type !== ProgramHeaderType.Load) continue;
    if (header.offset + header.fileBytes > fileBytes)
      throw truncated(`a segment ends at byte ${header.offset + header.fileBytes}, the file has ${fileBytes}`);
    if (header.fileBytes > header.memoryBytes)
      throw new ProgramError('is an ELF file with a segment larger than its memory', 'Build or fetch it again');
    if (header.fileBytes > 0 && header.offset % 4096 !== header.virtualAddress % 4096)
      throw new ProgramError('is an ELF file whose segments cannot be mapped to pages', 'Link it again');
  }
  return {
    machine,
    byteOrder,
    bits,
    positionIndependent: type === ET_DYN,
    flags,
    entry,
    headerOffset,
    headerBytes: entryBytes,
    headers,
  };
}

const truncated = (how: string): ProgramError =>
  new ProgramError(`is a truncated ELF file: ${how}`, 'Copy or fetch the file again');
