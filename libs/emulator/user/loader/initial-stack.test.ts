import { describe, expect, it } from '@jest/globals';
import { PAGE_BYTES } from '../../memory/index.js';
import { ABIS } from '../architectures.js';
import type { InitialStack } from './initial-stack.js';
import { buildInitialStack } from './initial-stack.js';

const TOP = 0x7fff7000;
const BYTES = 64 * PAGE_BYTES;
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function build(environment: readonly string[]) {
  const bytes = new Uint8Array(BYTES);
  const start = TOP - BYTES;
  const stack: InitialStack = {
    abi: ABIS.mipsel(),
    calledAs: text('/bin/program'),
    argv: [text('program'), text('-x')],
    environment: environment.map(text),
    credentials: { uid: 1, euid: 1, gid: 1, egid: 1 },
    random: new Uint8Array(16).fill(7),
    ...{ programHeaders: 0x400034, programHeaderBytes: 32, programHeaderCount: 9, interpreterBase: 0, entry: 0x400500 },
  };
  const { stackPointer } = buildInitialStack(stack, TOP, { write: (at, piece) => bytes.set(piece, at - start) });
  const view = new DataView(bytes.buffer);
  const word = (at: number): number => view.getUint32(at - start, true);
  const string = (at: number): string => {
    const first = at - start;
    return new TextDecoder().decode(bytes.subarray(first, bytes.indexOf(0, first)));
  };
  return { stackPointer, word, string };
}

describe("a program's first stack", () => {
  it('has arguments and environment, System V’s way', () => {
    const { stackPointer, word, string } = build(['A=1', 'B=2']);
    const words = Array.from({ length: 7 }, (_, i) => word(stackPointer + 4 * i));
    expect(stackPointer % 16).toBe(0);
    expect([words[0], words[3], words[6]]).toEqual([2, 0, 0]);
    expect([1, 2, 4, 5].map((i) => string(words[i] as number))).toEqual(['program', '-x', 'A=1', 'B=2']);
  });

  // Or checks of what lies on the last page would take twice as long.
  it.each([0, 10, 4000, 5000])('is below the last page, but for strings, less than a page away: %d bytes', (length) => {
    const { stackPointer, word, string } = build(['A='.padEnd(length, 'x')]);
    const lowestString = word(stackPointer + 4);
    expect(string(lowestString)).toBe('program');
    expect(stackPointer).toBeLessThan(TOP - PAGE_BYTES);
    expect(lowestString - stackPointer).toBeLessThan(PAGE_BYTES + 512); // and the vectors
  });
});
