import type { Fragment, TargetDescription } from '../ir/index.js';
import { BranchKind, Op } from '../ir/index.js';
import type { RegisterUse } from './dataflow.js';

/** The guest's registers as bits of sets, by their offsets in the CPU's area. */
export type RegisterBits = ReadonlyMap<number, bigint>;

export function registerBits(fields: TargetDescription['registers']): RegisterBits {
  const bits = new Map<number, bigint>();
  for (const { offset, count, strideShift } of fields)
    for (let i = 0; i < count; i++) bits.set(offset + (i << strideShift), 1n << BigInt(bits.size));
  return bits;
}

/** What a block's code does to registers. */
export function registerUse(f: Fragment, registers: RegisterBits): RegisterUse {
  let [reads, kills, writes] = [0n, 0n, 0n];
  let depth = 0;
  let inUncertainSlot = false;
  for (let i = 0; i < f.length; i++) {
    const op = f.op[i];
    if (op === Op.If) depth++;
    else if (op === Op.EndIf) depth--;
    else if (op === Op.Branch && f.c[i] === BranchKind.Likely) inUncertainSlot = true;
    if ((op !== Op.LoadState && op !== Op.StoreState) || (f.b[i] as number) >= 0) continue;
    const bit = registers.get(f.a[i] as number);
    if (bit === undefined) continue;
    if (op === Op.LoadState) {
      reads |= bit & ~kills;
      continue;
    }
    writes |= bit;
    // What one arm writes, the code behind both takes from the local.
    if (depth > 0) reads |= bit & ~kills;
    else if (!inUncertainSlot) kills |= bit;
  }
  return { reads, kills, writes };
}
