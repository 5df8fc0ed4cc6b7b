import { LOAD_ADDRESS, kernelElf } from '../support/kernel-elf.js';
import {
  addiu,
  andi,
  bAlways,
  beqz,
  jump,
  lbu,
  lui,
  ori,
  sb,
  T0,
  T1,
  T2,
  UART_IN_T0,
  WAIT,
} from '../support/mips-words.js';

const T3 = 11;
const T4 = 12;
/** 16550: line status register, and its bit for a received character. */
const LSR = 5;
const DATA_READY = 1;
/** Modem control register, and its bit that asserts RTS: without it the far end sends nothing. */
const MCR = 4;
const RTS = 2;

/** Printed by the guests between what they are asked for. */
export const FILLER_LETTERS = 63;

const elf = (words: readonly number[]): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(kernelElf(words, { byteOrder: 'little' }));

/**
 * Sends back every character that it receives, and prints a line of 63 letters and a line feed after so many looks at
 * its UART: a look takes about a tenth of a microsecond of virtual time.
 */
export function echoingGuest(looksPerLine: number): Uint8Array<ArrayBuffer> {
  const setTimer = [lui(T3, looksPerLine >>> 16), ori(T3, T3, looksPerLine & 0xffff)];
  const echo = [lbu(T1, T0, 0), sb(T1, T0, 0)];
  const start = [...UART_IN_T0, ori(T1, 0, RTS), sb(T1, T0, MCR), ...setTimer];
  const loop = start.length;
  const look = [lbu(T1, T0, LSR), andi(T2, T1, DATA_READY), ...beqz(T2, echo.length + 1), ...echo, addiu(T3, T3, -1)];
  const unlessDue = [...beqz(T3, 3), ...jump(loop)];
  const line = [
    ...[ori(T4, 0, FILLER_LETTERS), ori(T1, 0, 0x61), sb(T1, T0, 0), addiu(T4, T4, -1)],
    ...beqz(T4, 3),
    ...bAlways(-6),
    ...[ori(T1, 0, 0x0a), sb(T1, T0, 0)],
  ];
  return elf([...start, ...look, ...unlessDue, ...line, ...setTimer, ...jump(loop)]);
}

/** Prints so many lines, of 63 letters unless told, as fast as it can, then rests. */
export function printingGuest(lines: number, letters = FILLER_LETTERS): Uint8Array<ArrayBuffer> {
  const start = [...UART_IN_T0, lui(T3, lines >>> 16), ori(T3, T3, lines & 0xffff)];
  const loop = start.length;
  const line = [
    ...[ori(T4, 0, letters), ori(T1, 0, 0x61), sb(T1, T0, 0), addiu(T4, T4, -1)],
    ...beqz(T4, 3),
    ...bAlways(-6),
    ...[ori(T1, 0, 0x0a), sb(T1, T0, 0), addiu(T3, T3, -1)],
  ];
  const unlessDone = [...beqz(T3, 3), ...jump(loop)];
  return elf([...start, ...line, ...unlessDone, WAIT, ...bAlways(-2)]);
}

/** A program that does nothing, and is another file for every number: something new to validate and to store. */
export function idleGuest(number: number): Uint8Array<ArrayBuffer> {
  return elf([...bAlways(-1), number >>> 0, LOAD_ADDRESS]);
}
