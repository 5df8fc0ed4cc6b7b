import { RE2JS } from 're2js';
import { PatternError } from '../../pattern.js';
import type { CaseStatus, ConsoleLine, ResultParser } from '../test-case.js';
import { Cases, type ParserOptions } from './support.js';

const WORDS: Readonly<Record<CaseStatus, readonly string[]>> = {
  pass: ['pass', 'passed', 'ok', 'success', 'succeeded', 'true', '0', 'done'],
  fail: ['fail', 'failed', 'not ok', 'nok', 'failure', 'false', '1'],
  skip: ['skip', 'skipped', 'ignored', 'disabled', 'n/a', 'conf'],
  error: ['error', 'brok', 'broken', 'crash', 'timeout'],
};

const MAX_LINE = 4096;

/** Lines that match a pattern with groups "name", "status" and perhaps "message" (RE2 syntax, linear time). */
export class RegexParser implements ResultParser {
  private readonly cases: Cases;
  private readonly pattern: RE2JS;
  private readonly hasMessage: boolean;

  /** @throws PatternError */
  constructor(options: ParserOptions) {
    this.cases = new Cases(options);
    const source = options.pattern ?? '';
    try {
      this.pattern = RE2JS.compile(source);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      throw new PatternError(`Invalid regular expression: ${text}`, 'Correct it (RE2 syntax).');
    }
    const groups = Object.keys(this.pattern.namedGroups());
    if (!groups.includes('name') || !groups.includes('status')) {
      throw new PatternError('The pattern names no groups "name" and "status"', 'Write (?P<name>…) and (?P<status>…).');
    }
    this.hasMessage = groups.includes('message');
  }

  push(line: ConsoleLine): void {
    const matcher = this.pattern.matcher(line.text.slice(0, MAX_LINE));
    if (!matcher.find()) return;
    const word = (matcher.group('status') ?? '').trim();
    const status = statusOf(word);
    this.cases.add(line, {
      path: [(matcher.group('name') ?? '').trim() || 'unnamed'],
      status: status ?? 'error',
      message:
        status === undefined
          ? `"${word}" is no known result`
          : this.hasMessage
            ? (matcher.group('message') ?? undefined)
            : undefined,
    });
  }

  end(): void {
    // Every line stands for itself: nothing is open.
  }
}

function statusOf(word: string): CaseStatus | undefined {
  const lower = word.toLowerCase();
  return (Object.keys(WORDS) as CaseStatus[]).find((status) => WORDS[status].includes(lower));
}
