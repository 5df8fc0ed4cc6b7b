import type { Fragment, Value, Width } from '../ir/index.js';
import { alignmentOf, BranchKind, NO_VALUE, Op, Width as Widths } from '../ir/index.js';
import { sumOf } from '../wasm/lowering.js';
import type { PairPart } from './unaligned.js';

export const READ = 0;
export const WRITE = 1;

/** Two addresses not further apart than this lie on one page or on two neighbours: what is between them, too. */
export const MAX_SPAN = 4096;
/** The widest alignment: a check of several accesses needs as much room to begin at a multiple of theirs. */
export const MAX_ALIGNMENT = 8;

/** What is left of a distance, which may be negative: from 0 to below `modulus`. */
export const remainderOf = (value: number, modulus: number): number => ((value % modulus) + modulus) % modulus;

/** An access to guest memory. */
export interface Access {
  readonly kind: typeof READ | typeof WRITE;
  /** What the address must be a multiple of. */
  readonly alignment: number;
  /** How far from its first byte the last one is that must be looked at: another page begins at a multiple of the alignment. */
  readonly reach: number;
  /** How many accesses follow before which nothing may leave once this one is made, see `PairPart`. */
  readonly withNext: number;
  /** Undefined where the address is no constant distance from a register. */
  readonly from: { readonly base: number; readonly distance: number } | undefined;
  /** It is not certain that it executes whenever the block does. */
  readonly conditional: boolean;
  /** It often goes elsewhere than where the direct window shows memory, see `TranslationHost.strays`. */
  readonly strays: boolean;
}

/** An access off a register that one check may cover together with others: it is certain to be made. */
export type SharingAccess = Access & { readonly from: NonNullable<Access['from']> };

export const canShareCheck = (access: Access): access is SharingAccess =>
  access.from !== undefined && !access.conditional && !access.strays;

/** What a block does, in order, as far as it matters here. */
export type Step =
  | { readonly kind: 'access'; readonly access: Access }
  /** A register gets another's value plus a constant, or an unknown value. */
  | { readonly kind: 'set'; readonly register: number; readonly to: Access['from']; readonly conditional: boolean };

/** A block's code, and which of its instructions are one access together, by index. */
export interface PairedFragment {
  readonly fragment: Fragment;
  readonly pairs: ReadonlyMap<number, PairPart>;
}

/**
 * What a block does to memory, and to the registers that addresses come from.
 * @param strays addresses of instructions whose accesses do
 */
export function stepsOf({ fragment: f, pairs }: PairedFragment, strays: ReadonlySet<number>): Step[] {
  const steps: Step[] = [];
  const setAt = new Map<number, number>();
  let index = -1;
  let depth = 0;
  let inUncertainSlot = false;
  let doStray = false;
  /** From a register that is read now, or that nobody has set since it was read. */
  const fromRegister = (value: Value): Access['from'] => {
    const sum = sumOf(f, value);
    return sum && (setAt.get(sum.base) ?? -1) < sum.load ? { base: sum.base, distance: sum.distance } : undefined;
  };
  for (let i = 0; i < f.length; i++) {
    const op = f.op[i];
    const conditional = depth > 0 || inUncertainSlot;
    if (op === Op.InsnStart) {
      index++;
      doStray = strays.has((f.a[i] as number) >>> 0);
    } else if (op === Op.If) depth++;
    else if (op === Op.EndIf) depth--;
    else if (op === Op.Branch && f.c[i] === BranchKind.Likely) inUncertainSlot = true;
    else if (op === Op.StoreState && f.b[i] === NO_VALUE) {
      const register = f.a[i] as number;
      steps.push({ kind: 'set', register, to: fromRegister(f.d[i] as Value), conditional });
      setAt.set(register, i);
    } else if (op === Op.LoadGuest || op === Op.StoreGuest) {
      const kind = op === Op.LoadGuest ? READ : WRITE;
      const width = f.c[i] as Width;
      const reach = width === Widths.Unaligned32 ? 3 : 0;
      const part = pairs.get(index);
      const withNext = part?.kind === 'whole' ? part.withNext : 0;
      const from = fromRegister(f.a[i] as Value);
      steps.push({
        kind: 'access',
        access: { kind, alignment: alignmentOf(width), reach, withNext, from, conditional, strays: doStray },
      });
    }
  }
  return steps;
}
