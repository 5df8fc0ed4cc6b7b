import { describe, expect, it } from '@jest/globals';
import { SeededRandom } from '../../testkit/random.js';
import type { RegisterUse } from './dataflow.js';
import { analyseRegisters } from './dataflow.js';
import { analyse } from './flow-graph.js';

const REGISTERS = 6;
const bits = (set: bigint): number[] =>
  Array.from({ length: REGISTERS }, (_, i) => i).filter((i) => set & (1n << BigInt(i)));

function randomUse(random: SeededRandom): RegisterUse {
  const set = (): bigint => BigInt(random.below(1 << REGISTERS) & random.below(1 << REGISTERS));
  const kills = set();
  return {
    reads: set(),
    kills,
    writes: kills | (random.chance(0.3) ? set() : 0n),
    leaves: random.chance(0.5),
    exits: random.chance(0.3),
  };
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

/** Walks through the graph with locals and state kept apart, as a translation does. @throws Error where that shows */
function walk({ successors, uses }: Case, random: SeededRandom, steps: number): void {
  const { order } = analyse({ successors });
  const { live, dirty } = analyseRegisters(successors, order, uses);
  const actual = Array.from({ length: REGISTERS }, (_, i) => i);
  const state = [...actual];
  const locals = new Array<number | undefined>(REGISTERS).fill(undefined);
  for (const register of bits(live[0] as bigint)) locals[register] = state[register];
  let value = 100;
  let node = 0;
  const problem = (what: string): Error =>
    new Error(`${what} at node ${node} of ${describeCase({ successors, uses })}`);
  const leave = (): void => {
    const written = [...state];
    for (const register of bits(dirty[node] as bigint)) {
      if (locals[register] === undefined) throw problem(`writes back register ${register}, which was never loaded,`);
      written[register] = locals[register];
    }
    actual.forEach((expected, register) => {
      if (written[register] !== expected) throw problem(`loses register ${register}`);
    });
  };
  for (let step = 0; step < steps; step++) {
    const use = uses[node] as RegisterUse;
    for (const register of bits(use.reads))
      if (locals[register] !== actual[register]) throw problem(`reads another register ${register}`);
    if (use.leaves) leave();
    for (const register of bits(use.writes)) {
      if (!(use.kills & (1n << BigInt(register))) && random.chance(0.5)) continue;
      actual[register] = locals[register] = value++;
    }
    if (use.leaves || use.exits) leave();
    const next = successors[node] as readonly number[];
    if (next.length === 0) return;
    node = random.pick(next);
  }
}

const describeCase = (graph: Case): string =>
  JSON.stringify(graph, (_, value: unknown) => (typeof value === 'bigint' ? bits(value) : value));

describe('which registers to load and write back', () => {
  it('is enough on every path through random graphs', () => {
    const random = new SeededRandom(1);
    for (let i = 0; i < 400; i++) {
      const graph = randomCase(random, 1 + random.below(10));
      for (let j = 0; j < 5; j++) walk(graph, random, 30);
    }
  });

  it('is enough where there are so many sets to write back that they are merged', () => {
    const random = new SeededRandom(2);
    for (let i = 0; i < 100; i++) {
      const graph = randomCase(random, 60);
      for (let j = 0; j < 5; j++) walk(graph, random, 200);
      const leaving = graph.uses.map(({ leaves, exits }) => leaves || exits);
      const { dirty } = analyseRegisters(graph.successors, analyse(graph).order, graph.uses);
      expect(new Set(dirty.filter((_, node) => leaving[node])).size).toBeLessThanOrEqual(12);
    }
  });

  const none: RegisterUse = { reads: 0n, kills: 0n, writes: 0n, leaves: false, exits: false };

  it('is no more than needed in a straight line', () => {
    const { live, dirty } = analyseRegisters(
      [[1], [2], []],
      [0, 1, 2],
      [
        { ...none, reads: 1n },
        { ...none, kills: 2n, writes: 2n },
        { ...none, reads: 6n, exits: true },
      ],
    );
    // Register 0 is read first, register 1 comes to be, register 2 is read last: nothing else.
    expect(live).toEqual([5n, 4n, 6n]);
    expect(dirty).toEqual([0n, 2n, 2n]);
  });

  it('is nothing in a region that only passes by', () => {
    const { live, dirty } = analyseRegisters([[1], [0]], [0, 1], [none, { ...none, leaves: true, exits: true }]);
    expect([live, dirty]).toEqual([
      [0n, 0n],
      [0n, 0n],
    ]);
  });
});
