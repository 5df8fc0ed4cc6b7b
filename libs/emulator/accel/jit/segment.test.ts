import { describe, expect, it } from '@jest/globals';
import { NOP } from '../../testkit/mips-assembler.js';
import { BENCH_RAM_BYTES } from '../../testkit/mips-bench.js';
import {
  A0,
  A1,
  again,
  DATA,
  FRAMES,
  KSEG0,
  KSEG1,
  PAGE,
  readLog,
  runEverywhere,
  S0,
  S1,
  S2,
  T0,
  T1,
  T2,
  T3,
  V0,
  writeTlb,
} from '../../testkit/mips-directed.js';
import type { InterpreterVcpu } from '../interp/index.js';
import type { VcpuStats } from '../vcpu.js';

// The directly mapped segment, where RAM is found by one comparison (segment-checks), and what is accessed elsewhere (strays).

describe.each(['little', 'big'] as const)('accesses of kernel code, %s-endian', (byteOrder) => {
  it('find memory at both ends of the segment and of RAM, and nothing beyond', async () => {
    const END = (KSEG0 + BENCH_RAM_BYTES) | 0;
    const starts = [KSEG0 - 48, KSEG0 - 46, END - 64, END - 62, -64, (KSEG0 + 2 * BENCH_RAM_BYTES) | 0];
    const side = await runEverywhere({
      ...{ byteOrder, instructions: 30_000, referenceInstructions: 12_000, translated: 0.1 },
      build: (a) => {
        a.li(S1, END - PAGE);
        starts.forEach((start, i) => {
          a.li(S0, start).op('addiu', { rt: S2, imm: 32 });
          a.label(`loop ${i}`).op('lw', { base: S0, rt: T0, offset: 0 }).op('lw', { base: S0, rt: T1, offset: 16 });
          a.op('lhu', { base: S0, rt: T2, offset: -6 }).op('lb', { base: S0, rt: T3, offset: 13 });
          const [left, right] = byteOrder === 'little' ? [8, 5] : [5, 8];
          a.op('lwl', { base: S0, rt: A0, offset: left }).op('lwr', { base: S0, rt: A0, offset: right });
          a.op('addu', { rd: V0, rs: T0, rt: T1 }).op('addu', { rd: T2, rs: T2, rt: T3 });
          a.op('xor', { rd: V0, rs: V0, rt: T2 }).op('xor', { rd: V0, rs: V0, rt: A0 });
          a.op('sw', { base: S1, rt: V0, offset: 4 * i });
          // Not where exceptions go.
          if (start === END - 64 || start === END - 62)
            a.op('sw', { base: S0, rt: S2, offset: 8 })
              .op('sh', { base: S0, rt: S2, offset: 20 })
              .op('sb', { base: S0, rt: S2, offset: -3 });
          a.op('addiu', { rt: S2, rs: S2, imm: -1 }).branch('bne', { rs: S2 }, `loop ${i}`);
          a.op('addiu', { rt: S0, rs: S0, imm: 4 });
        });
        a.label('end').branch('beq', {}, 'end').emit(NOP);
      },
    });
    const codes = new Set(readLog(side, byteOrder).map(({ cause }) => (cause >>> 2) & 31));
    expect([...codes].sort((x, y) => x - y)).toEqual([2, 4, 5, 7]); // TLB, address errors, bus
  });

  it('learn which accesses leave the segment, and check the others together as before', async () => {
    /** Of the last slices: shares of translations. */
    const shares: number[] = [];
    let before: VcpuStats | undefined;
    const side = await runEverywhere({
      between: ({ vcpu }, slice) => {
        const { stats } = vcpu as InterpreterVcpu;
        const translated = (stats.translation?.instructions ?? 0) - (before?.translation?.instructions ?? 0);
        if (slice > 20 && stats.translation)
          shares.push(translated / (stats.instructions - (before?.instructions ?? 0)));
        before = structuredClone(stats);
      },
      ...{
        byteOrder,
        instructions: 200_000,
        referenceInstructions: 3000,
        translated: 0.8,
        slice: 5000,
        strays: 2,
      },
      setUp: (machine) => writeTlb(machine, 8, DATA, FRAMES, FRAMES + PAGE),
      build: (a) => {
        a.li(S0, KSEG0 + FRAMES)
          .li(A0, KSEG1 + FRAMES)
          .li(A1, DATA)
          .op('addiu', { rt: S2, imm: 9000 });
        a.label('loop').op('or', { rd: T0, rs: S0 }).op('andi', { rt: T1, rs: S2, imm: 3 });
        a.op('sltiu', { rt: T2, rs: T1, imm: 1 }).op('movn', { rd: T0, rs: A0, rt: T2 }); // every fourth time
        a.op('addiu', { rt: T2, rs: T1, imm: -1 })
          .op('sltiu', { rt: T2, rs: T2, imm: 1 })
          .op('movn', { rd: T0, rs: A1, rt: T2 });
        a.op('lw', { base: T0, rt: T3, offset: 8 }).op('addu', { rd: T3, rs: T3, rt: S2 });
        a.op('lw', { base: S0, rt: V0, offset: 12 }).op('addu', { rd: V0, rs: V0, rt: T3 });
        a.op('sw', { base: S0, rt: V0, offset: 12 }).op('sw', { base: S0, rt: S2, offset: 20 });
        // Goes with the first; found as well, since a slice has ended in between, and what goes on there is translated by itself.
        a.op('sw', { base: T0, rt: T3, offset: 16 });
        again(a, 'loop');
      },
    });
    expect(side.bus.read(FRAMES + 20, 4, byteOrder)).toBe(1);
    // Nothing leaves any more but for want of budget.
    expect(Math.min(...shares)).toBeGreaterThan(0.99);
  });

  it('do not take the first store to each page for one that leaves the segment', async () => {
    await runEverywhere({
      ...{ byteOrder, instructions: 60_000, translated: 0.5, slice: 6000, strays: 0 },
      // As after a snapshot.
      between: ({ ram }) => void ram.takeDirtyPages(),
      build: (a) => {
        a.label('again')
          .li(S0, KSEG0 + 0x100000)
          .li(S1, KSEG0 + BENCH_RAM_BYTES);
        a.label('loop').op('sw', { base: S0, rt: S0, offset: 4 }).op('sw', { base: S0, rt: S1, offset: 8 });
        a.op('addiu', { rt: S0, rs: S0, imm: PAGE }).branch('bne', { rs: S0, rt: S1 }, 'loop').emit(NOP);
        a.branch('beq', {}, 'again').emit(NOP);
      },
    });
  });
});
