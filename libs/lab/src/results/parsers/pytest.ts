import type { CaseStatus, ConsoleLine, ResultParser } from '../test-case.js';
import { Cases, type ParserOptions } from './support.js';

const WORDS = 'PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS';
const VERBOSE = new RegExp(
  `^(\\S{1,300}?::.{1,1000}) (${WORDS})(?: \\((.{0,1000})\\))?\\s{0,200}(?:\\[ {0,3}\\d{1,3}%\\])?\\s{0,20}$`,
);
// pytest-xdist: "[gw0] [ 50%] PASSED tests/test_a.py::test_x".
const DISTRIBUTED = new RegExp(
  `^\\[gw\\d{1,4}\\] \\[ {0,3}\\d{1,3}%\\] (${WORDS}) (\\S{1,300}?::.{1,1000}?)\\s{0,20}$`,
);
const SUMMARY = /^(FAILED|ERROR) (\S{1,300}?(?:::.{1,1000}?)?)(?: - (.{0,4000}))?$/;
const TOTALS = /^=* ?(?:\d+ (?:failed|passed|skipped|errors?|xfailed|xpassed|warnings?|deselected),? ?)+in [\d.]+s/;
const STATUS: Readonly<Record<string, CaseStatus>> = {
  PASSED: 'pass',
  FAILED: 'fail',
  ERROR: 'error',
  SKIPPED: 'skip',
  XFAIL: 'skip',
  XPASS: 'pass',
};

interface Bad {
  status: CaseStatus;
  line: ConsoleLine;
  message: string | undefined;
}

/**
 * pytest's terminal report: the lines of -v, and the short summary, from which failures get their reasons. Without -v
 * the cases that passed have no names; they are counted.
 */
export class PytestParser implements ResultParser {
  private readonly cases: Cases;
  /** Failures, until the summary has said why. */
  private readonly bad = new Map<string, Bad>();
  private passed = 0;

  constructor(options: ParserOptions) {
    this.cases = new Cases(options);
  }

  push(line: ConsoleLine): void {
    const text = line.text.trimEnd();
    const verbose = VERBOSE.exec(text);
    const distributed = DISTRIBUTED.exec(text);
    if (verbose) this.result(verbose[1] ?? '', verbose[2] ?? '', verbose[3], line);
    else if (distributed) this.result(distributed[2] ?? '', distributed[1] ?? '', undefined, line);
    else if (TOTALS.test(text)) this.totals(text, line);
    else this.summary(SUMMARY.exec(text), line);
  }

  end(): void {
    for (const [id, { status, line, message }] of this.bad) this.cases.add(line, { path: pathOf(id), status, message });
    this.bad.clear();
  }

  private result(id: string, word: string, reason: string | undefined, line: ConsoleLine): void {
    const status = STATUS[word] ?? 'error';
    if (status === 'fail' || status === 'error') {
      if (this.bad.size < 100_000) this.bad.set(id, { status, line, message: reason });
      return;
    }
    if (status === 'pass') this.passed += 1;
    this.cases.add(line, { path: pathOf(id), status, message: status === 'skip' ? (reason ?? word) : undefined });
  }

  private summary(match: RegExpExecArray | null, line: ConsoleLine): void {
    const [, word, id, reason] = match ?? [];
    if (id === undefined) return;
    const known = this.bad.get(id);
    if (known) known.message = reason ?? known.message;
    else if (id.includes('.py')) this.bad.set(id, { status: STATUS[word ?? ''] ?? 'error', line, message: reason });
  }

  private totals(text: string, line: ConsoleLine): void {
    const unnamed = Number(/(\d{1,9}) passed/.exec(text)?.[1] ?? 0) - this.passed;
    this.end();
    if (unnamed <= 0) return;
    const message = `${unnamed} cases passed; pytest -v prints their names`;
    this.cases.add(line, { path: ['without names'], status: 'pass', message });
  }
}

/** "a.py::Class::test[x::y]" → ['a.py', 'Class', 'test[x::y]'] */
function pathOf(id: string): string[] {
  const bracket = id.indexOf('[');
  const end = bracket < 0 ? id.length : bracket;
  const path = id.slice(0, end).split('::');
  return [...path.slice(0, -1), (path.at(-1) ?? '') + id.slice(end)];
}
