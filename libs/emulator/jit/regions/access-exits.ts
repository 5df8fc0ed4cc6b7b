import type { FunctionWriter, Label } from '../wasm/encoder.js';
import type { Emit } from '../wasm/lowering.js';
import type { GuestRegisters, HeldRegister } from './guest-registers.js';

/** So many accesses of a block may have a way out of their own, and so many registers are stored there. */
const MAX_DETOURS = 16;
const MOST_TO_STORE = 8;

/** A way to where accesses go that do not pass. */
interface Detour {
  readonly label: Label;
  /** Undefined until somebody takes it. */
  registers: readonly HeldRegister[] | undefined;
}

/**
 * Where the accesses of a block go that do not pass, behind the block's code: one place for all. On the way there, registers are
 * stored that the block itself stores later, or not at all.
 */
export class AccessExits {
  readonly #passed: Label;
  readonly #failed: Label;
  readonly #detours: readonly Detour[];

  /** Begins the block's code. @param detours how many accesses may want a way of their own */
  constructor(
    private readonly writer: FunctionWriter,
    private readonly registers: GuestRegisters,
    detours: number,
  ) {
    this.#passed = writer.block();
    this.#failed = writer.block();
    this.#detours = Array.from({ length: Math.min(detours, MAX_DETOURS) }, () => {
      return { label: writer.block(), registers: undefined };
    });
  }

  /** Takes a condition from the stack and goes there if it holds. @param kept registers that are not stored in this block */
  leaveIf(kept: bigint): void {
    this.writer.brIf(this.#wayOut(kept));
  }

  #wayOut(kept: bigint): Label {
    const unstored = this.registers.unstored(kept);
    if (unstored.length === 0) return this.#failed;
    const free = unstored.length <= MOST_TO_STORE && this.#detours.find(({ registers }) => !registers);
    if (!free) {
      this.registers.store();
      this.registers.storeKept(kept);
      return this.#failed;
    }
    free.registers = unstored;
    return free.label;
  }

  /** Ends the block's code. @param leave emits what leaves the region */
  close(leave: Emit): void {
    const w = this.writer;
    w.br(this.#passed);
    for (const { registers } of this.#detours.toReversed()) {
      w.end();
      if (!registers) continue;
      this.registers.storeThese(registers);
      w.br(this.#failed);
    }
    w.end(); // failed
    leave();
    w.end(); // passed
  }
}
