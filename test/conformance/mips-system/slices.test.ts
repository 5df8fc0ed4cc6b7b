import { beforeAll, describe, expect, it } from '@jest/globals';
import type { MachineStop } from '@bootlab/emulator';
import { describeWith } from '../../support/requirements.js';
import { boot, buildProgram } from './programs.js';

/** Everything about a run that must not depend on how it was cut into slices. */
interface Outcome {
  end: MachineStop;
  console: { tNs: number; text: string }[];
  instructions: number;
  virtualNs: number;
  ramSha256: string;
}

async function runInSlices(kernel: string, instructions: number): Promise<Outcome> {
  const machine = await boot(kernel, { memoryBytes: 16 << 20 });
  const console: Outcome['console'] = [];
  machine.onConsole(({ tNs, data }) => console.push({ tNs, text: Buffer.from(data).toString('latin1') }));
  let end: MachineStop;
  do {
    const before = machine.stats().instructions;
    end = machine.run({ instructions });
    if (end.kind === 'limit') expect(machine.stats().instructions - before).toBe(instructions);
  } while (end.kind === 'limit' && machine.nowNs < 10e9);
  const { instructions: total, virtualNs } = machine.stats();
  return { end, console, instructions: total, virtualNs, ramSha256: await machine.ramSha256() };
}

describeWith('cross-mips', 'slices of a run', () => {
  describe.each(['little', 'big'] as const)('%s-endian', (byteOrder) => {
    let kernel: string;
    let whole: Outcome;
    beforeAll(async () => {
      kernel = await buildProgram('slices', byteOrder);
      whole = await runInSlices(kernel, 1_000_000);
    }, 120_000);

    it('the program runs to its end', () => {
      expect(whole.end).toEqual({ kind: 'reset' });
      expect(whole.console.map(({ text }) => text).join('')).toMatch(/(round ticks .*\n){6}end of program/);
    });

    // 997 is prime and the distance of the timer's interrupts; 1 cuts between every branch and its delay slot.
    it.each([1, 7, 997, 1000, 1_000_000])(
      'of %d instructions: the same output at the same times, the same memory',
      async (instructions) => {
        expect(await runInSlices(kernel, instructions)).toEqual(whole);
      },
      120_000,
    );
  });
});
