import { describe, expect, it } from '@jest/globals';
import { SeededRandom } from '../../testkit/random.js';
import type { RegisterUse } from './dataflow.js';
import { liveRegisters } from './dataflow.js';
import { analyse } from './flow-graph.js';

const REGISTERS = 6;
const bits = (set: bigint): number[] =>
  Array.from({ length: REGISTERS }, (_, i) => i).filter((i) => set & (1n << BigInt(i)));

function randomUse(random: SeededRandom): RegisterUse {
  const set = (): bigint => BigInt(random.below(1 << REGISTERS) & random.below(1 << REGISTERS));
  const kills = set();
  return { reads: set(), kills, writes: kills | (random.chance(0.3) ? set() : 0n) };
}

interface Case {
  readonly successors: readonly (readonly number[])[];
  readonly uses: readonly RegisterUse[];
}

function randomCase(random: SeededRandom, size: number): Case {
  const successors: number[][] = Array.from({ length: size }, () => []);
  for (let node = 1; node < size; node++) successors[random.below(node)]?.push(node);
  for (let i = 0; i < size; i++) successors[random.below(size)]?.push(random.below(size));
  return { successors, uses: successors.map(() => randomUse(random)) };
}

/** Walks through the graph with only what is live loaded. @throws Error where something else is looked at */
function walk({ successors, uses }: Case, random: SeededRandom, steps: number): void {
  const { order } = analyse({ successors });
  const live = liveRegisters(successors, order, uses);
  const loaded = new Set(bits(live[0] as bigint));
  let node = 0;
  for (let step = 0; step < steps; step++) {
    const use = uses[node] as RegisterUse;
    for (const register of bits(use.reads))
      if (!loaded.has(register))
        throw new Error(
          `register ${register} was not loaded for node ${node} of ${describeCase({ successors, uses })}`,
        );
    for (const register of bits(use.writes))
      if (use.kills & (1n << BigInt(register)) || random.chance(0.5)) loaded.add(register);
    const next = successors[node] as readonly number[];
    if (next.length === 0) return;
    node = random.pick(next);
  }
}

const describeCase = (graph: Case): string =>
  JSON.stringify(graph, (_, value: unknown) => (typeof value === 'bigint' ? bits(value) : value));

describe('which registers to load', () => {
  it('is enough on every path through random graphs', () => {
    const random = new SeededRandom(1);
    for (let i = 0; i < 400; i++) {
      const graph = randomCase(random, 1 + random.below(10));
      for (let j = 0; j < 5; j++) walk(graph, random, 30);
    }
  });

  const none: RegisterUse = { reads: 0n, kills: 0n, writes: 0n };

  it('is no more than needed in a straight line', () => {
    const live = liveRegisters(
      [[1], [2], []],
      [0, 1, 2],
      [
        { ...none, reads: 1n },
        { ...none, kills: 2n, writes: 2n },
        { ...none, reads: 6n },
      ],
    );
    // Register 0 is read first, register 1 comes to be, register 2 is read last: nothing else.
    expect(live).toEqual([5n, 4n, 6n]);
  });

  it('goes round loops', () => {
    const live = liveRegisters(
      [[1], [0, 2], []],
      [0, 1, 2],
      [none, { ...none, kills: 1n, writes: 1n }, { ...none, reads: 3n }],
    );
    expect(live).toEqual([2n, 2n, 3n]);
  });
});
