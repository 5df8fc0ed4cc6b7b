import type { Outcome } from './outcome.js';
import type { KernelEvent } from './results/kernel/kernel-watch.js';
import { failOnKinds, type FailOn } from './results/kernel/kinds.js';
import type { LineRange } from './results/test-case.js';
import { stepTitle, type StepRecord } from './steps/step-record.js';
import { formatDuration } from './units.js';

/** Every way in which a run on a board can end. */
export type RunEnd =
  | { kind: 'power-off' }
  /** Of a process job: its program ended. */
  | { kind: 'exited'; status: number }
  /** `status` is 128 and the signal's number, as a shell has it. */
  | { kind: 'killed'; signal: string; status: number }
  /** Its program used up its virtual time. */
  | { kind: 'still-running' }
  /** Its program could not be started. */
  | { kind: 'not-started'; reason: string }
  | { kind: 'reset' }
  | { kind: 'steps-done' }
  | { kind: 'step-failed' }
  | { kind: 'step-timeout' }
  | { kind: 'kernel-panic' }
  | { kind: 'timeout' }
  | { kind: 'aborted' }
  | { kind: 'wall-guard' }
  | { kind: 'dead'; reason: string }
  | { kind: 'console-limit'; limitBytes: number }
  | { kind: 'engine-failure'; reason: string };

export interface Verdict {
  outcome: Outcome;
  reason: string;
  /** Lines of the log that prove it… */
  lines?: LineRange;
  /** …and the console whose log that is. */
  console?: string;
}

/** What is known of a run when it is judged. */
export interface RunFacts {
  readonly steps?: readonly StepRecord[];
  readonly kernel?: readonly KernelEvent[];
  /** Default: what a job fails on that does not say otherwise. */
  readonly failOn?: readonly FailOn[] | undefined;
  readonly timeoutNs?: number | undefined;
}

/** Ends that say nothing about the guest. */
export const isBlameless = ({ kind }: RunEnd): boolean =>
  kind === 'aborted' || kind === 'wall-guard' || kind === 'engine-failure';

/** The outcome of a run, with a reason that a person can act on. */
export function judge(end: RunEnd, { steps = [], kernel = [], failOn, timeoutNs = 0 }: RunFacts = {}): Verdict {
  const blameless = judgeBlameless(end);
  if (blameless) return blameless;
  const program = judgeProgram(end, steps, timeoutNs);
  if (program) return program;
  const waiting = steps.find(({ status }) => status === undefined);
  const because = waiting ? `${stepTitle(waiting)} was not reached` : '';
  const withSteps = (text: string): string => (because ? `${text}; ${because}` : text);

  // A kernel that failed explains whatever came after it.
  const kinds = failOnKinds(failOn);
  const failures = kernel.filter(({ kind }) => kinds.has(kind));
  const [first] = failures;
  if (first) {
    const more = failures.length > 1 ? ` (and ${failures.length - 1} more)` : '';
    const text = `The kernel failed, ${first.kind}: ${first.title} (line ${first.lines.first} of the log)${more}`;
    return { outcome: 'fail', reason: withSteps(text), lines: first.lines, console: first.console };
  }
  const failed = steps.find(({ status }) => status === 'fail' || status === 'timeout');
  if (failed) {
    const more = steps.filter(({ status }) => status === 'fail').length - 1;
    const text = `${capital(stepTitle(failed))} ${failed.status === 'timeout' ? 'timed out' : 'failed'}: ${failed.message}`;
    return {
      outcome: failed.status === 'timeout' ? 'timeout' : 'fail',
      reason: more > 0 && failed.status === 'fail' ? `${text} (and ${more} more)` : text,
      ...(failed.lines && { lines: failed.lines, console: failed.console }),
    };
  }
  switch (end.kind) {
    case 'steps-done':
      return { outcome: 'pass', reason: 'All steps were done' };
    case 'power-off':
      return because
        ? { outcome: 'fail', reason: `The guest powered off; ${because}` }
        : { outcome: 'pass', reason: 'The guest powered off' };
    case 'reset':
      return {
        outcome: 'fail',
        reason: withSteps('The guest reset the board (a kernel that panics with panic=-1 does this)'),
      };
    case 'dead':
      return { outcome: 'fail', reason: withSteps(`The guest can never continue: ${end.reason}`) };
    case 'console-limit':
      return {
        outcome: 'fail',
        reason: withSteps(`The guest printed more than the limit of ${end.limitBytes} bytes on its consoles`),
      };
    case 'kernel-panic':
      return { outcome: 'fail', reason: withSteps('The kernel panicked') };
    default:
      return {
        outcome: 'timeout',
        reason: withSteps(`The guest was still running after ${formatDuration(timeoutNs)} of virtual time`),
      };
  }
}

/** The end of a program decides, and the test cases that it printed. */
function judgeProgram(end: RunEnd, steps: readonly StepRecord[], timeoutNs: number): Verdict | undefined {
  switch (end.kind) {
    case 'still-running': {
      const reason = `The program was still running after ${formatDuration(timeoutNs)} of virtual time`;
      return { outcome: 'timeout', reason };
    }
    case 'not-started':
      return { outcome: 'fail', reason: `The program could not be started: ${end.reason}` };
    case 'killed':
      return { outcome: 'fail', reason: `${end.signal} ended the program (status ${end.status})` };
    case 'exited':
      break;
    default:
      return undefined;
  }
  const [record] = steps;
  const cases = record?.cases ?? [];
  const failed = cases.filter(({ status }) => status === 'fail' || status === 'error');
  const [first] = failed;
  if (first) {
    const name = first.path.join('/');
    const reason = `${failed.length} of ${cases.length} tests failed, the first of them "${name}"; the program exited with status ${end.status}`;
    return { outcome: 'fail', reason, lines: first.lines, ...(record && { console: record.console }) };
  }
  return { outcome: end.status === 0 ? 'pass' : 'fail', reason: `The program exited with status ${end.status}` };
}

function judgeBlameless(end: RunEnd): Verdict | undefined {
  switch (end.kind) {
    case 'aborted':
      return { outcome: 'cancelled', reason: 'Cancelled on request' };
    case 'wall-guard':
      return {
        outcome: 'infra',
        reason: 'The wall-clock guard ended the run: this host was too slow for it. Try again, or raise the guard',
      };
    case 'engine-failure':
      return { outcome: 'infra', reason: end.reason };
    default:
      return undefined;
  }
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
