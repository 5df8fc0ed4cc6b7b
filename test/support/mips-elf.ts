/** Where {@link mipsElf} loads a program: 1 MiB into kseg0. */
export const LOAD_ADDRESS = 0x80100000;

const HEADER_BYTES = 52;
const PROGRAM_HEADER_BYTES = 32;
const EM_MIPS = 8;

export interface ElfShape {
  byteOrder: 'little' | 'big';
  /** `e_machine`, MIPS unless told. */
  machine?: number;
  /** Bytes of memory that the segment takes, at least the program itself. */
  memoryBytes?: number;
}

/** An ELF executable (System V ABI, chapters 4 and 5) with one segment: the given instruction words. */
export function mipsElf(
  words: readonly number[],
  { byteOrder, machine = EM_MIPS, memoryBytes = 0 }: ElfShape,
): Uint8Array {
  const little = byteOrder === 'little';
  const textAt = HEADER_BYTES + PROGRAM_HEADER_BYTES;
  const bytes = new Uint8Array(textAt + words.length * 4);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, little ? 1 : 2, 1]);
  const half = (offset: number, value: number): void => view.setUint16(offset, value, little);
  const word = (offset: number, value: number): void => view.setUint32(offset, value, little);
  half(16, 2); // e_type: executable
  half(18, machine);
  word(20, 1); // e_version
  word(24, LOAD_ADDRESS); // e_entry
  word(28, HEADER_BYTES); // e_phoff
  word(36, 0x70001000); // e_flags: MIPS32 release 2, o32
  half(40, HEADER_BYTES); // e_ehsize
  half(42, PROGRAM_HEADER_BYTES); // e_phentsize
  half(44, 1); // e_phnum
  const program = [
    1,
    textAt,
    LOAD_ADDRESS,
    LOAD_ADDRESS,
    words.length * 4,
    Math.max(memoryBytes, words.length * 4),
    7,
    4,
  ];
  program.forEach((value, index) => word(HEADER_BYTES + index * 4, value));
  words.forEach((value, index) => word(textAt + index * 4, value));
  return bytes;
}
