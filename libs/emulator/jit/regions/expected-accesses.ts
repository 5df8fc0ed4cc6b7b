import type { Access, Step } from './access-steps.js';
import { canShareCheck } from './access-steps.js';

interface StepGraph {
  /** Per node. */
  readonly steps: readonly (readonly Step[])[];
  readonly successors: readonly (readonly number[])[];
  /** Nodes in reverse postorder. */
  readonly order: readonly number[];
}

/** By what they access, and how. */
type Accesses = ReadonlyMap<string, Access>;
const NONE: Accesses = new Map();
/** Rounds over the graph after which nothing is expected. */
const MAX_ROUNDS = 10;

/**
 * Finds accesses that are certain to follow a node's end, whichever way is taken, off registers that keep their values until then:
 * one check may cover them together with others.
 * @param keeps whether what is known at the end of a node is of use at the start of another
 * @returns per node; an access's distance is from the register's value at the node's end
 */
export function expectedAccesses(
  { steps, successors, order }: StepGraph,
  keeps: (from: number, to: number) => boolean,
): readonly (readonly Access[])[] {
  const own = new Map<readonly Step[], OwnAccesses>(); // nodes may be copies
  for (const list of steps) if (!own.has(list)) own.set(list, ownAccesses(list));
  /** Undefined for nodes that were not visited: anything may be expected there. */
  const atStart: (Accesses | undefined)[] = steps.map(() => undefined);
  const atEnd = (node: number): Accesses | undefined => {
    const next = successors[node] as readonly number[];
    if (next.length === 0 || next.some((to) => !keeps(node, to))) return NONE;
    let all: Accesses | undefined;
    for (const to of next) {
      const there = atStart[to];
      if (there) all = all ? common(all, there) : there;
    }
    return all;
  };
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let stable = true;
    for (const node of order.toReversed()) {
      const { accesses, sets } = own.get(steps[node] as readonly Step[]) as OwnAccesses; // made above
      const result = new Map(accesses);
      for (const [key, access] of atEnd(node) ?? NONE)
        if (access.from && !sets.has(access.from.base)) result.set(key, access);
      const before = atStart[node];
      if (before && before.size === result.size && common(before, result).size === result.size) continue;
      atStart[node] = result;
      stable = false;
    }
    if (stable) return steps.map((_, node) => [...(atEnd(node) ?? NONE).values()]);
  }
  return steps.map(() => []);
}

interface OwnAccesses {
  readonly accesses: Accesses;
  /** Registers that the node sets. */
  readonly sets: ReadonlySet<number>;
}

/** A node's accesses off registers as they are at its start. */
function ownAccesses(steps: readonly Step[]): OwnAccesses {
  const accesses = new Map<string, Access>();
  const sets = new Set<number>();
  for (const step of steps) {
    if (step.kind === 'set') {
      sets.add(step.register);
      continue;
    }
    const { access } = step;
    if (!canShareCheck(access) || sets.has(access.from.base)) continue;
    const { kind, alignment, reach, from } = access;
    accesses.set(`${from.base} ${from.distance} ${kind} ${alignment} ${reach}`, access);
  }
  return { accesses, sets };
}

function common(a: Accesses, b: Accesses): Accesses {
  return new Map([...a].filter(([key]) => b.has(key)));
}
