import { expect, it, jest } from '@jest/globals';
import { JIT_ONLY } from '../../support/engines.js';
import { describeWith } from '../../support/requirements.js';
import { compareWithQemu } from './compare.js';
import { ARCHITECTURES, OPTIMISATIONS } from './reference.js';
import { tortureTests } from './suite.js';

// Minutes, but an hour the first time, which compiles ten thousand programs.
jest.setTimeout(7_200_000);

const RUNS = [
  ...OPTIMISATIONS.flatMap((optimisation) =>
    ARCHITECTURES.map((arch) => ({ arch, optimisation, engine: {}, name: '' })),
  ),
  // Translates each program anew, which takes ten times as long.
  ...ARCHITECTURES.map((arch) => ({
    arch,
    optimisation: '-O2' as const,
    engine: JIT_ONLY,
    name: ', as much translated as possible',
  })),
];

describeWith(['gcc-torture', 'cross-mips', 'qemu-user'], "GCC's execution tests, all of them", () => {
  it.each(RUNS)('$arch $optimisation: end as under QEMU$name', async ({ arch, optimisation, engine }) => {
    const tests = tortureTests().map((test) => ({ test, variant: { arch, optimisation } }));
    const { differences, programs, passed } = await compareWithQemu(tests, engine);
    console.log(`${arch} ${optimisation}: ${tests.length} tests, ${programs} compile, ${passed} pass under QEMU`);
    expect(differences).toEqual({});
    expect(passed).toBeGreaterThan(1600);
  });
});
