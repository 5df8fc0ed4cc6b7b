import type { ConsoleLine, TestCase } from '../results/test-case.js';
import type { PowerAction } from '../spec/step.js';
import type { StepRecord } from './step-record.js';

/** What a step does to the board. */
export type BoardAction = { kind: 'reset' } | { kind: 'power'; action: PowerAction };

/** What a step waits for. A listener that answers true ends the wait. */
export interface Wait {
  readonly console?: string;
  /** Virtual time at which it is over anyway; listeners may move it. */
  deadlineNs?: number;
  /** What the board has to do before the steps go on. */
  readonly action?: BoardAction;
  plain?(character: string): boolean;
  user?(character: string): boolean;
  intrusion?(): void;
  userLine?(line: ConsoleLine): boolean;
  kernelLine?(line: ConsoleLine): void;
}

/** What ended a wait: what it waited for, or its deadline. */
export type Wake = 'met' | 'due';
/** What a step does, from wait to wait. */
export type Script<T> = Generator<Wait, T, Wake>;

/** A record while its step runs. */
export type MutableRecord = { -readonly [K in keyof StepRecord]: StepRecord[K] } & { cases: TestCase[] };

/** The step's own time-out, thrown through its script. */
export class StepTimedOut extends Error {}
