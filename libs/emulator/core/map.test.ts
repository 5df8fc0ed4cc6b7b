import { expect, it } from '@jest/globals';
import { getOrInsertComputed } from './map.js';

it('computes the value under a key once', () => {
  const map = new Map<string, number[]>();
  let computed = 0;
  const listOf = (key: string): number[] =>
    getOrInsertComputed(map, key, () => {
      computed++;
      return [];
    });
  listOf('a').push(1);
  listOf('a').push(2);
  listOf('b').push(3);
  expect([...map]).toEqual([
    ['a', [1, 2]],
    ['b', [3]],
  ]);
  expect(computed).toBe(2);
});

it('takes what is there, 0 as well', () => {
  const map = new Map([['a', 0]]);
  expect(getOrInsertComputed(map, 'a', () => 1)).toBe(0);
});

it('takes a weak map', () => {
  const key = {};
  const map = new WeakMap<object, string>();
  expect(getOrInsertComputed(map, key, () => 'made')).toBe('made');
  expect(map.get(key)).toBe('made');
});
