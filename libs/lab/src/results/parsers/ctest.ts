import type { CaseStatus, ConsoleLine, ResultParser } from '../test-case.js';
import { Cases, Explanation, secondsToNs, type ParserOptions } from './support.js';

const HEAD = /^ {0,8}\d{1,7}\/\d{1,7} {1,8}Test {1,8}#\d{1,7}: /;
const TAIL = /^ \.{2,}\s*(\*{3})?([A-Za-z][^\d]{0,200}?)\s+(\d{1,9}\.\d{1,6}) sec/;

/** CTest's progress lines (cmake, ctest(1)): "3/7 Test #3: name ....***Failed  0.02 sec". */
export class CTestParser implements ResultParser {
  private readonly cases: Cases;
  private readonly explanation = new Explanation();
  private began: ConsoleLine | undefined;

  constructor(options: ParserOptions) {
    this.cases = new Cases(options);
  }

  push(line: ConsoleLine): void {
    const { text } = line;
    if (/^ {0,8}Start {1,8}\d{1,7}: /.test(text)) {
      this.began = line;
      return;
    }
    const head = HEAD.exec(text);
    // Names may have dots: the leader is the last run of them.
    const leader = text.lastIndexOf(' ..');
    const tail = head && leader > 0 ? TAIL.exec(text.slice(leader)) : null;
    if (!head || !tail) {
      this.explanation.push(text);
      return;
    }
    const [, stars, word = '', seconds] = tail;
    const status = stars === undefined && word.trim() === 'Passed' ? 'pass' : statusOf(word);
    const output = this.explanation.take();
    this.cases.add(line, {
      path: [text.slice(head[0].length, leader).trim()],
      status,
      message: status === 'pass' ? undefined : [word.trim(), output].filter(Boolean).join('\n'),
      durationNs: secondsToNs(seconds),
      began: this.began,
    });
    this.began = undefined;
  }

  end(): void {
    this.began = undefined; // what ctest started it also reports, or it ended itself: the exit status says so
  }
}

function statusOf(word: string): CaseStatus {
  if (/^(?:Skipped|Not Run \(Disabled\))/.test(word)) return 'skip';
  return /^(?:Not Run|Exception|Timeout)/.test(word) ? 'error' : 'fail';
}
