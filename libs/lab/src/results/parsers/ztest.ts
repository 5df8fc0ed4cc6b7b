import type { CaseStatus, ConsoleLine, ResultParser } from '../test-case.js';
import { Cases, Explanation, secondsToNs, type ParserOptions } from './support.js';

const SUITE = /^Running (?:TESTSUITE|test suite) (\S{1,200})/;
const START = /^START - (\S{1,200})/;
const RESULT = /^ ?(PASS|FAIL|SKIP|FLAKY) - (\S{1,200}?)\.?(?: in (\d{1,9}(?:\.\d{1,9})?) seconds)?$/;
const STATUS: Readonly<Record<string, CaseStatus>> = { PASS: 'pass', FAIL: 'fail', SKIP: 'skip', FLAKY: 'error' };

/** Zephyr's ztest (Zephyr documentation, "Test Framework"). The summary repeats the results and is not read again. */
export class ZtestParser implements ResultParser {
  private readonly cases: Cases;
  private readonly explanation = new Explanation();
  private suite: string | undefined;
  private open: { name: string; began: ConsoleLine } | undefined;

  constructor(options: ParserOptions) {
    this.cases = new Cases(options);
  }

  push(line: ConsoleLine): void {
    const text = line.text.trimEnd();
    const suite = SUITE.exec(text)?.[1];
    const start = START.exec(text)?.[1];
    const result = RESULT.exec(text);
    if (suite !== undefined) this.suite = suite;
    else if (start !== undefined) {
      this.breakOff(line);
      this.open = { name: start, began: line };
    } else if (result) {
      const [, word = '', name = 'unnamed', seconds] = result;
      const status = STATUS[word] ?? 'error';
      const message = this.explanation.take();
      const began = this.open?.began;
      this.open = undefined;
      this.cases.add(line, {
        path: this.pathOf(name),
        status,
        message: status === 'pass' ? undefined : message,
        durationNs: secondsToNs(seconds),
        began,
      });
    } else if (this.open) this.explanation.push(text);
  }

  end(tNs: number): void {
    if (this.open) this.breakOff({ ...this.open.began, tNs });
  }

  private pathOf(name: string): string[] {
    return this.suite === undefined ? [name] : [this.suite, name];
  }

  /** A fatal error ended the test, or the board. */
  private breakOff(line: ConsoleLine): void {
    const { open } = this;
    this.open = undefined;
    if (!open) return;
    const message = ['It did not come to its end', this.explanation.take()].filter(Boolean).join('\n');
    this.cases.add(line, { path: this.pathOf(open.name), status: 'error', message, began: open.began });
  }
}
