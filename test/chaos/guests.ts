// Guests that misbehave, a few instructions each, and the ELF file around them.

/** MIPS32 instructions by their mnemonics (MIPS32 Architecture, volume II), as far as these guests need them. */
const t0 = 8;
const t1 = 9;
const t2 = 10;
const lui = (rt: number, value: number) => 0x3c000000 | (rt << 16) | value;
const ori = (rt: number, rs: number, value: number) => 0x34000000 | (rs << 21) | (rt << 16) | value;
const addiu = (rt: number, rs: number, value: number) => 0x24000000 | (rs << 21) | (rt << 16) | (value & 0xffff);
const load = (opcode: number) => (rt: number, base: number, offset: number) =>
  ((opcode << 26) | (base << 21) | (rt << 16) | (offset & 0xffff)) >>> 0;
const [lb, lh, lw] = [load(0x20), load(0x21), load(0x23)];
const [sb, sh, sw] = [load(0x28), load(0x29), load(0x2b)];
const jr = (rs: number) => (rs << 21) | 8;
const beq0 = (offset: number) => 0x10000000 | (offset & 0xffff); // beq $0, $0, offset: always
const nop = 0;

// COM1 of the Malta board: I/O port 0x3f8 in the window at physical 0x18000000, seen uncached (KSEG1).
const uart = [lui(t0, 0xb800), ori(t0, t0, 0x3f8)];

export const guests = {
  /** Runs forever and does nothing. */
  spins: [beq0(-1), nop],
  /** Prints without end, as fast as it can. */
  floods: [...uart, ori(t1, 0, 0x41), sb(t1, t0, 0), beq0(-2), nop],
  /** Jumps to an address where nothing is mapped. */
  jumpsIntoNowhere: [lui(t0, 0x0dea), ori(t0, t0, 0xdbe0), jr(t0), nop],
  /** Jumps to an address that is not aligned. */
  jumpsAskew: [lui(t0, 0x8010), ori(t0, t0, 0x0001), jr(t0), nop],
  /** Executes what is no instruction. */
  executesGarbage: [0xfffffffc, nop],
  /** Reads and writes its way through the devices, in every width. */
  hammersDevices: [
    ...[lui(t0, 0xb800), ori(t1, 0, 0x55aa)],
    ...[lb(t2, t0, 0), lh(t2, t0, 2), lw(t2, t0, 4), sb(t1, t0, 1), sh(t1, t0, 2), sw(t1, t0, 8)],
    ...[addiu(t0, t0, 4), beq0(-8), nop],
  ],
} as const;

const LOAD_ADDRESS = 0x8010_0000;
const HEADER_BYTES = 52;
const PROGRAM_HEADER_BYTES = 32;

/** A little-endian MIPS32 executable of these instructions (System V ABI, chapters 4 and 5). */
export function elfOf(instructions: readonly number[]): Buffer {
  const codeBytes = instructions.length * 4;
  const start = HEADER_BYTES + PROGRAM_HEADER_BYTES;
  const elf = Buffer.alloc(start + codeBytes);
  elf.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]); // ELF, 32 bits, little-endian, version 1
  elf.writeUInt16LE(2, 16); // ET_EXEC
  elf.writeUInt16LE(8, 18); // EM_MIPS
  elf.writeUInt32LE(1, 20);
  elf.writeUInt32LE(LOAD_ADDRESS, 24); // entry
  elf.writeUInt32LE(HEADER_BYTES, 28); // program headers
  elf.writeUInt32LE(0x7000_1000, 36); // O32 ABI, MIPS32 release 2
  elf.writeUInt16LE(HEADER_BYTES, 40);
  elf.writeUInt16LE(PROGRAM_HEADER_BYTES, 42);
  elf.writeUInt16LE(1, 44);
  const segment = [1, start, LOAD_ADDRESS, LOAD_ADDRESS, codeBytes, codeBytes, 5, 4]; // PT_LOAD, readable, executable
  segment.forEach((word, index) => elf.writeUInt32LE(word, HEADER_BYTES + index * 4));
  instructions.forEach((word, index) => elf.writeUInt32LE(word >>> 0, start + index * 4));
  return elf;
}
