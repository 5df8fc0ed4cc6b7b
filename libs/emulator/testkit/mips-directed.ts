import { expect } from '@jest/globals';
import type { InterpreterVcpu } from '../accel/index.js';
import type { ByteOrder } from '../core/index.js';
import { wordOf } from '../jit/ir/index.js';
import { Cp0 } from '../targets/mips/cp0.js';
import * as S from '../targets/mips/state.js';
import { asm, MipsAssembler, NOP, wordsToBytes } from './mips-assembler.js';
import type { BenchEngine, MipsSide } from './mips-bench.js';
import { advance, BENCH_RAM_BYTES, createMipsSide, differences } from './mips-bench.js';

// Programs made for what is difficult about translations. Each runs on the interpreter, as translations from the first
// visit and from the third, and for a while on the reference; all must agree on everything.

export const KSEG0 = 0x80000000;
export const KSEG1 = 0xa0000000;
export const PAGE = 0x1000;
/** Mapped data: 16 pages of memory, again and again. */
export const DATA = 0x00500000;
export const FRAMES = 0x20000;
export const CODE = 0x40000;
const LOG = 0x80000;
const RECORD_BYTES = 144;
// Offsets in the page from 0x3000 on, which belongs to the handler.
const KEPT = { log: 0x3000, action: 0x3004, index: 0x3008, period: 0x300c, sweep: 0x3010 } as const;

export const [V0, A0, A1, A2, T0, T1, T2, T3, S0, S1, S2, K0, K1, SP, RA] = [
  2, 4, 5, 6, 8, 9, 10, 11, 16, 17, 18, 26, 27, 29, 31,
] as const;

/** Logs all registers for each exception, then does what the test wants: see the labels at its end. */
function handler(): MipsAssembler {
  const a = new MipsAssembler(KSEG0 + 0x180);
  a.op('lui', { rt: K0, imm: KSEG0 >>> 16 }).op('lw', { base: K0, rt: K1, offset: KEPT.log });
  for (let r = 1; r < 32; r++) if (r !== K0 && r !== K1) a.op('sw', { base: K1, rt: r, offset: 4 * r });
  for (const [slot, register] of [
    [0, 8],
    [26, 14],
    [27, 13],
    [34, 9],
  ] as const)
    a.op('mfc0', { rt: K0, rd: register }).op('sw', { base: K1, rt: K0, offset: 4 * slot });
  a.op('mfhi', { rd: K0 }).op('sw', { base: K1, rt: K0, offset: 128 });
  a.op('mflo', { rd: K0 }).op('sw', { base: K1, rt: K0, offset: 132 });
  a.op('addiu', { rt: K1, rs: K1, imm: RECORD_BYTES });
  a.op('lui', { rt: K0, imm: KSEG0 >>> 16 }).op('sw', { base: K0, rt: K1, offset: KEPT.log });
  a.op('lw', { base: K0, rt: K1, offset: KEPT.action }).op('jr', { rs: K1 }).emit(NOP);

  a.label('skip').op('mfc0', { rt: K0, rd: 13 }).op('mfc0', { rt: K1, rd: 14 });
  a.branch('bgez', { rs: K0 }, 'skipped').op('addiu', { rt: K1, rs: K1, imm: 4 });
  a.op('addiu', { rt: K1, rs: K1, imm: 4 });
  a.label('skipped').op('mtc0', { rt: K1, rd: 14 }).op('eret');

  // Maps the page pair, so that one of eight others goes; anything but a TLB exception is skipped.
  a.label('map').op('mfc0', { rt: K1, rd: 13 }).op('andi', { rt: K1, rs: K1, imm: 0x70 });
  a.branch('bne', { rs: K1 }, 'skip').op('mfc0', { rt: K1, rd: 8 });
  a.op('srl', { rd: K1, rt: K1, sa: 13 }).op('andi', { rt: K1, rs: K1, imm: 7 }).op('sll', { rd: K1, rt: K1, sa: 7 });
  a.op('addiu', { rt: K1, rs: K1, imm: (FRAMES >>> 6) | 0x1e }).op('mtc0', { rt: K1, rd: 2 });
  a.op('addiu', { rt: K1, rs: K1, imm: PAGE >>> 6 }).op('mtc0', { rt: K1, rd: 3 });
  a.op('lw', { base: K0, rt: K1, offset: KEPT.index }).op('addiu', { rt: K1, rs: K1, imm: 1 });
  a.op('sw', { base: K0, rt: K1, offset: KEPT.index }).op('andi', { rt: K1, rs: K1, imm: 3 });
  a.op('addiu', { rt: K1, rs: K1, imm: 8 }).op('mtc0', { rt: K1, rd: 0 }).op('tlbwi').op('eret');

  // The distance to the next interrupt differs each time: x ← (5 x + 13) mod 256 comes by all values.
  a.label('tick').op('lw', { base: K0, rt: K1, offset: KEPT.sweep }).op('sll', { rd: K0, rt: K1, sa: 2 });
  a.op('addu', { rd: K1, rs: K1, rt: K0 }).op('addiu', { rt: K1, rs: K1, imm: 13 });
  a.op('andi', { rt: K1, rs: K1, imm: 0xff }).op('andi', { rt: K0, rs: K1, imm: 1 });
  // Count advances every second instruction: one more, every other time, gives the others their turn.
  a.branch('beq', { rs: K0 }, 'even').emit(NOP, NOP);
  a.label('even')
    .op('lui', { rt: K0, imm: KSEG0 >>> 16 })
    .op('sw', { base: K0, rt: K1, offset: KEPT.sweep })
    .op('lw', { base: K0, rt: K0, offset: KEPT.period });
  a.op('addu', { rd: K0, rs: K0, rt: K1 }).op('mfc0', { rt: K1, rd: 9 }).op('addu', { rd: K1, rs: K1, rt: K0 });
  a.op('mtc0', { rt: K1, rd: 11 }).op('eret');
  return a;
}

const HANDLER = handler();
const HANDLER_WORDS = HANDLER.finish();

export interface DirectedProgram {
  readonly byteOrder: ByteOrder;
  /** Virtual address, {@link KSEG0} + {@link CODE} unless told. */
  readonly origin?: number;
  readonly build: (a: MipsAssembler) => void;
  readonly instructions: number;
  readonly referenceInstructions?: number;
  readonly action?: 'skip' | 'map' | 'tick';
  readonly status?: number;
  readonly setUp?: (side: MipsSide) => void;
  /** Called after each slice: what devices could do. */
  readonly between?: (side: MipsSide, slice: number) => void;
  readonly slice?: number;
  /** Least share of translated instructions at threshold 1. */
  readonly translated?: number;
  /** Instructions that should be found to access memory outside of the segment often. */
  readonly strays?: number;
}

/** Index, page pair, and physical pages of a TLB entry, valid and writable. */
export function writeTlb(
  { words }: MipsSide,
  index: number,
  virtual: number,
  even: number,
  odd: number,
  asid = 0,
): void {
  words[wordOf(S.TLB_ENTRY_HI) + index] = virtual | asid;
  words[wordOf(S.TLB_ENTRY_LO0) + index] = (even >>> 6) | 0x1e;
  words[wordOf(S.TLB_ENTRY_LO1) + index] = (odd >>> 6) | 0x1e;
}

async function start(engine: BenchEngine, program: DirectedProgram): Promise<MipsSide> {
  const { byteOrder, action = 'skip', origin = KSEG0 + CODE, status = 0 } = program;
  const side = await createMipsSide(engine, byteOrder);
  const write = (address: number, words: readonly number[]): void =>
    void side.bus.writeBytes(address, wordsToBytes(words, byteOrder));
  write(0, [asm('j', { index: (HANDLER.origin >>> 2) & 0x3ffffff }), NOP]);
  write(0x180, HANDLER_WORDS);
  write(KEPT.log, [(KSEG0 + LOG) >>> 0, HANDLER.addressOf(action), 0, 600, 0]);
  const a = new MipsAssembler(origin);
  program.build(a);
  write(CODE + (origin & (PAGE - 1)), a.finish());
  const { words, core } = side;
  core.reset();
  for (let i = 0; i < 64; i++) words[wordOf(S.TLB_ENTRY_HI) + i] = (KSEG0 + 2 * PAGE * i) | 0; // never matches
  words[wordOf(S.engine.pc)] = origin | 0;
  words[wordOf(S.engine.runStart)] = origin | 0;
  core.helpers['writeCp0']?.(Cp0.Status, status, 0);
  core.helpers['writeCp0']?.(Cp0.Compare, 2000, 0);
  program.setUp?.(side);
  return side;
}

const RANGES = [[0, BENCH_RAM_BYTES]] as const;
export const register = ({ words }: MipsSide, gpr: number): number => (words[S.gprWord(gpr)] as number) >>> 0;

/** Runs a program on every engine. @returns the interpreter's machine afterwards */
export async function runEverywhere(program: DirectedProgram): Promise<MipsSide> {
  const { instructions, referenceInstructions = 0, between, slice = Infinity, translated = 0.5, strays } = program;
  const run = async (engine: BenchEngine): Promise<MipsSide> => {
    const side = await start(engine, program);
    let slices = 0;
    for (let left = instructions; left > 0; left -= slice) {
      advance(side, Math.min(left, slice), () => Infinity);
      between?.(side, slices++);
    }
    return side;
  };
  const interpreted = await run('interp');
  for (const threshold of [1, 3]) {
    const side = await run(threshold);
    expect(differences(interpreted, side, RANGES)).toEqual([]);
    const { stats } = side.vcpu as InterpreterVcpu;
    if (strays !== undefined) expect(stats.translation?.strays).toBe(strays);
    if (threshold === 1)
      expect((stats.translation?.instructions ?? 0) / stats.instructions).toBeGreaterThan(translated);
  }
  if (referenceInstructions > 0) {
    const [reference, followed] = [await start('reference', program), await start('interp', program)];
    for (const side of [reference, followed]) expect(advance(side, referenceInstructions, () => Infinity)).toBe(true);
    expect(differences(followed, reference, RANGES)).toEqual([]);
  }
  return interpreted;
}

export interface LogRecord {
  readonly badVAddr: number;
  readonly epc: number;
  readonly cause: number;
  readonly registers: readonly number[];
}

export function readLog({ bus }: MipsSide, byteOrder: ByteOrder): LogRecord[] {
  const end = bus.read(KEPT.log, 4, byteOrder) & 0x1fffffff;
  const records: LogRecord[] = [];
  for (let at = LOG; at < end; at += RECORD_BYTES) {
    const registers = Array.from({ length: 36 }, (_, i) => bus.read(at + 4 * i, 4, byteOrder));
    records.push({
      badVAddr: registers[0] as number,
      epc: registers[26] as number,
      cause: registers[27] as number,
      registers,
    });
  }
  return records;
}

/** Ends a loop of a program: again until S2 is 0, then forever nothing. */
export const again = (a: MipsAssembler, label: string): void => {
  a.op('addiu', { rt: S2, rs: S2, imm: -1 });
  a.branch('beq', { rs: S2 }, 'end').emit(NOP);
  a.jump('j', label).emit(NOP);
  a.label('end').branch('beq', {}, 'end').emit(NOP);
};
