// Guests that misbehave, a few instructions each, and the ELF file around them.
import { mipsElf } from '../support/mips-elf.js';
import { addiu, bAlways, jr, lui, memory, NOP, ori, sb, T0, T1, T2, UART_IN_T0 } from '../support/mips-words.js';

const lb = (rt: number, base: number, offset: number): number => memory(0x20, rt, base, offset);
const lh = (rt: number, base: number, offset: number): number => memory(0x21, rt, base, offset);
const lw = (rt: number, base: number, offset: number): number => memory(0x23, rt, base, offset);
const sh = (rt: number, base: number, offset: number): number => memory(0x29, rt, base, offset);
const sw = (rt: number, base: number, offset: number): number => memory(0x2b, rt, base, offset);

export const guests = {
  /** Runs forever and does nothing. */
  spins: [...bAlways(-1)],
  /** Prints without end, as fast as it can. */
  floods: [...UART_IN_T0, ori(T1, 0, 0x41), sb(T1, T0, 0), ...bAlways(-2)],
  /** Jumps to an address where nothing is mapped. */
  jumpsIntoNowhere: [lui(T0, 0x0dea), ori(T0, T0, 0xdbe0), ...jr(T0)],
  /** Jumps to an address that is not aligned. */
  jumpsAskew: [lui(T0, 0x8010), ori(T0, T0, 0x0001), ...jr(T0)],
  /** Executes what is no instruction. */
  executesGarbage: [0xfffffffc, NOP],
  /** Reads and writes its way through the devices, in every width. */
  hammersDevices: [
    ...[lui(T0, 0xb800), ori(T1, 0, 0x55aa)],
    ...[lb(T2, T0, 0), lh(T2, T0, 2), lw(T2, T0, 4), sb(T1, T0, 1), sh(T1, T0, 2), sw(T1, T0, 8)],
    ...[addiu(T0, T0, 4), ...bAlways(-8)],
  ],
} as const;

/** A little-endian executable of these instructions. */
export const elfOf = (instructions: readonly number[]): Buffer =>
  Buffer.from(mipsElf(instructions, { byteOrder: 'little' }));
