import type { CaseStatus, ConsoleLine, ResultParser } from '../test-case.js';
import { Cases, Explanation, type ParserOptions } from './support.js';

/** Between the suites of `ut all`. */
const GROUP = /^----Running (\S{1,100}) tests----$/;
const SUITE = /^Running \d{1,6} (\S{1,100}) tests/;
const TEST = /^Test: (\S{1,200}?):? (\S{1,300})(.{0,200})$/;
const TOTALS = /^(?:Tests run: \d+, .{0,120}|Test )?[Ff]ailures: (\d{1,9})/;
/** The only result of a suite that announces no tests; and of one that cannot begin. */
const VERDICT = /^Test (passed|failed)$/;
const NO_SETUP = /^Failed to set up for \S{1,100} tests/;
const FAILED = /^Test '?(\S{1,200}?)'? failed (\d{1,9}) times/;

interface OpenTest {
  readonly name: string;
  readonly began: ConsoleLine;
  skipped: boolean;
}

/**
 * U-Boot's unit tests, the command `ut` (U-Boot documentation, "Writing Tests"; test/test-main.c). A test is announced,
 * and nothing but its output and its failures follow: it passed if it says of none until the next one. Suites of the older kind
 * (test/time_ut.c) print one verdict only.
 */
export class UBootTestParser implements ResultParser {
  private readonly cases: Cases;
  private readonly explanation = new Explanation();
  private suite: string | undefined;
  /** Heading of a suite that has announced no test yet. */
  private group: { readonly name: string; readonly began: ConsoleLine } | undefined;
  private open: OpenTest | undefined;
  private failed = false;
  private lastLine: ConsoleLine | undefined;

  constructor(options: ParserOptions) {
    this.cases = new Cases(options);
  }

  push(line: ConsoleLine): void {
    this.lastLine = line;
    const text = line.text.trimEnd();
    const group = GROUP.exec(text);
    const suite = SUITE.exec(text);
    const test = TEST.exec(text);
    if (group) {
      this.close(line);
      this.group = { name: group[1] ?? 'unnamed', began: line };
    } else if (suite) {
      this.close(line);
      this.suite = suite[1];
      this.group = undefined;
    } else if (test) {
      this.close(line);
      this.open = { name: test[1] ?? 'unnamed', began: line, skipped: /skipped/i.test(test[3] ?? '') };
    } else if (TOTALS.test(text)) this.close(line);
    else if (this.open) this.detail(this.open, text);
    else if (this.group || this.suite === undefined) this.unannounced(line, text);
  }

  end(tNs: number): void {
    // Without the totals the last test may have ended with the board.
    if (!this.open || !this.lastLine) return;
    this.explanation.push('The tests did not come to their end');
    this.add({ ...this.lastLine, tNs }, 'error');
  }

  private detail(open: OpenTest, text: string): void {
    if (/^\s*\S*\bskipped\b/i.test(text) || /^Test.{0,200}skipped/i.test(text)) open.skipped = true;
    // "test/dm/acpi.c:123, dm_test_acpi(): 0 == ret: Expected …" (include/test/ut.h, ut_failf)
    if (/^\S{1,200}:\d{1,7}, \w{1,100}\(\): /.test(text) || FAILED.test(text)) this.failed = true;
    this.explanation.push(text);
  }

  /** A line of a suite that has announced no test: what it prints, and perhaps its verdict. */
  private unannounced(line: ConsoleLine, text: string): void {
    this.explanation.push(text);
    const verdict = VERDICT.exec(text)?.[1];
    if (verdict === undefined && !NO_SETUP.test(text)) return;
    const { group } = this;
    this.group = undefined;
    const status = verdict === undefined ? 'error' : verdict === 'passed' ? 'pass' : 'fail';
    const message = this.explanation.take();
    this.cases.add(line, {
      path: [...(group ? [group.name] : []), verdict === undefined ? 'setup' : 'all'],
      status,
      message: status === 'pass' ? undefined : message,
      began: group?.began,
    });
  }

  private close(line: ConsoleLine): void {
    if (this.open) this.add(line, this.failed ? 'fail' : this.open.skipped ? 'skip' : 'pass');
    else this.explanation.take(); // explains nothing of what comes
  }

  private add(line: ConsoleLine, status: CaseStatus): void {
    const { open } = this;
    this.open = undefined;
    this.failed = false;
    const message = this.explanation.take();
    if (!open) return;
    // The line that ended it is the next test's.
    const last = status === 'error' || line.line <= open.began.line ? line : { ...line, line: line.line - 1 };
    this.cases.add(last, {
      path: this.suite === undefined ? [open.name] : [this.suite, open.name],
      status,
      message: status === 'pass' ? undefined : message,
      began: open.began,
    });
  }
}
