import { describe, expect, it } from '@jest/globals';
import { ReadAhead } from './read-ahead.js';

const SIZE = 200_000;
const FILE = new Uint8Array(SIZE).map((_, at) => at ^ (at >> 8) ^ (at >> 16));

function open() {
  const reads: number[][] = [];
  const ahead = new ReadAhead({
    read(offset, target) {
      reads.push([offset, target.length]);
      const bytes = FILE.subarray(offset, offset + target.length);
      target.set(bytes);
      return bytes.length;
    },
  });
  /** Reads and compares. @returns how much there was */
  const read = (offset: number, length: number): number => {
    const target = new Uint8Array(length).fill(255);
    const count = ahead.read(offset, target);
    expect(Buffer.compare(target.subarray(0, count), FILE.subarray(offset, offset + count))).toBe(0);
    expect(target.subarray(count).every((byte) => byte === 255)).toBe(true);
    return count;
  };
  return { reads, read };
}

describe('reading ahead', () => {
  it('begins where a file is read in order, and ends with it', () => {
    const { reads, read } = open();
    const sizes = new Set<number>();
    let at = 0;
    for (;;) {
      const count = read(at, 6000);
      if (count === 0) break;
      sizes.add(count);
      at += count;
    }
    expect(at).toBe(SIZE);
    expect([...sizes]).toEqual([6000, SIZE % 6000]);
    // Two as asked for, then pieces; where one ends within a read, the rest of that.
    expect(reads.slice(0, 5)).toEqual([
      [0, 6000],
      [6000, 6000],
      [12000, 65536],
      [77536, 464],
      [78000, 65536],
    ]);
    expect(reads.length).toBeLessThan(12);
  });

  it('does not begin for programs that go to and fro, or ask for much', () => {
    const { reads, read } = open();
    for (const offset of [0, 50_000, 100, 4000, 8000]) read(offset, 100);
    for (const offset of [0, 65_536, 131_072]) read(offset, 65_536);
    expect(reads).toEqual([
      ...[0, 50_000, 100, 4000, 8000].map((offset) => [offset, 100]),
      ...[0, 65_536, 131_072].map((offset) => [offset, 65_536]),
    ]);
  });

  it('reads from the file where a program goes elsewhere and comes back', () => {
    const { reads, read } = open();
    for (let at = 0; at < 40_000; at += 4000) read(at, 4000);
    read(150_000, 10);
    read(20_000, 4000);
    expect(reads.slice(-2)).toEqual([
      [150_000, 10],
      [20_000, 4000],
    ]);
    read(24_000, 4000);
    expect(read(28_000, 4000)).toBe(4000);
    expect(reads.at(-1)).toEqual([24_000, 4000]); // the third in order, which is there still
  });
});
