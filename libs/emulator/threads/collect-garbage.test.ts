import { describe, expect, it } from '@jest/globals';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { collectGarbage, shrinkHeap } from './index.js';

describe.each([
  ['shrinking the heap', async () => shrinkHeap()],
  ['collecting garbage', collectGarbage],
])('%s', (_name, collect) => {
  it('takes what nobody refers to any more', async () => {
    const gone = new WeakRef(Array.from({ length: 1000 }, (_, n) => ({ n })));
    const alive = Array.from({ length: 1000 }, (_, n) => ({ n }));
    const kept = new WeakRef(alive);
    await nextTurn(); // what a WeakRef was made of stays until the end of the task
    await collect();
    expect(gone.deref()).toBeUndefined();
    expect(kept.deref()).toBe(alive);
  });

  it('leaves no trace of how it is done', async () => {
    const { emitWarning } = process;
    await collect();
    expect(process.emitWarning).toBe(emitWarning);
    expect(globalThis).not.toHaveProperty('gc');
  });
});

describe('collecting garbage', () => {
  it('says how much is in use after it', async () => {
    const before = await collectGarbage();
    const held = [new Array(4 << 20).fill(0), new Uint8Array(64 << 20)];
    expect(await collectGarbage()).toBeGreaterThan(before + (80 << 20));
    held.length = 0;
    await collectGarbage();
    expect(await collectGarbage()).toBeLessThan(before + (10 << 20));
  });
});
