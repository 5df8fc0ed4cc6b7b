import { describe, expect, it } from '@jest/globals';
import { MipsLockstep } from '../../../testkit/mips-lockstep.js';

// Interpreter against IR oracle. lockstep.slow.test.ts runs the same with many more cases.

const BYTE_ORDERS = ['little', 'big'] as const;

describe.each(BYTE_ORDERS)('%s-endian interpreter and oracle agree', (byteOrder) => {
  it('on every instruction, with the words around it', async () => {
    const lockstep = await MipsLockstep.create({ model: '34Kf', byteOrder, seed: 1 });
    for (const { name } of lockstep.table.instructions) {
      for (let i = 0; i < 12; i++) lockstep.runInstruction(name);
    }
    expect(lockstep.instructions).toBeGreaterThan(2000);
  }, 60_000);

  it('on random sequences', async () => {
    const lockstep = await MipsLockstep.create({ model: '34Kf', byteOrder, seed: 2 });
    for (let i = 0; i < 500; i++) lockstep.runSequence();
    expect(lockstep.instructions).toBeGreaterThan(2000);
  }, 60_000);
});
