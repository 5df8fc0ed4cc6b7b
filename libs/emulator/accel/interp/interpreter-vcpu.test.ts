import { expect, it } from '@jest/globals';
import { wordOf } from '../../jit/ir/index.js';
import { BENCH_RAM_BYTES, createMipsSide } from '../../testkit/mips-bench.js';
import { Mode } from '../../targets/mips/cp0.js';
import { engine } from '../../targets/mips/state.js';
import type { InterpreterVcpu } from './interpreter-vcpu.js';

it('lets kernel code alone read RAM directly, also after a reset', async () => {
  const side = await createMipsSide('interp', 'little');
  const vcpu = side.vcpu as InterpreterVcpu; // the engine asked for
  const limits = (): number[] => [...side.words.subarray(wordOf(engine.directLimits), wordOf(engine.directLimits) + 4)];
  const direct = [0, 1, 2, 3].map((shift) => BENCH_RAM_BYTES >> shift);
  expect(limits()).toEqual(direct);
  vcpu.selectMode(Mode.User);
  expect(limits()).toEqual([0, 0, 0, 0]);
  vcpu.reset();
  expect(limits()).toEqual(direct);
});
