/** `error`: the test could not be carried out, or its runner broke off; says nothing about what it was to test. */
export type CaseStatus = 'pass' | 'fail' | 'skip' | 'error';

/** Lines of a console's log, from 1, both inclusive. */
export interface LineRange {
  readonly first: number;
  readonly last: number;
}

export interface Measurement {
  readonly value: number;
  readonly unit: string;
}

/** One test case, from whichever format. */
export interface TestCase {
  /** Names from the outermost suite to the case itself; never empty. */
  readonly path: readonly string[];
  readonly status: CaseStatus;
  /** Why it did not pass: what the tool printed about it. */
  readonly message: string | undefined;
  /** Virtual time at which its first line was printed, nanoseconds. */
  readonly startNs: number;
  /** Virtual time that it took; what the tool itself measured goes before the distance of its lines. */
  readonly durationNs: number;
  readonly lines: LineRange;
  readonly measurement?: Measurement;
}

/** A line of console output without its end, without escape sequences, and without what the kernel printed into it. */
export interface ConsoleLine {
  readonly text: string;
  /** Virtual time at which it was complete. */
  readonly tNs: number;
  /** Number of the line in the log at which it began. */
  readonly line: number;
}

/** Takes test cases as they are found. */
export type CaseSink = (testCase: TestCase) => void;

/** Reads test results out of console output, line by line. Never throws on what a guest prints. */
export interface ResultParser {
  push(line: ConsoleLine): void;
  /** What the kernel printed into a program's line, where results may be: that line comes later, without it. */
  pushKernel?(line: ConsoleLine): void;
  /** No line follows: what is still open becomes an error, for its end was never printed. */
  end(tNs: number): void;
}

/** Longest message kept of a case; the log has the rest. */
export const MAX_MESSAGE_LENGTH = 4096;

export function clipMessage(text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  return trimmed.length <= MAX_MESSAGE_LENGTH ? trimmed : `${trimmed.slice(0, MAX_MESSAGE_LENGTH)}…`;
}

export interface CaseCounts {
  pass: number;
  fail: number;
  skip: number;
  error: number;
}

export function countCases(cases: readonly Pick<TestCase, 'status'>[]): CaseCounts {
  const counts: CaseCounts = { pass: 0, fail: 0, skip: 0, error: 0 };
  for (const { status } of cases) counts[status] += 1;
  return counts;
}
