import type { LineRange, TestCase } from '../results/test-case.js';
import type { StepVerb } from '../spec/step-verb.js';

/** `timeout`: virtual time ran out. A step that the run never came to, or did not finish, has none of these. */
export type StepStatus = 'pass' | 'fail' | 'timeout';

/** What became of one step. */
export interface StepRecord {
  readonly index: number;
  readonly kind: StepVerb;
  /** The pattern, text, command or action, as written in the spec. */
  readonly text: string;
  /** What the spec calls it. */
  readonly name: string | undefined;
  /** Undefined while it is not over. */
  readonly status: StepStatus | undefined;
  /** Virtual time at which the step became the current one; undefined before that. */
  readonly startNs: number | undefined;
  /** Virtual time at which the step was over; undefined while it is not. */
  readonly doneNs: number | undefined;
  /** Why it did not pass. */
  readonly message: string | undefined;
  /** Of a command that came to its end. */
  readonly exitStatus: number | undefined;
  /** What a command printed, at most the last {@link MAX_OUTPUT_LENGTH} characters; `lines` has all of it. */
  readonly output: string | undefined;
  /** The step's part of its console's log. */
  readonly lines: LineRange | undefined;
  readonly console: string;
  /** Test cases that its output held. */
  readonly cases: readonly TestCase[];
}

export const MAX_OUTPUT_LENGTH = 64 * 1024;
/** Most cases kept of one step: a guest that prints results for ever must not fill the host's memory. */
export const MAX_CASES = 100_000;

const MAX_TITLE_TEXT = 80;

/** "step 2 (expect "login:")"; of a script, its first line. */
export function stepTitle({ index, kind, text, name }: Pick<StepRecord, 'index' | 'kind' | 'text' | 'name'>): string {
  const shown = shortText(text);
  const what = shown === '' ? kind : `${kind} ${quoted(shown)}`;
  return name === undefined ? `step ${index + 1} (${what})` : `step ${index + 1}, ${name} (${what})`;
}

/** The text of a step for a line of its own; what is sent keeps the newline that sends it. */
export function shortText(text: string): string {
  const [first = ''] = text.split(/(?<=\n)(?=[^])/);
  const line = first === text ? text : `${first.trimEnd()}…`;
  return line.length <= MAX_TITLE_TEXT ? line : `${line.slice(0, MAX_TITLE_TEXT)}…`;
}

/** Text in quotes, as a job file has it: a pattern's backslashes are not doubled, and what would break the line is escaped. */
export const quoted = (text: string): string =>
  `"${text.replace(/\p{Cc}/gu, (control) => JSON.stringify(control).slice(1, -1))}"`;
