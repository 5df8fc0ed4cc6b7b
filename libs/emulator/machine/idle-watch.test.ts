import { describe, expect, it } from '@jest/globals';
import { IdleWatch } from './idle-watch.js';

/** Lets a guest work and wait in turns of ten milliseconds. @returns times at which it began to idle */
function watch(...phases: { seconds: number; waits: number }[]): number[] {
  const began: number[] = [];
  let now = 1000;
  const idleness = new IdleWatch(now);
  for (const { seconds, waits } of phases) {
    for (let turn = 0; turn < seconds * 100; turn++) {
      const waitsFrom = now + 10 * (1 - waits);
      now += 10;
      if (waits > 0 && idleness.waited(waitsFrom, now)) began.push(Math.round(now - 1000) / 1000);
    }
  }
  return began;
}

describe('a guest that waits', () => {
  it('begins to idle once, however long it goes on', () => {
    expect(watch({ seconds: 3, waits: 0 }, { seconds: 60, waits: 0.99 })).toHaveLength(1);
  });

  it('does not idle as long as it works a fifth of the time', () => {
    expect(watch({ seconds: 60, waits: 0.8 })).toEqual([]);
  });

  it('begins again after work', () => {
    const began = watch({ seconds: 10, waits: 1 }, { seconds: 5, waits: 0.2 }, { seconds: 10, waits: 1 });
    expect(began).toHaveLength(2);
    expect(began[0]).toBeLessThan(3);
    expect(began[1]).toBeGreaterThan(15);
  });
});
