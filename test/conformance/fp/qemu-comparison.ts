import { expect, it } from '@jest/globals';
import { MIPS_2008, MIPS_LEGACY } from '@bootlab/emulator/fp';
import { describeWith } from '../../support/requirements.js';
import { describeDifferences, evaluateVectors, type EvaluationOptions } from './evaluate.js';
import { qemuResults, runsOn, type OracleCpu } from './oracle.js';
import { VECTOR_WORDS, makeVectors, type Density } from './vectors.js';

/** FCSR.NAN2008 and FCSR.ABS2008, which read as one on the P5600. */
const FCSR_2008 = (1 << 18) | (1 << 19);

type Comparison = OracleCpu & EvaluationOptions;

const LEGACY = { cpu: '24Kf', flags: ['-march=mips32r2'], policy: MIPS_LEGACY, fcsrFixedBits: 0 } as const;

const COMPARISONS: readonly Comparison[] = [
  { ...LEGACY, name: '24Kf, FR = 1', byteOrder: 'little', registers: 64 },
  { ...LEGACY, name: '24Kf, FR = 0', byteOrder: 'little', registers: 32 },
  { ...LEGACY, name: '24Kf, FR = 1, big-endian', byteOrder: 'big', registers: 64 },
  {
    ...{ name: 'P5600 (NAN2008, ABS2008), FR = 1', cpu: 'P5600', byteOrder: 'little', registers: 64 },
    ...{ flags: ['-march=p5600', '-mnan=2008'], policy: MIPS_2008, fcsrFixedBits: FCSR_2008 },
  },
];

/** Declares the tests that compare SoftFloat with QEMU's FPU, values and FCSR, each on at least `fewest` vectors. */
export function compareWithQemu(density: Density, fewest: number): void {
  describeWith(['qemu-user', 'cross-mips'], `SoftFloat against QEMU's FPU, ${density} set of vectors`, () => {
    it.each(COMPARISONS)(
      '$name',
      async (comparison) => {
        const vectors = makeVectors(density, runsOn(comparison));
        const expected = await qemuResults(comparison, vectors);
        const actual = evaluateVectors(vectors, comparison);
        expect(vectors.length / VECTOR_WORDS).toBeGreaterThanOrEqual(fewest);
        expect(expected.length).toBe(actual.length);
        expect(describeDifferences(vectors, actual, expected)).toEqual([]);
      },
      600_000,
    );
  });
}
