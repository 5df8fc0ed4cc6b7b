import { describe, expect, it } from '@jest/globals';
import type { RegisterUse } from './dataflow.js';
import { liveRegisters } from './dataflow.js';
import { analyse, findLoops } from './flow-graph.js';
import { planKeeping } from './keeping-loops.js';
import { planLoads } from './register-loads.js';

const use = (reads: bigint, kills = 0n, writes = kills): RegisterUse => ({ reads, kills, writes });

/** What each node keeps. */
function keptIn(
  successors: readonly (readonly number[])[],
  uses: readonly RegisterUse[],
  mayKeep: (node: number) => boolean = () => true,
) {
  const analysis = analyse({ successors });
  const graph = { successors, analysis, loops: findLoops({ successors }, analysis), forgets: () => false, mayKeep };
  const live = liveRegisters(successors, analysis.order, uses);
  return planKeeping(graph, uses, live, planLoads(graph, uses, live)).map((loop) => loop?.kept);
}

// root → 1 → head 2 → 3 → 2, 2 → 4
const LOOP = [[1], [2], [3, 4], [2], []];

describe('what loops keep in locals', () => {
  it('is what they change and read again', () => {
    const uses = [use(0n), use(0n, 1n), use(1n + 2n), use(0n, 1n + 4n), use(0n)];
    expect(keptIn(LOOP, uses)).toEqual([undefined, undefined, 1n, 1n, undefined]);
  });

  it('is as well what one way through the loop changes', () => {
    const uses = [use(0n), use(0n), use(2n), use(1n, 0n, 1n), use(0n)];
    expect(keptIn(LOOP, uses)[2]).toBe(1n);
  });

  it('is nothing where that is too much, and where a node may not be part of such a loop', () => {
    const four = [use(0n), use(0n), use(15n), use(0n, 15n), use(0n)];
    expect(keptIn(LOOP, four)[3]).toBe(15n);
    expect(keptIn(LOOP, four, (node) => node !== 3)[3]).toBeUndefined();
    expect(keptIn(LOOP, [use(0n), use(0n), use(31n), use(0n, 31n), use(0n)])[3]).toBeUndefined();
  });

  it('is nothing in loops around others', () => {
    // root → outer head 1 → inner head 2 → 2, 2 → 3 → 1, 3 → 4
    const uses = [use(0n), use(1n, 1n), use(2n, 2n), use(4n, 4n), use(0n)];
    expect(keptIn([[1], [2], [2, 3], [1, 4], []], uses)).toEqual([undefined, undefined, 2n, undefined, undefined]);
  });
});
