import { beforeAll, describe, expect, it } from '@jest/globals';
import type { EngineOptions, MachineStop } from '@bootlab/emulator';
import { ENGINES, INTERPRETER } from '../../support/engines.js';
import { describeWith } from '../../support/requirements.js';
import { boot, buildProgram } from './programs.js';

/** Everything about a run that must not depend on how it was cut into slices, nor on the engine. */
interface Outcome {
  end: MachineStop;
  console: { tNs: number; text: string }[];
  instructions: number;
  virtualNs: number;
  ramSha256: string;
}

async function runInSlices(kernel: string, instructions: number, engine: EngineOptions): Promise<Outcome> {
  const machine = await boot(kernel, { memoryBytes: 16 << 20 }, engine);
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
      whole = await runInSlices(kernel, 1_000_000, INTERPRETER);
    }, 120_000);

    it('the program runs to its end', () => {
      expect(whole.end).toEqual({ kind: 'reset' });
      expect(whole.console.map(({ text }) => text).join('')).toMatch(/(round ticks .*\n){6}end of program/);
    });

    // 997 is prime and the distance of the timer's interrupts; 1 cuts between every branch and its delay slot.
    // Translations are entered only with more than 1,024 instructions to go.
    const sizes = { small: [1, 7, 997, 1000], large: [1031, 2003, 1_000_000] };
    it.each([
      ...sizes.small.map((instructions) => ({ instructions, engineName: 'interpreter', engine: INTERPRETER })),
      ...ENGINES.flatMap((each) => sizes.large.map((instructions) => ({ instructions, ...each }))),
    ])(
      'of $instructions instructions, $engineName: the same output at the same times, the same memory',
      async ({ instructions, engine }) => {
        expect(await runInSlices(kernel, instructions, engine)).toEqual(whole);
      },
      120_000,
    );
  });
});
