import type { FlowGraph } from './flow-graph.js';

/** A graph with more nodes at its end: copies of others, and heads of loops that only continue at their successor. */
export interface SplitGraph extends FlowGraph {
  /** Per node: what it is a copy of, or itself; heads that only continue are no copies. */
  readonly origin: readonly number[];
  /** Per node: where its edges lead instead, by original; undefined for nodes whose edges are the original ones. */
  readonly copies: readonly (ReadonlyMap<number, number> | undefined)[];
}

/**
 * Gives loops one head by copying nodes: what an edge into the middle of a loop executes until it comes to the loop's head
 * is copied for all such edges together, so that the loop itself stays as it is and whole. Routing (`makeReducible`) would make
 * each round of the loop go through the root. Loops are strongly connected components, and again those of what is left of one
 * without its head. Source: node splitting, Janssen and Corporaal, "Making Graphs Reducible with Controlled Node Splitting" (1997).
 *
 * A loop that is entered at an inner loop's head has the same head as that. Such loops are taken apart: the outer one gets a head
 * of its own, which only continues at the inner one's.
 * @param place where a node's code lies: branches to a head that come from behind it make an inner loop, where others come
 * from before it
 * @param weight what copying a node costs
 * @param budget most that copies may cost together; loops that would cost more keep their entries
 */
export function splitLoops(
  graph: FlowGraph,
  place: (node: number) => number,
  weight: (node: number) => number,
  budget: number,
): SplitGraph {
  return new LoopSplitter(graph, place, weight, budget).run();
}

class LoopSplitter {
  readonly #successors: number[][];
  readonly #origin: number[];
  readonly #copies: (Map<number, number> | undefined)[];
  #left: number;

  constructor(
    graph: FlowGraph,
    private readonly place: (node: number) => number,
    private readonly weight: (node: number) => number,
    budget: number,
  ) {
    this.#successors = graph.successors.map((list) => [...list]);
    this.#origin = this.#successors.map((_, node) => node);
    this.#copies = this.#successors.map(() => undefined);
    this.#left = budget;
  }

  run(): SplitGraph {
    const all = this.#reachable([0], () => true);
    all.delete(0); // nothing has to dominate the root
    const work = [all];
    for (let nodes = work.pop(); nodes; nodes = work.pop())
      for (const loop of loopsAmong(nodes, this.#successors)) work.push(...this.#split(loop));
    return { successors: this.#successors, origin: this.#origin, copies: this.#copies };
  }

  /** Gives a loop one head if that can be afforded. @returns where loops are still to be looked for */
  #split(loop: Set<number>): Set<number>[] {
    const entries = this.#entriesOf(loop);
    const { head, tail, cost } = this.#cheapestHead(loop, entries);
    if (tail.size > 0 && cost > this.#left) {
      loop.delete(head);
      return [loop];
    }
    this.#left -= cost;
    const copies = tail.size > 0 ? [this.#copy(tail, loop)] : [];
    if (!this.#takeApart(head, loop)) loop.delete(head);
    return [loop, ...copies];
  }

  /** Gives a loop with one head another if an inner loop has the same. */
  #takeApart(head: number, loop: ReadonlySet<number>): boolean {
    const place = (node: number): number => this.place(this.#origin[node] as number);
    const back = [...loop].filter((node) => this.#successors[node]?.includes(head));
    const ofInner = back.filter((node) => place(node) >= place(head));
    const ofOuter = back.filter((node) => place(node) < place(head));
    if (ofInner.length === 0 || ofOuter.length === 0) return false;
    const behindOuter = this.#reachable(ofOuter, (node) => loop.has(node) && node !== head);
    if (ofInner.some((node) => behindOuter.has(node))) return false;
    const outerHead = this.#successors.length;
    this.#successors.push([head]);
    this.#origin.push(outerHead);
    this.#copies.push(undefined);
    const outside = [...this.#successors.keys()].filter((node) => !loop.has(node) && node !== outerHead);
    for (const from of [...outside, ...ofOuter]) this.#redirect(from, new Map([[head, outerHead]]));
    return true;
  }

  /** Nodes of a loop that edges from outside lead to. */
  #entriesOf(loop: ReadonlySet<number>): number[] {
    const entries = new Set<number>();
    for (const [from, list] of this.#successors.entries())
      if (!loop.has(from)) for (const to of list) if (loop.has(to)) entries.add(to);
    return [...entries];
  }

  /** The head for which least has to be copied, and what that is. */
  #cheapestHead(loop: ReadonlySet<number>, entries: readonly number[]): Head {
    let best: Head | undefined;
    for (const head of entries.slice(0, MAX_CANDIDATES)) {
      const others = entries.filter((entry) => entry !== head);
      const tail = this.#reachable(others, (node) => loop.has(node) && node !== head);
      const cost = this.#costOf(tail);
      if (!best || cost < best.cost) best = { head, tail, cost };
    }
    return best as Head; // every loop is reached from outside
  }

  /** Copies a part of a loop, and leads all edges that enter the loop there to the copies. @returns the copies */
  #copy(part: ReadonlySet<number>, loop: ReadonlySet<number>): Set<number> {
    const outside = [...this.#successors.keys()].filter((node) => !loop.has(node));
    const copyOf = new Map<number, number>();
    for (const node of part) {
      copyOf.set(node, this.#successors.length);
      this.#successors.push([...(this.#successors[node] as number[])]);
      this.#origin.push(this.#origin[node] as number);
      const led = this.#copies[node];
      this.#copies.push(led && new Map(led));
    }
    for (const from of [...outside, ...copyOf.values()]) this.#redirect(from, copyOf);
    return new Set(copyOf.values());
  }

  #redirect(from: number, copyOf: ReadonlyMap<number, number>): void {
    const list = this.#successors[from] as number[];
    list.forEach((to, edge) => {
      const copy = copyOf.get(to);
      if (copy === undefined) return;
      list[edge] = copy;
      (this.#copies[from] ??= new Map()).set(this.#origin[to], copy);
    });
  }

  #costOf(nodes: Iterable<number>): number {
    let cost = 0;
    for (const node of nodes) cost += this.weight(this.#origin[node] as number);
    return cost;
  }

  #reachable(from: readonly number[], enters: (node: number) => boolean): Set<number> {
    const seen = new Set(from);
    for (const node of seen) for (const next of this.#successors[node] as number[]) if (enters(next)) seen.add(next);
    return seen;
  }
}

/** A loop's head, what is copied if it is the only one, and what that costs. */
interface Head {
  readonly head: number;
  readonly tail: ReadonlySet<number>;
  readonly cost: number;
}

/** Which of a loop's entries are tried as its head, at most: each means walking the loop. */
const MAX_CANDIDATES = 16;

/**
 * Strongly connected components of more than one node. Source: Tarjan, "Depth-First Search and Linear Graph Algorithms" (1972), without
 * recursion, since regions may be long chains.
 */
function loopsAmong(nodes: ReadonlySet<number>, successors: readonly (readonly number[])[]): Set<number>[] {
  const loops: Set<number>[] = [];
  const index = new Map<number, number>();
  const lowest = new Map<number, number>();
  const open: number[] = [];
  const isOpen = new Set<number>();
  const lower = (node: number, to: number): void => void lowest.set(node, Math.min(lowest.get(node) as number, to));
  for (const start of nodes) {
    if (index.has(start)) continue;
    const path: { node: number; edge: number }[] = [];
    const visit = (node: number): void => {
      lowest.set(node, index.size);
      index.set(node, index.size);
      open.push(node);
      isOpen.add(node);
      path.push({ node, edge: 0 });
    };
    visit(start);
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const { node } = top;
      const next = successors[node]?.[top.edge++];
      if (next !== undefined) {
        if (!nodes.has(next)) continue;
        if (!index.has(next)) visit(next);
        else if (isOpen.has(next)) lower(node, index.get(next) as number);
        continue;
      }
      path.pop();
      const parent = path.at(-1);
      if (parent) lower(parent.node, lowest.get(node) as number);
      if (lowest.get(node) !== index.get(node)) continue;
      const component = open.splice(open.lastIndexOf(node));
      for (const member of component) isOpen.delete(member);
      if (component.length > 1) loops.push(new Set(component));
    }
  }
  return loops;
}
