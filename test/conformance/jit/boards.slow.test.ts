import { expect, it, jest } from '@jest/globals';
import { IN_THREAD, INTERPRETER, JIT_ONLY } from '../../support/engines.js';
import { describeWith, GUEST_SELF_TEST_LINES } from '../../support/requirements.js';
import { expectSameOutcome, linux } from './engines.js';

jest.setTimeout(900_000);

describeWith(['malta-el', 'malta-be'], 'Linux, from power-on to power-off', () => {
  it.each(['malta-el', 'malta-be'] as const)('%s does the same on every engine', async (name) => {
    const shape = { instructions: 20e9, slice: 4e6 };
    const runs = await expectSameOutcome(linux(name), [
      { ...shape, engine: {} },
      { ...shape, engine: JIT_ONLY },
      { ...shape, engine: INTERPRETER },
      { ...shape, engine: IN_THREAD, slice: 777_777 },
    ]);
    expect(runs[0]?.outcome.end).toBe('power-off');
    expect(runs[0]?.outcome.text).toContain(GUEST_SELF_TEST_LINES.join('\r\n'));
    expect(runs[1]?.translated).toBeGreaterThan(0.9);
  });
});
