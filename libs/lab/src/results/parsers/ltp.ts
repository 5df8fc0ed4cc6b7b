import type { CaseStatus, ConsoleLine, ResultParser } from '../test-case.js';
import { Cases, Explanation, secondsToNs, withoutStamp, type ParserOptions } from './support.js';

const TABLE_ROW = /^(\S{1,200})\s+(PASS|FAIL|CONF|BROK|WARN|RETR)\s+-?\d{1,5}\s*$/;
// kirk and runltp-ng, sequential: "abort01: pass | tained  (0.003s)".
const KIRK_ROW = /^(\S{1,200}): (pass|fail|skip|broken|brok|warn|conf)\b([^(]{0,80})\(([\d.]{1,20})(ms|s|m)\)\s*$/i;
const MESSAGE = /^(\S{1,200}?)(?::(\d{1,7}):|\s+\d{1,5}\s+) ?(T(?:PASS|FAIL|BROK|CONF|WARN))\s*: (.*)$/;
const STATUS: Readonly<Record<string, CaseStatus>> = {
  pass: 'pass',
  fail: 'fail',
  conf: 'skip',
  skip: 'skip',
  brok: 'error',
  broken: 'error',
  warn: 'error',
  retr: 'error',
};

interface OpenTest {
  readonly began: ConsoleLine;
  name: string;
  failed: CaseStatus | undefined;
  skipped: boolean;
}

/**
 * Linux Test Project: the blocks that ltp-pan prints ("<<<test_start>>>"), the table of runltp, the lines of kirk and
 * runltp-ng, and a single test's own messages (lib/tst_test.c: TPASS, TFAIL, TBROK, TCONF, TWARN).
 */
export class LtpParser implements ResultParser {
  private readonly cases: Cases;
  private readonly explanation = new Explanation();
  private open: OpenTest | undefined;
  private lastLine: ConsoleLine | undefined;

  constructor(options: ParserOptions) {
    this.cases = new Cases(options);
  }

  push(line: ConsoleLine): void {
    this.lastLine = line;
    const text = withoutStamp(line.text).trimEnd();
    if (text === '<<<test_start>>>') {
      this.breakOff(line);
      this.explanation.take(); // what was printed between the tests explains none of them
      this.open = { began: line, name: 'unnamed', failed: undefined, skipped: false };
    } else if (this.open) this.inBlock(this.open, text, line);
    else this.outside(text, line);
  }

  end(tNs: number): void {
    if (this.lastLine) this.breakOff({ ...this.lastLine, tNs });
  }

  private inBlock(open: OpenTest, text: string, line: ConsoleLine): void {
    const tag = /^tag=(\S{1,200})/.exec(text);
    if (tag?.[1] !== undefined) open.name = tag[1];
    const message = MESSAGE.exec(text);
    if (message && message[3] !== 'TPASS') {
      this.explanation.push(text);
      if (message[3] === 'TCONF') open.skipped = true;
      else if (message[3] === 'TFAIL') open.failed = 'fail';
      else open.failed ??= 'error';
    }
    const ending = /^duration=(\d{1,9}) termination_type=(\w+) termination_id=(\d{1,9})/.exec(text);
    if (!ending) return;
    const [, seconds, type, id] = ending;
    const clean = type === 'exited' && id === '0';
    // TCONF alone ends with exit status 32 (include/tst_res_flags.h).
    const skipped = open.skipped && open.failed === undefined && (clean || id === '32');
    const status = skipped ? 'skip' : clean ? 'pass' : (open.failed ?? 'fail');
    const why = [this.explanation.take(), clean || skipped ? undefined : `${type} ${id}`].filter(Boolean).join('\n');
    this.cases.add(line, {
      path: [open.name],
      status,
      message: status === 'pass' ? undefined : why,
      durationNs: secondsToNs(seconds),
      began: open.began,
    });
    this.open = undefined;
  }

  private outside(text: string, line: ConsoleLine): void {
    const row = TABLE_ROW.exec(text);
    const kirk = KIRK_ROW.exec(text);
    const message = MESSAGE.exec(text);
    if (row?.[1] !== undefined) {
      this.explanation.take(); // the table's head, not the tests' output
      this.cases.add(line, { path: [row[1]], status: statusOf(row[2]) });
    } else if (kirk?.[1] !== undefined) {
      const [, name, status, note = '', time, unit] = kirk;
      const factor = unit === 'ms' ? 1e-3 : unit === 'm' ? 60 : 1;
      const seconds = secondsToNs(time);
      const output = this.explanation.take();
      const why = [note.replace(/^\s*\|\s*/, '').trim(), statusOf(status) === 'pass' ? undefined : output]
        .filter(Boolean)
        .join('\n');
      this.cases.add(line, {
        path: [name],
        status: statusOf(status),
        message: why,
        durationNs: seconds === undefined ? undefined : Math.round(seconds * factor),
      });
    } else if (message) {
      const [, file = '', number, kind = '', what = ''] = message;
      this.cases.add(line, {
        path: [file, number === undefined ? what.trim() : `line ${number}: ${what}`],
        status: statusOf(kind.slice(1)),
        message: kind === 'TPASS' ? undefined : what,
      });
    } else this.explanation.push(text);
  }

  private breakOff(line: ConsoleLine): void {
    const { open } = this;
    this.open = undefined;
    if (!open) return;
    const message = ['It did not come to its end', this.explanation.take()].filter(Boolean).join('\n');
    this.cases.add(line, { path: [open.name], status: 'error', message, began: open.began });
  }
}

const statusOf = (word: string | undefined): CaseStatus => STATUS[word?.toLowerCase() ?? ''] ?? 'error';
