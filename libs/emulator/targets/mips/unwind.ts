import type { StackSource } from '../cpu-core.js';

export interface UnwindRegisters {
  readonly pc: number;
  readonly sp: number;
  readonly ra: number;
}

/** Deeper stacks are cut. */
const MAX_CALLERS = 128;
/** How far back a function's beginning is looked for where nobody knows it, and how long prologues are, in instructions. */
const MAX_SEARCH = 2048;
const MAX_PROLOGUE = 64;

const SP = 29;
const RA = 31;
/** `jr $ra`. */
const RETURN = 0x03e00008;
/** `addiu $sp, $sp, imm`, and `sw $ra, imm($sp)`, without their immediates. */
const MOVE_SP = ((0x09 << 26) | (SP << 21) | (SP << 16)) >>> 0;
const SAVE_RA = ((0x2b << 26) | (SP << 21) | (RA << 16)) >>> 0;
const IMMEDIATE = 0xffff;

/**
 * The calls that a CPU is in, innermost first: addresses of call instructions. Functions are read, not run: a prologue moves
 * the stack pointer once and stores the return address (System V ABI, MIPS supplement, chapter 3, "The Stack Frame"). Where
 * that cannot be found the walk ends: handwritten code, the first function of a stack, an exception's frame.
 */
export function unwind({ pc, sp, ra }: UnwindRegisters, source: StackSource): number[] {
  const callers: number[] = [];
  let at = pc >>> 0;
  let stack = sp >>> 0;
  let linked: number | undefined = ra >>> 0; // a function that has not stored it yet has it in the register
  while (callers.length < MAX_CALLERS) {
    const { size, saved } = frameOf(at, source);
    const back: number | undefined = saved === undefined ? linked : source.word((stack + saved) >>> 0);
    // Only the innermost function can be without a frame of its own.
    if (back === undefined || back & 3 || back < 8 || (linked === undefined && size === 0)) break;
    at = (back - 8) >>> 0; // the call, before its delay slot
    if (source.word(at) === undefined) break;
    callers.push(at);
    stack = (stack + size) >>> 0;
    linked = undefined;
  }
  return callers;
}

/** What the prologue has done by the time its function comes to an address: bytes of the frame, and where `ra` is in it. */
function frameOf(address: number, source: StackSource): { size: number; saved: number | undefined } {
  const start = source.functionStart(address) ?? searchStart(address, source);
  let size = 0;
  let saved: number | undefined;
  for (let at = start; at < address && at < start + 4 * MAX_PROLOGUE; at += 4) {
    const word = source.word(at);
    if (word === undefined) break;
    const immediate = ((word & IMMEDIATE) << 16) >> 16;
    const operation = (word & ~IMMEDIATE) >>> 0;
    if (operation === MOVE_SP && immediate < 0 && size === 0) size = -immediate;
    else if (operation === SAVE_RA && saved === undefined) saved = immediate;
  }
  return { size, saved };
}

/** The nearest prologue before an address; or behind the return of the function before, where there is none in between. */
function searchStart(address: number, source: StackSource): number {
  for (let at = address - 4; at >= address - 4 * MAX_SEARCH; at -= 4) {
    const word = source.word(at >>> 0);
    if (word === undefined) return address;
    if ((word & ~IMMEDIATE) >>> 0 === MOVE_SP && word & 0x8000) return at >>> 0;
    if (word === RETURN) return Math.min(at + 8, address) >>> 0;
  }
  return address;
}
