import { expect, it, jest } from '@jest/globals';
import { INTERPRETER, JIT_ONLY } from '../../support/engines.js';
import { describeWith } from '../../support/requirements.js';
import { compareWithQemu } from './compare.js';
import { ARCHITECTURES, OPTIMISATIONS } from './reference.js';
import type { Optimisation } from './reference.js';
import { tortureTests } from './suite.js';

// The first run compiles.
jest.setTimeout(300_000);

/** Each so manieth test of the suite, in each of the optimisations in turn. torture.slow.test.ts runs all. */
const EVERY = 28;

const ENGINES = [
  { name: 'as the product runs it', engine: {} },
  { name: 'with the interpreter alone', engine: INTERPRETER },
  { name: 'with as much translated as possible', engine: JIT_ONLY },
] as const;

describeWith(['gcc-torture', 'cross-mips', 'qemu-user'], "GCC's execution tests, a sample", () => {
  it.each(ARCHITECTURES.flatMap((arch) => ENGINES.map((engine) => ({ arch, ...engine }))))(
    '$arch: end as under QEMU, $name',
    async ({ arch, engine }) => {
      const sample = tortureTests()
        .filter((_, index) => index % EVERY === 0)
        .map((test, index) => ({
          test,
          variant: { arch, optimisation: OPTIMISATIONS[index % OPTIMISATIONS.length] as Optimisation },
        }));
      const { differences, passed } = await compareWithQemu(sample, engine);
      expect(differences).toEqual({});
      expect(passed).toBeGreaterThan(50);
    },
  );
});
