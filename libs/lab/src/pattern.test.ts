import { describe, expect, it } from '@jest/globals';
import { ConsolePattern, PatternError } from './pattern.js';
import { createResultParser } from './results/parsers/index.js';

// Patterns come from whoever submits a job, and what they are matched against from the guest: both may be hostile. What
// hangs a backtracking engine for years must cost no more than any other pattern here.

const CATASTROPHIC = ['(a+)+$', '(a|aa)+b', '(a*)*b', '(a|a?)+b', '(.*a){12}b', '^(([a-z])+.)+[A-Z]([a-z])+$'];
const LIMIT_MS = 20_000; // backtracking would take until the end of the universe; a busy machine does not

describe('patterns with catastrophic backtracking', () => {
  it.each(CATASTROPHIC)('%s watches a console in linear time', (source) => {
    const pattern = new ConsolePattern(source);
    const started = performance.now();
    for (let i = 0; i < 300; i++) pattern.push('a');
    pattern.push('!');
    expect(performance.now() - started).toBeLessThan(LIMIT_MS);
  });

  it.each(CATASTROPHIC)('%s reads results in linear time', (source) => {
    const parser = createResultParser('regex', {
      startNs: 0,
      emit: () => undefined,
      pattern: `(?P<name>${source})(?P<status>ok)`,
    });
    const started = performance.now();
    for (let line = 1; line < 20; line++) parser.push({ text: `${'a'.repeat(4000)}!`, tNs: line, line });
    expect(performance.now() - started).toBeLessThan(LIMIT_MS);
  });
});

describe('patterns that would become huge programs', () => {
  it.each([
    ['nested counts', '((a{100}){100}){100}'],
    ['counts of what may be empty', '(?:(?:(?:x?){1000}){1000}){2}'],
    ['a large count', 'a{100000}'],
    ['too much text', 'a'.repeat(1001)],
    ['looking ahead', '(?=a)b'],
    ['looking back', '(a)\\1'],
  ])('are refused with a mend: %s', (_, source) => {
    expect(() => new ConsolePattern(source)).toThrow(PatternError);
  });

  it('may be deep brackets, which cost no more than they are long', () => {
    const pattern = new ConsolePattern(`${'('.repeat(300)}a${')+'.repeat(300)}!`);
    const started = performance.now();
    for (let i = 0; i < 100; i++) pattern.push('a');
    expect(pattern.push('!')).toBe(true);
    expect(performance.now() - started).toBeLessThan(LIMIT_MS);
  });
});
