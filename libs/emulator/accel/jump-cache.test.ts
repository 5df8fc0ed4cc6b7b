import { beforeEach, describe, expect, it } from '@jest/globals';
import { JumpCache, TranslationWord } from '../jit/ir/index.js';
import { LinearMemory } from '../memory/index.js';
import type { JumpCacheKey } from './jump-cache.js';
import { jumpCacheKey, JumpCacheTable } from './jump-cache.js';

const ADDRESS = 0x80001230;
const MODE = 2;
const LINEAR = 0x90001230;
const KEY = jumpCacheKey(ADDRESS, MODE, LINEAR);
const ELSEWHERE = jumpCacheKey(ADDRESS, MODE, LINEAR + 0x1000);

let memory: LinearMemory;
let table: JumpCacheTable;
beforeEach(() => {
  memory = new LinearMemory(2 ** 20);
  table = new JumpCacheTable(memory);
});

/** The entry as generated code reads it. */
const entry = (): Record<'tag' | 'linear' | 'target' | 'size', number> => {
  const view = new DataView(memory.buffer, table.offset + JumpCache.offset(ADDRESS, MODE));
  const word = (field: number): number => view.getInt32(field, true);
  return {
    ...{ tag: word(JumpCache.tag), linear: word(JumpCache.linear) },
    ...{ target: word(JumpCache.target), size: word(JumpCache.size) },
  };
};
const NOTHING = { tag: 0, linear: 0, target: 0, size: 0 };
const WORD = TranslationWord.pack(7, 3);

it('says where a translation is entered, and what an entry is in use for', () => {
  table.enter(KEY, WORD, 30);
  expect(entry()).toEqual({ tag: (ADDRESS + MODE) | 0, linear: LINEAR | 0, target: WORD, size: 30 });
  expect(table.keyAt(table.offset + JumpCache.offset(ADDRESS, MODE))).toEqual(KEY);
});

it('forgets a translation where the entry is still its own', () => {
  table.enter(KEY, WORD, 30);
  table.leave(KEY, 8);
  table.leave(ELSEWHERE, 7);
  expect(entry().target).toBe(WORD);
  table.leave(KEY, 7);
  expect(entry()).toEqual(NOTHING);
});

it('counts visits where the entry is in use for the address', () => {
  table.enter(KEY, 0, 0);
  table.count(ELSEWHERE, 100);
  expect(entry().target).toBe(0);
  table.count(KEY, 100);
  expect(entry().target).toBe(-100);
  table.leave(KEY, TranslationWord.targetOf(-100));
  expect(entry().target).toBe(-100);
});

it('counts down from a number that a word can hold', () => {
  table.enter(KEY, 0, 0);
  table.count(KEY, 2 ** 40 + 1);
  expect(entry().target).toBe(-(2 ** 30));
});

describe('an address', () => {
  /** Three addresses that have the same entry of their own. */
  const [first, second, third] = [KEY, neighbour(0x80000), neighbour(0x100000)];

  it('has two entries to choose from', () => {
    table.enter(first, WORD, 1);
    table.enter(second, WORD, 2);
    expect([sizeOf(first), sizeOf(second)]).toEqual([1, 2]);
    table.leave(first, 7);
    expect([sizeOf(first), sizeOf(second)]).toEqual([undefined, 2]);
    table.enter(second, WORD, 3);
    table.enter(third, WORD, 4);
    expect([sizeOf(second), sizeOf(third)]).toEqual([3, 4]);
  });

  it('takes its own of two that belong to translations', () => {
    for (const key of [first, second, third]) table.enter(key, WORD, 5);
    expect([first, second, third].map(sizeOf)).toEqual([undefined, 5, 5]);
  });

  it('takes a free entry before one that counts', () => {
    table.enter(first, 0, 1);
    table.count(first, 2 ** 30);
    table.enter(second, 0, 2);
    expect([sizeOf(first), sizeOf(second)]).toEqual([1, 2]);
  });

  it('takes the place of what is only counted, not of a translation', () => {
    table.enter(first, WORD, 1);
    table.enter(second, 0, 2);
    table.count(second, 100);
    table.enter(third, WORD, 3);
    expect([first, second, third].map(sizeOf)).toEqual([1, undefined, 3]);
  });

  it('is said once to have taken the place of a translation', () => {
    table.enter(KEY, 0, JumpCache.displacedTranslation);
    const offset = table.offset + JumpCache.offset(ADDRESS, MODE);
    expect([table.takeDisplacer(offset), table.takeDisplacer(offset)]).toEqual([true, false]);
  });

  function neighbour(distance: number): JumpCacheKey {
    const key = jumpCacheKey((ADDRESS + distance) ^ (distance >>> 13), MODE, LINEAR + distance);
    const [here, there] = [KEY, key].map(({ tag }) => JumpCache.offset(tag & ~3, tag & 3));
    expect(there).toBe(here);
    return key;
  }

  /** What the entry says that is in use for an address. */
  function sizeOf({ tag, linear }: JumpCacheKey): number | undefined {
    const view = new DataView(memory.buffer, table.offset);
    const own = JumpCache.offset(tag & ~3, tag & 3);
    const isFor = (at: number): boolean =>
      view.getInt32(at + JumpCache.tag, true) === tag && view.getInt32(at + JumpCache.linear, true) === linear;
    const at = [own, own ^ JumpCache.alternate].find(isFor);
    return at === undefined ? undefined : view.getInt32(at + JumpCache.size, true);
  }
});

it('forgets all', () => {
  table.enter(KEY, WORD, 30);
  table.clear();
  expect(entry()).toEqual(NOTHING);
});
