// Guests that misbehave, a few instructions each, and the ELF file around them.
import { kernelElf } from '../support/kernel-elf.js';
import {
  addiu,
  addu,
  andi,
  bAlways,
  jr,
  jump,
  lui,
  memory,
  mfc0,
  mtc0,
  NOP,
  ori,
  sb,
  srl,
  T0,
  T1,
  T2,
  UART_IN_T0,
  WAIT,
} from '../support/mips-words.js';

const lb = (rt: number, base: number, offset: number): number => memory('lb', rt, base, offset);
const lh = (rt: number, base: number, offset: number): number => memory('lh', rt, base, offset);
const lw = (rt: number, base: number, offset: number): number => memory('lw', rt, base, offset);
const sh = (rt: number, base: number, offset: number): number => memory('sh', rt, base, offset);
const sw = (rt: number, base: number, offset: number): number => memory('sw', rt, base, offset);

const T3 = 11;
/** Coprocessor 0: the counter, what it is compared with, and the status with its mask of interrupts. */
const [COUNT, COMPARE, STATUS] = [9, 11, 12];
const TIMER_UNMASKED = 0x8000;
/** 50 ms of Malta's counter. A guest that waits lets real time pass where its job says `clock: wall`. */
const PAUSE_COUNTS = 5_000_000;
const digit = (shift: number): number[] => [srl(T1, T3, shift), andi(T1, T1, 15), addiu(T1, T1, 0x61), sb(T1, T0, 0)];

/** What `counts` prints as its n-th line: four digits of base 16, `a` to `p`. */
export const countedLine = (n: number): string =>
  [12, 8, 4, 0].map((shift) => String.fromCharCode(0x61 + ((n >>> shift) & 15))).join('');

export const guests = {
  /** Prints a line with the next number every 50 ms, without end. */
  counts: [
    ...UART_IN_T0,
    ...[ori(T3, 0, 0), mfc0(T1, STATUS), ori(T1, T1, TIMER_UNMASKED), mtc0(T1, STATUS)],
    ...[...digit(12), ...digit(8), ...digit(4), ...digit(0), ori(T1, 0, 0x0a), sb(T1, T0, 0), addiu(T3, T3, 1)],
    ...[mfc0(T2, COUNT), lui(T1, PAUSE_COUNTS >>> 16), ori(T1, T1, PAUSE_COUNTS & 0xffff), addu(T2, T2, T1)],
    ...[mtc0(T2, COMPARE), WAIT],
    ...jump(UART_IN_T0.length + 4),
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
  Buffer.from(kernelElf(instructions, { byteOrder: 'little' }));
