import type { Fragment, Value } from '../ir/index.js';
import { Op, SoftTlb } from '../ir/index.js';
import { baseOf } from '../wasm/lowering.js';

/**
 * How an access finds its translation. `none`: looks it up. `keep`: looks it up and keeps it for later accesses off the
 * same base. `compare`: tries the kept one first.
 */
export type Reuse = 'none' | 'keep' | 'compare';

export interface ReusePlan {
  /** Per fragment: one for each access, in order. */
  readonly blocks: readonly (readonly Reuse[])[];
  /** Bases and kinds of access for which a translation is kept, see {@link reuseKey}. */
  readonly kept: ReadonlySet<number>;
}

/** @param tag offset of the tag that the access compares with: reads and writes are kept apart */
export const reuseKey = (base: number, tag: number): number => base * 16 + tag;

/**
 * Decides where comparing with an earlier translation pays. Registers that move by constant steps only (stack pointers,
 * pointers into arrays) stay on a page for long, so their translation is kept for the whole region. Others point
 * anywhere (a list's next node): there it is kept only among several accesses between two changes of the register.
 */
export function planReuse(fragments: readonly Fragment[]): ReusePlan {
  const wandering = new Set<number>();
  for (const f of fragments)
    for (let i = 0; i < f.length; i++)
      if (f.op[i] === Op.StoreState && (f.b[i] as number) < 0 && baseOf(f, f.d[i] as Value) !== f.a[i])
        wandering.add(f.a[i] as number);

  const kept = new Set<number>();
  const blocks = fragments.map((f) => {
    const plan: Reuse[] = [];
    /** First access of the group that the next one off the same base would join. */
    const groups = new Map<number, number>();
    for (let i = 0; i < f.length; i++) {
      const op = f.op[i];
      if (op === Op.StoreState && (f.b[i] as number) < 0) {
        for (const tag of [SoftTlb.readTag, SoftTlb.writeTag]) groups.delete(reuseKey(f.a[i] as number, tag));
      }
      if (op !== Op.LoadGuest && op !== Op.StoreGuest) continue;
      const base = baseOf(f, f.a[i] as Value);
      plan.push('none');
      if (base === undefined) continue;
      const key = reuseKey(base, op === Op.LoadGuest ? SoftTlb.readTag : SoftTlb.writeTag);
      const first = groups.get(key);
      if (!wandering.has(base)) {
        plan[plan.length - 1] = 'compare';
        kept.add(key);
      } else if (first === undefined) {
        groups.set(key, plan.length - 1);
      } else {
        plan[first] = 'keep';
        plan[plan.length - 1] = 'compare';
        kept.add(key);
      }
    }
    return plan;
  });
  return { blocks, kept };
}
