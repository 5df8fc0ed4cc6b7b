import { expect, it } from '@jest/globals';
import { isBlameless, judge, type RunEnd } from './verdict.js';
import type { KernelEvent } from './results/kernel/kernel-watch.js';
import type { StepRecord } from './steps/step-record.js';

const waiting: StepRecord = {
  index: 1,
  kind: 'expect',
  text: 'login:',
  name: undefined,
  status: undefined,
  startNs: 0,
  doneNs: undefined,
  message: undefined,
  exitStatus: undefined,
  output: undefined,
  lines: { first: 1, last: 9 },
  console: 'uart0',
  cases: [],
};
const failed: StepRecord = { ...waiting, kind: 'run', text: 'make', status: 'fail', message: 'exit status 2, not 0' };
const panic: KernelEvent = {
  kind: 'kernel-panic',
  title: 'Kernel panic - not syncing: Fatal exception',
  console: 'uart0',
  startNs: 1,
  endNs: 2,
  lines: { first: 40, last: 60 },
  trace: '',
};
const warning: KernelEvent = { ...panic, kind: 'warning', title: 'WARNING: CPU: 0' };

it.each<[RunEnd, StepRecord[], string]>([
  [{ kind: 'power-off' }, [], 'pass'],
  [{ kind: 'power-off' }, [waiting], 'fail'],
  [{ kind: 'steps-done' }, [], 'pass'],
  [{ kind: 'steps-done' }, [failed], 'fail'],
  [{ kind: 'step-failed' }, [failed, waiting], 'fail'],
  [{ kind: 'step-timeout' }, [{ ...failed, status: 'timeout' }], 'timeout'],
  [{ kind: 'reset' }, [], 'fail'],
  [{ kind: 'timeout' }, [waiting], 'timeout'],
  [{ kind: 'aborted' }, [failed], 'cancelled'],
  [{ kind: 'wall-guard' }, [failed], 'infra'],
  [{ kind: 'dead', reason: 'waits with interrupts masked' }, [], 'fail'],
  [{ kind: 'console-limit', limitBytes: 1 }, [], 'fail'],
  [{ kind: 'engine-failure', reason: 'The engine ran out of memory' }, [], 'infra'],
])('%j', (end, steps, outcome) => {
  const verdict = judge(end, { steps, timeoutNs: 60e9 });
  expect(verdict.outcome).toBe(outcome);
  expect(verdict.reason).not.toBe('');
});

it('judges a program by its tests first, then by how it ended', () => {
  const cases = (['pass', 'fail', 'skip', 'error'] as const).map((status) => ({
    ...{ path: ['suite', status], status, startNs: 0, durationNs: 0, lines: { first: 3, last: 3 }, message: undefined },
  }));
  const program: StepRecord = { ...failed, kind: 'test', console: 'stdout' };
  const judged = (status: number, found: typeof cases) =>
    judge({ kind: 'exited', status }, { steps: [{ ...program, cases: found }] });
  expect(judged(0, cases)).toEqual({
    outcome: 'fail',
    reason: '2 of 4 tests failed, the first of them "suite/fail"; the program exited with status 0',
    lines: { first: 3, last: 3 },
    console: 'stdout',
  });
  expect(judged(0, cases.slice(0, 1))).toEqual({ outcome: 'pass', reason: 'The program exited with status 0' });
  expect(judged(3, cases.slice(0, 1))).toEqual({ outcome: 'fail', reason: 'The program exited with status 3' });
});

it('knows what says nothing of the guest', () => {
  const ends: RunEnd[] = [
    ...[{ kind: 'aborted' } as const, { kind: 'wall-guard' } as const, { kind: 'engine-failure', reason: '' } as const],
    ...[{ kind: 'timeout' } as const, { kind: 'power-off' } as const],
  ];
  expect(ends.map(isBlameless)).toEqual([true, true, true, false, false]);
});

it('names the step that was not reached', () => {
  expect(judge({ kind: 'timeout' }, { steps: [waiting], timeoutNs: 60e9 }).reason).toBe(
    'The guest was still running after 1m of virtual time; step 2 (expect "login:") was not reached',
  );
});

it('names the step that failed, why, and the lines that prove it', () => {
  expect(judge({ kind: 'steps-done' }, { steps: [failed, failed] })).toEqual({
    outcome: 'fail',
    reason: 'Step 2 (run "make") failed: exit status 2, not 0 (and 1 more)',
    lines: { first: 1, last: 9 },
    console: 'uart0',
  });
});

it('explains a time-out by the kernel that failed before it', () => {
  const verdict = judge({ kind: 'timeout' }, { steps: [waiting], kernel: [warning, panic] });
  expect(verdict).toMatchObject({ outcome: 'fail', lines: { first: 40, last: 60 } });
  expect(verdict.reason).toMatch(
    /kernel-panic: Kernel panic - not syncing: Fatal exception \(line 40 of the log\); step 2/,
  );
});

it('fails on the kinds of kernel failure that the job names, and no others', () => {
  expect(judge({ kind: 'power-off' }, { kernel: [warning] }).outcome).toBe('pass');
  expect(judge({ kind: 'power-off' }, { kernel: [warning], failOn: ['warning'] }).outcome).toBe('fail');
  expect(judge({ kind: 'power-off' }, { kernel: [panic], failOn: [] }).outcome).toBe('pass');
  expect(judge({ kind: 'wall-guard' }, { kernel: [panic] }).outcome).toBe('infra');
});
