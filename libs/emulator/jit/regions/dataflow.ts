/** Which registers a region must load where it is entered. Sets are bit masks. */

/** What one node does to registers that live in locals. */
export interface RegisterUse {
  /** Read before they are certainly written. */
  readonly reads: bigint;
  /** Certainly written on every path through the node. */
  readonly kills: bigint;
  /** Written on some path. */
  readonly writes: bigint;
}

/**
 * Finds which registers somebody reads later.
 * @param order nodes in reverse postorder
 * @returns per node: registers whose locals must hold the current value at its start
 */
export function liveRegisters(
  successors: readonly (readonly number[])[],
  order: readonly number[],
  uses: readonly RegisterUse[],
): readonly bigint[] {
  const live: bigint[] = uses.map(() => 0n);
  for (let changed = true; changed;) {
    changed = false;
    for (let i = order.length - 1; i >= 0; i--) {
      const node = order[i] as number;
      const { reads, kills } = uses[node] as RegisterUse;
      let out = 0n;
      for (const next of successors[node] ?? []) out |= live[next] as bigint;
      const result = reads | (out & ~kills);
      if (result === live[node]) continue;
      live[node] = result;
      changed = true;
    }
  }
  return live;
}
