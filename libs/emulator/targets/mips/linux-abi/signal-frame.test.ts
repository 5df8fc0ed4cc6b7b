import { describe, expect, it } from '@jest/globals';
import type { AbiMemory } from '../../linux-abi/user-cpu.js';
import { FloatRegisters } from '../float-registers.js';
import * as S from '../state.js';
import { readSignalFrame, writeSignalFrame } from './signal-frame.js';

const BASE = 0x1000;

class FlatMemory implements AbiMemory {
  readonly view = new DataView(new ArrayBuffer(0x2000));
  constructor(private readonly little: boolean) {}
  read(address: number, length: number): Uint8Array {
    return new Uint8Array(this.view.buffer, address - BASE, length).slice();
  }
  write(address: number, bytes: Uint8Array): void {
    new Uint8Array(this.view.buffer).set(bytes, address - BASE);
  }
  u32(address: number): number {
    return this.view.getUint32(address - BASE, this.little);
  }
  setU32(address: number, value: number): void {
    this.view.setUint32(address - BASE, value, this.little);
  }
}

function stateWith(wide: boolean): { state: DataView; floats: FloatRegisters } {
  const state = new DataView(new ArrayBuffer(0x2000));
  const floats = new FloatRegisters(state);
  floats.wide = wide;
  for (let i = 1; i < 32; i++) state.setInt32(S.gprOffset(i), -0x1000 * i, true);
  for (let i = 0; i < 32; i += wide ? 1 : 2) floats.setDouble(i, 0x1122334455667788n + BigInt(i));
  state.setInt32(S.HI.offset, -5, true);
  state.setInt32(S.LO.offset, 6, true);
  return { state, floats };
}

const registersOf = ({ state, floats }: ReturnType<typeof stateWith>): unknown[] => [
  ...Array.from({ length: 32 }, (_, i) => state.getInt32(S.gprOffset(i), true)),
  ...Array.from({ length: 32 }, (_, i) => floats.double(i)),
  state.getInt32(S.HI.offset, true),
  state.getInt32(S.LO.offset, true),
];

describe.each([true, false])('signal frames, little-endian %s', (little) => {
  describe.each([true, false])('with siginfo %s', (withInfo) => {
    it.each([true, false])('give back what they hold, 64-bit FPU registers %s', (wide) => {
      const memory = new FlatMemory(little);
      const cpu = stateWith(wide);
      const before = registersOf(cpu);
      const alternateStack = { address: 0x5000, size: 0x2000, flags: 0 };
      const mask = (1n << 100n) | 5n;
      const start = writeSignalFrame(
        memory,
        {
          info: { signal: 11, code: 1, detail: { kind: 'fault', address: 0x1234 } },
          handler: 0x400000,
          withInfo,
          restorer: 0,
          stackPointer: BASE + 0x1ffc,
          mask,
          alternateStack,
        },
        { ...cpu, fcsr: 0x01000e00, pc: 0x80401234, little },
      );
      const frame = start[29] as number;
      expect(frame % 8).toBe(0);
      expect(start[4]).toBe(11);

      for (let i = 1; i < 32; i++) cpu.state.setInt32(S.gprOffset(i), 1, true);
      for (let i = 0; i < 32; i++) cpu.floats.setDouble(i, 0n);
      const back = readSignalFrame(memory, frame, withInfo, { ...cpu, little });
      expect(registersOf(cpu)).toEqual(before);
      expect(back).toMatchObject({ pc: 0x80401234, fcsr: 0x01000e00, mask });
      if (withInfo) expect(back.alternateStack).toEqual(alternateStack);
    });
  });

  it('lay siginfo, context and registers where the headers of Linux put them', () => {
    const memory = new FlatMemory(little);
    const cpu = stateWith(false);
    const { 5: info = 0, 6: context = 0 } = writeSignalFrame(
      memory,
      {
        info: { signal: 8, code: 3, detail: { kind: 'fault', address: 0xabc0 } },
        handler: 0,
        withInfo: true,
        restorer: 0,
        stackPointer: BASE + 0x2000,
        mask: 1n,
        alternateStack: { address: 0x77, size: 0x88, flags: 2 },
      },
      { ...cpu, fcsr: 0, pc: 0x400000, little },
    );
    const low = little ? 0 : 4; // of 64-bit fields
    expect([0, 4, 8, 12].map((offset) => memory.u32(info + offset))).toEqual([8, 3, 0, 0xabc0]);
    expect([8, 12, 16].map((offset) => memory.u32(context + offset))).toEqual([0x77, 0x88, 2]); // uc_stack
    const sigcontext = context + 24;
    expect(memory.u32(sigcontext + 8 + low)).toBe(0x400000); // sc_pc
    expect(memory.u32(sigcontext + 16 + 8 * 29 + low)).toBe((-0x1000 * 29) >>> 0); // sc_regs[29]
    expect(memory.u32(context + 24 + 592)).toBe(1); // uc_sigmask
  });
});
