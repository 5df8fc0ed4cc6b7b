import { MirrorPage } from '../ir/index.js';
import type { FunctionWriter } from '../wasm/encoder.js';
import { W } from '../wasm/encoder.js';
import { mirrorIndex } from '../wasm/mirror-index.js';
import type { MirrorWindow } from './direct-window.js';
import type { CheckedRange, CheckExits, Place, WindowChecks } from './window-checks.js';

/** An address that is looked up in a table of mirrored pages: a distance from what a local holds. */
interface MirroredAddress {
  /** Linear-memory offset of the table. */
  readonly table: number;
  readonly alignment: number;
  readonly local: number;
  readonly distance: number;
}

/** Looks pages up in tables. Distances are added to addresses that do not carry: nothing below `LOWEST_MIRRORED` is held. */
export class MirrorChecks implements WindowChecks {
  constructor(
    private readonly writer: FunctionWriter,
    private readonly window: MirrorWindow,
  ) {}

  /** Looks at the page of each range's first address only, where that and the one behind it are there: they nearly always are. */
  leaveUnlessHeld(ranges: readonly CheckedRange[], exits: CheckExits): void {
    const w = this.writer;
    const isOnePage = ranges.every(({ low, high }) => low === high);
    if (!isOnePage) {
      this.#look(ranges.map((range) => this.#lowOf(range)));
      w.i64(MirrorPage.next, 0);
      w.op(W.i64_and);
      w.op(W.i64_eqz);
      w.if();
      exits.enterArm();
    }
    exits.noteInstruction(() => this.doStray());
    this.#look(isOnePage ? ranges.map((range) => this.#lowOf(range)) : this.#endsOf(ranges));
    w.op(W.i64_eqz);
    exits.leaveIf();
    if (isOnePage) return;
    exits.leaveArm();
    w.end();
  }

  areHeld(ranges: readonly CheckedRange[]): void {
    this.#look(this.#endsOf(ranges));
    this.writer.i64(0, 0);
    this.writer.op(W.i64_ne);
  }

  /** Whoever offers a mirror sees to it that accesses elsewhere are few, stores among them. */
  doStray(): void {
    this.writer.i32(1);
  }

  placeOf(local: number, distance: number): Place {
    return { at: () => this.writer.get(local), offset: this.window.linear + distance };
  }

  #endsOf(ranges: readonly CheckedRange[]): readonly MirroredAddress[] {
    return ranges.flatMap((range) => {
      const low = this.#lowOf(range);
      return range.low === range.high ? [low] : [low, { ...low, alignment: 1, distance: range.high }];
    });
  }

  #lowOf({ local, low, write, alignment }: CheckedRange): MirroredAddress {
    return { table: write ? this.window.writes : this.window.reads, alignment, local, distance: low };
  }

  /**
   * Leaves, as i64, what the tables say of all these addresses, see `MirrorPage`; 0 where one is not aligned. As
   * i32, V8 loads the byte twice: once to see that it can, once as an operand of the comparison.
   */
  #look(addresses: readonly MirroredAddress[]): void {
    const w = this.writer;
    addresses.forEach(({ table, alignment, local, distance }, i) => {
      w.get(local);
      if (distance !== 0) {
        w.i32(distance);
        w.op(W.i32_add);
      }
      mirrorIndex(w, alignment);
      w.memory(W.i64_load8_u, table);
      if (i > 0) w.op(W.i64_and);
    });
  }
}
