import { describe, expect, it } from '@jest/globals';
import { escapeText, unescapeText } from './escapes.js';

describe('escapes in typed text', () => {
  it.each([
    ['root\\n', 'root\n'],
    ['\\x03', '\x03'],
    ['a\\tb\\\\n', 'a\tb\\n'],
    ['\\e[A', '\x1b[A'],
    ['C:\\qemu', 'C:\\qemu'],
  ])('%s', (written, meant) => expect(unescapeText(written)).toBe(meant));

  it('come back as they were meant', () => {
    const text = 'ls \\ -l\r\n\t\x1b\x03\x7f é';
    expect(unescapeText(escapeText(text))).toBe(text);
    expect(escapeText('\x03\n')).toBe('\\x03\\n');
  });
});
