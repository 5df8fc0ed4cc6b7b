import { expect, it } from '@jest/globals';
import type { StepRecord } from '../steps/step-record.js';
import { jobResults, storedResults, type RunFindings } from './job-results.js';
import type { KernelEvent } from './kernel/kernel-watch.js';

const step = (index: number, change: Partial<StepRecord>): StepRecord => ({
  index,
  kind: 'expect',
  text: 'login:',
  name: undefined,
  status: undefined,
  startNs: undefined,
  doneNs: undefined,
  message: undefined,
  exitStatus: undefined,
  output: undefined,
  lines: undefined,
  console: 'uart0',
  cases: [],
  ...change,
});
const done = { status: 'pass', startNs: 10, doneNs: 30, lines: { first: 1, last: 4 } } as const;
const oops: KernelEvent = {
  kind: 'oops',
  title: 'Oops[#1]:',
  console: 'uart0',
  startNs: 20,
  endNs: 25,
  lines: { first: 2, last: 3 },
  trace: 'Oops[#1]:\nCall Trace:',
};
const findings = (steps: StepRecord[], change: Partial<RunFindings> = {}): RunFindings => ({
  end: { kind: 'power-off' },
  steps,
  kernel: [],
  ...change,
});
const brief = (found: RunFindings) => storedResults(found).map(({ name, outcome, detail }) => [name, outcome, detail]);

it('has a result for each step that checks something, and for the cases in its output', () => {
  const testCase = {
    status: 'error',
    message: 'cut',
    startNs: 12,
    durationNs: 3,
    lines: { first: 2, last: 2 },
  } as const;
  const steps = [
    step(0, done),
    step(1, { ...done, kind: 'send', text: 'root\n' }),
    step(2, {
      ...done,
      kind: 'test',
      text: './t\nmore',
      name: 'unit',
      cases: [{ ...testCase, path: ['net', 'tcp', 'close'] }],
    }),
    step(3, { ...done, kind: 'run', text: 'echo one\necho two' }),
  ];
  expect(storedResults(findings(steps))).toEqual([
    { suite: 'steps', name: '1: expect "login:"', outcome: 'pass', detail: null, startNs: 10, durationNs: 20 },
    { suite: 'steps', name: 'unit', outcome: 'pass', detail: null, startNs: 10, durationNs: 20 },
    { suite: 'unit/net/tcp', name: 'close', outcome: 'fail', detail: 'cut', startNs: 12, durationNs: 3 },
    { suite: 'steps', name: '4: run "echo one…"', outcome: 'pass', detail: null, startNs: 10, durationNs: 20 },
  ]);
});

it('blames the guest for the first step that it did not come to, and for no other', () => {
  const steps = [step(0, done), step(1, { startNs: 30 }), step(2, {})];
  expect(brief(findings(steps)).map(([, outcome]) => outcome)).toEqual(['pass', 'fail', 'skip']);
  for (const kind of ['aborted', 'wall-guard'] as const) {
    expect(brief(findings(steps, { end: { kind } })).map(([, outcome]) => outcome)).toEqual(['pass', 'skip', 'skip']);
  }
});

it('blames nobody for steps after a failed one', () => {
  const steps = [step(0, { ...done, status: 'fail', message: 'why' }), step(1, {})];
  expect(brief(findings(steps, { end: { kind: 'step-failed' } }))).toMatchObject([
    ['1: expect "login:"', 'fail', 'why'],
    ['2: expect "login:"', 'skip', null],
  ]);
});

it('has what went wrong in the kernel, as a failure where the job fails on it', () => {
  expect(jobResults(findings([], { kernel: [oops] }))).toMatchObject([
    { suite: 'kernel', name: 'oops: Oops[#1]:', status: 'fail', message: oops.trace, lines: { first: 2, last: 3 } },
  ]);
  expect(jobResults(findings([], { kernel: [oops], failOn: ['kernel-panic'] }))[0]?.status).toBe('skip');
});
