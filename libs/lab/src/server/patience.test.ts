import { describe, expect, it } from '@jest/globals';
import { patiently } from './patience.js';

describe('patience', () => {
  const failing = (times: number) => {
    let calls = 0;
    const act = (): Promise<number> => {
      calls += 1;
      return calls <= times ? Promise.reject(new Error(`away ${calls}`)) : Promise.resolve(calls);
    };
    return act;
  };

  it('tries until it works, and tells of each failure', async () => {
    const failures: unknown[] = [];
    expect(await patiently(failing(2), { failed: (error) => failures.push(error) })).toBe(3);
    expect(failures).toEqual([new Error('away 1'), new Error('away 2')]);
  });

  it('takes an answer for an answer', async () => {
    await expect(patiently(failing(1), { unless: () => true })).rejects.toThrow('away 1');
  });

  it('ends when nobody waits any more', async () => {
    let over = false;
    const waiting = patiently(failing(1000), { over: () => over });
    over = true;
    await expect(waiting).rejects.toThrow(/away [12]$/);
  });
});
