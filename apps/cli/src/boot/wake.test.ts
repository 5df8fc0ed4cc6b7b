import { describe, expect, it } from '@jest/globals';
import { Wake } from './wake.js';

const LONG = 60_000;

describe('Wake', () => {
  it('waits as long as it is told', async () => {
    const startedAt = performance.now();
    await new Wake().wait(30);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(25);
  });

  it('ends a wait early', async () => {
    const wake = new Wake();
    setTimeout(() => wake.now(), 5);
    await wake.wait(LONG);
  });

  it('remembers what happened between two waits, once', async () => {
    const wake = new Wake();
    wake.now();
    wake.now();
    await wake.wait(LONG);
    const startedAt = performance.now();
    await wake.wait(30);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(25);
  });
});
