import type { Verdict } from '../../verdict.js';
import type { JobResult } from '../job-results.js';

/** One job that has ended, as the exports see it. */
export interface JobReport {
  readonly name: string;
  readonly board: string;
  readonly verdict: Verdict;
  readonly results: readonly JobResult[];
  readonly virtualNs: number;
  readonly instructions: number;
}

/**
 * What says why the job did not pass when none of its results does: a time-out, a board that died, the lab's own
 * failure. Every export has it, so that no tool takes such a job for a good one.
 */
export function verdictCase({ verdict, results }: JobReport): JobResult | undefined {
  if (verdict.outcome === 'pass') return undefined;
  if (verdict.outcome === 'fail' && results.some(({ status }) => status === 'fail' || status === 'error'))
    return undefined;
  return {
    suite: 'job',
    name: verdict.outcome,
    status: verdict.outcome === 'fail' ? 'fail' : 'error',
    message: verdict.reason,
    startNs: null,
    durationNs: null,
    lines: verdict.lines ?? { first: 1, last: 1 },
    console: verdict.console ?? '',
  };
}

export function allResults(report: JobReport): JobResult[] {
  const extra = verdictCase(report);
  return extra ? [...report.results, extra] : [...report.results];
}
