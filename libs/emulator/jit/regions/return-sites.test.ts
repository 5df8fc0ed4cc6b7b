import { expect, it } from '@jest/globals';
import type { Block, Terminator } from './region.js';
import { findReturnSites } from './return-sites.js';

const at = (index: number): number => 0x1000 + 0x40 * index;

const block = (index: number, end: Terminator): Block => ({
  address: at(index),
  instructions: [{ address: at(index), word: 0 }],
  branchAt: -1,
  end,
});
const call = (target: number, returnTo: number): Terminator => ({
  ...{ kind: 'goto', target: at(target), returnTo: at(returnTo) },
});
const guessed = (target: number, returnTo: number): Terminator => ({
  ...{ kind: 'indirect', role: 'call', guess: at(target), returnTo: at(returnTo) },
});
const goto = (target: number): Terminator => ({ kind: 'goto', target: at(target) });
const back: Terminator = { kind: 'indirect', role: 'return', guess: undefined, returnTo: 0 };
const jump: Terminator = { kind: 'indirect', role: 'jump', guess: undefined, returnTo: 0 };

function sitesOf(blocks: readonly Block[], claimed: readonly number[] = []): Record<number, number[]> {
  const found = findReturnSites({ blocks, claimed: new Set(claimed.map(at)) });
  const index = (address: number): number => (address - at(0)) / 0x40;
  return Object.fromEntries([...found].map(([address, sites]) => [index(address), sites.map(index)]));
}

it('knows for each function where it returns to, and nothing for whom nobody here calls', () => {
  const blocks = [
    block(0, call(10, 1)),
    block(1, guessed(20, 2)),
    block(2, call(10, 3)),
    block(3, back),
    ...[block(10, { kind: 'branch', taken: at(11), next: at(12), likely: false }), block(11, back), block(12, back)],
    block(20, back),
  ];
  expect(sitesOf(blocks)).toEqual({ 11: [1, 3], 12: [1, 3], 20: [2] });
});

it('follows functions over what they call, tables they jump through, and what the interpreter executes', () => {
  const blocks = [
    block(0, call(10, 1)),
    block(1, back),
    block(10, call(20, 11)), // elsewhere
    block(11, { kind: 'indirect', role: 'call', guess: undefined, returnTo: at(12) }),
    block(12, jump),
    block(13, { kind: 'interpret', at: at(14) - 4 }),
    block(14, back),
    block(15, goto(16)), // the table does not lead here
    block(16, back),
  ];
  expect(sitesOf(blocks, [13])).toEqual({ 14: [1] });
  const system: Block = { ...block(13, { kind: 'system' }), instructions: [{ address: at(13), word: 0 }] };
  const after = { ...block(14, back), address: at(13) + 4 };
  const found = findReturnSites({ blocks: [block(0, call(13, 1)), block(1, back), system, after], claimed: new Set() });
  expect([...found]).toEqual([[at(13) + 4, [at(1)]]]);
});

it('gives an end that functions share to the callers of each, and ends where a function calls itself', () => {
  const blocks = [
    ...[block(0, call(10, 1)), block(1, call(11, 2)), block(2, { kind: 'system' })],
    ...[block(10, goto(12)), block(11, call(11, 12)), block(12, back)],
  ];
  expect(sitesOf(blocks)).toEqual({ 12: [1, 2, 12] });
});

it('follows functions to those that they end in a call of, where it is known', () => {
  const tail = (guess?: number): Terminator => ({
    ...{ kind: 'indirect', role: 'tail', guess: guess === undefined ? undefined : at(guess), returnTo: 0 },
  });
  const blocks = [block(0, call(10, 1)), block(1, call(11, 2)), block(2, back)];
  const functions = [block(10, tail(12)), block(11, tail()), block(12, back)];
  expect(sitesOf([...blocks, ...functions])).toEqual({ 12: [1] });
});

it('has no use for functions and return sites that the region does not contain', () => {
  expect(sitesOf([block(0, call(9, 1)), block(1, call(2, 9)), block(2, back)])).toEqual({});
});
