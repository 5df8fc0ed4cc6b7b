import type { CaseStatus, ConsoleLine, ResultParser } from '../test-case.js';
import { Cases, Explanation, type ParserOptions } from './support.js';

const SUITE = /^Running \d{1,6} (\S{1,100}) tests/;
const TEST = /^Test: (\S{1,200}?):? (\S{1,300})(.{0,200})$/;
const TOTALS = /^(?:Tests run: \d+, .{0,120}|Test )?[Ff]ailures: (\d{1,9})/;
const FAILED = /^Test '?(\S{1,200}?)'? failed (\d{1,9}) times/;

interface OpenTest {
  readonly name: string;
  readonly began: ConsoleLine;
  skipped: boolean;
}

/**
 * U-Boot's unit tests, the command `ut` (U-Boot documentation, "Writing Tests"; test/test-main.c). A test is announced,
 * and nothing but its failures follow: it passed if the next line says nothing else.
 */
export class UBootTestParser implements ResultParser {
  private readonly cases: Cases;
  private readonly explanation = new Explanation();
  private suite: string | undefined;
  private open: OpenTest | undefined;
  private failed = false;
  private lastLine: ConsoleLine | undefined;

  constructor(options: ParserOptions) {
    this.cases = new Cases(options);
  }

  push(line: ConsoleLine): void {
    this.lastLine = line;
    const text = line.text.trimEnd();
    const suite = SUITE.exec(text);
    const test = TEST.exec(text);
    if (suite) {
      this.close(line);
      this.suite = suite[1];
    } else if (test) {
      this.close(line);
      this.open = { name: test[1] ?? 'unnamed', began: line, skipped: /skipped/i.test(test[3] ?? '') };
    } else if (TOTALS.test(text)) this.close(line);
    else if (this.open) this.detail(this.open, text);
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

  private close(line: ConsoleLine): void {
    if (this.open) this.add(line, this.failed ? 'fail' : this.open.skipped ? 'skip' : 'pass');
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
