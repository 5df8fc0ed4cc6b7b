import { expect, it } from '@jest/globals';
import type { StepRecord } from '../steps/step-record.js';
import { fromResult, jobResults, placedResults, resultsSoFar, toResult, type RunFindings } from './job-results.js';
import type { KernelEvent } from './kernel/kernel-watch.js';
import type { TestCase } from './test-case.js';

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
const passed = {
  outcome: 'pass',
  detail: null,
  startNs: 10,
  durationNs: 20,
  console: 'uart0',
  lines: { first: 1, last: 4 },
  measurement: null,
} as const;
const hostile: TestCase = {
  path: [`${'x'.repeat(498)}\0\ud83d\ude00`],
  status: 'fail',
  message: 'NUL \0 here',
  startNs: 0,
  durationNs: 0,
  lines: { first: 1, last: 1 },
};
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
const storedResults = (found: RunFindings) => jobResults(found).map(toResult);
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
    { ...passed, suite: 'steps', name: '1: expect "login:"' },
    { ...passed, suite: 'steps', name: 'unit' },
    {
      suite: 'unit/net/tcp',
      name: 'close',
      outcome: 'error',
      detail: 'cut',
      startNs: 12,
      durationNs: 3,
      console: 'uart0',
      lines: { first: 2, last: 2 },
      measurement: null,
    },
    { ...passed, suite: 'steps', name: '4: run "echo one…"' },
  ]);
  expect(jobResults(findings(steps)).map(toResult).map(fromResult)).toEqual(jobResults(findings(steps)));
});

it('stores whatever a guest calls its tests', () => {
  const [, result] = jobResults(findings([step(0, { ...done, name: 'a', cases: [hostile] })])).map(toResult);
  expect(result).toMatchObject({ name: `${'x'.repeat(498)}\ufffd\ufffd`, detail: 'NUL \ufffd here' });
});

it('gives each result its place while the run goes on', () => {
  const cases = [1, 2, 3].map((n) => ({ ...hostile, path: [`case ${n}`] }));
  const whole = findings([step(0, done), step(1, { ...done, cases }), step(2, { startNs: 40 })], { kernel: [oops] });
  const places = new Map(placedResults(whole).map(({ position, result }) => [position, result]));
  expect([...places.keys()]).toEqual([...places.keys()].sort((a, b) => a - b));
  const soFar = resultsSoFar(whole, ({ index }) => (index === 1 ? 2 : 0));
  expect(soFar.map(({ result }) => result.name)).toEqual([
    '1: expect "login:"',
    '2: expect "login:"',
    'case 3',
    'oops: Oops[#1]:',
  ]);
  for (const { position, result } of soFar) expect(places.get(position)).toEqual(result);
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
