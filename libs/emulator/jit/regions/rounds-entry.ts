import type { FunctionWriter } from '../wasm/encoder.js';
import { ValType, W } from '../wasm/encoder.js';
import type { Budget } from './budget.js';
import type { MirrorWindow } from './direct-window.js';
import type { GuestRegisters } from './guest-registers.js';
import type { MirroredAddress } from './mirror-lookup.js';
import { mirrored, tableOf } from './mirror-lookup.js';
import type { MovingRange, RoundsCheck } from './rounds.js';

/** More than any budget. */
const ALWAYS = 0x7fff_ffff;

/** A loop whose accesses are checked for several rounds. */
export interface CheckedLoop extends RoundsCheck {
  /** Instructions of a round. */
  readonly cost: number;
  /** The budget that one needs. */
  readonly bound: number;
}

/** Emit what leaves the first instruction of a loop's block to the interpreter: for want of budget, or of a page. */
export type LeaveLoop = (way: 'interpret' | 'missed') => void;

/**
 * Emits checks of several rounds together with the budget's, where a loop's block begins: the budget says how many rounds there have
 * been, so that those which need neither compare once.
 */
export class RoundsEntry {
  /** The budget below which there is something to do. One is enough: such loops are not within each other. */
  readonly #limit: number;

  constructor(
    private readonly writer: FunctionWriter,
    private readonly window: MirrorWindow,
    private readonly budget: Budget,
    private readonly registers: GuestRegisters,
  ) {
    this.#limit = writer.local(ValType.i32);
  }

  /** Ahead of the loop: the first round makes the check. */
  open(): void {
    this.#limitTo(ALWAYS);
  }

  /** Where the loop's block begins. */
  check(loop: CheckedLoop, leave: LeaveLoop): void {
    const w = this.writer;
    const { ranges, rounds, cost, bound } = loop;
    this.budget.isBelowLocal(this.#limit);
    w.if();
    const passed = w.block();
    const missed = w.block();
    const spent = w.block();
    this.budget.isBelow(bound);
    w.brIf(spent);
    this.#areMirrored(ranges, ({ low, high, below, above }) => [low + below, high + above]);
    w.if();
    this.#limitAfter((rounds - 1) * cost, bound);
    w.br(passed);
    w.end();
    // The last rounds would reach too far, or some page is not there at all.
    this.#areMirrored(ranges, ({ low, high }) => [low, high]);
    w.op(W.i32_eqz);
    w.brIf(missed);
    this.#limitTo(ALWAYS);
    w.br(passed);
    w.end(); // spent
    leave('interpret');
    w.end(); // missed
    leave('missed');
    w.end(); // passed
    w.end();
  }

  #limitTo(limit: number): void {
    this.writer.i32(limit);
    this.writer.set(this.#limit);
  }

  /** The check is made again once so many instructions have been executed, or where the budget gets below a bound. */
  #limitAfter(instructions: number, bound: number): void {
    const w = this.writer;
    w.i32(bound);
    this.budget.less(instructions);
    this.budget.isBelow(instructions + bound);
    w.op(W.select);
    w.set(this.#limit);
  }

  /** Leaves whether all ranges' ends are mirrored and aligned. */
  #areMirrored(ranges: readonly MovingRange[], endsOf: (range: MovingRange) => readonly [number, number]): void {
    mirrored(
      this.writer,
      ranges.flatMap((range) => this.#addresses(range, endsOf(range))),
    );
    this.writer.i64(0, 0);
    this.writer.op(W.i64_ne);
  }

  #addresses(
    { base, write, alignment }: MovingRange,
    [low, high]: readonly [number, number],
  ): readonly MirroredAddress[] {
    const there = { table: tableOf(this.window, write), local: this.registers.localOf(base) as number }; // it is known
    const first = { ...there, alignment, distance: low };
    return low === high ? [first] : [first, { ...there, alignment: 1, distance: high }];
  }
}
