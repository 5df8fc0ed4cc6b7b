import { describe, expect, it } from '@jest/globals';
import type { ConsoleChunk } from './console-stream.js';
import { LogLines } from './log-lines.js';

const encoder = new TextEncoder();

function chunks(...parts: [uart: string, tNs: number, data: string | Uint8Array][]): ConsoleChunk[] {
  return parts.map(([uart, tNs, data], seq) => ({
    seq,
    uart,
    tNs,
    data: typeof data === 'string' ? encoder.encode(data) : data,
  }));
}

function texts(all: ConsoleChunk[]): string[] {
  const log = new LogLines();
  log.take(all);
  return log.lines.map((line) => line.text);
}

describe('LogLines', () => {
  it('stamps a line with the time of its first byte, however many chunks it takes', () => {
    const log = new LogLines();
    const all = chunks(['uart0', 10, 'Linux '], ['uart0', 20, 'version\r\nnext'], ['uart0', 30, ' line\r\n']);
    expect(log.take(all)).toEqual({ changed: true, more: false });
    expect(log.lines).toEqual([
      { uart: 'uart0', tNs: 10, text: 'Linux version', number: 1 },
      { uart: 'uart0', tNs: 20, text: 'next line', number: 2 },
    ]);
    expect(log.take(all)).toEqual({ changed: false, more: false });
  });

  it('keeps consoles apart', () => {
    expect(texts(chunks(['uart0', 1, 'ab'], ['uart1', 2, 'xy\n'], ['uart0', 3, 'c\n']))).toEqual(['abc', 'xy']);
  });

  it('numbers the lines of each console, a long one that is cut only once', () => {
    const log = new LogLines();
    log.take(chunks(['uart0', 1, 'a\n'], ['uart1', 2, 'x\n'], ['uart0', 3, `${'b'.repeat(5000)}\nc\n`]));
    expect(log.of('uart0').map(({ number, text }) => [number, text.length])).toEqual([
      [1, 1],
      [2, 4096],
      [2, 904],
      [3, 1],
    ]);
    expect(log.of('uart1').map(({ number }) => number)).toEqual([1]);
    expect(log.of('uart2')).toEqual([]);
  });

  it('leaves escape sequences out, also where chunks cut them', () => {
    const all = chunks(['u', 1, '\x1b[3'], ['u', 2, '2mgreen\x1b[0m \x1b]0;title\x07text\x1b]8;;http://x\x1b\\\n']);
    expect(texts(all)).toEqual(['green text']);
  });

  it('does not lose the log to a string sequence that never ends', () => {
    expect(texts(chunks(['u', 1, 'a\x1b]0;never\nb\n']))).toEqual(['a', 'b']);
  });

  it('lets a carriage return start the line again, and backspace take a character back', () => {
    expect(texts(chunks(['u', 1, '10%\r20%\r\nlss\b\nabcd\b\b\bxy\n']))).toEqual(['20%', 'ls', 'axy']);
  });

  it('puts UTF-8 characters together across chunks', () => {
    const [first, second] = [Uint8Array.of(0xc3), Uint8Array.of(0xa9, 0x0a)];
    expect(texts(chunks(['u', 1, first], ['u', 2, second]))).toEqual(['é']);
  });

  it('takes a large log in turns', () => {
    const log = new LogLines();
    const all = chunks(['u', 1, 'aaaa\n'], ['u', 2, 'bbbb\n'], ['u', 3, 'cccc\n']);
    expect(log.take(all, 6)).toEqual({ changed: true, more: true });
    expect(log.lines).toHaveLength(2);
    expect(log.take(all, 6)).toEqual({ changed: true, more: false });
    expect(log.lines).toHaveLength(3);
  });

  it('continues a line without end on the next', () => {
    const lines = texts(chunks(['u', 1, 'x'.repeat(10_000)]));
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.join('')).toHaveLength(10_000);
  });
});
