import { describe, expect, it } from '@jest/globals';
import type { Block, Entries, Region, Terminator } from './region.js';
import { RegionGraph } from './region-graph.js';

const AT = 0x80001000;
const at = (index: number): number => AT + 0x40 * index;

const block = (index: number, instructions: number, end: Terminator): Block => ({
  address: at(index),
  instructions: Array.from({ length: instructions }, (_, i) => ({ address: at(index) + 4 * i, word: 0 })),
  branchAt: -1,
  end,
});
const goto = (target: number): Terminator => ({ kind: 'goto', target: at(target) });
const branch = (taken: number, next: number): Terminator => ({
  ...{ kind: 'branch', taken: at(taken), next: at(next), likely: false },
});

function graphOf(entries: Entries, ...blocks: Block[]) {
  return new RegionGraph(regionOf(entries, ...blocks));
}

function regionOf([seed, ...others]: Entries, ...blocks: Block[]): Region {
  return {
    ...{
      blocks,
      entries: [at(seed), ...others.map(at)],
      pages: new Map(),
      words: new Map(),
      claimed: new Set<number>(),
    },
    calls: new Map(),
    instructionCount: blocks.reduce((sum, { instructions }) => sum + instructions.length, 0),
  };
}

describe('the graph of a region', () => {
  it('has a loop whose head checks the budget, and labels what follows from several places', () => {
    // 0 → 1 ⇄ 2, 1 → 3, 2 → 3
    const graph = graphOf(
      [0],
      block(0, 3, goto(1)),
      block(1, 4, branch(3, 2)),
      block(2, 5, branch(1, 3)),
      block(3, 6, { kind: 'system' }),
    );
    const [b0, b1, b2, b3] = [0, 1, 2, 3].map((i) => graph.firstBlock + i) as [number, number, number, number];
    expect([b0, b1, b2, b3].map((node) => graph.isLoopHead(node))).toEqual([false, true, false, false]);
    expect([b0, b1, b2, b3].map((node) => graph.isLabelled(node))).toEqual([false, false, false, true]);
    expect([graph.merges(b1), graph.behindLoop(b1)]).toEqual([[], [b3]]);
    expect([graph.isCheckpoint(b1), graph.isCheckpoint(b3)]).toEqual([true, false]);
    expect(graph.isBackward(b2, b1)).toBe(true);
    // To the loop's head; once around it and out.
    expect([b0, b1, b2, b3].map((node) => graph.bounds[node])).toEqual([3, 4 + 5 + 6, 5 + 6, 6]);
    expect([graph.next(b1, at(3)), graph.next(b1, at(9))]).toEqual([b3, undefined]);
    expect(graph.dispatched).toEqual([]);
  });

  it('copies what an entry into the middle of a loop executes until the head', () => {
    const graph = graphOf([0, 2], block(0, 1, goto(1)), block(1, 5, goto(2)), block(2, 3, goto(1)));
    const middle = graph.firstBlock + 2;
    const copy = graph.next(2, at(2)) as number; // from the second stub
    expect(copy).not.toBe(middle);
    expect([graph.origins[copy], graph.blockOf(copy)?.address]).toEqual([middle, at(2)]);
    expect(graph.isRouted(2, copy)).toBe(false);
    expect(graph.next(copy, at(1))).toBe(graph.firstBlock + 1);
  });

  it('keeps nested loops clean though each of their blocks is an entry', () => {
    // Two loops within one: 1 2 3 and 4 5 6. What enters the outer one's copy enters the copies of these in their middle again.
    const graph = graphOf(
      [0, 1, 2, 3, 4, 5, 6, 7],
      ...[block(0, 40, goto(1)), block(1, 40, goto(2)), block(2, 40, goto(3)), block(3, 40, branch(1, 4))],
      ...[block(4, 40, goto(5)), block(5, 40, goto(6)), block(6, 40, branch(4, 7)), block(7, 40, branch(0, 8))],
      block(8, 1, { kind: 'system' }),
    );
    expect(graph.dispatched).toEqual([]);
    const heads = graph.loops.map(({ head }) => graph.blockOf(head)?.address);
    for (const head of [0, 1, 4]) expect(heads).toContain(at(head));
    for (const { head, body } of graph.loops)
      for (const node of body) if (graph.blockOf(head)?.address !== at(0)) expect(graph.mayKeep(node)).toBe(true);
  });

  it('goes to its entries through the root where it jumps through a table', () => {
    const jump: Terminator = { kind: 'indirect', role: 'jump', guess: undefined, returnTo: 0 };
    const graph = graphOf([0, 1], block(0, 2, jump), block(1, 3, goto(0)));
    expect(graph.dispatchesItself).toBe(true);
    expect(graph.dispatched).toEqual([graph.firstBlock, graph.firstBlock + 1]);
    expect([...graph.dispatchIndex.values()]).toEqual([2, 3]); // behind the stubs of two entries
    expect(graph.isCheckpoint(graph.firstBlock + 1)).toBe(true);
  });

  it('goes on where calls of other regions return to, and knows nothing of registers and the budget there', () => {
    const elsewhere: Terminator = { kind: 'goto', target: at(9), returnTo: at(1) };
    const through: Terminator = { kind: 'indirect', role: 'call', guess: undefined, returnTo: at(2) };
    const blocks = [block(0, 3, elsewhere), block(1, 4, through), block(2, 5, { kind: 'system' })];
    const graph = new RegionGraph(regionOf([0, 1, 2], ...blocks), true);
    const nodes = [0, 1, 2].map((i) => graph.firstBlock + i);
    expect(blocks.map(({ end }) => graph.continuesAt(end))).toEqual([at(1), at(2), undefined]);
    expect(nodes.map((node) => graph.successors[node])).toEqual([[nodes[1]], [nodes[2]], []]);
    expect(nodes.map((node) => graph.forgets(node))).toEqual([false, true, true]);
    expect(nodes.map((node) => graph.isCheckpoint(node))).toEqual([false, true, true]);
    const within: Terminator = { kind: 'goto', target: at(2), returnTo: at(1) };
    expect(graph.continuesAt(within)).toBeUndefined();
    expect(graphOf([0, 1, 2], ...blocks).continuesAt(elsewhere)).toBeUndefined();
  });

  it('knows where calls within the region return to, and checks long ways at the entries', () => {
    const call: Terminator = { kind: 'goto', target: at(2), returnTo: at(1) };
    const back: Terminator = { kind: 'indirect', role: 'return', guess: undefined, returnTo: 0 };
    const graph = graphOf([0], block(0, 700, call), block(1, 4, { kind: 'system' }), block(2, 400, back));
    expect(graph.guesses(block(2, 400, back))).toEqual([at(1)]);
    expect(graph.isCheckpoint(graph.firstBlock)).toBe(true); // 1,104 instructions are more than a page's worth
    expect(graph.bounds[graph.firstBlock]).toBe(1104);
  });
});
