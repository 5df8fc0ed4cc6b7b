import { describe, expect, it } from '@jest/globals';
import type { ByteOrder } from '../../core/index.js';
import { mipsModel } from '../../targets/index.js';
import { mipsDescription } from '../../targets/mips/target.js';
import { asm } from '../../testkit/mips-assembler.js';
import { InstructionReader } from './classify.js';
import { findPairs } from './unaligned.js';

const [V0, V1, A0, A1, T0] = [2, 3, 4, 5, 8] as const;

type Parts = ReturnType<typeof findPairs>;

function findIn(
  words: readonly number[],
  byteOrder: ByteOrder = 'little',
  branchAt = -1,
  strays: ReadonlySet<number> = new Set(),
): Parts {
  const description = mipsDescription(mipsModel('24Kf'), byteOrder);
  const instructions = words.map((word, i) => ({ address: 0x1000 + 4 * i, word }));
  const block = { address: 0x1000, instructions, branchAt, end: { kind: 'system' } } as const;
  return findPairs(block, new InstructionReader(description, 2), description, strays);
}

/** What becomes of each instruction: `w` a whole access, `d` done by an earlier one, `-` what it was. */
function partsOf(
  words: readonly number[],
  ...others: [byteOrder?: ByteOrder, branchAt?: number, strays?: Set<number>]
): string {
  const parts = findIn(words, ...others);
  return words.map((_, i) => parts.get(i)?.kind[0] ?? '-').join('');
}

/** Of each whole access: how many others follow before it is complete, or before one of these is. */
const followersIn = (words: readonly number[]): number[] =>
  [...findIn(words).values()].flatMap((part) => (part.kind === 'whole' ? [part.withNext] : []));

const lwl = (rt: number, base: number, offset: number): number => asm('lwl', { rt, base, offset });
const lwr = (rt: number, base: number, offset: number): number => asm('lwr', { rt, base, offset });
const swl = (rt: number, base: number, offset: number): number => asm('swl', { rt, base, offset });
const swr = (rt: number, base: number, offset: number): number => asm('swr', { rt, base, offset });
const addiu = (rt: number, rs: number, imm: number): number => asm('addiu', { rt, rs, imm });
const lw = (rt: number, base: number, offset: number): number => asm('lw', { rt, base, offset });

describe('pairs of instructions that access a word at any address', () => {
  it('are found in both orders, for both byte orders', () => {
    expect(partsOf([lwl(V0, A0, 11), lwr(V0, A0, 8)])).toBe('wd');
    expect(partsOf([lwr(V0, A0, 8), lwl(V0, A0, 11)])).toBe('wd');
    expect(partsOf([lwl(V0, A0, 8), lwr(V0, A0, 11)], 'big')).toBe('wd');
    expect(partsOf([swr(V0, A0, 11), swl(V0, A0, 8)], 'big')).toBe('wd');
    expect(partsOf([lwl(V0, A0, 8), lwr(V0, A0, 11)])).toBe('--');
    expect(partsOf([swl(V0, A0, 3), swr(V0, A0, 0), swl(V0, A0, 7), swr(V0, A0, 4)])).toBe('wdwd');
  });

  it('may lie apart, and loads within each other', () => {
    expect(partsOf([lwl(V0, A0, 3), addiu(T0, A0, 4), lwr(V0, A0, 0)])).toBe('w-d');
    expect(partsOf([lwl(V0, A0, 3), lwl(V1, A1, 3), lwr(V0, A0, 0), lwr(V1, A1, 0)])).toBe('wwdd');
    expect(partsOf([swl(V0, A0, 3), addiu(T0, V0, 4), swr(V0, A0, 0)])).toBe('w-d');
  });

  it('say which of them must pass together', () => {
    expect(followersIn([lwl(V0, A0, 3), lwr(V0, A0, 0), lwl(V1, A1, 3), lwr(V1, A1, 0)])).toEqual([0, 0]);
    expect(followersIn([lwl(V0, A0, 3), lwl(V1, A1, 3), lwr(V0, A0, 0), lwr(V1, A1, 0)])).toEqual([1, 0]);
    const chained = [lwl(V0, A0, 3), lwl(V1, A0, 7), lwr(V0, A0, 0), lwl(T0, A0, 11), lwr(V1, A0, 4), lwr(T0, A0, 8)];
    expect(followersIn(chained)).toEqual([2, 1, 0]);
  });

  it('are none where something in between could notice', () => {
    const between = (word: number): string => partsOf([lwl(V0, A0, 3), word, lwr(V0, A0, 0)]);
    expect(between(addiu(T0, V0, 0))).toBe('---'); // looks at what is loaded
    expect(between(addiu(V0, T0, 0))).toBe('---'); // changes it
    expect(between(addiu(A0, A0, 0))).toBe('---'); // changes the address
    expect(between(lw(T0, A1, 0))).toBe('---'); // may fail
    expect(between(swl(T0, A1, 3))).toBe('---');
    expect(between(asm('teq', { rs: T0, rt: A1 }))).toBe('---'); // may trap
    expect(partsOf([swl(V0, A0, 3), addiu(V0, V0, 1), swr(V0, A0, 0)])).toBe('---');
    expect(partsOf([swl(V0, A0, 3), lwl(V1, A1, 3), swr(V0, A0, 0), lwr(V1, A1, 0)])).toBe('----');
  });

  it('are none where the halves do not belong together, or the loaded register is the address', () => {
    expect(partsOf([lwl(V0, A0, 3), lwr(V0, A0, 4)])).toBe('--');
    expect(partsOf([lwl(V0, A0, 3), lwr(V1, A0, 0)])).toBe('--');
    expect(partsOf([lwl(V0, A0, 3), lwr(V0, A1, 0)])).toBe('--');
    expect(partsOf([lwl(V0, A0, 3), swr(V0, A0, 0)])).toBe('--');
    expect(partsOf([lwl(A0, A0, 3), lwr(A0, A0, 0)])).toBe('--');
    expect(partsOf([lwl(A1, A0, 3), lwl(V0, A1, 3), lwr(A1, A0, 0), lwr(V0, A1, 0)])).toBe('----');
    expect(partsOf([lwl(0, A0, 3), lwr(0, A0, 0)])).toBe('--');
  });

  it('are none where a half is known to stray', () => {
    const pairs = [lwl(V0, A0, 3), lwr(V0, A0, 0), lwl(V1, A1, 3), lwr(V1, A1, 0)];
    expect(partsOf(pairs, 'little', -1, new Set([0x1000]))).toBe('--wd');
    expect(partsOf(pairs, 'little', -1, new Set([0x100c]))).toBe('wd--');
  });

  it('are none across a branch, nor too far apart to be checked together', () => {
    const branch = asm('beq', { rs: T0, rt: A1, offset: 4 });
    expect(partsOf([lwl(V0, A0, 3), branch, lwr(V0, A0, 0)], 'little', 1)).toBe('---');
    const far = [lwl(V0, A0, 3), lwl(V1, A0, 5003), lwr(V0, A0, 0), lwr(V1, A0, 5000)];
    expect(partsOf(far)).toBe('----');
    expect(partsOf([lwl(V0, A0, 3), ...Array<number>(30).fill(addiu(T0, T0, 1)), lwr(V0, A0, 0)])).not.toContain('w');
  });
});
