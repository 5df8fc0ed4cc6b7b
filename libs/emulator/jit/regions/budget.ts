import type { FunctionWriter } from '../wasm/encoder.js';
import { W } from '../wasm/encoder.js';

/** How many instructions a region may still execute, in a local of its function. */
export class Budget {
  constructor(
    private readonly writer: FunctionWriter,
    readonly local: number,
  ) {}

  /** Leaves whether fewer are left than so many. */
  isBelow(count: number): void {
    const w = this.writer;
    w.get(this.local);
    w.i32(count);
    w.op(W.i32_lt_s);
  }

  /** The same with a count that another local holds. */
  isBelowLocal(count: number): void {
    const w = this.writer;
    w.get(this.local);
    w.get(count);
    w.op(W.i32_lt_s);
  }

  /** Charges executed instructions. */
  charge(count: number): void {
    if (count === 0) return;
    this.less(count);
    this.writer.set(this.local);
  }

  /** Charges as many as another local says. */
  chargeLocal(count: number): void {
    const w = this.writer;
    w.get(this.local);
    w.get(count);
    w.op(W.i32_sub);
    w.set(this.local);
  }

  /** Leaves what will be left once so many are charged. */
  less(count: number): void {
    const w = this.writer;
    w.get(this.local);
    w.i32(count);
    w.op(W.i32_sub);
  }
}
