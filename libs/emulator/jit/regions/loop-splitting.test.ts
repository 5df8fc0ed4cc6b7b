import { describe, expect, it } from '@jest/globals';
import { randomFlowGraph } from '../../testkit/random-flow-graph.js';
import { SeededRandom } from '../../testkit/random.js';
import { makeReducible } from './flow-graph.js';
import { splitLoops } from './loop-splitting.js';

const weight = (): number => 1;
/** No loop in another has the same head. */
const place = (): number => 0;

describe('splitting loops', () => {
  it('leaves a graph alone whose loops have one head', () => {
    // root → 1 → 2 ⇄ 3, and 4 enters at the head, too.
    const graph = { successors: [[1, 4], [2], [3], [2], [2]] };
    const split = splitLoops(graph, place, weight, 100);
    expect(split.successors).toEqual(graph.successors);
    expect(split.copies.every((copies) => copies === undefined)).toBe(true);
  });

  it('copies what an edge into the middle of a loop executes until it comes to the head', () => {
    // root → 1 → head 3 → 4 → 5 → 6 → head; 2 enters at 5.
    const split = splitLoops({ successors: [[1, 2], [3], [5], [4], [5], [6], [3]] }, place, weight, 100);
    const [entry] = split.successors[2] as [number];
    expect(split.origin[entry]).toBe(5);
    const [next] = split.successors[entry] as [number];
    expect([split.origin[next], split.successors[next]]).toEqual([6, [3]]);
    expect(split.copies[2]?.get(5)).toBe(entry);
    expect(split.successors.length).toBe(7 + 2);
    expect(makeReducible(split).dispatched.size).toBe(0);
  });

  it('takes the entry for the head for which least has to be copied', () => {
    // The loop 2 → 3 → 4 → 2 is entered at 2, and, having skipped only that node, at 3, which is the head then.
    const split = splitLoops({ successors: [[1], [2, 3], [3], [4], [2]] }, place, (node) => (node === 2 ? 3 : 10), 100);
    expect(split.origin.slice(5)).toEqual([2]);
    expect(makeReducible(split).dispatched.size).toBe(0);
  });

  it('copies once for all who enter, however many they are', () => {
    // A loop of ten nodes with an entry into each.
    const size = 10;
    const ring = Array.from({ length: size }, (_, i) => [1 + ((i + 1) % size)]);
    const split = splitLoops(
      { successors: [Array.from({ length: size }, (_, i) => 1 + i), ...ring] },
      place,
      weight,
      100,
    );
    expect(split.successors.length).toBe(1 + size + size - 1);
    expect(makeReducible(split).dispatched.size).toBe(0);
  });

  it('copies inner loops as a whole where the entry lies in an outer one, and gives them one head as well', () => {
    // head 3 → 4 → inner 5 ⇄ 6, 5 → 7 → head; 2 enters at 6.
    const split = splitLoops({ successors: [[1, 2], [3], [6], [4], [5], [6, 7], [5], [3]] }, place, weight, 100);
    expect(makeReducible(split).dispatched.size).toBe(0);
  });

  it('takes an outer loop apart from the inner one whose head it begins with', () => {
    // root → head 2 → 2 and 2 → 3 → 1 → 2, 3 → 4; code lies in the order of the numbers, so that 2 → 2 goes back, and 1 → 2 does not.
    const split = splitLoops({ successors: [[2], [2], [2, 3], [1, 4], []] }, (node) => node, weight, 100);
    expect(split.successors).toEqual([[5], [5], [2, 3], [1, 4], [], [2]]);
    expect([split.copies[0]?.get(2), split.copies[1]?.get(2), split.copies[2]]).toEqual([5, 5, undefined]);
    expect(split.origin[5]).toBe(5);
    // Where both come from behind the head, one may be a `continue` in the other's loop.
    const whole = { successors: [[1], [1, 2], [1, 3], []] };
    expect(splitLoops(whole, (node) => node, weight, 100).successors).toEqual(whole.successors);
  });

  it('spends no more than it may', () => {
    const graph = { successors: [[1, 2], [3], [5], [4], [5], [6], [3]] };
    expect(splitLoops(graph, place, weight, 1).successors).toEqual(graph.successors);
  });

  it('lets the same paths be walked as before, in loops with one head where it could afford them', () => {
    const random = new SeededRandom(77);
    let copied = 0;
    for (let round = 0; round < 1000; round++) {
      const successors = randomFlowGraph(random);
      const split = splitLoops({ successors }, place, weight, 1000);
      copied += split.successors.length - successors.length;
      expect(makeReducible(split).dispatched.size).toBe(0);
      // Walk both graphs at the same time; edges keep their order.
      let [node, original] = [0, 0];
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
    expect(copied).toBeGreaterThan(100);
  });
});
