import { expect, it } from '@jest/globals';
import { limitRemarks } from './remarks.js';

it('passes on some remarks, none of them long', () => {
  const lines: string[] = [];
  const remark = limitRemarks((line) => lines.push(line));
  remark('a'.repeat(5000));
  for (let i = 0; i < 1000; i++) remark(`remark ${i}`);
  expect(lines).toHaveLength(21);
  expect(lines[0]).toBe(`${'a'.repeat(300)}…`);
  expect(lines[1]).toBe('remark 0');
  expect(lines[20]).toBe('there is more, which is not told');
});
