import { expect, it } from '@jest/globals';
import { imageName } from './image-name.js';

it('is of an image as it is, wherever its bytes lie', () => {
  const image = Uint8Array.from({ length: 10_000 }, (_, at) => at * at);
  expect(imageName(new Uint8Array([...image, 0]).subarray(0, -1))).toBe(imageName(image));
  const others = [image.subarray(1), new Uint8Array([...image, 0]), image.with(9_999, 1), image.with(0, 1)];
  expect(new Set([image, ...others].map(imageName)).size).toBe(5);
});
