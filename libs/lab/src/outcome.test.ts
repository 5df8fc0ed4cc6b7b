import { expect, it } from '@jest/globals';
import { judge, type RunEnd } from './outcome.js';
import type { StepRecord } from './steps.js';

const waiting: StepRecord = { index: 1, kind: 'expect', text: 'login:', startNs: 0, doneNs: undefined };

it.each<[RunEnd, StepRecord | undefined, string]>([
  [{ kind: 'power-off' }, undefined, 'pass'],
  [{ kind: 'power-off' }, waiting, 'fail'],
  [{ kind: 'steps-done' }, undefined, 'pass'],
  [{ kind: 'reset' }, undefined, 'fail'],
  [{ kind: 'timeout' }, waiting, 'timeout'],
  [{ kind: 'aborted' }, waiting, 'cancelled'],
  [{ kind: 'wall-guard' }, waiting, 'infra'],
  [{ kind: 'dead', reason: 'waits with interrupts masked' }, undefined, 'fail'],
  [{ kind: 'console-limit', limitBytes: 1 }, undefined, 'fail'],
  [{ kind: 'engine-failure', reason: 'The engine ran out of memory' }, undefined, 'infra'],
])('%j', (end, step, outcome) => {
  const verdict = judge(end, step, 60e9);
  expect(verdict.outcome).toBe(outcome);
  expect(verdict.reason).not.toBe('');
});

it('names the step that was not reached', () => {
  expect(judge({ kind: 'timeout' }, waiting, 60e9).reason).toBe(
    'The guest was still running after 1m of virtual time; step 2 (expect "login:") was not reached',
  );
});
