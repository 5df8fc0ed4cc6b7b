import { expect, it } from '@jest/globals';
import type { Result } from '../api/types.js';
import { resultTree, type SuiteNode } from './result-tree.js';

const result = (suite: string, name: string, outcome: Result['outcome']): Result => ({
  ...{ suite, name, outcome, detail: null, startNs: null, durationNs: null },
  ...{ console: null, lines: null, measurement: null },
});
const drawn = (suites: readonly SuiteNode[], depth = 0): string[] =>
  suites.flatMap((suite) => [
    `${'  '.repeat(depth)}${suite.name} ${suite.counts.pass}/${suite.counts.fail}`,
    ...suite.results.map(({ name }) => `${'  '.repeat(depth + 1)}- ${name}`),
    ...drawn(suite.suites, depth + 1),
  ]);

it('nests suites, and counts what is in them', () => {
  const results = [
    result('steps', 'boot', 'pass'),
    result('unit/net/tcp', 'close', 'fail'),
    result('unit/net', 'dev', 'pass'),
    result('unit/net/tcp', 'open', 'pass'),
  ];
  expect(drawn(resultTree(results))).toEqual([
    'steps 1/0',
    '  - boot',
    'unit 2/1',
    '  net 2/1',
    '    - dev',
    '    tcp 1/1',
    '      - close',
    '      - open',
  ]);
  expect(resultTree([])).toEqual([]);
});
