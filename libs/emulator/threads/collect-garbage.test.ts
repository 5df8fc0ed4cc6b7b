import { describe, expect, it } from '@jest/globals';
import { collectGarbage } from './index.js';

describe('collecting garbage', () => {
  it('takes what nobody refers to any more', () => {
    const gone = new WeakRef(Array.from({ length: 1000 }, (_, n) => ({ n })));
    let alive: object[] | undefined = Array.from({ length: 1000 }, (_, n) => ({ n }));
    const kept = new WeakRef(alive);
    return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      // What a WeakRef was made of stays until the end of the task.
      collectGarbage();
      expect(gone.deref()).toBeUndefined();
      expect(kept.deref()).toBe(alive);
      alive = undefined;
    });
  });

  it('leaves no trace of how it is done', () => {
    collectGarbage();
    expect(globalThis).not.toHaveProperty('gc');
  });
});
