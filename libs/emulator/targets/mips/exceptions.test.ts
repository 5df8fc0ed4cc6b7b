import { describe, expect, it } from '@jest/globals';
import { Fragment, type StateField, Type, type Value, verify, Width, wordOf } from '../../jit/ir/index.js';
import { evaluate } from '../../testkit/ir-oracle.js';
import { asm } from '../../testkit/mips-assembler.js';
import type { BenchEngine, MipsSide } from '../../testkit/mips-bench.js';
import { advance, createMipsSide, differences } from '../../testkit/mips-bench.js';
import { SeededRandom } from '../../testkit/random.js';
import { Cause, Cp0, ENTRY_LO, ExceptionCode, Status } from './cp0.js';
import { isBranchWithSlot, mipsExpansions } from './exceptions.js';
import { MIPS_MODELS, mipsModel } from './models.js';
import * as S from './state.js';
import { hasDelaySlot, mipsDescription } from './target.js';

const model = mipsModel('24Kf');

/** State that a fragment may use for its operands. */
const OPERAND: StateField = { name: 'operand', offset: 0, width: Width.W32, type: Type.I32, count: 3, strideShift: 2 };

describe('expansions of helpers', () => {
  it.each(MIPS_MODELS)('are sound IR on the $id', (each) => {
    const target = mipsDescription(each, 'little');
    for (const [name, expansion] of mipsExpansions(each)) {
      const fragment = new Fragment(target.helpers);
      const b = target.createBuilder(fragment);
      const operands: Value[] = [0, 1, 2].map((i) => b.loadState(OPERAND, b.i32(i)));
      expansion.emit(b, operands.slice(0, 2), operands[2] as Value);
      expect([name, ...verify(fragment)]).toEqual([name]);
    }
  });

  it('know the words that have a delay slot', () => {
    const target = mipsDescription(model, 'little');
    const fragment = new Fragment(target.helpers);
    const b = target.createBuilder(fragment);
    b.storeState(OPERAND, isBranchWithSlot(b, b.loadState(OPERAND)));
    const state = new DataView(new ArrayBuffer(16));
    const machine = { state, insnWord: 0, pc: 0, load: () => undefined, store: () => false, redirected: false };
    const says = (word: number): boolean => {
      state.setUint32(0, word, true);
      evaluate(fragment, { ...machine, call: () => undefined });
      return state.getInt32(0, true) !== 0;
    };
    const random = new SeededRandom(4);
    for (let opcode = 0; opcode < 64; opcode++)
      for (let field = 0; field < 64; field++)
        for (const at of [0, 16, 20]) {
          const word = ((opcode << 26) | (random.word() & 0x03ffffff & ~(63 << at)) | (field << at)) >>> 0;
          expect([word, says(word)]).toEqual([word, hasDelaySlot(word)]);
        }
  });
});

const KSEG0 = 0x80000000;
const [START, CODE, USER_CODE] = [0x1000, 0x4000, 0x00400000];
const [K0, K1] = [26, 27];
const EXCEPTIONS = [
  asm('syscall'),
  asm('break'),
  asm('teq'),
  asm('rdhwr', { rt: 2, rd: 29 }),
  asm('rdhwr', { rt: 2, rd: 1 }),
  asm('add', { rs: 8, rt: 8, rd: 9 }), // overflows
  asm('mfc0', { rt: 2, rd: 12 }),
  asm('add.s'),
  asm('lw', { rt: 2, base: 8, offset: 1 }),
];
const BRANCHES = [
  asm('beq', { offset: 1 }),
  asm('bne', { offset: 1 }),
  asm('bnel', { offset: 1 }),
  asm('bgezal', { rs: 8, offset: 1 }),
  asm('jr', { rs: 10 }),
];
const ERET = asm('eret');
const OTHERS = [ERET, asm('ll', { rt: 2, base: 10 }), asm('addiu', { rs: 3, rt: 3, imm: 1 })];

const pick = (random: SeededRandom, words: readonly number[]): number => words[random.below(words.length)] as number;

/** Sets a register to a constant. */
const li = (rt: number, value: number): number[] => [
  asm('lui', { rt, imm: value >>> 16 }),
  asm('ori', { rs: rt, rt, imm: value & 0xffff }),
];
const setCp0 = (register: number, value: number): number[] => [
  ...li(K0, value),
  asm('mtc0', { rt: K0, rd: register >> 3, sel: register & 7 }),
];

/** A kernel that goes to a place with an exception in a random mode, and a handler that goes on behind it. */
function programOf(random: SeededRandom): Map<number, number[]> {
  const ksu = [0, 1, 2, 3][random.below(4)] as number;
  const flags = [Status.IE, Status.CU0, Status.CU1, Status.FR, Status.IM, 1 << 8].filter(() => random.chance(0.5));
  const bev = random.chance(0.1) ? Status.BEV : 0;
  const status = flags.reduce((all, flag) => all | flag, (ksu << Status.KSU_SHIFT) | Status.EXL | bev);
  const cause = (random.chance(0.3) ? Cause.IP_SOFTWARE : 0) | (random.chance(0.5) ? Cause.IV : 0);
  const code: number[] = [];
  while (code.length < 24) {
    // What happens to a branch or a return in a delay slot is unpredictable.
    if (random.chance(0.6)) code.push(pick(random, BRANCHES), pick(random, EXCEPTIONS));
    else code.push(pick(random, random.chance(0.5) ? OTHERS : EXCEPTIONS));
  }
  const at = (ksu === 0 || ksu === 3) && random.chance(0.5) ? KSEG0 + CODE : USER_CODE;
  const entry = [
    ...setCp0(Cp0.HwrEna, random.chance(0.5) ? 0x20000000 : 0),
    ...setCp0(Cp0.Cause, cause),
    ...setCp0(Cp0.Epc, at + 4 * random.below(8)),
    ...li(8, 0x7fffffff),
    ...li(10, at + 4 * random.below(24)),
    ...setCp0(Cp0.Status, status),
    ERET,
  ];
  const handler = [
    asm('mfc0', { rt: K1, rd: Cp0.Epc >> 3 }),
    asm('addiu', { rs: K1, rt: K1, imm: 4 }),
    asm('mtc0', { rt: K1, rd: Cp0.Epc >> 3 }),
    // Now and then an exception within the handler.
    random.chance(0.2) ? asm('syscall') : asm('addiu', { rs: 4, rt: 4, imm: 1 }),
    asm('mtc0', { rt: 0, rd: Cp0.Cause >> 3 }),
    ERET,
  ];
  return new Map([
    [START, entry],
    [CODE, code],
    [0x180, handler],
    [0x200, handler],
  ]);
}

async function load(engine: BenchEngine, program: ReadonlyMap<number, readonly number[]>): Promise<MipsSide> {
  const side = await createMipsSide(engine, 'little');
  const { ram, words, core } = side;
  const view = new DataView(ram.bytes.buffer, ram.bytes.byteOffset);
  for (const [start, code] of program) code.forEach((word, i) => view.setUint32(start + 4 * i, word, true));
  core.boot({ pc: KSEG0 + START, gpr: {} });
  words[wordOf(S.TLB_ENTRY_HI)] = USER_CODE;
  words[wordOf(S.TLB_ENTRY_LO0)] = ((CODE >>> 12) << ENTRY_LO.PFN_SHIFT) | ENTRY_LO.V | ENTRY_LO.G;
  words[wordOf(S.TLB_ENTRY_LO1)] = ENTRY_LO.G;
  words[wordOf(S.CP0) + Cp0.Status] = 0; // a boot loader leaves ordinary vectors
  return side;
}

describe.each<[string, BenchEngine]>([
  ['interpreted', 'interp'],
  ['translated at once', 1],
])('exceptions and returns, %s', (_, engine) => {
  it('leave what the helpers leave, in every mode and next to branches', async () => {
    const random = new SeededRandom(2026);
    const seen = new Set<number>();
    for (let round = 0; round < 100; round++) {
      const program = programOf(random);
      const reference = await load('reference', program);
      const side = await load(engine, program);
      for (let step = 0; step < 12; step++) {
        const count = 1 + random.below(12);
        const goesOn = advance(reference, count, () => count);
        advance(side, count, () => 1 + random.below(count));
        if (!goesOn) break;
        expect([round, step, ...differences(reference, side, [[0, 0x8000]])]).toEqual([round, step]);
        seen.add(((side.words[wordOf(S.CP0) + Cp0.Cause] as number) & Cause.CODE) >> 2);
      }
    }
    expect(seen.size).toBeGreaterThanOrEqual(8);
    expect(seen.has(ExceptionCode.Interrupt)).toBe(true);
  });
});
