import type { Fragment, TargetDescription } from '../ir/index.js';
import { BranchKind, Op, Type } from '../ir/index.js';
import type { RegisterUse } from './dataflow.js';

/** A register of the guest, as far as regions know it. */
export interface GuestRegister {
  /** In the CPU's area. */
  readonly offset: number;
  /** In sets of registers. */
  readonly bit: bigint;
  readonly isWide: boolean;
}

/** By their offsets. */
export type RegisterFile = ReadonlyMap<number, GuestRegister>;

export function registerFile(fields: TargetDescription['registers']): RegisterFile {
  const all = new Map<number, GuestRegister>();
  for (const { offset: first, count, strideShift, type } of fields) {
    for (let i = 0; i < count; i++) {
      const offset = first + (i << strideShift);
      all.set(offset, { offset, bit: 1n << BigInt(all.size), isWide: type === Type.I64 });
    }
  }
  return all;
}

/** What a block's code does to registers. */
export function registerUse(f: Fragment, registers: RegisterFile): RegisterUse {
  let [reads, kills, writes] = [0n, 0n, 0n];
  let depth = 0;
  let inUncertainSlot = false;
  for (let i = 0; i < f.length; i++) {
    const op = f.op[i];
    if (op === Op.If) depth++;
    else if (op === Op.EndIf) depth--;
    else if (op === Op.Branch && f.c[i] === BranchKind.Likely) inUncertainSlot = true;
    if ((op !== Op.LoadState && op !== Op.StoreState) || (f.b[i] as number) >= 0) continue;
    const bit = registers.get(f.a[i] as number)?.bit;
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
