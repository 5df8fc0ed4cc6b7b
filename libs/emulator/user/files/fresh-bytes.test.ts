import { expect, it } from '@jest/globals';
import { freshBytes } from './fresh-bytes.js';

it('gives zeroed bytes that nobody else has, whatever their size', () => {
  const sizes = [0, 1, 8192, 65_536, 100, 1 << 20, 40_000, ...Array<number>(40).fill(60_000)];
  const all = sizes.map((size, i) => {
    const bytes = freshBytes(size);
    expect(bytes).toHaveLength(size);
    expect(bytes.every((byte) => byte === 0)).toBe(true);
    return bytes.fill(i + 1);
  });
  all.forEach((bytes, i) => expect(bytes.every((byte) => byte === i + 1)).toBe(true));
});
