import type { CaseStatus, ConsoleLine, ResultParser } from '../test-case.js';
import { Cases, Explanation, secondsToNs, type ParserOptions } from './support.js';

const HEAD = /^ {0,8}\d{1,7}\/\d{1,7} {1,8}Test {1,8}#\d{1,7}: /;
const TAIL = /^ \.{2,}\s*(\*{3})?([A-Za-z][^\d]{0,200}?)\s+(\d{1,9}\.\d{1,6}) sec/;

interface Result {
  readonly line: ConsoleLine;
  readonly began: ConsoleLine | undefined;
  readonly name: string;
  readonly status: CaseStatus;
  readonly word: string;
  readonly durationNs: number | undefined;
}

/**
 * CTest's progress lines (cmake, ctest(1)): "3/7 Test #3: name ....***Failed  0.02 sec". What explains a result stands before
 * it (a program that cannot be started) or after it (--output-on-failure).
 */
export class CTestParser implements ResultParser {
  private readonly cases: Cases;
  private readonly explanation = new Explanation();
  private began: ConsoleLine | undefined;
  private last: Result | undefined;

  constructor(options: ParserOptions) {
    this.cases = new Cases(options);
  }

  push(line: ConsoleLine): void {
    const { text } = line;
    if (/^ {0,8}Start {1,8}\d{1,7}: /.test(text)) {
      this.finish();
      this.began = line;
      return;
    }
    if (/^\d{1,3}% tests passed, /.test(text)) {
      this.finish();
      return;
    }
    const head = HEAD.exec(text);
    // Names may have dots: the leader is the last run of them.
    const leader = text.lastIndexOf(' ..');
    const tail = head && leader > 0 ? TAIL.exec(text.slice(leader)) : null;
    if (!head || !tail) {
      if (this.began ?? this.last) this.explanation.push(text);
      return;
    }
    // Tests that run side by side end one after the other, without a start between them.
    if (!this.began) this.finish();
    const [, stars, word = '', seconds] = tail;
    this.last = {
      line,
      began: this.began,
      name: text.slice(head[0].length, leader).trim(),
      status: stars === undefined && word.trim() === 'Passed' ? 'pass' : statusOf(word),
      word: word.trim(),
      durationNs: secondsToNs(seconds),
    };
    this.began = undefined;
  }

  end(): void {
    this.finish();
    this.began = undefined; // what ctest started it also reports, or it ended itself: the exit status says so
  }

  private finish(): void {
    const { last } = this;
    this.last = undefined;
    const output = this.explanation.take();
    if (!last) return;
    const message = last.status === 'pass' ? undefined : [last.word, output].filter(Boolean).join('\n');
    this.cases.add(last.line, { path: [last.name], message, ...last });
  }
}

function statusOf(word: string): CaseStatus {
  if (/^(?:Skipped|Not Run \(Disabled\))/.test(word)) return 'skip';
  return /^(?:Not Run|Exception|Timeout)/.test(word) ? 'error' : 'fail';
}
