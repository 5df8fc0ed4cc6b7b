import { expect, it } from '@jest/globals';
import { MipsSequences } from '@bootlab/emulator/testkit';
import { describeWith } from '../support/requirements.js';

const CPUS = (['little', 'big'] as const).flatMap((byteOrder) =>
  ([64, 32] as const).map((registers) => ({ byteOrder, registers })),
);

/** Declares the tests that compare random instruction sequences on our CPU with QEMU's user-mode emulation. */
export function compareSequences(seeds: readonly number[], sequences: number): void {
  describeWith('qemu-user', `${sequences} random instruction sequences, against QEMU`, () => {
    it.each(CPUS.flatMap((cpu) => seeds.map((seed) => ({ ...cpu, seed }))))(
      '$byteOrder-endian, $registers-bit FPU registers, seed $seed',
      async (cpu) => {
        const program = new MipsSequences({ ...cpu, sequences });
        const expected = await program.runOnQemu();
        const actual = await program.runOnInterpreter();
        expect(program.describeDifferences(actual, expected).join('\n')).toBe('');
      },
      120_000,
    );

    it.each(CPUS)(
      '$byteOrder-endian, $registers-bit FPU registers, as translations',
      async (cpu) => {
        const program = new MipsSequences({ ...cpu, seed: seeds[0] ?? 1, sequences });
        const expected = await program.runOnQemu();
        const { results, translated } = await program.runTranslated({ threshold: 1 }, 5);
        for (const actual of results) expect(program.describeDifferences(actual, expected).join('\n')).toBe('');
        expect(translated).toBeGreaterThan(0.7);
      },
      120_000,
    );
  });
}
