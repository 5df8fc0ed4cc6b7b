import { expect, it } from '@jest/globals';
import { describeWith } from '../../support/requirements.js';
import { runTestFloat, TESTED } from './testfloat.js';

describeWith('testfloat', 'Berkeley TestFloat, level 1', () => {
  it.each(TESTED)('$title', async (run) => {
    const { cases, differences } = await runTestFloat(run, 1);
    expect(differences).toEqual([]);
    expect(cases).toBeGreaterThan(run.tested.operands === 2 ? 46_000 : 300);
  });
});
