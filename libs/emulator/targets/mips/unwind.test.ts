import { expect, it } from '@jest/globals';
import { MipsAssembler, NOP } from '../../testkit/mips-assembler.js';
import { unwind } from './unwind.js';

const BASE = 0x80100000;
const STACK = 0x80300000;
const [V0, SP, RA] = [2, 29, 31];

/** Three functions, each calling the next, as a compiler writes them; the last one needs no frame. */
function program() {
  const a = new MipsAssembler(BASE);
  const frame = (bytes: number): void => {
    a.op('addiu', { rt: SP, rs: SP, imm: -bytes });
    a.op('sw', { base: SP, rt: RA, offset: bytes - 4 });
  };
  const leave = (bytes: number): void => {
    a.op('lw', { base: SP, rt: RA, offset: bytes - 4 }).op('jr', { rs: RA });
    a.op('addiu', { rt: SP, rs: SP, imm: bytes });
  };
  a.label('outer');
  frame(32);
  a.label('call middle').jump('jal', 'middle').emit(NOP);
  leave(32);
  a.label('middle').op('addiu', { rt: V0, imm: 1 });
  frame(24);
  a.label('in middle').op('addiu', { rt: V0, rs: V0, imm: 1 });
  a.branch('beq', { rs: V0 }, 'again').emit(NOP);
  leave(24); // the usual way out lies before the rest
  a.label('again').label('call leaf').jump('jal', 'leaf').emit(NOP);
  a.branch('beq', {}, 'in middle').emit(NOP);
  a.label('leaf').op('addiu', { rt: V0, rs: V0, imm: 2 });
  a.label('in leaf').op('jr', { rs: RA }).emit(NOP);
  const words = a.finish();
  const memory = new Map(words.map((word, i) => [BASE + 4 * i, word >>> 0]));
  const starts = ['leaf', 'middle', 'outer'].map((label) => a.addressOf(label) >>> 0);
  const source = (named: boolean) => ({
    word: (address: number) => memory.get(address >>> 0),
    functionStart: (address: number) => (named ? starts.find((start) => start <= address) : undefined),
  });
  const at = (label: string): number => a.addressOf(label) >>> 0;
  return { at, memory, source };
}

it('walks from a function without a frame to the first one, whose caller cannot be read', () => {
  const { at, memory, source } = program();
  memory.set(STACK + 20, at('call middle') + 8); // middle's frame
  memory.set(STACK + 24 + 28, 0); // outer's
  const registers = { pc: at('in leaf'), sp: STACK, ra: at('call leaf') + 8 };
  expect(unwind(registers, source(true))).toEqual([at('call leaf'), at('call middle')]);
});

it('knows that a prologue has not run yet, wholly or in part', () => {
  const { at, memory, source } = program();
  memory.set(STACK + 28, 0);
  const registers = { sp: STACK, ra: at('call middle') + 8 };
  expect(unwind({ ...registers, pc: at('middle') }, source(true))).toEqual([at('call middle')]);
  memory.set(STACK + 24 + 28, 0);
  expect(unwind({ ...registers, pc: at('middle') + 8 }, source(true))).toEqual([at('call middle')]);
});

it('looks for prologues where functions are not known', () => {
  const { at, memory, source } = program();
  memory.set(STACK + 20, at('call middle') + 8);
  memory.set(STACK + 24 + 28, 0);
  const registers = { pc: at('in middle'), sp: STACK, ra: 0x12345678 };
  expect(unwind(registers, source(false))).toEqual([at('call middle')]);
});

it('ends at what no stack can be: loops, odd addresses, nothing', () => {
  const { at, memory, source } = program();
  const registers = { pc: at('in middle'), sp: STACK, ra: 0 };
  memory.set(STACK + 20, at('in middle') + 2);
  expect(unwind(registers, source(true))).toEqual([]);
  for (let frame = 0; frame < 1000; frame++) memory.set(STACK + 24 * frame + 20, at('call leaf') + 8);
  expect(unwind(registers, source(true))).toHaveLength(128);
  expect(unwind({ pc: 0x1000, sp: STACK, ra: 0x2000 }, source(true))).toEqual([]);
});
