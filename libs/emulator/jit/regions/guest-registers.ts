import type { CpuArea } from '../wasm/cpu-area.js';
import type { FunctionWriter } from '../wasm/encoder.js';
import { ValType } from '../wasm/encoder.js';
import type { RegisterBits } from './register-use.js';

/** Offsets and locals of registers. */
export type UnstoredRegisters = readonly (readonly [offset: number, local: number])[];

/**
 * The guest's registers in a region's function: in locals, as far as the region uses them, and stored ahead of where it may be
 * left. Registers are named by their offsets in the CPU's area.
 */
export class GuestRegisters {
  readonly #locals = new Map<number, number>();
  /** Those whose locals are newer than the CPU's area. */
  readonly #unstored = new Map<number, number>();
  /** How many arms of `If`s the code in hand is in. */
  #armDepth = 0;

  /** @param used those that get locals */
  constructor(
    private readonly writer: FunctionWriter,
    private readonly cpu: CpuArea,
    private readonly bits: RegisterBits,
    used: bigint,
  ) {
    for (const [offset, bit] of bits) if (used & bit) this.#locals.set(offset, writer.local(ValType.i32));
  }

  localOf(offset: number): number | undefined {
    return this.#locals.get(offset);
  }

  /** Loads the registers of a set. */
  load(set: bigint): void {
    for (const [offset, local] of this.#locals) {
      if (!(set & (this.bits.get(offset) as bigint))) continue;
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

  /** What must be stored if the region is left here. */
  unstored(): UnstoredRegisters {
    return [...this.#unstored];
  }

  /** Stores registers on a way out that begins where these were not stored. */
  storeThese(registers: UnstoredRegisters): void {
    for (const [offset, local] of registers) this.cpu.store({ offset }, () => this.writer.get(local));
  }

  /** The same on a way out: whoever goes on has not stored them. */
  storeToLeave(): void {
    this.storeThese(this.unstored());
  }
}
