/** Which registers a region must load where it is entered, and write back where it is left. Sets are bit masks. */

/** What one node does to registers that live in locals. */
export interface RegisterUse {
  /** Read before they are certainly written. */
  readonly reads: bigint;
  /** Certainly written on every path through the node. */
  readonly kills: bigint;
  /** Written on some path. */
  readonly writes: bigint;
  /** The node can leave the region before its end; everything changed so far is then written back. */
  readonly leaves: boolean;
  /** The node can leave the region at its end. */
  readonly exits: boolean;
}

export interface RegisterFlow {
  /** Per node: registers whose locals must hold the current value at its start. */
  readonly live: readonly bigint[];
  /** Per node: registers that an exit from within the node writes back. */
  readonly dirty: readonly bigint[];
}

/** More distinct sets than this are merged into one: each costs its own write-back code. */
const MAX_DIRTY_SETS = 12;

/** @param order nodes in reverse postorder */
export function analyseRegisters(
  successors: readonly (readonly number[])[],
  order: readonly number[],
  uses: readonly RegisterUse[],
): RegisterFlow {
  const dirty: bigint[] = uses.map(() => 0n);
  const at = (list: readonly bigint[], node: number): bigint => list[node] as bigint;
  // Forwards: what may have been changed since the region was entered.
  for (let changed = true; changed;) {
    changed = false;
    for (const node of order) {
      const out = at(dirty, node) | (uses[node] as RegisterUse).writes;
      for (const next of successors[node] ?? []) {
        const merged = at(dirty, next) | out;
        if (merged === at(dirty, next)) continue;
        dirty[next] = merged;
        changed = true;
      }
    }
  }
  for (const node of order) dirty[node] = at(dirty, node) | (uses[node] as RegisterUse).writes;
  const leaving = order.filter((node) => (uses[node] as RegisterUse).leaves || (uses[node] as RegisterUse).exits);
  if (new Set(leaving.map((node) => at(dirty, node))).size > MAX_DIRTY_SETS) {
    const all = leaving.reduce((union, node) => union | at(dirty, node), 0n);
    for (const node of leaving) dirty[node] = all;
  }
  // Backwards: what is looked at later, write-backs included.
  const live: bigint[] = uses.map(() => 0n);
  for (let changed = true; changed;) {
    changed = false;
    for (let i = order.length - 1; i >= 0; i--) {
      const node = order[i] as number;
      const use = uses[node] as RegisterUse;
      let out = 0n;
      for (const next of successors[node] ?? []) out |= at(live, next);
      if (use.exits) out |= at(dirty, node);
      let result = use.reads | (out & ~use.kills);
      if (use.leaves) result |= at(dirty, node);
      if (result === at(live, node)) continue;
      live[node] = result;
      changed = true;
    }
  }
  return { live, dirty };
}
