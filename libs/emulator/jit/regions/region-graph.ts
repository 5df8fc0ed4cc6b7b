import { ENTRY_BUDGET } from '../ir/index.js';
import type { Analysis, Loop, ReducibleGraph } from './flow-graph.js';
import { findLoops, isBackward, makeReducible } from './flow-graph.js';
import { findReturnSites } from './return-sites.js';
import type { SplitGraph } from './loop-splitting.js';
import { splitLoops } from './loop-splitting.js';
import type { Block, Region, Terminator } from './region.js';

/** Most return sites that a return is compared with before it goes through the jump cache. */
const MAX_RETURN_SITES = 8;
/** Instructions that may be copied to keep loops clean: so many, or so many times the region's. */
const COPIED_INSTRUCTIONS = 100;
const COPIES = 4;

/**
 * A region's control flow as its function has it. Nodes are the root, which continues at an entry; one stub an entry; and the
 * blocks, some of them more than once. It says what becomes a loop, a labelled block or the inside of another node
 * (Ramsey 2022), what goes through the dispatcher at the root, and where the budget is checked.
 */
export class RegionGraph {
  static readonly root = 0;
  /** Nodes from here on execute blocks. */
  readonly firstBlock: number;
  readonly successors: readonly (readonly number[])[];
  /** Every node that can be reached, each before what it dominates. */
  readonly order: readonly number[];
  /** Each before those within it. */
  readonly loops: readonly Loop[];
  /** Some block jumps through a table, and stays in the region where the jump cache says that the target is an entry. */
  readonly dispatchesItself: boolean;
  /** Nodes that the root continues at without loading registers, in the order of its jump table, behind the entries. */
  readonly dispatched: readonly number[];
  /** Where each of {@link dispatched} is in the root's jump table. */
  readonly dispatchIndex: ReadonlyMap<number, number>;
  /** By node: the most instructions until the next checkpoint or the end. */
  readonly bounds: Int32Array;

  readonly #nodeOf = new Map<number, number>();
  readonly #split: SplitGraph;
  readonly #graph: ReducibleGraph;
  readonly #children: number[][];
  readonly #labelled: Uint8Array;
  readonly #loopHeads: ReadonlySet<number>;
  /** By loop head: see {@link behindLoop}. */
  readonly #behindLoops = new Map<number, number[]>();
  readonly #isBehindLoop = new Set<number>();
  /** Nodes behind stubs at which the budget is checked. */
  #checkedEntries: ReadonlySet<number> = new Set();

  /** See {@link findReturnSites}. */
  readonly #returnSites: ReadonlyMap<number, readonly number[]>;
  /** Addresses at which calls of other regions return to this one. */
  readonly #returnedTo: ReadonlySet<number>;

  /** @param callsOut calls of other regions return to where they were made, see {@link continuesAt} */
  constructor(
    private readonly region: Region,
    private readonly callsOut = false,
  ) {
    this.firstBlock = 1 + region.entries.length;
    region.blocks.forEach((block, i) => this.#nodeOf.set(block.address, this.firstBlock + i));
    this.#returnedTo = new Set(region.blocks.map(({ end }) => this.continuesAt(end)).filter((at) => at !== undefined));
    this.#returnSites = findReturnSites(region);
    this.dispatchesItself = region.blocks.some(({ end }) => dispatchesItself(end));
    const entryNodes = region.entries.map((address) => this.#nodeOf.get(address) as number); // entries start blocks
    const stubs = region.entries.map((_, i) => 1 + i);
    this.#split = this.#splitLoops(entryNodes, stubs);
    this.#graph = makeReducible(this.#split);
    this.successors = this.#graph.successors;
    this.order = this.#graph.analysis.order;
    this.loops = findLoops(this, this.#graph.analysis);
    const size = this.#split.successors.length;
    this.#labelled = new Uint8Array(size);
    this.#loopHeads = new Set(this.loops.map(({ head }) => head));
    this.#children = Array.from({ length: size }, () => []);
    this.#structure();
    this.#leaveLoops();
    // Entries first: to the jump cache's number of an entry a constant is added to stay in the region.
    const copies = this.#split.copies[RegionGraph.root];
    const entered = this.dispatchesItself ? entryNodes.map((node) => copies?.get(node) ?? node) : [];
    this.dispatched = [...entered, ...[...this.#graph.dispatched].filter((node) => !entered.includes(node))];
    this.dispatchIndex = new Map(this.dispatched.map((node, i) => [node, region.entries.length + i]));
    let bounds = this.#findBounds();
    // Checked again only where the way may be longer than whoever enters has budget for.
    const behindStubs = stubs.flatMap((stub) => this.#split.successors[stub] as number[]);
    if (behindStubs.some((node) => (bounds[node] as number) > ENTRY_BUDGET)) {
      this.#checkedEntries = new Set(behindStubs);
      bounds = this.#findBounds();
    }
    this.bounds = bounds;
  }

  /** Order and dominators of what {@link successors} says. */
  get analysis(): Analysis {
    return this.#graph.analysis;
  }

  /** By node: the one that it is, or a copy of. */
  get origins(): readonly number[] {
    return this.#split.origin;
  }

  /** Does a block start at this address? */
  has(address: number): boolean {
    return this.#nodeOf.has(address);
  }

  /** Index of the block that a node executes; outside of the blocks for nodes that execute none. */
  blockIndex(node: number): number {
    return (this.#split.origin[node] as number) - this.firstBlock;
  }

  /** The block that a node executes; undefined for the root, stubs, and heads of loops that only continue at an inner one's. */
  blockOf(node: number): Block | undefined {
    return this.region.blocks[this.blockIndex(node)];
  }

  /** Where an edge from a node to an address leads, undefined where that is outside the region. */
  next(from: number, address: number): number | undefined {
    const next = this.#nodeOf.get(address);
    return next === undefined ? undefined : (this.#split.copies[from]?.get(next) ?? next);
  }

  /** Where a block's indirect branch may go within the region, in the order in which it compares. */
  guesses({ address, end }: Block): readonly number[] {
    if (end.kind !== 'indirect') return [];
    if (end.role === 'return') return this.#returnSites.get(address)?.slice(0, MAX_RETURN_SITES) ?? [];
    return end.guess !== undefined && this.has(end.guess) ? [end.guess] : [];
  }

  /** The budget is checked here. */
  isCheckpoint(node: number): boolean {
    return (
      node === RegionGraph.root ||
      this.isLoopHead(node) ||
      this.dispatchIndex.has(node) ||
      this.forgets(node) ||
      this.#checkedEntries.has(node)
    );
  }

  /** Where a call of another region continues when that returns; undefined for what is no such call, or where that is elsewhere. */
  continuesAt(end: Terminator): number | undefined {
    if (!this.callsOut || (end.kind !== 'goto' && end.kind !== 'indirect')) return undefined;
    const leaves = end.kind === 'goto' ? !this.has(end.target) : end.role === 'call';
    return leaves && end.returnTo !== undefined && this.has(end.returnTo) ? end.returnTo : undefined;
  }

  /** Another region may have been executed just before: registers and the budget are what it has left. */
  forgets(node: number): boolean {
    const address = this.blockOf(node)?.address;
    return address !== undefined && this.#returnedTo.has(address);
  }

  /** Behind a node's block control may go elsewhere than to the node's successors. */
  mayLeave(node: number): boolean {
    const end = this.blockOf(node)?.end;
    if (!end) return false;
    if (end.kind === 'branch') return !this.has(end.taken) || !this.has(end.next);
    return end.kind !== 'goto' || !this.has(end.target);
  }

  /** See {@link KeepingGraph}. */
  mayKeep(node: number): boolean {
    const end = this.blockOf(node)?.end;
    if (!end || this.forgets(node) || this.dispatchIndex.has(node)) return false;
    return end.kind === 'branch' || (end.kind === 'goto' && this.continuesAt(end) === undefined);
  }

  isLoopHead(node: number): boolean {
    return this.#loopHeads.has(node);
  }

  /** Edges lead here from several nodes, or out of a loop: it follows a block's end, and is not inside the node that dominates it. */
  isLabelled(node: number): boolean {
    return this.#labelled[node] === 1;
  }

  /** Labelled nodes that a node immediately dominates and that follow it within all its loops, the last in order first. */
  merges(node: number): readonly number[] {
    return this.#lastFirst(
      (this.#children[node] as number[]).filter((child) => this.isLabelled(child) && !this.#isBehindLoop.has(child)),
    );
  }

  /**
   * Nodes that follow a loop's end: outside of it, but immediately dominated by one of its nodes, and in every loop around
   * it that this one is in. Inside the loop, V8 would take what they write for changed by each round. The last in order first.
   */
  behindLoop(head: number): readonly number[] {
    return this.#lastFirst(this.#behindLoops.get(head) ?? []);
  }

  #lastFirst(nodes: readonly number[]): readonly number[] {
    const { position } = this.#graph.analysis;
    return nodes.toSorted((a, b) => (position[b] as number) - (position[a] as number));
  }

  /** An edge that no structure reaches: it goes through the root. */
  isRouted(from: number, to: number): boolean {
    return this.#graph.isRouted(from, to);
  }

  isBackward(from: number, to: number): boolean {
    return isBackward(this.#graph.analysis, from, to);
  }

  #successorsOf(block: Block): number[] {
    const { end } = block;
    const targets: readonly number[] =
      end.kind === 'goto'
        ? [end.target]
        : end.kind === 'branch'
          ? [end.taken, end.next]
          : end.kind === 'indirect'
            ? this.guesses(block)
            : [];
    const back = this.continuesAt(end);
    const nodes = [...targets, ...(back === undefined ? [] : [back])]
      .map((address) => this.#nodeOf.get(address))
      .filter((node) => node !== undefined);
    return dispatchesItself(end) ? [...nodes, RegionGraph.root] : nodes;
  }

  /** The nodes' edges, with copies of what entries into the middle of loops execute until the loop's head. */
  #splitLoops(entryNodes: readonly number[], stubs: readonly number[]): SplitGraph {
    const { blocks, instructionCount } = this.region;
    const successors = [
      [...stubs, ...(this.dispatchesItself ? entryNodes : [])],
      ...entryNodes.map((node) => [node]),
      ...blocks.map((block) => this.#successorsOf(block)),
    ];
    const placeOf = (node: number): number => blocks[node - this.firstBlock]?.address ?? 0;
    const sizeOf = (node: number): number => blocks[node - this.firstBlock]?.instructions.length ?? 0;
    const most = Math.max(COPIED_INSTRUCTIONS, COPIES * instructionCount);
    return splitLoops({ successors }, placeOf, sizeOf, most);
  }

  /** Finds each node's children in the dominator tree, and what needs a label. */
  #structure(): void {
    const { analysis } = this.#graph;
    const forwardEdges = new Int32Array(this.#labelled.length);
    for (const node of this.order) {
      if (node !== RegionGraph.root) this.#children[analysis.dominator[node] as number]?.push(node);
      for (const next of this.successors[node] as number[]) {
        if (next === RegionGraph.root || this.isBackward(node, next)) continue;
        if (++(forwardEdges[next] as number) > 1 || node === RegionGraph.root) this.#labelled[next] = 1;
      }
    }
  }

  /** Finds what follows loops. */
  #leaveLoops(): void {
    const { dominator } = this.#graph.analysis;
    for (const node of this.order) {
      const from = dominator[node] as number;
      const left = this.loops.find(({ body }) => body.has(from) && !body.has(node));
      if (!left) continue;
      this.#behindLoops.set(left.head, [...(this.#behindLoops.get(left.head) ?? []), node]);
      this.#isBehindLoop.add(node);
      this.#labelled[node] = 1;
    }
  }

  #findBounds(): Int32Array {
    const longest = new Int32Array(this.successors.length);
    for (const node of this.order.toReversed()) {
      let most = 0;
      for (const next of this.successors[node] as number[])
        if (!this.isCheckpoint(next)) most = Math.max(most, longest[next] as number);
      longest[node] = most + (this.blockOf(node)?.instructions.length ?? 0);
    }
    return longest;
  }
}

/** Jumps through tables stay in the region where they can: the jump cache says which entry the target is. */
export const dispatchesItself = (end: Terminator): boolean => end.kind === 'indirect' && end.role === 'jump';
