import { describe, expect, it } from '@jest/globals';
import { createMachine } from '@bootlab/emulator';
import { asm } from '@bootlab/emulator/testkit';
import { kernelElf } from '../../support/kernel-elf.js';
import { jr, jump, lui, memory, mtc0, NOP, ori, T0, T1, WAIT } from '../../support/mips-words.js';
import { INTERPRETER, JIT_ONLY } from '../../support/engines.js';
import { describeWith } from '../../support/requirements.js';
import { boot, buildProgram, runToEnd } from './programs.js';

// Guests that can do no good: each ends with a reason, in bounded time, at the same
// point on every engine, and the emulator survives it.

const LIMITS = { timeoutNs: 5e6, wallGuardMs: 60_000 };
/** Ends that a guest may bring about by itself; `wall-guard` would mean that virtual time stood still. */
const ENDS = ['timeout', 'dead', 'reset', 'power-off'];

const [SYSCALL, BREAK, ERET] = [asm('syscall'), asm('break'), asm('eret')];
const RESERVED = 0xec000000;
const ZERO = 0;
const li = (rt: number, value: number): number[] => [lui(rt, value >>> 16), ori(rt, rt, value & 0xffff)];
const [STATUS, EPC, ERROR_EPC, COMPARE, CAUSE] = [12, 14, 30, 11, 13];
/** Puts a word at the general exception vector. */
const atVector = (word: number): number[] => [...li(T0, word), lui(T1, 0x8000), memory('sw', T0, T1, 0x180)];

describe.each(['little', 'big'] as const)('a hostile guest, %s-endian', (byteOrder) => {
  it.each<[string, number[]]>([
    ['jumps to a misaligned address', [...li(T0, 0x80100002), ...jr(T0)]],
    ['jumps behind memory', [...li(T0, 0x8f000000), ...jr(T0)]],
    ['jumps into a device', [...li(T0, 0xb80003f8), ...jr(T0)]],
    ['jumps into flash', [...li(T0, 0xbe000000), ...jr(T0)]],
    ['jumps to the last word of the address space', [...li(T0, 0xfffffffc), ...jr(T0)]],
    ['jumps to the last word of kseg0', [...li(T0, 0x9ffffffc), ...jr(T0)]],
    ['jumps to address 0', jr(ZERO)],
    ['raises exceptions whose handler is a syscall', [...atVector(SYSCALL), SYSCALL]],
    ['raises exceptions whose handler is reserved', [...atVector(RESERVED), BREAK]],
    ['raises exceptions whose handler returns', [...atVector(ERET), SYSCALL]],
    ['raises exceptions with BEV set', [lui(T0, 0x0040), mtc0(T0, STATUS), SYSCALL]],
    ['returns from no exception', [ERET]],
    ['returns to a misaligned address', [...li(T0, 0x12345677), mtc0(T0, EPC), mtc0(T0, ERROR_EPC), ERET]],
    ['goes to user mode without a page', [...li(T0, 0x12), mtc0(T0, STATUS), mtc0(ZERO, EPC), ERET]],
    ['branches in delay slots', [jump(0), jump(0), jump(1), jr(ZERO)].map(([branch = NOP]) => branch)],
    ['waits in a delay slot', [...jump(0).slice(0, 1), WAIT]],
    ['waits under EXL', [...li(T0, 0xff03), mtc0(T0, STATUS), WAIT, ...jump(0)]],
    ['has a timer that always fires', [...li(T0, 0x8001), mtc0(T0, STATUS), mtc0(ZERO, COMPARE), ...jump(0)]],
    [
      'has an interrupt that nobody clears',
      [...li(T0, 0x300), mtc0(T0, CAUSE), ori(T0, T0, 1), mtc0(T0, STATUS), ...jump(0)],
    ],
  ])(
    '%s',
    async (_name, words) => {
      const kernel = kernelElf(words, { byteOrder });
      const runs = [];
      for (const engine of [INTERPRETER, JIT_ONLY]) {
        const machine = await createMachine({ board: 'malta', memoryBytes: 16 << 20, kernel }, engine);
        const { end } = await runToEnd(machine, LIMITS);
        expect(ENDS).toContain(end.kind);
        const { instructions, virtualNs } = machine.stats();
        runs.push({ end, instructions, virtualNs, ram: await machine.ramSha256() });
      }
      for (const run of runs) expect(run).toEqual(runs[0]);
    },
    120_000,
  );

  it('waits with every interrupt masked: the machine says so at once', async () => {
    const kernel = kernelElf([mtc0(ZERO, STATUS), WAIT, ...jump(0)], { byteOrder });
    const { end } = await runToEnd(await createMachine({ board: 'malta', memoryBytes: 16 << 20, kernel }), LIMITS);
    expect(end).toEqual({ kind: 'dead', reason: expect.stringMatching(/interrupts masked/) as unknown });
  }, 120_000);
});

describeWith('cross-mips', 'a guest that hammers all physical addresses', () => {
  describe.each(['little', 'big'] as const)('%s-endian', (byteOrder) => {
    it.each([1, 0xbadcafe, 0x5eed])(
      'with every width, program %d',
      async (seed) => {
        const kernel = await buildProgram('hammer', byteOrder, { HAMMER_SEED: seed });
        const runs = [];
        for (const engine of [INTERPRETER, JIT_ONLY]) {
          const machine = await boot(kernel, {}, engine);
          const { end } = await runToEnd(machine, { ...LIMITS, timeoutNs: 100e6 });
          expect(ENDS).toContain(end.kind);
          const { instructions, virtualNs } = machine.stats();
          runs.push({ end, instructions, virtualNs, ram: await machine.ramSha256() });
        }
        expect(runs[0]?.instructions).toBeGreaterThan(10_000);
        for (const run of runs) expect(run).toEqual(runs[0]);
      },
      120_000,
    );
  });
});
