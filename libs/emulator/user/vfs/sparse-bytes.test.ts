import { expect, it } from '@jest/globals';
import { MemoryBudget, SparseBytes } from './sparse-bytes.js';

const PAGE = 4096;

it('what was never written is read from below in pieces as large as possible', () => {
  const below = new Uint8Array(6 * PAGE).map((_, at) => Math.floor(at / PAGE) + 1);
  const reads: number[][] = [];
  const backing = {
    read(offset: number, target: Uint8Array): number {
      reads.push([offset, target.length]);
      const bytes = below.subarray(offset, offset + target.length);
      target.set(bytes);
      return bytes.length;
    },
  };
  const bytes = new SparseBytes(new MemoryBudget(PAGE * 100), backing, 5 * PAGE);
  const read = (offset: number, length: number): number[] => {
    const target = new Uint8Array(length).fill(255);
    const count = bytes.read(offset, target);
    return [count, ...[0, PAGE, 2 * PAGE, 3 * PAGE, 4 * PAGE].map((at) => target[at] ?? -1)];
  };
  expect(read(100, 8 * PAGE)).toEqual([5 * PAGE - 100, 1, 2, 3, 4, 5]);
  expect(reads.splice(0)).toEqual([[100, 5 * PAGE - 100]]);
  bytes.write(2 * PAGE, new Uint8Array(PAGE).fill(9));
  expect(read(100, 5 * PAGE - 200)).toEqual([5 * PAGE - 200, 1, 2, 9, 4, 5]);
  expect(reads.splice(0)).toEqual([
    [100, 2 * PAGE - 100],
    [3 * PAGE, 2 * PAGE - 100],
  ]);
  bytes.truncate(PAGE);
  bytes.truncate(5 * PAGE);
  expect(read(0, 5 * PAGE)).toEqual([5 * PAGE, 1, 0, 0, 0, 0]);
  expect(reads.splice(0)).toEqual([[0, PAGE]]);
});
