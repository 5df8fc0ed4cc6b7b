/** Loops that keep registers in locals from round to round. Sets are bit masks. */

import type { RegisterUse } from './dataflow.js';
import type { Loop } from './flow-graph.js';
import type { RegisterLoads } from './register-loads.js';

/** More than the host has room for would be moved to and fro by V8. */
const MOST_KEPT = 4;

/** A loop whose registers are stored where it is left, and not in each round. */
export interface KeepingLoop {
  /** Those that it changes and reads again in the next round; others are stored as everywhere. */
  readonly kept: bigint;
}

export interface KeepingGraph {
  /** Each before those within it. */
  readonly loops: readonly Loop[];
  /** Can a node be part of such a loop? Not where another region or the interpreter may go on from its end. */
  mayKeep(node: number): boolean;
}

/**
 * Finds innermost loops in which no more registers are changed and read again than the host has room for. Their locals hold
 * what the CPU's area should from the head on, so that any way out can store them, written or not.
 * @param live per node: registers whose value at its start somebody reads
 * @returns per node: the loop that it is in
 */
export function planKeeping(
  graph: KeepingGraph,
  uses: readonly RegisterUse[],
  live: readonly bigint[],
  { known }: RegisterLoads,
): readonly (KeepingLoop | undefined)[] {
  const found: (KeepingLoop | undefined)[] = uses.map(() => undefined);
  for (const { head, body } of graph.loops) {
    const nodes = [...body];
    if (graph.loops.some((other) => other.head !== head && body.has(other.head))) continue;
    if (!nodes.every((node) => graph.mayKeep(node))) continue;
    const written = nodes.reduce((all, node) => all | (uses[node] as RegisterUse).writes, 0n);
    const kept = written & (live[head] as bigint) & (known[head] as bigint);
    if (kept === 0n || sizeOf(kept) > MOST_KEPT) continue;
    const loop = { kept };
    for (const node of nodes) found[node] = loop;
  }
  return found;
}

function sizeOf(set: bigint): number {
  let size = 0;
  for (let rest = set; rest > 0n; rest &= rest - 1n) size++;
  return size;
}
