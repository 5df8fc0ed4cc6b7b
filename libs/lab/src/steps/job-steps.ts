import type { JobStep } from '../job.js';
import { storable } from '../results/job-results.js';
import { countCases } from '../results/test-case.js';
import type { JobSpec } from '../spec/job-spec.js';
import { verbOf } from '../spec/step-verb.js';
import { wordsOf } from './step-engine.js';
import { shortText, type StepRecord } from './step-record.js';

/** The steps of a job that has not begun. */
export function pendingSteps({ steps = [] }: Pick<JobSpec, 'steps'>): JobStep[] {
  return steps.map((step, index) => ({
    index,
    kind: verbOf(step),
    name: step.name ?? null,
    text: shortText(wordsOf(step)),
    status: 'pending',
    startNs: null,
    doneNs: null,
    message: null,
    exitStatus: null,
    console: step.console ?? null,
    lines: null,
    counts: { pass: 0, fail: 0, skip: 0, error: 0 },
  }));
}

/** A step's record as the lab shows it, while it runs and after. */
export function toJobStep(record: StepRecord): JobStep {
  const { index, kind, text, name, startNs, doneNs, message, exitStatus, console, lines, cases } = record;
  return {
    index,
    kind,
    name: name ?? null,
    text: shortText(text),
    status: record.status ?? (startNs === undefined ? 'pending' : 'running'),
    startNs: startNs ?? null,
    doneNs: doneNs ?? null,
    message: message === undefined ? null : storable(message),
    exitStatus: exitStatus ?? null,
    console,
    lines: lines ?? null,
    counts: countCases(cases),
  };
}

/** The steps of a run that is over: the one it was at was not finished. */
export function endedSteps(steps: readonly JobStep[]): JobStep[] {
  return steps.map((step) => (step.status === 'running' ? { ...step, status: 'incomplete' } : step));
}
