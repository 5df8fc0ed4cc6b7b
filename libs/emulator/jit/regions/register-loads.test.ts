import { describe, expect, it } from '@jest/globals';
import { randomFlowGraph } from '../../testkit/random-flow-graph.js';
import { SeededRandom } from '../../testkit/random.js';
import type { RegisterUse } from './dataflow.js';
import { liveRegisters } from './dataflow.js';
import { analyse, findLoops, isBackward, makeReducible } from './flow-graph.js';
import { splitLoops } from './loop-splitting.js';
import { planLoads } from './register-loads.js';

const use = (reads: bigint, kills = 0n): RegisterUse => ({ reads, kills, writes: kills });

function plan(
  successors: readonly (readonly number[])[],
  uses: readonly RegisterUse[],
  forgets: (node: number) => boolean = () => false,
) {
  const analysis = analyse({ successors });
  return planLoads(
    { successors, analysis, loops: findLoops({ successors }, analysis), forgets },
    uses,
    liveRegisters(successors, analysis.order, uses),
  );
}

describe('where registers are loaded', () => {
  it('once along a way, and not after they were written', () => {
    // root → 1 → 2 → 3
    const { atStart } = plan([[1], [2], [3], []], [use(0n), use(1n, 2n), use(3n), use(7n)]);
    expect(atStart).toEqual([0n, 1n, 0n, 4n]);
  });

  it('again where only one of two ways has them', () => {
    // root → 1 → 2 → 4, 1 → 3 → 4
    const { atStart } = plan([[1], [2, 3], [4], [4], []], [use(0n), use(0n), use(1n), use(2n), use(3n)]);
    expect(atStart).toEqual([0n, 0n, 1n, 2n, 3n]);
  });

  it('ahead of a loop for all that it reads, as far as it does not write that first', () => {
    // root → 1 → head 2 → 3 → 2, 2 → 4
    const uses = [use(0n), use(1n), use(0n, 8n), use(2n + 8n), use(4n)];
    const { atStart, beforeLoop } = plan([[1], [2], [3, 4], [2], []], uses);
    expect(beforeLoop[2]).toBe(2n);
    expect(atStart).toEqual([0n, 1n, 0n, 0n, 4n]);
  });

  it('again behind a loop that does not use them, and so not ahead of one around that', () => {
    // root → head 1 → inner head 2 → 3 → 2, 2 → 4 → 1, 4 → 5
    const uses = [use(0n), use(1n), use(2n), use(0n, 4n), use(1n + 2n + 4n), use(8n)];
    const { atStart, beforeLoop, known } = plan([[1], [2], [3, 4], [2], [1, 5], []], uses);
    expect(beforeLoop).toEqual([0n, 2n + 4n, 0n, 0n, 0n, 0n]);
    expect(atStart).toEqual([0n, 1n, 0n, 0n, 1n, 8n]);
    expect(known[4]).toBe(2n + 4n);
  });

  it('again where another region may have been executed, and in each round of a loop around that', () => {
    // root → 1 → head 2 → 3 → 2, 2 → 4; 3 forgets.
    const uses = [use(0n), use(1n), use(1n), use(2n), use(4n)];
    const { atStart, beforeLoop } = plan([[1], [2], [3, 4], [2], []], uses, (node) => node === 3);
    expect(beforeLoop).toEqual([0n, 0n, 0n, 0n, 0n]);
    expect(atStart).toEqual([0n, 1n, 1n, 2n, 4n]);
  });

  it('before anybody reads them, whichever way is taken', () => {
    const random = new SeededRandom(5);
    for (let round = 0; round < 300; round++) {
      const split = splitLoops(
        { successors: randomFlowGraph(random) },
        (node) => node,
        () => 1,
        50,
      );
      const { successors, analysis } = makeReducible(split);
      const uses = successors.map((_, node) => {
        const set = (): bigint => BigInt(node === 0 ? 0 : random.below(16));
        const kills = set();
        return { reads: set(), kills, writes: kills | set() };
      });
      const forgotten = new Set(successors.map(() => random.below(successors.length)).slice(0, random.below(3)));
      const forgets = (node: number): boolean => forgotten.has(node);
      const { atStart, beforeLoop } = planLoads(
        { successors, analysis, loops: findLoops({ successors }, analysis), forgets },
        uses,
        liveRegisters(successors, analysis.order, uses),
      );
      let [node, known, from] = [0, 0n, -1];
      for (let step = 0; step < 100; step++) {
        if (from < 0 || node === 0 || forgets(node)) known = 0n;
        if (from >= 0 && !isBackward(analysis, from, node)) known |= beforeLoop[node] as bigint;
        known |= atStart[node] as bigint;
        const { reads, kills } = uses[node] as RegisterUse;
        expect(reads & ~known).toBe(0n);
        known |= kills;
        const next = successors[node] as number[];
        if (next.length === 0) break;
        [from, node] = [node, next[random.below(next.length)] as number];
      }
    }
  });
});
