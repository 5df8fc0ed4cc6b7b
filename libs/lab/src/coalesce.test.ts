import { expect, it } from '@jest/globals';
import { ConsoleCoalescer, type ConsoleSpan } from './coalesce.js';

function spansOf(drive: (coalescer: ConsoleCoalescer) => void): ConsoleSpan[] {
  const spans: ConsoleSpan[] = [];
  const coalescer = new ConsoleCoalescer((span) => spans.push(span));
  drive(coalescer);
  coalescer.flush();
  return spans;
}
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (spans: ConsoleSpan[]) => spans.map((span) => [span.uart, span.tNs, new TextDecoder().decode(span.data)]);

it('joins bytes that are close in virtual time', () => {
  const spans = spansOf((c) => {
    c.push('uart0', 1_000_000, bytes('a'));
    c.push('uart0', 2_000_000, bytes('b'));
    c.push('uart0', 9_000_000, bytes('c'));
  });
  expect(text(spans)).toEqual([
    ['uart0', 1_000_000, 'ab'],
    ['uart0', 9_000_000, 'c'],
  ]);
});

it('keeps UARTs apart and in order', () => {
  const spans = spansOf((c) => {
    c.push('uart0', 1, bytes('a'));
    c.push('uart1', 2, bytes('b'));
    c.push('uart0', 3, bytes('c'));
  });
  expect(text(spans)).toEqual([
    ['uart0', 1, 'a'],
    ['uart1', 2, 'b'],
    ['uart0', 3, 'c'],
  ]);
});

it('gives the same chunks whenever the host looks at the clock', () => {
  const drive = (advanceEvery: number) =>
    spansOf((c) => {
      for (let i = 0; i < 3000; i++) {
        c.push('uart0', i * 86_000, Uint8Array.of(i & 0xff));
        if (i % advanceEvery === 0) c.advance(i * 86_000 + 1);
      }
    });
  expect(drive(7)).toEqual(drive(1000));
});

it('loses nothing of a burst larger than a chunk', () => {
  const burst = Uint8Array.from({ length: 10_000 }, (_, i) => i & 0xff);
  const spans = spansOf((c) => c.push('uart0', 5, burst));
  expect(spans.map((span) => span.data.length)).toEqual([4096, 4096, 1808]);
  expect(Buffer.concat(spans.map((span) => span.data))).toEqual(Buffer.from(burst));
});
