import type { CaseStatus, ConsoleLine, ResultParser } from '../test-case.js';
import { Cases, Explanation, type ParserOptions } from './support.js';

const MARK = /^\[ {0,10}(RUN|OK|FAILED|SKIPPED|DISABLED) {0,10}\] (\S{1,500})(.{0,4000})$/;
const TIME = /\((\d{1,12}) ms\)\s*$/;
const STATUS: Readonly<Record<string, CaseStatus>> = { OK: 'pass', FAILED: 'fail', SKIPPED: 'skip' };

/**
 * GoogleTest's console output (googletest, "Advanced guide": generating output). The lists at the end repeat failures and
 * are not read again.
 */
export class GoogleTestParser implements ResultParser {
  private readonly cases: Cases;
  private readonly explanation = new Explanation();
  private open: { name: string; began: ConsoleLine } | undefined;
  private summary = false;

  constructor(options: ParserOptions) {
    this.cases = new Cases(options);
  }

  push(line: ConsoleLine): void {
    const text = line.text.trimEnd();
    if (/^\[={10}\] (?:Running \d|\d+ tests? from .{1,80} ran)/.test(text)) {
      this.summary = !text.startsWith('[==========] Running');
      return;
    }
    const mark = MARK.exec(text);
    if (!mark) {
      if (this.open) this.explanation.push(text);
      return;
    }
    const [, word = '', name = '', rest = ''] = mark;
    if (word === 'RUN') {
      this.breakOff(line);
      this.open = { name, began: line };
      this.summary = false;
    } else if (word === 'DISABLED') {
      this.cases.add(line, { path: pathOf(name), status: 'skip', message: 'disabled' });
    } else if (!this.summary) this.result(word, name.replace(/,$/, ''), rest, line);
  }

  end(tNs: number): void {
    if (this.open) this.breakOff({ ...this.open.began, tNs });
  }

  private result(word: string, name: string, rest: string, line: ConsoleLine): void {
    const milliseconds = TIME.exec(rest)?.[1];
    const parameter = /^,? ?(where .*?)(?: \(\d+ ms\))?$/.exec(rest)?.[1];
    const status = STATUS[word] ?? 'error';
    const message = [parameter, this.explanation.take()].filter(Boolean).join('\n');
    const began = this.open?.began;
    this.open = undefined;
    this.cases.add(line, {
      path: pathOf(name),
      status,
      message: status === 'pass' ? undefined : message,
      durationNs: milliseconds === undefined ? undefined : Number(milliseconds) * 1e6,
      began,
    });
  }

  /** The program ended inside a test. */
  private breakOff(line: ConsoleLine): void {
    const { open } = this;
    this.open = undefined;
    if (!open) return;
    const message = ['The program ended inside this test', this.explanation.take()].filter(Boolean).join('\n');
    this.cases.add(line, { path: pathOf(open.name), status: 'error', message, began: open.began });
  }
}

/** "Suite/Instance.Test/0" → ['Suite/Instance', 'Test/0'] */
function pathOf(name: string): string[] {
  const dot = name.indexOf('.');
  return dot < 0 ? [name] : [name.slice(0, dot), name.slice(dot + 1)];
}
