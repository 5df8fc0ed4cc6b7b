import { describe, expect, it } from '@jest/globals';
import { ConsoleText } from './console-text.js';

/** What a console's text comes to: lines of the log, and lines that programs printed. */
function read(text: string | Uint8Array): { log: string[]; user: [number, string][]; plain: string } {
  const log: string[] = [];
  const user: [number, string][] = [];
  let plain = '';
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  const console = new ConsoleText({
    plain: (character) => void (plain += character),
    user: () => undefined,
    userLine: ({ text: line, line: number }) => void user.push([number, line]),
    logLine: ({ text: line }) => void log.push(line),
  });
  for (const byte of bytes) console.feed(Uint8Array.of(byte), 0);
  console.end();
  return { log, user, plain };
}

describe('escape sequences', () => {
  it.each([
    ['colours', '\x1b[1;32mgreen\x1b[0m', 'green'],
    ['cursor movement', 'a\x1b[2K\x1b[10;20Hb', 'ab'],
    ['bracketed paste', '\x1b[?2004h$ ls', '$ ls'],
    ['a title, ended by BEL or by ST', '\x1b]0;title\x07a\x1b]2;title\x1b\\b', 'ab'],
    ['character sets', '\x1b(Ba\x1b)0b', 'ab'],
    ['keypad modes', '\x1b=a\x1b>', 'a'],
    ['a question for the cursor', '# \x1b[6n', '# '],
  ])('leaves out %s', (_, text, rest) => expect(read(text).plain).toBe(rest));

  it('lets none swallow the lines after it', () => {
    expect(read('a\x1b]0;never ended\nb\nc\x1b[1;2;\nd').log).toEqual(['a', 'b', 'c', 'd']);
    expect(read(`\x1bP${'x'.repeat(5000)}end`).plain).toMatch(/end$/);
  });
});

describe('lines', () => {
  it('end with any of the ends that serial consoles use', () => {
    expect(read('a\r\nb\nc\r\r\nd\n\re').log).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('are whole characters, whatever was cut, and never end the reading', () => {
    expect(read('grün €\n').log).toEqual(['grün €']);
    expect(read(Uint8Array.of(0xff, 0xc3, 0x0a, 0x61)).log).toEqual(['\ufffd\ufffd', 'a']);
  });

  it('have a largest length', () => {
    const { log, user } = read(`${'x'.repeat(100_000)}\nend\n`);
    expect(log[0]?.length).toBeLessThanOrEqual(16 * 1024);
    expect(user.map(([, line]) => line.length).reduce((sum, length) => sum + length)).toBe(100_003);
    const intruder = read(`a[    1.000000] ${'x'.repeat(100_000)}\nb\n`);
    expect(intruder.log.map((line) => line.length)).toEqual([16 * 1024, 1]);
    expect(intruder.user).toEqual([[1, 'ab']]);
  });
});

describe('the kernel in the middle of a line', () => {
  it.each<[string, string, [number, string][]]>([
    ['is taken out', 'ok 1 - te[   12.345678] usb: new\r\nst\n', [[1, 'ok 1 - test']]],
    ['also several times', 'a[   12.345678] x\n[   12.345679] y\nb[   13.000001] z\nc\n', [[1, 'abc']]],
    ['with its level', 'a<6>[   12.345678] x\nb<LAVA_SIGNAL> <12\n', [[1, 'ab<LAVA_SIGNAL> <12']]],
    ['with the caller', 'a[   12.345678][  T123] x\nb\n', [[1, 'ab']]],
    [
      'but not at a line’s beginning',
      '[   12.345678] x\na\n',
      [
        [1, '[   12.345678] x'],
        [2, 'a'],
      ],
    ],
    [
      'nor where a log daemon repeats it',
      'Jan  1 host kernel: [   12.345678] x\na\n',
      [
        [1, 'Jan  1 host kernel: [   12.345678] x'],
        [2, 'a'],
      ],
    ],
    ['nor what only begins like a stamp', 'a[ 1.5] b[12.34567] c[x\n', [[1, 'a[ 1.5] b[12.34567] c[x']]],
    ['nor a bracket at the end', 'root[', [[1, 'root[']]],
  ])('%s', (_, text, user) => expect(read(text).user).toEqual(user));

  it('is a line of the log of its own, and every line has its number', () => {
    expect(read('ok 1 - te[   12.345678] usb: new\r\nst\r\nnext\r\n').log).toEqual([
      '[   12.345678] usb: new',
      'st',
      'next',
    ]);
    expect(read('a[   12.345678] x\nb\nnext\n').user).toEqual([
      [1, 'ab'],
      [3, 'next'],
    ]);
  });
});
