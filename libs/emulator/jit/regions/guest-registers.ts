import type { CpuArea } from '../wasm/cpu-area.js';
import type { FunctionWriter } from '../wasm/encoder.js';
import { ValType } from '../wasm/encoder.js';
import type { GuestRegister, RegisterFile } from './register-use.js';

/** A register that the region keeps in a local. */
export interface HeldRegister extends GuestRegister {
  readonly local: number;
}

/**
 * The guest's registers in a region's function: in locals, as far as the region uses them, and stored ahead of where it may be
 * left.
 */
export class GuestRegisters {
  /** By their offsets. */
  readonly #held = new Map<number, HeldRegister>();
  /** Those whose locals are newer than the CPU's area. */
  readonly #unstored = new Set<HeldRegister>();
  /** How many arms of `If`s the code in hand is in. */
  #armDepth = 0;

  /** @param used those that get locals */
  constructor(
    private readonly writer: FunctionWriter,
    private readonly cpu: CpuArea,
    file: RegisterFile,
    used: bigint,
  ) {
    for (const [offset, register] of file) {
      if (!(used & register.bit)) continue;
      this.#held.set(offset, { ...register, local: writer.local(register.isWide ? ValType.i64 : ValType.i32) });
    }
  }

  localOf(offset: number): number | undefined {
    return this.#held.get(offset)?.local;
  }

  /** Loads the registers of a set. */
  load(set: bigint): void {
    for (const register of this.#held.values()) {
      if (!(set & register.bit)) continue;
      if (register.isWide) this.cpu.loadWide(register);
      else this.cpu.load(register);
      this.writer.set(register.local);
    }
  }

  /**
   * A held register's local has just been written.
   * @param kept those that are stored where their loop is left, see `KeepingLoop`
   */
  written(offset: number, kept: bigint): void {
    const register = this.#held.get(offset) as HeldRegister;
    if (this.#armDepth > 0) this.storeThese([register]);
    else if (!(kept & register.bit)) this.#unstored.add(register);
  }

  enterArm(): void {
    this.#armDepth++;
  }

  leaveArm(): void {
    this.#armDepth--;
  }

  /** Brings the CPU's area up to date but for registers that are kept. @param later registers that somebody else stores */
  store(later = 0n): void {
    const now = [...this.#unstored].filter(({ bit }) => !(later & bit));
    this.storeThese(now);
    if (this.#armDepth === 0) for (const register of now) this.#unstored.delete(register); // else another arm has not stored them
  }

  /** Is the CPU's area up to date but for registers that are kept? */
  get areStored(): boolean {
    return this.#unstored.size === 0;
  }

  /** Emits one of several ways on from here: each begins with what is not stored now. */
  onOneWay(emit: () => void): void {
    const before = [...this.#unstored];
    emit();
    this.#unstored.clear();
    for (const register of before) this.#unstored.add(register);
  }

  /** What must be stored if the region is left here. */
  unstored(kept: bigint): readonly HeldRegister[] {
    return [...this.#unstored, ...this.#those(kept)];
  }

  /** Stores what was kept, where that ends. */
  storeKept(kept: bigint): void {
    this.storeThese(this.#those(kept));
  }

  #those(set: bigint): readonly HeldRegister[] {
    return set === 0n ? [] : [...this.#held.values()].filter(({ bit }) => set & bit);
  }

  /** Stores registers on a way out that begins where these were not stored. */
  storeThese(registers: readonly HeldRegister[]): void {
    for (const register of registers) {
      const value = (): void => this.writer.get(register.local);
      if (register.isWide) this.cpu.storeWide(register, value);
      else this.cpu.store(register, value);
    }
  }

  /** The same on a way out: whoever goes on has not stored them. */
  storeToLeave(kept: bigint): void {
    this.storeThese(this.unstored(kept));
  }
}
