import type { Result } from '../job.js';
import { isBlameless, type RunEnd } from '../outcome.js';
import { shortText, type StepRecord } from '../steps/step-record.js';
import type { KernelEvent } from './kernel/kernel-watch.js';
import { failOnKinds, type FailOn } from './kernel/kinds.js';
import type { TestCase } from './test-case.js';

/** What a run found out, for those who keep or show it. */
export interface RunFindings {
  readonly end: RunEnd;
  readonly steps: readonly StepRecord[];
  readonly kernel: readonly KernelEvent[];
  readonly failOn?: readonly FailOn[] | undefined;
}

/** One result with all that is known of it: what exports are made of. */
export interface JobResult extends Pick<TestCase, 'status' | 'message' | 'lines' | 'measurement'> {
  readonly suite: string;
  readonly name: string;
  /** Virtual time; null where it never began. */
  readonly startNs: number | null;
  /** Virtual time; null where it was not over when the run ended. */
  readonly durationNs: number | null;
}

/**
 * The results of a job, in the order of the run: each step but `send` and `wait`, with the cases that its output held in
 * suites named after it; then what went wrong in the kernel. A step that was not reached failed if it was the
 * guest's doing, and was skipped otherwise.
 */
export function jobResults({ end, steps, kernel, failOn }: RunFindings): JobResult[] {
  const firstOpen = steps.find(({ status }) => status === undefined)?.index;
  const failed = steps.some(({ status }) => status === 'fail' || status === 'timeout');
  const results: JobResult[] = [];
  for (const step of steps) {
    const missed = step.status === undefined && !isBlameless(end) && !failed && step.index === firstOpen;
    if (step.kind !== 'send' && step.kind !== 'wait') {
      results.push({
        suite: 'steps',
        name:
          step.name ??
          `${step.index + 1}: ${step.kind}${step.text === '' ? '' : ` ${JSON.stringify(shortText(step.text))}`}`,
        status: step.status === undefined ? (missed ? 'fail' : 'skip') : step.status === 'pass' ? 'pass' : 'fail',
        message: step.message ?? (missed ? missedText(step) : undefined),
        startNs: step.startNs ?? null,
        durationNs: step.doneNs !== undefined && step.startNs !== undefined ? step.doneNs - step.startNs : null,
        lines: step.lines ?? { first: 1, last: 1 },
      });
    }
    const suite = step.name ?? `step ${step.index + 1}`;
    for (const { path, ...rest } of step.cases) {
      results.push({ ...rest, suite: [suite, ...path.slice(0, -1)].join('/'), name: path.at(-1) ?? '' });
    }
  }
  return [...results, ...kernelResults(kernel, failOn)];
}

function missedText({ kind }: StepRecord): string {
  return kind === 'expect' ? 'The console never showed a match' : 'It was not over when the run ended';
}

function kernelResults(kernel: readonly KernelEvent[], failOn: readonly FailOn[] | undefined): JobResult[] {
  const kinds = failOnKinds(failOn);
  return kernel.map((event) => ({
    suite: 'kernel',
    name: `${event.kind}: ${event.title}`,
    // What does not fail the job is still no pass: it is reported, and left out of the count.
    status: kinds.has(event.kind) ? 'fail' : 'skip',
    message: event.trace,
    startNs: event.startNs,
    durationNs: event.endNs - event.startNs,
    lines: event.lines,
  }));
}

const MAX_NAME = 500;

/** The results as the lab stores them. */
export function storedResults(findings: RunFindings): Result[] {
  return jobResults(findings).map(({ suite, name, status, message, startNs, durationNs }) => ({
    suite: suite.slice(0, MAX_NAME),
    name: name.slice(0, MAX_NAME),
    outcome: status === 'error' ? 'fail' : status,
    detail: message ?? null,
    startNs,
    durationNs,
  }));
}
