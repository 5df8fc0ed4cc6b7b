import { describe, expect, it } from '@jest/globals';
import { JumpCache } from './engine-state.js';

describe('the jump cache', () => {
  it('gives code that runs under several mode keys an entry for each', () => {
    for (const address of [0x80000180, 0x81ff3400, 0x00400abc]) {
      const offsets = [0, 1, 2, 3].map((modeKey) => JumpCache.offset(address, modeKey));
      expect(new Set(offsets).size).toBe(4);
      for (const offset of offsets) expect([offset % 16, offset >= 0 && offset < JumpCache.bytes]).toEqual([0, true]);
    }
  });

  it('spreads neighbours over different entries', () => {
    const offsets = Array.from({ length: 4096 }, (_, i) => JumpCache.offset(0x80100000 + 4 * i, 1));
    expect(new Set(offsets).size).toBe(4096);
  });
});
