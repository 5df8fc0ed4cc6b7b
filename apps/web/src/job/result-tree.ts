// Results as a tree of suites: what stands before each "/" of a suite's name is a level.
import type { Result } from '../api/types.js';

export interface SuiteNode {
  name: string;
  /** Full name: unique in the tree. */
  path: string;
  suites: SuiteNode[];
  results: Result[];
  /** Of this suite and all in it. */
  counts: Record<Result['outcome'], number>;
}

/** The suites at the top, in the order in which their first results came. */
export function resultTree(results: readonly Result[]): SuiteNode[] {
  const root = node('', '');
  const known = new Map<string, SuiteNode>();
  for (const result of results) {
    let parent = root;
    let path = '';
    for (const part of result.suite.split('/')) {
      path = path === '' ? part : `${path}/${part}`;
      let child = known.get(path);
      if (!child) {
        child = node(part, path);
        known.set(path, child);
        parent.suites.push(child);
      }
      child.counts[result.outcome] += 1;
      parent = child;
    }
    parent.results.push(result);
  }
  return root.suites;
}

const node = (name: string, path: string): SuiteNode => ({
  name,
  path,
  suites: [],
  results: [],
  counts: { pass: 0, fail: 0, skip: 0, error: 0 },
});

export const isBad = ({ outcome }: Pick<Result, 'outcome'>): boolean => outcome === 'fail' || outcome === 'error';
