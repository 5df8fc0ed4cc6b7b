import type { Step } from './step.js';

/** What a step can do. A step has exactly one of these; `expect` beside `run` or `test` checks the command's output. */
export const STEP_VERBS = [
  'run',
  'test',
  'expect',
  'send',
  'wait',
  'reset',
  'power',
  'screenshot',
  'upload',
  'snapshot',
] as const;
export type StepVerb = (typeof STEP_VERBS)[number];

/** What a valid step does. */
export function verbOf(step: Step): StepVerb {
  const verb = STEP_VERBS.find((candidate) => step[candidate] !== undefined);
  if (!verb) throw new Error('A step without a verb passed validation');
  return verb;
}
