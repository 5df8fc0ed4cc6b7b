import { expect, it, jest } from '@jest/globals';
import { describeWith } from '../../support/requirements.js';
import { compareWithQemu } from './compare.js';
import { ARCHITECTURES, OPTIMISATIONS } from './reference.js';
import { tortureTests } from './suite.js';

// Minutes, but an hour the first time, which compiles ten thousand programs.
jest.setTimeout(7_200_000);

const VARIANTS = ARCHITECTURES.flatMap((arch) => OPTIMISATIONS.map((optimisation) => ({ arch, optimisation })));

describeWith(['gcc-torture', 'cross-mips', 'qemu-user'], "GCC's execution tests, all of them", () => {
  it.each(VARIANTS)('$arch $optimisation: end as under QEMU', async (variant) => {
    const tests = tortureTests();
    const { differences, programs, passed } = await compareWithQemu(
      tests.map((test) => ({ test, variant })),
      {},
    );
    console.log(`${variant.arch} ${variant.optimisation}: ${tests.length} tests, ${programs} compile, ${passed} pass`);
    expect(differences).toEqual({});
    expect(passed).toBeGreaterThan(1600);
  });
});
