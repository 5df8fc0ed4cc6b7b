/** Where a region loads guest registers into its locals. Sets are bit masks. */

import type { Analysis, Loop } from './flow-graph.js';
import { isBackward, predecessorsOf } from './flow-graph.js';
import type { RegisterUse } from './dataflow.js';

export interface RegisterLoads {
  /** Per node: registers that it loads at its start. */
  readonly atStart: readonly bigint[];
  /** Per node that is a loop's head: registers that are loaded ahead of the loop. */
  readonly beforeLoop: readonly bigint[];
  /** Per node: registers whose locals are up to date when it begins, before it loads any. */
  readonly known: readonly bigint[];
}

/** Reducible: a backward edge leads to a node that dominates its source, or to the root, node 0. */
export interface LoadGraph {
  readonly successors: readonly (readonly number[])[];
  readonly analysis: Analysis;
  readonly loops: readonly Loop[];
  /** At a node's start nothing is known of registers, whatever was loaded before. */
  forgets(node: number): boolean;
}

/**
 * Plans loads where registers are read and not known to be in their locals yet, but ahead of a loop for all that it reads in each
 * round. Behind an entry, or a jump through the dispatcher, nothing is known: such a way is often short, and to load everything that
 * somebody may read later would cost more than it does. Behind a loop only what the loop itself uses is known, so that in the loop
 * nothing else is kept: the host has few registers, and V8 stores and loads in each round what it does not find room for.
 * @param live per node: registers whose value at its start somebody reads
 */
export function planLoads(graph: LoadGraph, uses: readonly RegisterUse[], live: readonly bigint[]): RegisterLoads {
  const { successors, analysis } = graph;
  const order = analysis.order.filter((node) => node !== ROOT);
  const loops = usesOfLoops(graph, uses);
  const edges = predecessorsOf(graph, analysis).map((list, to) =>
    list.map((from): Edge => {
      const left = loops.filter(({ body }) => body.has(from) && !body.has(to));
      return { from, isBack: isBackward(analysis, from, to), kept: left.reduce((kept, { used }) => kept & used, ALL) };
    }),
  );
  const known = successors.map((_, node) => (node === ROOT ? 0n : ALL));
  const knownThrough = (some: readonly Edge[]): bigint =>
    some.reduce((all, { from, kept }) => all & kept & (known[from] as bigint), ALL);
  const wanted = successors.map(() => 0n);
  const entering = successors.map(() => 0n);
  const available = successors.map(() => 0n);
  for (const loop of loops) wanted[loop.head] = loop.wanted & (live[loop.head] as bigint);
  for (let changed = true; changed;) {
    changed = false;
    for (const node of order) {
      const { reads, kills } = uses[node] as RegisterUse;
      if (!graph.forgets(node)) {
        const through = edges[node] as readonly Edge[];
        entering[node] = knownThrough(through.filter(({ isBack }) => !isBack));
        available[node] =
          (entering[node] | (wanted[node] as bigint)) & knownThrough(through.filter(({ isBack }) => isBack));
      }
      const after = (available[node] as bigint) | reads | kills;
      changed ||= after !== known[node];
      known[node] = after;
    }
  }
  return {
    atStart: uses.map(({ reads }, node) => reads & ~(available[node] as bigint)),
    beforeLoop: wanted.map((set, node) => set & (available[node] as bigint) & ~(entering[node] as bigint)),
    known: available,
  };
}

const ROOT = 0;
const ALL: bigint = -1n;

interface Edge {
  readonly from: number;
  readonly isBack: boolean;
  /** Registers that stay known along it. */
  readonly kept: bigint;
}

interface LoopUse extends Loop {
  /** What it reads or writes. */
  readonly used: bigint;
  /** What it reads and would still know when it comes back to its head. */
  readonly wanted: bigint;
}

/** @returns for each loop; inner ones first */
function usesOfLoops(graph: LoadGraph, uses: readonly RegisterUse[]): readonly LoopUse[] {
  const found: LoopUse[] = [];
  for (const { head, body } of graph.loops.toReversed()) {
    const nodes = [...body];
    const union = (of: (use: RegisterUse) => bigint): bigint =>
      nodes.reduce((all, node) => all | of(uses[node] as RegisterUse), 0n);
    const read = nodes.some((node) => graph.forgets(node)) ? 0n : union(({ reads }) => reads);
    const inner = found.filter((loop) => body.has(loop.head));
    const wanted = inner.reduce((kept, { used }) => kept & used, read);
    found.push({ head, body, used: union(({ reads, writes }) => reads | writes), wanted });
  }
  return found;
}
