import type { FunctionWriter } from '../wasm/encoder.js';
import { ValType } from '../wasm/encoder.js';
import type { Emit } from '../wasm/lowering.js';

/** Where a region finds the soft TLB. It stays the same while a translation runs. */
export class TlbPlace {
  readonly #local: number | undefined;

  /**
   * @param load leaves its linear-memory offset, from the CPU's area
   * @param often accesses look there: it is loaded once, where the function begins
   */
  constructor(
    private readonly writer: FunctionWriter,
    private readonly load: Emit,
    often: boolean,
  ) {
    this.#local = often ? writer.local(ValType.i32) : undefined;
  }

  /** Where the function begins. */
  prepare(): void {
    if (this.#local === undefined) return;
    this.load();
    this.writer.set(this.#local);
  }

  /** Leaves its linear-memory offset. */
  readonly offset: Emit = () => {
    if (this.#local === undefined) this.load();
    else this.writer.get(this.#local);
  };
}
