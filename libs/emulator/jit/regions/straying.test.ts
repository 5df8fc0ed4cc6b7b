import { describe, expect, it } from '@jest/globals';
import { mipsModel } from '../../targets/index.js';
import { mipsDescription } from '../../targets/mips/target.js';
import { asm } from '../../testkit/mips-assembler.js';
import { InstructionReader } from './classify.js';
import { strayingIn } from './straying.js';

const [V0, A0, A1] = [2, 4, 5] as const;
const START = 0x80001000;
const reader = new InstructionReader(mipsDescription(mipsModel('24Kf'), 'little'), 2);

/** Indices of a block's instructions that stray where these are known to. */
function straying(words: readonly number[], known: readonly number[]): number[] {
  const instructions = words.map((word, i) => ({ address: START + 4 * i, word }));
  const block = { address: START, instructions, branchAt: -1, end: { kind: 'system' } } as const;
  const strays = new Set(known.map((index) => START + 4 * index));
  return [...new Set(strayingIn(block, strays, reader))].map((address) => (address - START) / 4).sort((a, b) => a - b);
}

describe('what strays in a block', () => {
  const copy = [
    asm('lw', { base: A1, rt: V0, offset: 0 }),
    asm('sw', { base: A0, rt: V0, offset: 0 }),
    asm('lwl', { base: A1, rt: V0, offset: 7 }),
    asm('lwr', { base: A1, rt: V0, offset: 4 }),
    asm('addiu', { rt: A1, rs: A1, imm: 8 }),
    asm('sb', { base: A0, rt: V0, offset: 4 }),
  ];

  it('is all that accesses memory off the same register', () => {
    expect(straying(copy, [0])).toEqual([0, 2, 3]);
    expect(straying(copy, [5])).toEqual([1, 5]);
    expect(straying(copy, [3, 1])).toEqual([0, 1, 2, 3, 5]);
  });

  it('is nothing where nothing is known to', () => {
    expect(straying(copy, [])).toEqual([]);
    expect(straying(copy, [100])).toEqual([]);
  });

  it('is an instruction by itself that accesses nothing: a loop begins with it', () => {
    expect(straying(copy, [4])).toEqual([4]);
  });
});
