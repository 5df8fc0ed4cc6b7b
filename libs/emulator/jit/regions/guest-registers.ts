import type { Fragment, TargetDescription } from '../ir/index.js';
import { BranchKind, Op } from '../ir/index.js';
import type { CpuArea } from '../wasm/cpu-area.js';
import type { FunctionWriter } from '../wasm/encoder.js';
import { ValType } from '../wasm/encoder.js';
import type { RegisterUse } from './dataflow.js';

/**
 * The guest's registers in a region's function: numbered, as bits of sets; in locals, as far as the region uses them; and
 * stored where the region may be left. Registers are named by their offsets in the CPU's area.
 */
export class GuestRegisters {
  readonly #bits = new Map<number, bigint>();
  readonly #locals = new Map<number, number>();
  /** Those whose locals are newer than the CPU's area. */
  readonly #unstored = new Map<number, number>();
  /** How many arms of `If`s the code in hand is in. */
  #armDepth = 0;

  constructor(
    private readonly writer: FunctionWriter,
    private readonly cpu: CpuArea,
    fields: TargetDescription['registers'],
  ) {
    for (const { offset, count, strideShift } of fields)
      for (let i = 0; i < count; i++) this.#bits.set(offset + (i << strideShift), 1n << BigInt(this.#bits.size));
  }

  /** What a block does to them. */
  useOf(f: Fragment): RegisterUse {
    let [reads, kills, writes] = [0n, 0n, 0n];
    let depth = 0;
    let inUncertainSlot = false;
    for (let i = 0; i < f.length; i++) {
      const op = f.op[i];
      if (op === Op.If) depth++;
      else if (op === Op.EndIf) depth--;
      else if (op === Op.Branch && f.c[i] === BranchKind.Likely) inUncertainSlot = true;
      if ((op !== Op.LoadState && op !== Op.StoreState) || (f.b[i] as number) >= 0) continue;
      const bit = this.#bits.get(f.a[i] as number);
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

  /** Gives the registers of a set their locals. */
  declare(set: bigint): void {
    for (const [offset, bit] of this.#bits) if (set & bit) this.#locals.set(offset, this.writer.local(ValType.i32));
  }

  localOf(offset: number): number | undefined {
    return this.#locals.get(offset);
  }

  /** Loads the registers of a set. */
  load(set: bigint): void {
    for (const [offset, local] of this.#locals) {
      if (!(set & (this.#bits.get(offset) as bigint))) continue;
      this.cpu.load({ offset });
      this.writer.set(local);
    }
  }

  /** A register's local has just been written. */
  written(offset: number, local: number): void {
    if (this.#armDepth > 0) this.cpu.store({ offset }, () => this.writer.get(local));
    else this.#unstored.set(offset, local);
  }

  enterArm(): void {
    this.#armDepth++;
  }

  leaveArm(): void {
    this.#armDepth--;
  }

  /** Brings the CPU's area up to date. */
  store(): void {
    this.storeToLeave();
    if (this.#armDepth === 0) this.#unstored.clear(); // else another arm has not stored them
  }

  /** The same on a way out: whoever goes on has not stored them. */
  storeToLeave(): void {
    for (const [offset, local] of this.#unstored) this.cpu.store({ offset }, () => this.writer.get(local));
  }
}
