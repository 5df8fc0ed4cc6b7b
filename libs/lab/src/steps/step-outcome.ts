import { countCases, type TestCase } from '../results/test-case.js';
import type { StepRecord, StepStatus } from './step-record.js';

/** Exit status of a kernel self-test that was skipped (Documentation/dev-tools/kselftest.rst). */
const KSFT_SKIP = 4;

/** How a step ended, and why it did not pass. */
export interface Outcome {
  status: StepStatus;
  message?: string;
}

export const PASSED: Outcome = { status: 'pass' };

/** Of a step whose output holds test cases. */
export function verdictOfCases(cases: readonly TestCase[]): Outcome {
  const { pass, fail, error } = countCases(cases);
  if (cases.length === 0) return { status: 'fail', message: 'The output has no results in this format' };
  if (fail + error === 0) return PASSED;
  const bad = cases.filter(({ status }) => status === 'fail' || status === 'error').map(({ path }) => path.join('/'));
  const named = bad.slice(0, 5).join(', ') + (bad.length > 5 ? ', …' : '');
  return { status: 'fail', message: `${fail + error} of ${pass + fail + error} cases failed: ${named}` };
}

/** The one case of a command whose exit status is its result: `wanted` where it passes. */
export function exitCodeCase(record: StepRecord, status: number, wanted: number, nowNs: number): TestCase {
  const passed = status === wanted;
  return {
    path: [record.name ?? record.text],
    status: passed ? 'pass' : status === KSFT_SKIP ? 'skip' : 'fail',
    message: passed ? undefined : `exit status ${status}`,
    startNs: record.startNs ?? nowNs,
    durationNs: nowNs - (record.startNs ?? nowNs),
    lines: record.lines ?? { first: 1, last: 1 },
  };
}
