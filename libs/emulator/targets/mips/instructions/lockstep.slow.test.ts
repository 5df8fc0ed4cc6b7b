import { describe, expect, it } from '@jest/globals';
import { MIPS_MODELS } from '../../index.js';
import { MipsLockstep } from '../../../testkit/mips-lockstep.js';

// As lockstep.test.ts, for every CPU model and with many more cases.

const SEEDS = [101, 102, 106];

for (const { id: model } of MIPS_MODELS) {
  describe.each(['little', 'big'] as const)(`${model}, %s-endian: interpreter and oracle agree`, (byteOrder) => {
    it.each(SEEDS)(
      'on every instruction and on random sequences (seed %i)',
      async (seed) => {
        const lockstep = await MipsLockstep.create({ model, byteOrder, seed });
        for (const { name } of lockstep.table.instructions) {
          for (let i = 0; i < 10; i++) lockstep.runInstruction(name);
        }
        for (let i = 0; i < 2000; i++) lockstep.runSequence();
        expect(lockstep.instructions).toBeGreaterThan(10_000);
      },
      120_000,
    );
  });
}
