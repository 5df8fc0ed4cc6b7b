import { expect, it } from '@jest/globals';
import type { Result } from '../job.js';
import { compareResults } from './comparison.js';

const result = (name: string, outcome: Result['outcome'], suite = 's'): Result => ({
  suite,
  name,
  outcome,
  detail: null,
  startNs: null,
  durationNs: null,
  console: null,
  lines: null,
  measurement: null,
});
const all = (outcomes: Record<string, Result['outcome']>): Result[] =>
  Object.entries(outcomes).map(([name, outcome]) => result(name, outcome));

it('tells what broke, what was mended, and what came or went', () => {
  const base = all({
    a: 'pass',
    b: 'fail',
    c: 'fail',
    d: 'skip',
    e: 'pass',
    f: 'error',
    g: 'pass',
    h: 'fail',
    i: 'skip',
  });
  const head = all({
    a: 'fail',
    b: 'pass',
    c: 'error',
    d: 'error',
    e: 'pass',
    f: 'pass',
    h: 'skip',
    i: 'pass',
    j: 'fail',
  });
  const differences = compareResults(base, head);
  const names = (key: 'regressions' | 'fixes' | 'stillFailing' | 'added' | 'missing' | 'changed'): string =>
    differences[key].map(({ name }) => name).join('');
  expect(names('regressions')).toBe('ad');
  expect(names('fixes')).toBe('bf');
  expect(names('stillFailing')).toBe('c');
  expect(names('added')).toBe('j');
  expect(names('missing')).toBe('g');
  expect(names('changed')).toBe('hi');
  expect(differences.unchanged).toBe(1);
  expect(differences.regressions[0]).toMatchObject({ base: { outcome: 'pass' }, head: { outcome: 'fail' } });
});

it('tells cases of the same name apart by their suites and their order', () => {
  const base = [result('x', 'pass'), result('x', 'fail'), result('x', 'pass', 't')];
  const head = [result('x', 'pass'), result('x', 'pass'), result('x', 'fail', 't')];
  const { fixes, regressions, unchanged } = compareResults(base, head);
  expect(fixes).toHaveLength(1);
  expect(regressions).toMatchObject([{ suite: 't', name: 'x' }]);
  expect(unchanged).toBe(1);
});
