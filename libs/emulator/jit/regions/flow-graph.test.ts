import { describe, expect, it } from '@jest/globals';
import { SeededRandom } from '../../testkit/random.js';
import { analyse, dominates, isBackward, makeReducible, splitEntries } from './flow-graph.js';

type Successors = readonly (readonly number[])[];

/** A graph in which every node is reached from node 0, and nothing leads back there, as in a region. */
function randomGraph(random: SeededRandom): number[][] {
  const size = 1 + random.below(14);
  const successors: number[][] = Array.from({ length: size }, () => []);
  for (let node = 1; node < size; node++) successors[random.below(node)]?.push(node);
  const edges = random.below(2 * size);
  for (let i = 0; i < edges && size > 1; i++) successors[random.below(size)]?.push(1 + random.below(size - 1));
  // Names in no particular order.
  const names = Array.from({ length: size }, (_, i) => i);
  for (let i = size - 1; i > 1; i--) {
    const j = 1 + random.below(i);
    [names[i], names[j]] = [names[j] as number, names[i] as number];
  }
  const renamed: number[][] = Array.from({ length: size }, () => []);
  successors.forEach((list, node) => {
    renamed[names[node] as number] = list.map((to) => names[to] as number);
  });
  return renamed;
}

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

describe('splitting entries', () => {
  const weight = (): number => 1;

  it('leaves a graph alone whose loops have one head', () => {
    // root → stub 1 → 2 ⇄ 3, and stub 4 enters at the head, too.
    const graph = { successors: [[1, 4], [2], [3], [2], [2]] };
    const split = splitEntries(graph, [1, 4], weight, 100);
    expect(split.successors).toEqual(graph.successors);
    expect(split.copies.every((copies) => copies === undefined)).toBe(true);
  });

  it('copies what an entry into the middle of a loop executes until it comes to the head', () => {
    // root → stub 1 → head 3 → 4 → 5 → head; stub 2 enters at 4.
    const split = splitEntries({ successors: [[1, 2], [3], [4], [4], [5], [3]] }, [1, 2], weight, 100);
    const [entry] = split.successors[2] as [number];
    expect(split.origin[entry]).toBe(4);
    const [next] = split.successors[entry] as [number];
    expect([split.origin[next], split.successors[next]]).toEqual([5, [3]]);
    expect(makeReducible(split).dispatched.size).toBe(0);
  });

  it('copies inner loops as a whole where the entry lies in an outer one', () => {
    // head 3 → 4 → inner 5 ⇄ 6, 5 → 7 → head; stub 2 enters at 6.
    const split = splitEntries({ successors: [[1, 2], [3], [6], [4], [5], [6, 7], [5], [3]] }, [1, 2], weight, 100);
    expect(makeReducible(split).dispatched.size).toBe(0);
    expect(split.origin.slice(8).sort()).toEqual([5, 6, 7]);
  });

  it('spends no more than it may', () => {
    const graph = { successors: [[1, 2], [3], [4], [4], [5], [3]] };
    expect(splitEntries(graph, [1, 2], weight, 1).successors).toEqual(graph.successors);
  });

  it('lets the same paths be walked as before', () => {
    const random = new SeededRandom(77);
    let copied = 0;
    for (let round = 0; round < 500; round++) {
      // Stubs 1 … n in front of a random graph.
      const inner = randomGraph(random);
      const stubs = Array.from({ length: 1 + random.below(4) }, (_, i) => 1 + i);
      const at = (node: number): number => node + stubs.length + 1;
      const successors = [
        [...stubs],
        ...stubs.map((_, i) => [at(i === 0 ? 0 : random.below(inner.length))]),
        ...inner.map((list) => list.map(at)),
      ];
      const split = splitEntries({ successors }, stubs, weight, 40);
      copied += split.successors.length - successors.length;
      for (const stub of stubs) {
        // Walk both graphs at the same time; edges keep their order.
        let [node, original] = [stub, stub];
        for (let step = 0; step < 60; step++) {
          const [here, there] = [split.successors[node] as number[], successors[original] as number[]];
          expect(here.map((next) => split.origin[next])).toEqual(there);
          if (there.length === 0) break;
          const way = random.below(there.length);
          // What a translator asks for: where the edge to this original leads.
          const copy = split.copies[node]?.get(there[way] as number) ?? there[way];
          expect(here).toContain(copy);
          [node, original] = [here[way] as number, there[way] as number];
        }
      }
    }
    expect(copied).toBeGreaterThan(100);
  });
});
