import type { Result } from '../job.js';
import { isBlameless, type RunEnd } from '../verdict.js';
import { MAX_STEPS } from '../spec/job-spec.js';
import { MAX_CASES, shortText, type StepRecord } from '../steps/step-record.js';
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
  /** Whose log `lines` counts. */
  readonly console: string;
}

/** A result and where it stands among those of its job. */
export interface PlacedResult {
  /** Orders the results of a job. Depends on nothing that comes later, so a result can be stored as soon as it is known. */
  readonly position: number;
  readonly result: JobResult;
}

// A step's own result comes first, then those of its cases; kernel events come after all steps.
const POSITIONS_PER_STEP = MAX_CASES + 1;
const KERNEL_POSITION = MAX_STEPS * POSITIONS_PER_STEP;

/**
 * The results of a job, in the order of the run: each step but `send` and `wait`, with the cases that its output held in
 * suites named after it; then what went wrong in the kernel. A step that was not reached failed if it was the
 * guest's doing, and was skipped otherwise.
 */
export function jobResults(findings: RunFindings): JobResult[] {
  return placedResults(findings).map(({ result }) => result);
}

/** As {@link jobResults}, with the place of each. */
export function placedResults({ end, steps, kernel, failOn }: RunFindings): PlacedResult[] {
  const firstOpen = steps.find(({ status }) => status === undefined)?.index;
  const failed = steps.some(({ status }) => status === 'fail' || status === 'timeout');
  return [
    ...steps.flatMap((step) => {
      const missed = step.status === undefined && !isBlameless(end) && !failed && step.index === firstOpen;
      return [...stepResult(step, missed), ...caseResults(step)];
    }),
    ...kernelResults(kernel, failOn),
  ];
}

/**
 * What is certain while the run goes on: cases, steps that are over, kernel events.
 * @param firstCase of each step, the first case wanted
 */
export function resultsSoFar(
  { steps, kernel, failOn }: Omit<RunFindings, 'end'>,
  firstCase: (step: StepRecord) => number = () => 0,
  firstEvent = 0,
): PlacedResult[] {
  return [
    ...steps.flatMap((step) => [
      ...(step.status === undefined ? [] : stepResult(step, false)),
      ...caseResults(step, firstCase(step)),
    ]),
    ...kernelResults(kernel, failOn, firstEvent),
  ];
}

function stepResult(step: StepRecord, missed: boolean): PlacedResult[] {
  if (step.kind === 'send' || step.kind === 'wait') return [];
  const words = step.text === '' ? '' : ` ${JSON.stringify(shortText(step.text))}`;
  const result: JobResult = {
    suite: 'steps',
    name: step.name ?? `${step.index + 1}: ${step.kind}${words}`,
    status: step.status === undefined ? (missed ? 'fail' : 'skip') : step.status === 'pass' ? 'pass' : 'fail',
    message: step.message ?? (missed ? missedText(step) : undefined),
    startNs: step.startNs ?? null,
    durationNs: step.doneNs !== undefined && step.startNs !== undefined ? step.doneNs - step.startNs : null,
    lines: step.lines ?? { first: 1, last: 1 },
    console: step.console,
  };
  return [{ position: step.index * POSITIONS_PER_STEP, result }];
}

function caseResults(step: StepRecord, first = 0): PlacedResult[] {
  const suite = step.name ?? `step ${step.index + 1}`;
  return step.cases.slice(first).map(({ path, ...rest }, index) => ({
    position: step.index * POSITIONS_PER_STEP + 1 + first + index,
    result: {
      ...rest,
      suite: [suite, ...path.slice(0, -1)].join('/'),
      name: path.at(-1) ?? '',
      console: step.console,
    },
  }));
}

function missedText({ kind }: StepRecord): string {
  return kind === 'expect' ? 'The console never showed a match' : 'It was not over when the run ended';
}

function kernelResults(
  kernel: readonly KernelEvent[],
  failOn: readonly FailOn[] | undefined,
  first = 0,
): PlacedResult[] {
  const kinds = failOnKinds(failOn);
  return kernel.slice(first).map((event, index) => ({
    position: KERNEL_POSITION + first + index,
    result: {
      suite: 'kernel',
      name: `${event.kind}: ${event.title}`,
      // What does not fail the job is still no pass: it is reported, and left out of the count.
      status: kinds.has(event.kind) ? 'fail' : 'skip',
      message: event.trace,
      startNs: event.startNs,
      durationNs: event.endNs - event.startNs,
      lines: event.lines,
      console: event.console,
    },
  }));
}

const MAX_NAME = 500;

/** A result as the lab stores it: a database takes no NUL, and a guest's names may have any length. */
export function toResult({ suite, name, status, message, ...rest }: JobResult): Result {
  return {
    suite: storable(suite.slice(0, MAX_NAME)),
    name: storable(name.slice(0, MAX_NAME)),
    outcome: status,
    detail: message === undefined ? null : storable(message),
    startNs: rest.startNs,
    durationNs: rest.durationNs,
    console: rest.console,
    lines: { first: rest.lines.first, last: rest.lines.last },
    measurement: rest.measurement
      ? { value: rest.measurement.value, unit: storable(rest.measurement.unit.slice(0, MAX_NAME)) }
      : null,
  };
}

/** A stored result in the words of the exports. */
export function fromResult({ outcome, detail, console, lines, measurement, ...rest }: Result): JobResult {
  return {
    suite: rest.suite,
    name: rest.name,
    status: outcome,
    message: detail ?? undefined,
    startNs: rest.startNs,
    durationNs: rest.durationNs,
    console: console ?? '',
    lines: lines ?? { first: 1, last: 1 },
    ...(measurement && { measurement }),
  };
}

/** Text without the character that PostgreSQL's text cannot hold, and without halves of characters. */
export const storable = (text: string): string => text.replace(/\0|\p{Surrogate}/gu, '\ufffd');
