import { describe, expect, it } from '@jest/globals';
import type { Step } from './job.js';
import { ConsolePattern, PatternError } from './pattern.js';
import { StepRunner } from './steps.js';

function run(steps: Step[], chunks: string[]): { runner: StepRunner; sent: string[] } {
  const sent: string[] = [];
  const runner = new StepRunner(steps, (text) => sent.push(text));
  runner.start(0);
  chunks.forEach((chunk, index) => runner.feed(chunk, (index + 1) * 10));
  return { runner, sent };
}

describe('StepRunner', () => {
  const login: Step[] = [{ expect: 'login:' }, { send: 'root\n' }, { expect: '# $' }];

  it('answers a prompt and ends when the last expect is met', () => {
    const { runner, sent } = run(login, ['Debian\r\n\r\nhost login: ', 'root\r\nroot@host:~# ']);
    expect(sent).toEqual(['root\n']);
    expect(runner.endsRun).toBe(true);
    expect(runner.records.map((record) => record.doneNs)).toEqual([10, 10, 20]);
  });

  it('does not depend on how the console is cut into chunks', () => {
    const text = 'Debian\r\n\r\nhost login: root\r\nroot@host:~# ';
    for (let cut = 1; cut < text.length; cut++) {
      const { runner, sent } = run(login, [text.slice(0, cut), text.slice(cut)]);
      expect(sent).toEqual(['root\n']);
      expect(runner.done).toBe(true);
    }
  });

  it('puts characters together that are cut inside their UTF-8 encoding', () => {
    const sent: string[] = [];
    const runner = new StepRunner([{ expect: 'grün' }], (text) => sent.push(text));
    runner.start(0);
    for (const byte of new TextEncoder().encode('alles grün')) runner.feed(Uint8Array.of(byte), 1);
    expect(runner.done).toBe(true);
  });

  it('does not use the same text for two steps', () => {
    expect(run([{ expect: 'ok' }, { expect: 'ok' }], ['ok']).runner.done).toBe(false);
    expect(run([{ expect: 'ok' }, { expect: 'ok' }], ['okok']).runner.done).toBe(true);
  });

  it('sends leading text before the guest prints, and a last send does not end the run', () => {
    const { runner, sent } = run([{ send: 'a' }, { send: 'b' }], []);
    expect(sent).toEqual(['a', 'b']);
    expect(runner.done).toBe(true);
    expect(runner.endsRun).toBe(false);
  });

  it('is never done without steps', () => expect(run([], ['anything']).runner.done).toBe(false));
});

describe('ConsolePattern', () => {
  const matches = (source: string, text: string): boolean => {
    const pattern = new ConsolePattern(source);
    return [...text].some((character) => pattern.push(character));
  };

  it.each([
    ['^done$', 'x\ndone\n', true],
    ['^done', 'undone', false],
    ['a.c', 'a\nc', false],
    ['a\\sc', 'a\nc', true],
    ['one\\r\\n\\r\\ntwo', 'one\r\n\r\ntwo', true],
    ['(?s)begin.*end', 'begin\n1\n2\nend', true],
    ['T\\d: (ok|fine)', 'T1: bad\nT2: fine', true],
  ])('%j in %j: %s', (source, text, found) => expect(matches(source, text)).toBe(found));

  it.each(['(', '[z-a]', '(?=x)', '\\1', 'a**', 'x{5000}', '((a{100}){100}){100}', '', 'a*', 'x'.repeat(1001)])(
    'refuses %j',
    (source) => expect(() => new ConsolePattern(source)).toThrow(PatternError),
  );

  it('stays linear on a pattern that makes backtracking engines explode', () => {
    const started = performance.now();
    expect(matches('(a+)+!$', 'a'.repeat(3000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(3000);
  });
});
