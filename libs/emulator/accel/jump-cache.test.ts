import { beforeEach, expect, it } from '@jest/globals';
import { JumpCache, TranslationWord } from '../jit/ir/index.js';
import { LinearMemory } from '../memory/index.js';
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

it('forgets all', () => {
  table.enter(KEY, WORD, 30);
  table.clear();
  expect(entry()).toEqual(NOTHING);
});
