import { asm } from '@bootlab/emulator/testkit';
import { LOAD_ADDRESS } from './kernel-elf.js';

/** The few instructions that the guests of these tests are made of. */
export const T0 = 8;
export const T1 = 9;
export const T2 = 10;

export const lui = (rt: number, imm: number): number => asm('lui', { rt, imm });
export const ori = (rt: number, rs: number, imm: number): number => asm('ori', { rt, rs, imm });
export const andi = (rt: number, rs: number, imm: number): number => asm('andi', { rt, rs, imm });
export const addiu = (rt: number, rs: number, imm: number): number => asm('addiu', { rt, rs, imm });
export const addu = (rd: number, rs: number, rt: number): number => asm('addu', { rd, rs, rt });
export const xor = (rd: number, rs: number, rt: number): number => asm('xor', { rd, rs, rt });
export const sll = (rd: number, rt: number, sa: number): number => asm('sll', { rd, rt, sa });
export const srl = (rd: number, rt: number, sa: number): number => asm('srl', { rd, rt, sa });
/** A load or store. */
export const memory = (name: string, rt: number, base: number, offset = 0): number => asm(name, { rt, base, offset });
export const lbu = (rt: number, base: number, offset = 0): number => memory('lbu', rt, base, offset);
export const sb = (rt: number, base: number, offset = 0): number => memory('sb', rt, base, offset);
/** Moves between general and coprocessor 0 registers. */
export const mfc0 = (rt: number, rd: number): number => asm('mfc0', { rt, rd });
export const mtc0 = (rt: number, rd: number): number => asm('mtc0', { rt, rd });
export const NOP = asm('sll');
export const WAIT = asm('wait');

/** Branches over `words` instructions (counted from the delay slot), always; with an empty delay slot. */
export const bAlways = (words: number): number[] => beqz(0, words);
/** Branches over `words` instructions (counted from the delay slot) where `rs` is zero; with an empty delay slot. */
export const beqz = (rs: number, words: number): number[] => [asm('beq', { rs, offset: words }), NOP];
/** Jumps to the n-th instruction of the program, with an empty delay slot. */
export const jump = (n: number): number[] => [asm('j', { index: ((LOAD_ADDRESS >>> 2) + n) & 0x3ffffff }), NOP];
export const jr = (rs: number): number[] => [asm('jr', { rs }), NOP];

/** Puts the address of Malta's first UART (ISA port 0x3f8, kseg1) into T0. */
export const UART_IN_T0: readonly number[] = [lui(T0, 0xb800), ori(T0, T0, 0x03f8)];
