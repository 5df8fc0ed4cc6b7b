import { z } from 'zod';
import type { StepRecord } from './steps.js';
import { formatDuration } from './units.js';

/**
 * How a job ended. `fail` is the guest's doing; `infra` is the lab's and says nothing about the guest; `timeout` is
 * virtual time used up; `cancelled` is a person's doing.
 */
export const outcomeSchema = z.enum(['pass', 'fail', 'timeout', 'infra', 'cancelled']).meta({ id: 'Outcome' });
export type Outcome = z.infer<typeof outcomeSchema>;

/** Every way in which a run on a board can end. */
export type RunEnd =
  | { kind: 'power-off' }
  | { kind: 'reset' }
  | { kind: 'steps-done' }
  | { kind: 'timeout' }
  | { kind: 'aborted' }
  | { kind: 'wall-guard' }
  | { kind: 'dead'; reason: string }
  | { kind: 'console-limit'; limitBytes: number }
  | { kind: 'engine-failure'; reason: string };

export interface Verdict {
  outcome: Outcome;
  reason: string;
}

function waitingText(waiting: StepRecord | undefined): string {
  return waiting ? `step ${waiting.index + 1} (${waiting.kind} ${JSON.stringify(waiting.text)}) was not reached` : '';
}

/**
 * The outcome of a run, with a reason that a person can act on.
 * @param waiting the step the run was waiting at, undefined when there were none or all were done
 */
export function judge(end: RunEnd, waiting: StepRecord | undefined, timeoutNs: number): Verdict {
  const because = waitingText(waiting);
  const withSteps = (text: string): string => (because ? `${text}; ${because}` : text);
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
    case 'timeout':
      return {
        outcome: 'timeout',
        reason: withSteps(`The guest was still running after ${formatDuration(timeoutNs)} of virtual time`),
      };
    case 'dead':
      return { outcome: 'fail', reason: withSteps(`The guest can never continue: ${end.reason}`) };
    case 'console-limit':
      return {
        outcome: 'fail',
        reason: withSteps(`The guest printed more than the limit of ${end.limitBytes} bytes on its consoles`),
      };
    case 'aborted':
      return { outcome: 'cancelled', reason: 'Cancelled on request' };
    case 'wall-guard':
      return {
        outcome: 'infra',
        reason: 'The wall-clock guard ended the run: this host was too slow for it. Try again, or raise the guard',
      };
    case 'engine-failure':
      return { outcome: 'infra', reason: end.reason };
  }
}
