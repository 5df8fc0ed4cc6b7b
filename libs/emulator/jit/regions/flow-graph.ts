/**
 * Control-flow graphs over small integers: order, dominators, and the rewriting that makes every loop have one head.
 * Sources: Cooper, Harvey, Kennedy, "A Simple, Fast Dominance Algorithm" (2001); Ramsey, "Beyond Relooper" (ICFP 2022).
 */

/** Node 0 is the root; every other node is reached from it. `successors[n]` are the nodes that n may go to. */
export interface FlowGraph {
  readonly successors: readonly (readonly number[])[];
}

export interface Analysis {
  /** Nodes in reverse postorder, the root first. */
  readonly order: readonly number[];
  /** Position in {@link order}; -1 for unreachable nodes. */
  readonly position: Int32Array;
  /** Immediate dominator of each node; the root's is itself. */
  readonly dominator: Int32Array;
}

export function analyse(graph: FlowGraph): Analysis {
  const order = reversePostorder(graph);
  const position = new Int32Array(graph.successors.length).fill(-1);
  order.forEach((node, index) => (position[node] = index));
  const predecessors: number[][] = graph.successors.map(() => []);
  for (const node of order) for (const next of graph.successors[node] ?? []) predecessors[next]?.push(node);

  const dominator = new Int32Array(graph.successors.length).fill(-1);
  dominator[0] = 0;
  const meet = (a: number, b: number): number => {
    let [x, y] = [a, b];
    while (x !== y) {
      while ((position[x] as number) > (position[y] as number)) x = dominator[x] as number;
      while ((position[y] as number) > (position[x] as number)) y = dominator[y] as number;
    }
    return x;
  };
  for (let changed = true; changed;) {
    changed = false;
    for (const node of order) {
      if (node === 0) continue;
      let found = -1;
      for (const before of predecessors[node] as number[])
        if (dominator[before] !== -1) found = found === -1 ? before : meet(found, before);
      if (dominator[node] !== found) {
        dominator[node] = found;
        changed = true;
      }
    }
  }
  return { order, position, dominator };
}

/** Does every path from the root to `node` pass `by`? A node dominates itself. */
export function dominates({ dominator, position }: Analysis, by: number, node: number): boolean {
  let at = node;
  while ((position[at] as number) > (position[by] as number)) at = dominator[at] as number;
  return at === by;
}

/** An edge that goes back in the order, to a loop's head or into the middle of one. */
export function isBackward({ position }: Analysis, from: number, to: number): boolean {
  return (position[to] as number) <= (position[from] as number);
}

export function predecessorsOf({ successors }: FlowGraph, { order }: Analysis): readonly (readonly number[])[] {
  const predecessors: number[][] = successors.map(() => []);
  for (const node of order) for (const next of successors[node] as readonly number[]) predecessors[next]?.push(node);
  return predecessors;
}

export interface Loop {
  readonly head: number;
  /** Nodes that come back to the head without leaving the loop, the head among them. */
  readonly body: ReadonlySet<number>;
}

/**
 * The loops of a reducible graph, each before those within it. What comes back to the root is none: that dispatches.
 */
export function findLoops(graph: FlowGraph, analysis: Analysis): readonly Loop[] {
  const predecessors = predecessorsOf(graph, analysis);
  const loops: Loop[] = [];
  for (const head of analysis.order) {
    const back = (predecessors[head] as readonly number[]).filter((from) => isBackward(analysis, from, head));
    if (head === 0 || back.length === 0) continue;
    const body = new Set([head]);
    for (let node = back.pop(); node !== undefined; node = back.pop()) {
      if (body.has(node)) continue;
      body.add(node);
      back.push(...(predecessors[node] as readonly number[]));
    }
    loops.push({ head, body });
  }
  return loops;
}

export interface ReducibleGraph {
  readonly analysis: Analysis;
  /** The graph with every routed edge leading to the root instead. */
  readonly successors: readonly (readonly number[])[];
  /** Nodes that the root must be able to continue at. */
  readonly dispatched: ReadonlySet<number>;
  /** Does the edge go through the root? */
  isRouted(from: number, to: number): boolean;
}

/**
 * Structured control flow reaches the target of a backward edge only when the target dominates the edge's source: a
 * loop with one head. Every other backward edge is routed through the root, which acts as a dispatcher.
 */
export function makeReducible(graph: FlowGraph): ReducibleGraph {
  const size = graph.successors.length;
  const routed = new Set<number>();
  const dispatched = new Set<number>();
  const isRouted = (from: number, to: number): boolean => routed.has(from * size + to);
  for (;;) {
    const successors = graph.successors.map((list, from) => list.map((to) => (isRouted(from, to) ? 0 : to)));
    successors[0] = [...new Set([...(successors[0] ?? []), ...dispatched])];
    const analysis = analyse({ successors });
    let found = false;
    for (const from of analysis.order) {
      for (const to of successors[from] as number[]) {
        if (to === 0 || !isBackward(analysis, from, to) || dominates(analysis, to, from)) continue;
        routed.add(from * size + to);
        dispatched.add(to);
        found = true;
      }
    }
    if (!found) return { analysis, successors, dispatched, isRouted };
  }
}

/** Depth-first without recursion: regions may be long chains. */
function reversePostorder(graph: FlowGraph): number[] {
  const seen = new Uint8Array(graph.successors.length);
  const postorder: number[] = [];
  const stack: { node: number; next: number }[] = [{ node: 0, next: 0 }];
  seen[0] = 1;
  for (let top = stack.at(-1); top; top = stack.at(-1)) {
    const next = graph.successors[top.node]?.[top.next++];
    if (next === undefined) {
      postorder.push(top.node);
      stack.pop();
    } else if (!seen[next]) {
      seen[next] = 1;
      stack.push({ node: next, next: 0 });
    }
  }
  return postorder.reverse();
}
