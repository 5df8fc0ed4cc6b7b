import { LOAD_ADDRESS } from './mips-elf.js';

/** MIPS32 Architecture for Programmers, volume II: the few instructions that the guests of these tests are made of. */
const immediate = (opcode: number, rt: number, rs: number, value: number): number =>
  (opcode << 26) | (rs << 21) | (rt << 16) | (value & 0xffff);
const register = (funct: number, rd: number, rs: number, rt: number, amount = 0): number =>
  (rs << 21) | (rt << 16) | (rd << 11) | (amount << 6) | funct;

export const T0 = 8;
export const T1 = 9;
export const T2 = 10;

export const lui = (rt: number, value: number): number => immediate(0x0f, rt, 0, value);
export const ori = (rt: number, rs: number, value: number): number => immediate(0x0d, rt, rs, value);
export const andi = (rt: number, rs: number, value: number): number => immediate(0x0c, rt, rs, value);
export const addiu = (rt: number, rs: number, value: number): number => immediate(0x09, rt, rs, value);
export const addu = (rd: number, rs: number, rt: number): number => register(0x21, rd, rs, rt);
export const xor = (rd: number, rs: number, rt: number): number => register(0x26, rd, rs, rt);
export const sll = (rd: number, rt: number, amount: number): number => register(0x00, rd, 0, rt, amount);
export const srl = (rd: number, rt: number, amount: number): number => register(0x02, rd, 0, rt, amount);
/** A load or store by its opcode. */
export const memory = (opcode: number, rt: number, base: number, offset = 0): number =>
  immediate(opcode, rt, base, offset);
export const lbu = (rt: number, base: number, offset = 0): number => memory(0x24, rt, base, offset);
export const sb = (rt: number, base: number, offset = 0): number => memory(0x28, rt, base, offset);
/** Moves between general and coprocessor 0 registers. */
export const mfc0 = (rt: number, register: number): number => (0x10 << 26) | (rt << 16) | (register << 11);
export const mtc0 = (rt: number, register: number): number => (0x10 << 26) | (4 << 21) | (rt << 16) | (register << 11);
export const NOP = 0;
export const WAIT = 0x42000020;

/** Branches over `words` instructions (counted from the delay slot), always; with an empty delay slot. */
export const bAlways = (words: number): number[] => beqz(0, words);
/** Branches over `words` instructions (counted from the delay slot) where `rs` is zero; with an empty delay slot. */
export const beqz = (rs: number, words: number): number[] => [immediate(0x04, 0, rs, words), NOP];
/** Jumps to the n-th instruction of the program, with an empty delay slot. */
export const jump = (n: number): number[] => [(0x02 << 26) | (((LOAD_ADDRESS >>> 2) + n) & 0x3ffffff), NOP];
export const jr = (rs: number): number[] => [(rs << 21) | 0x08, NOP];

/** Puts the address of Malta's first UART (ISA port 0x3f8, kseg1) into T0. */
export const UART_IN_T0: readonly number[] = [lui(T0, 0xb800), ori(T0, T0, 0x03f8)];
