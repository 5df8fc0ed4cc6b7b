import { describe, expect, it } from '@jest/globals';
import { mipsModel } from '../../targets/index.js';
import { gprOffset } from '../../targets/mips/state.js';
import { mipsDescription } from '../../targets/mips/target.js';
import { asm } from '../../testkit/mips-assembler.js';
import { SoftTlb } from '../ir/index.js';
import { InstructionReader } from './classify.js';
import type { ReusePlan } from './reuse.js';
import { planReuse, reuseKey } from './reuse.js';

const reader = new InstructionReader(mipsDescription(mipsModel('24Kf'), 'little'), 2);
const [T0, T1, T2, SP] = [8, 9, 10, 29] as const;
const load = (rt: number, base: number, offset = 0): number => asm('lw', { rt, base, offset });
const store = (rt: number, base: number, offset = 0): number => asm('sw', { rt, base, offset });
const step = (rt: number, imm: number): number => asm('addiu', { rt, rs: rt, imm });

/** What is planned for blocks of instructions. */
function plan(...blocks: readonly (readonly number[])[]): ReusePlan {
  const fragments = blocks.map((words) => {
    const fragment = reader.acquire();
    words.forEach((word, i) => reader.append(fragment, word, 0x80001000 + 4 * i));
    return fragment;
  });
  return planReuse(fragments);
}

describe('reuse of translations', () => {
  it('compares throughout for a register that moves by constants, loads and stores apart', () => {
    const { blocks, kept } = plan([step(SP, -32), store(T0, SP, 4), load(T1, SP, 4)], [load(T0, SP, 8), step(SP, 32)]);
    expect(blocks).toEqual([['compare', 'compare'], ['compare']]);
    expect([...kept].sort()).toEqual(
      [reuseKey(gprOffset(SP), SoftTlb.readTag), reuseKey(gprOffset(SP), SoftTlb.writeTag)].sort(),
    );
  });

  it('keeps what it found for a register that points anywhere, until the register changes', () => {
    const chase = load(T0, T0, 4); // the list's next node
    const { blocks } = plan([load(T1, T0, 8), load(T2, T0, 12), chase, load(T1, T0, 8), chase]);
    // The last two accesses are a group again.
    expect(blocks).toEqual([['keep', 'compare', 'compare', 'keep', 'compare']]);
  });

  it('keeps nothing for one access', () => {
    const { blocks, kept } = plan([load(T0, T0), load(T0, T0), store(T1, T0)]);
    expect(blocks).toEqual([['none', 'none', 'none']]);
    expect(kept.size).toBe(0);
  });

  it('does not look beyond a block for a register that points anywhere', () => {
    const { blocks } = plan([load(T0, T0)], [load(T1, T0)], [load(T1, T0)]);
    expect(blocks).toEqual([['none'], ['none'], ['none']]);
  });

  it('counts a register that is set conditionally among those that point anywhere', () => {
    const { blocks } = plan([asm('movz', { rd: T0, rs: T1, rt: T2 }), load(T1, T0)], [load(T1, T0), load(T2, T0, 4)]);
    expect(blocks).toEqual([['none'], ['keep', 'compare']]);
  });

  it('has one entry for each access, whatever its base', () => {
    const indexed = asm('lwxc1', { base: T0, index: T1 });
    const { blocks } = plan([indexed, load(T1, 0, 16), store(T1, T0)]);
    expect(blocks[0]).toHaveLength(3);
    expect(blocks[0]?.[0]).toBe('none');
  });
});
