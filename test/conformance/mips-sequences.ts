import { expect, it } from '@jest/globals';
import { MIPS_INSTRUCTIONS, MipsSequences } from '@bootlab/emulator/testkit';
import { describeWith } from '../support/requirements.js';

const CPUS = (['little', 'big'] as const).flatMap((byteOrder) =>
  ([64, 32] as const).map((registers) => ({ byteOrder, registers })),
);

/** In a larger program, many branch targets share entries of the jump cache, and half of it is never translated. */
const TRANSLATED_AT_ONCE = 200;

/** Against a test that hangs; thousands of translations take a minute on a busy machine. */
const TIMEOUT_MS = 600_000;

/**
 * Instructions that no program can execute to its end without a kernel: privileged ones, and those whose only effect is
 * an exception. mips-system/ compares them with QEMU's system emulation, user/traps.c in user mode.
 */
const NEED_A_KERNEL =
  'syscall break cache mfc0 mtc0 rdpgpr wrpgpr di ei tlbr tlbwi tlbwr tlbp eret wait cop2 lwc2 ldc2 swc2 sdc2'.split(
    ' ',
  );

/** Declares the tests that compare random instruction sequences on our CPU with QEMU's user-mode emulation. */
export function compareSequences(
  seeds: readonly number[],
  { sequences, atLeast }: { sequences: number; /** Instructions compared in all. */ atLeast: number },
): void {
  describeWith('qemu-user', `${sequences} random instruction sequences, against QEMU`, () => {
    const executed = new Map<string, number>();

    it.each(CPUS.flatMap((cpu) => seeds.map((seed) => ({ ...cpu, seed }))))(
      '$byteOrder-endian, $registers-bit FPU registers, seed $seed',
      async (cpu) => {
        const program = new MipsSequences({ ...cpu, sequences });
        const expected = await program.runOnQemu();
        const actual = await program.runOnInterpreter();
        expect(program.describeDifferences(actual, expected).join('\n')).toBe('');
        for (const [name, times] of program.executed) executed.set(name, (executed.get(name) ?? 0) + times);
      },
      TIMEOUT_MS,
    );

    it(`${atLeast} instructions at least, of every encoding`, () => {
      const total = [...executed.values()].reduce((sum, times) => sum + times, 0);
      const rarest = [...executed].toSorted(([, a], [, b]) => a - b).slice(0, 3);
      process.stdout.write(
        `${total} instructions of ${executed.size} encodings compared with QEMU, registers and memory; the rarest: ` +
          rarest.map(([name, times]) => `${name} ${times} times`).join(', ') +
          '\n',
      );
      const absent = MIPS_INSTRUCTIONS.map(({ name }) => name).filter((name) => !executed.has(name));
      expect(absent).toEqual(NEED_A_KERNEL);
      expect(total).toBeGreaterThanOrEqual(atLeast);
    });

    it.each(CPUS)(
      '$byteOrder-endian, $registers-bit FPU registers, as translations',
      async (cpu) => {
        for (let done = 0; done < sequences; done += TRANSLATED_AT_ONCE) {
          const seed = (seeds[0] ?? 1) + 1000 * done;
          const program = new MipsSequences({
            ...cpu,
            seed,
            sequences: Math.min(TRANSLATED_AT_ONCE, sequences - done),
          });
          const expected = await program.runOnQemu();
          const { results, translated } = await program.runTranslated({ threshold: 1 }, 5);
          for (const actual of results) expect(program.describeDifferences(actual, expected).join('\n')).toBe('');
          expect(translated).toBeGreaterThan(0.7);
        }
      },
      TIMEOUT_MS,
    );
  });
}
