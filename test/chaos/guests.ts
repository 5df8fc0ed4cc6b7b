// Guests that misbehave, a few instructions each, and the ELF file around them.
import { mipsElf } from '../support/mips-elf.js';
import {
  addiu,
  andi,
  bAlways,
  beqz,
  jr,
  jump,
  lui,
  memory,
  NOP,
  ori,
  sb,
  srl,
  T0,
  T1,
  T2,
  UART_IN_T0,
} from '../support/mips-words.js';

const lb = (rt: number, base: number, offset: number): number => memory(0x20, rt, base, offset);
const lh = (rt: number, base: number, offset: number): number => memory(0x21, rt, base, offset);
const lw = (rt: number, base: number, offset: number): number => memory(0x23, rt, base, offset);
const sh = (rt: number, base: number, offset: number): number => memory(0x29, rt, base, offset);
const sw = (rt: number, base: number, offset: number): number => memory(0x2b, rt, base, offset);

const T3 = 11;
/** Turns of an empty loop of five instructions: about 50 ms of Malta's virtual time. */
const PAUSE_TURNS = 1_000_000;
const digit = (shift: number): number[] => [srl(T1, T3, shift), andi(T1, T1, 15), addiu(T1, T1, 0x61), sb(T1, T0, 0)];

/** What `counts` prints as its n-th line: four digits of base 16, `a` to `p`. */
export const countedLine = (n: number): string =>
  [12, 8, 4, 0].map((shift) => String.fromCharCode(0x61 + ((n >>> shift) & 15))).join('');

export const guests = {
  /** Prints a line with the next number every 50 ms, without end. */
  counts: [
    ...[...UART_IN_T0, ori(T3, 0, 0)],
    ...[...digit(12), ...digit(8), ...digit(4), ...digit(0), ori(T1, 0, 0x0a), sb(T1, T0, 0), addiu(T3, T3, 1)],
    ...[lui(T2, PAUSE_TURNS >>> 16), ori(T2, T2, PAUSE_TURNS & 0xffff)],
    ...[addiu(T2, T2, -1), ...beqz(T2, 3), ...bAlways(-4)],
    ...jump(UART_IN_T0.length + 1),
  ],
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
