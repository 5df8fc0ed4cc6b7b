/** Where a region loads guest registers into its locals. Sets are bit masks. */

import type { Analysis } from './flow-graph.js';
import { isBackward } from './flow-graph.js';
import type { RegisterUse } from './dataflow.js';

export interface RegisterLoads {
  /** Per node: registers that it loads at its start. */
  readonly atStart: readonly bigint[];
  /** Per node that is a loop's head: registers that are loaded ahead of the loop. */
  readonly beforeLoop: readonly bigint[];
}

/** Reducible: a backward edge leads to a node that dominates its source, or to the root, node 0. */
export interface LoadGraph {
  readonly successors: readonly (readonly number[])[];
  readonly analysis: Analysis;
  /** At a node's start nothing is known of registers, whatever was loaded before. */
  forgets(node: number): boolean;
}

/**
 * Plans loads where registers are read and not known to be in their locals yet, but ahead of a loop for all that it reads. Behind an
 * entry, or a jump through the dispatcher, nothing is: such a way is often short, and to load everything that somebody may read
 * later would cost more than it does.
 * @param live per node: registers whose value at its start somebody reads
 */
export function planLoads(graph: LoadGraph, uses: readonly RegisterUse[], live: readonly bigint[]): RegisterLoads {
  const { successors, analysis } = graph;
  const { order } = analysis;
  const predecessors: number[][] = successors.map(() => []);
  for (const node of order) for (const next of successors[node] as readonly number[]) predecessors[next]?.push(node);
  const atStart = successors.map(() => 0n);
  const beforeLoop = successors.map(() => 0n);
  /** Registers in locals at the end of a node. */
  const known = successors.map(() => 0n);
  for (const node of order) {
    if (node === 0) continue;
    const before = (predecessors[node] as number[]).filter((from) => !isBackward(analysis, from, node));
    // In its loop nothing is forgotten: what is known at a loop's head is known where it comes back.
    let available = graph.forgets(node)
      ? 0n
      : before.map((from) => known[from] as bigint).reduce((all, some) => all & some);
    const loop = before.length < (predecessors[node] as number[]).length ? loopOf(node, predecessors, analysis) : [];
    if (loop.some((inside) => graph.forgets(inside))) {
      available = 0n;
    } else if (loop.length > 0) {
      const read = loop.reduce((all, inside) => all | (uses[inside] as RegisterUse).reads, 0n);
      beforeLoop[node] = read & (live[node] as bigint) & ~available;
      available |= beforeLoop[node];
    }
    const { reads, kills } = uses[node] as RegisterUse;
    atStart[node] = reads & ~available;
    known[node] = available | reads | kills;
  }
  return { atStart, beforeLoop };
}

/** Nodes that come back to a loop's head without leaving the loop. */
function loopOf(head: number, predecessors: readonly (readonly number[])[], analysis: Analysis): number[] {
  const seen = new Set([head]);
  const queue = (predecessors[head] as readonly number[]).filter((from) => isBackward(analysis, from, head));
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    queue.push(...(predecessors[node] as readonly number[]));
  }
  return [...seen];
}
