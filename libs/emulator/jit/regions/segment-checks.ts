import type { FunctionWriter } from '../wasm/encoder.js';
import { ValType, W } from '../wasm/encoder.js';
import type { SegmentWindow } from './direct-window.js';
import type { CheckedRange, CheckExits, Place, WindowChecks } from './window-checks.js';

/** The value of a page's flags that lets stores pass: they have been noted, and nothing was translated from the page. */
const STORES_PASS = 1;
/** The same of two neighbours. */
const BOTH_PASS = 0x0101;

/** Compares addresses with the size of a segment; stores look at their pages' flags, too. */
export class SegmentChecks implements WindowChecks {
  constructor(
    private readonly writer: FunctionWriter,
    private readonly window: SegmentWindow,
  ) {}

  leaveUnlessHeld(ranges: readonly CheckedRange[], exits: CheckExits): void {
    const w = this.writer;
    for (const range of ranges) {
      exits.noteInstruction(() => w.i32(1));
      this.#isInside(range);
      w.op(W.i32_eqz);
      exits.leaveIf();
    }
    for (const range of ranges) if (range.write) this.#leaveUnlessStoresPass(range, exits);
  }

  areHeld(ranges: readonly CheckedRange[]): void {
    const w = this.writer;
    this.#areInside(ranges);
    const written = ranges.filter(({ write }) => write);
    if (written.length === 0) return;
    w.if(ValType.i32);
    written.forEach((range, i) => {
      this.#doStoresPass(range);
      if (i > 0) w.op(W.i32_and);
    });
    w.else();
    w.i32(0);
    w.end();
  }

  doStray(ranges: readonly CheckedRange[]): void {
    this.#areInside(ranges);
    this.writer.op(W.i32_eqz);
  }

  placeOf(local: number, distance: number): Place {
    return { at: () => this.#offset(local, distance), offset: this.window.linear };
  }

  #areInside(ranges: readonly CheckedRange[]): void {
    ranges.forEach((range, i) => {
      this.#isInside(range);
      if (i > 0) this.writer.op(W.i32_and);
    });
  }

  /** Leaves whether a range is in the segment and aligned. It wraps around nowhere: it is shorter than the segment. */
  #isInside({ local, low, high, alignment }: CheckedRange): void {
    const w = this.writer;
    const shift = Math.log2(alignment);
    this.#offset(local, low);
    if (shift > 0) {
      // Rotated, bits that break the alignment make the number too large.
      w.i32(shift);
      w.op(W.i32_rotr);
    }
    w.i32(Math.ceil(Math.max(this.window.sizeBytes - (high - low), 0) / alignment));
    w.op(W.i32_lt_u);
  }

  /** Looks at two pages at once, where those are a range's first one and the next. The range is inside. */
  #leaveUnlessStoresPass(range: CheckedRange, exits: CheckExits): void {
    const w = this.writer;
    const { local, low, high } = range;
    const isOnePage = low === high;
    if (!isOnePage) {
      this.#flags(W.i64_load16_u, local, low);
      w.i64(BOTH_PASS, 0);
      w.op(W.i64_ne);
      w.if();
      exits.enterArm();
    }
    exits.noteInstruction(() => w.i32(0));
    this.#doStoresPass(range);
    w.op(W.i32_eqz);
    exits.leaveIf();
    if (isOnePage) return;
    exits.leaveArm();
    w.end();
  }

  /** Leaves whether the pages of a range, which is inside, may be written to. */
  #doStoresPass({ local, low, high }: CheckedRange): void {
    const w = this.writer;
    [...new Set([low, high])].forEach((distance, i) => {
      this.#flags(W.i64_load8_u, local, distance);
      w.i64(STORES_PASS, 0);
      w.op(W.i64_eq);
      if (i > 0) w.op(W.i32_and);
    });
  }

  /** Leaves flags from an address's page on. As i64: of an i32, V8 would load the byte twice. */
  #flags(load: number, local: number, distance: number): void {
    const w = this.writer;
    this.#offset(local, distance);
    w.i32(12);
    w.op(W.i32_shr_u);
    w.memory(load, this.window.flags);
  }

  /** Leaves how far an address is from the segment's start. */
  #offset(local: number, distance: number): void {
    const w = this.writer;
    w.get(local);
    w.i32((distance - this.window.virtualBase) | 0);
    w.op(W.i32_add);
  }
}
