import { describe, expect, it } from '@jest/globals';
import type { Value } from '../ir/index.js';
import { BranchKind, Fragment, IrBuilder } from '../ir/index.js';
import { mipsModel } from '../../targets/index.js';
import { GPR, gprOffset } from '../../targets/mips/state.js';
import { mipsDescription } from '../../targets/mips/target.js';
import { registerFile, registerUse } from './register-use.js';

const registers = registerFile(mipsDescription(mipsModel('24Kf'), 'little').registers);
const [A, B, C] = [8, 9, 10] as const;

const numbersIn = (set: bigint): number[] =>
  [A, B, C].filter((number) => set & (registers.get(gprOffset(number))?.bit ?? 0n));

interface Code {
  readonly b: IrBuilder;
  read(register: number): Value;
  write(register: number): void;
}

/** Use of the three registers by a block. */
function use(build: (code: Code) => void): Record<'reads' | 'kills' | 'writes', number[]> {
  const fragment = new Fragment([]);
  const b = new IrBuilder(fragment);
  build({
    b,
    read: (register) => b.loadState(GPR, b.i32(register)),
    write: (register) => b.storeState(GPR, b.i32(1), b.i32(register)),
  });
  const { reads, kills, writes } = registerUse(fragment, registers);
  return { reads: numbersIn(reads), kills: numbersIn(kills), writes: numbersIn(writes) };
}

describe('what a block does to registers', () => {
  it('each has a bit of its own', () => {
    const bits = [...registers.values()].map(({ bit }) => bit);
    expect(new Set(bits).size).toBe(bits.length);
    for (const bit of bits) expect(bit & (bit - 1n)).toBe(0n);
  });

  it('reads what was not written before', () => {
    const found = use(({ read, write }) => {
      read(A);
      write(B);
      read(B);
      write(A);
    });
    expect(found).toEqual({ reads: [A], kills: [A, B], writes: [A, B] });
  });

  it('takes what one arm writes for read: the local must hold the value that stays otherwise', () => {
    const found = use(({ b, read, write }) => {
      write(C);
      b.ifElse(read(A), () => {
        write(B);
        write(C);
      });
    });
    expect(found).toEqual({ reads: [A, B], kills: [C], writes: [B, C] });
  });

  it('does not count on a delay slot that may be skipped', () => {
    const withSlot = (kind: BranchKind) =>
      use(({ b, read, write }) => {
        b.branch(kind, b.i32(0x1000), read(A));
        write(B);
      });
    expect(withSlot(BranchKind.Likely)).toEqual({ reads: [A], kills: [], writes: [B] });
    expect(withSlot(BranchKind.Delayed)).toEqual({ reads: [A], kills: [B], writes: [B] });
  });
});
