import { expect, it, jest } from '@jest/globals';
import { describeWith } from '../../support/requirements.js';
import { runTestFloat, TESTED } from './testfloat.js';

// A thousand million cases.
jest.setTimeout(1_800_000);

describeWith('testfloat', 'Berkeley TestFloat, level 2', () => {
  it.each(TESTED)('$title', async (run) => {
    const { cases, differences } = await runTestFloat(run, 2);
    expect(differences).toEqual([]);
    expect(cases).toBeGreaterThan(run.tested.operands === 2 ? 7_000_000 : 8000);
  });
});
