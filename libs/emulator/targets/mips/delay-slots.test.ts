import { describe, expect, it } from '@jest/globals';
import { createMipsVcpu, InterpreterVcpu } from '../../accel/index.js';
import { Scheduler } from '../../core/index.js';
import { wordOf } from '../../jit/ir/index.js';
import { AddressSpace, LinearMemory } from '../../memory/index.js';
import { asm } from '../../testkit/mips-assembler.js';
import { Cause, Cp0, ENTRY_LO, ExceptionCode, Status } from './cp0.js';
import { mipsModel } from './models.js';
import * as S from './state.js';

// Where EPC points after an exception in or near a delay slot: lockstep found each of these (MD00090, section 9.25).

const RAM_BYTES = 0x10000;
const CODE = 0x4000;
const KSEG0 = 0x80000000;
const USER = 0x00400000;
const model = mipsModel('24Kf');

const nop = asm('sll');
const breakpoint = asm('break');

/** Places words around {@link CODE}, runs from a given address, and says what the first exception left behind. */
async function run(
  words: Readonly<Record<number, number>>,
  start: number,
  count: number,
  prepare: (cp0: (register: number, value: number) => void, state: Int32Array) => void = () => undefined,
): Promise<{ code: number; inDelaySlot: boolean; epc: number }> {
  const memory = new LinearMemory(LinearMemory.ramFootprint(RAM_BYTES) + InterpreterVcpu.linearBytes);
  const bus = new AddressSpace('test');
  bus.mapRam('ram', 0, memory.allocateRam('RAM', RAM_BYTES));
  for (const [offset, word] of Object.entries(words)) bus.write(CODE + Number(offset), 4, word, 'little');
  const vcpu = await createMipsVcpu({
    ...{ model: model.id, byteOrder: 'little', bus, memory, scheduler: new Scheduler() },
    ...{ nsPerInstruction: 10, countHz: 50_000_000, deviceAccessNs: 0 },
  });
  vcpu.boot({ pc: start, gpr: {} });
  const cp0 = wordOf(S.CP0);
  vcpu.words[cp0 + Cp0.Status] = 0;
  prepare((register, value) => (vcpu.words[cp0 + register] = value), vcpu.words);
  vcpu.run(count);
  const cause = vcpu.words[cp0 + Cp0.Cause] as number;
  return {
    code: (cause & Cause.CODE) >> 2,
    inDelaySlot: (cause & Cause.BD) !== 0,
    epc: (vcpu.words[cp0 + Cp0.Epc] as number) >>> 0,
  };
}

describe('an exception', () => {
  it.each([
    ['taken', asm('beq', { offset: 4 })],
    ['not taken', asm('bne', { offset: 4 })],
  ])('in the delay slot of a branch that is %s names the branch', async (_, branch) => {
    expect(await run({ 0: nop, 4: branch, 8: breakpoint }, KSEG0 + CODE, 3)).toEqual({
      code: ExceptionCode.Breakpoint,
      inDelaySlot: true,
      epc: KSEG0 + CODE + 4,
    });
  });

  it('at a jump target names the target, also when the word before it is a branch', async () => {
    const words = { 0: asm('beq', { offset: 3 }), 4: nop, 12: asm('bne', { offset: 1 }), 16: breakpoint };
    expect(await run(words, KSEG0 + CODE, 3)).toEqual({
      code: ExceptionCode.Breakpoint,
      inDelaySlot: false,
      epc: KSEG0 + CODE + 16,
    });
  });

  it('where the run starts names the instruction, also when the word before it is a branch', async () => {
    expect(await run({ 0: asm('bne', { offset: 1 }), 4: breakpoint }, KSEG0 + CODE + 4, 1)).toMatchObject({
      inDelaySlot: false,
      epc: KSEG0 + CODE + 4,
    });
  });

  it('of fetching a delay slot from the next page names the branch, so that it is executed again', async () => {
    // The branch is the last word of a mapped page; nothing maps the page with its slot.
    const branch = USER + 0x1ffc;
    const result = await run({ 0xffc: asm('beq', { offset: -4 }) }, branch, 2, (cp0, state) => {
      state[wordOf(S.TLB_ENTRY_HI)] = USER;
      state[wordOf(S.TLB_ENTRY_LO1)] = ((CODE >>> 12) << ENTRY_LO.PFN_SHIFT) | ENTRY_LO.V;
      cp0(Cp0.Status, 2 << Status.KSU_SHIFT);
    });
    expect(result).toEqual({ code: ExceptionCode.TlbLoad, inDelaySlot: true, epc: branch });
  });
});
