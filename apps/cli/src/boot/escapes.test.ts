import { describe, expect, it } from '@jest/globals';
import { unescapeText } from './escapes.js';

describe('unescapeText', () => {
  it.each([
    ['plain text', 'plain text'],
    ['root\\n', 'root\n'],
    ['a\\tb\\r\\n', 'a\tb\r\n'],
    ['\\x03\\x1B', '\x03\x1b'],
    ['\\e[A', '\x1b[A'],
    ['C:\\\\n', 'C:\\n'],
    ['\\0', '\0'],
    ['two\nlines', 'two\nlines'],
  ])('reads %j as %j', (text, expected) => expect(unescapeText(text)).toBe(expected));

  it.each([['\\q'], ['\\x1'], ['\\xzz'], ['end\\']])('refuses %j', (text) => {
    expect(() => unescapeText(text)).toThrow(/There is no escape "\\/);
  });
});
