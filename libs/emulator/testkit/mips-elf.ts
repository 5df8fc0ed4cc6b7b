import type { ByteOrder } from '../core/index.js';

export interface MipsExecutable {
  readonly byteOrder: ByteOrder;
  /** Where the image lies and its first instruction is: a virtual address, a multiple of 4096. */
  readonly address: number;
  readonly image: Uint8Array;
  /** Bytes of memory that the segment takes, at least those of the image. */
  readonly memoryBytes?: number;
  /** `e_machine`, MIPS unless told. */
  readonly machine?: number;
  /** Size of the floating-point registers in bits: 64 is Status.FR = 1. */
  readonly registers?: 32 | 64;
}

const PAGE_BYTES = 4096;
const [HEADER_BYTES, PROGRAM_HEADER_BYTES] = [52, 32];
const FLAGS_AT = 0x100;
const FLAGS_BYTES = 24;
/** MIPS32 release 2, o32; then what programs with 64-bit floating-point registers add. */
const [E_FLAGS, EF_MIPS_FP64] = [0x7000_1000, 0x200];

/**
 * An executable (System V ABI, chapters 4 and 5) with one segment that may be read, written and executed, and the ABI flags
 * that tell a system which floating-point registers to use.
 */
export function mipsElf({ byteOrder, address, image, ...options }: MipsExecutable): Uint8Array {
  const { memoryBytes = 0, machine = 8, registers = 32 } = options;
  const little = byteOrder === 'little';
  const wide = registers === 64;
  const bytes = new Uint8Array(PAGE_BYTES + image.length);
  const view = new DataView(bytes.buffer);
  const words = (offset: number, values: readonly number[]): void =>
    values.forEach((value, i) => view.setUint32(offset + 4 * i, value, little));
  const halves = (offset: number, values: readonly number[]): void =>
    values.forEach((value, i) => view.setUint16(offset + 2 * i, value, little));
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, little ? 1 : 2, 1]);
  halves(16, [2, machine]); // executable
  words(20, [1, address, HEADER_BYTES, 0, E_FLAGS | (wide ? EF_MIPS_FP64 : 0)]);
  halves(40, [HEADER_BYTES, PROGRAM_HEADER_BYTES, 2, 40, 0, 0]);
  const headers = [
    [0x7000_0003, FLAGS_AT, 0, 0, FLAGS_BYTES, FLAGS_BYTES, 4, 8], // PT_MIPS_ABIFLAGS
    [1, PAGE_BYTES, address, address, image.length, Math.max(memoryBytes, image.length), 7, PAGE_BYTES],
  ];
  words(HEADER_BYTES, headers.flat());
  // ISA level and revision, sizes of GPRs and FPRs, no coprocessor 2, floating-point ABI: double (1) or FP64 (6).
  bytes.set([32, 2, 1, wide ? 2 : 1, 0, wide ? 6 : 1], FLAGS_AT + 2);
  bytes.set(image, PAGE_BYTES);
  return bytes;
}
