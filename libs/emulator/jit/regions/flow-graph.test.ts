import { describe, expect, it } from '@jest/globals';
import { randomFlowGraph as randomGraph } from '../../testkit/random-flow-graph.js';
import { SeededRandom } from '../../testkit/random.js';
import { analyse, dominates, isBackward, makeReducible } from './flow-graph.js';

type Successors = readonly (readonly number[])[];

/** Nodes that are reached from node 0 without passing one. */
function reached(successors: Successors, without = -1): Set<number> {
  const seen = new Set<number>();
  const visit = (node: number): void => {
    if (node === without || seen.has(node)) return;
    seen.add(node);
    successors[node]?.forEach(visit);
  };
  visit(0);
  return seen;
}

/** By definition: without it the node is out of reach. */
const dominatesByDefinition = (successors: Successors, by: number, node: number): boolean =>
  !reached(successors, by).has(node);

/** By definition (Hecht, Ullman 1972): removing loops onto themselves and merging nodes with one predecessor leaves one node. */
function isReducible(successors: Successors): boolean {
  const next = new Map(successors.map((list, node) => [node, new Set(list)]));
  for (let changed = true; changed;) {
    changed = false;
    for (const [node, list] of next) changed = list.delete(node) || changed;
    for (const node of next.keys()) {
      if (node === 0) continue;
      const predecessors = [...next].filter(([, list]) => list.has(node));
      const [only] = predecessors;
      if (predecessors.length !== 1 || !only) continue;
      only[1].delete(node);
      for (const to of next.get(node) as Set<number>) only[1].add(to);
      next.delete(node);
      changed = true;
      break;
    }
  }
  return next.size === 1;
}

const GRAPHS = 500;

describe('order and dominators', () => {
  it('are what their definitions say, on random graphs', () => {
    const random = new SeededRandom(1);
    for (let i = 0; i < GRAPHS; i++) {
      const successors = randomGraph(random);
      const analysis = analyse({ successors });
      const { order, position, dominator } = analysis;
      expect(order[0]).toBe(0);
      expect([...order].sort((a, b) => a - b)).toEqual(successors.map((_, node) => node));
      order.forEach((node, at) => expect(position[node]).toBe(at));
      for (const by of order)
        for (const node of order) {
          const expected = dominatesByDefinition(successors, by, node);
          if (dominates(analysis, by, node) !== expected)
            throw new Error(`dominates(${by}, ${node}) is not ${expected} in ${JSON.stringify(successors)}`);
        }
      // The immediate dominator is the last of the others on every path.
      for (const node of order.slice(1)) {
        const others = order.filter((by) => by !== node && dominatesByDefinition(successors, by, node));
        const immediate = others.find((by) => others.every((other) => dominatesByDefinition(successors, other, by)));
        expect(dominator[node]).toBe(immediate);
      }
    }
  });

  it('put every node behind one of its predecessors, and an acyclic graph in topological order', () => {
    const random = new SeededRandom(2);
    for (let i = 0; i < GRAPHS; i++) {
      const successors = randomGraph(random);
      const analysis = analyse({ successors });
      for (const node of analysis.order.slice(1))
        expect(successors.some((list, from) => list.includes(node) && !isBackward(analysis, from, node))).toBe(true);
      const backward = successors.some((list, from) => list.some((to) => isBackward(analysis, from, to)));
      const cyclic = successors.some((_, node) => {
        const fromHere = new Set<number>();
        const visit = (at: number): void => {
          if (fromHere.has(at)) return;
          fromHere.add(at);
          successors[at]?.forEach(visit);
        };
        successors[node]?.forEach(visit);
        return fromHere.has(node);
      });
      expect(backward).toBe(cyclic);
    }
  });

  it('leaves unreachable nodes out', () => {
    const { order, position } = analyse({ successors: [[2], [2], []] });
    expect(order).toEqual([0, 2]);
    expect([...position]).toEqual([0, -1, 1]);
  });

  it('manages a chain of many thousand nodes', () => {
    const size = 50_000;
    const successors = Array.from({ length: size }, (_, node) => (node + 1 < size ? [node + 1] : []));
    expect(analyse({ successors }).dominator[size - 1]).toBe(size - 2);
  });
});

describe('makeReducible', () => {
  it('gives every loop one head, and loses no edge, on random graphs', () => {
    const random = new SeededRandom(3);
    let irreducible = 0;
    for (let i = 0; i < GRAPHS; i++) {
      const original = randomGraph(random);
      const { analysis, successors, dispatched, isRouted } = makeReducible({ successors: original });
      expect(isReducible(successors)).toBe(true);
      successors.forEach((list, from) => {
        for (const to of list)
          if (isBackward(analysis, from, to)) expect(dominatesByDefinition(successors, to, from)).toBe(true);
      });
      original.forEach((list, from) => {
        if (from === 0) return;
        list.forEach((to, edge) => {
          if (isRouted(from, to)) expect([successors[from]?.[edge], dispatched.has(to)]).toEqual([0, true]);
          else expect(successors[from]?.[edge]).toBe(to);
        });
      });
      for (const node of [...(original[0] as number[]), ...dispatched]) expect(successors[0]).toContain(node);
      const wasReducible = isReducible(original);
      if (!wasReducible) irreducible++;
      expect(dispatched.size === 0).toBe(wasReducible);
    }
    expect(irreducible).toBeGreaterThan(GRAPHS / 10);
  });

  it('routes one edge of the smallest loop with two heads', () => {
    const { dispatched } = makeReducible({ successors: [[1, 2], [2], [1]] });
    expect(dispatched.size).toBe(1);
  });
});
