import type { FunctionWriter } from '../wasm/encoder.js';
import { ValType, W } from '../wasm/encoder.js';
import type { Emit } from '../wasm/lowering.js';
import type { Budget } from './budget.js';
import type { GuestRegisters } from './guest-registers.js';
import type { MovingRange, RoundsCheck } from './rounds.js';
import type { CheckedRange, WindowChecks } from './window-checks.js';

/** More than any budget. */
const ALWAYS = 0x7fff_ffff;

/** A loop whose accesses are checked for several rounds. */
export interface CheckedLoop extends RoundsCheck {
  /** Instructions of a round. */
  readonly cost: number;
  /** The budget that one needs. */
  readonly bound: number;
}

/** Emit what leaves the first instruction of a loop's block to the interpreter. */
export interface LeaveLoop {
  /** For want of budget. */
  readonly spent: Emit;
  /** For want of a page. @param strays leaves, as i32, whether it is outside of the window */
  missed(strays: Emit): void;
}

/**
 * Emits checks of several rounds together with the budget's, where a loop's block begins: the budget says how many rounds there have
 * been, so that those which need neither compare once.
 */
export class RoundsEntry {
  /** The budget below which there is something to do. One is enough: such loops are not within each other. */
  readonly #limit: number;

  constructor(
    private readonly writer: FunctionWriter,
    private readonly checks: WindowChecks,
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
    this.checks.areHeld(ranges.map((range) => this.#checked(range, range.low + range.below, range.high + range.above)));
    w.if();
    this.#limitAfter((rounds - 1) * cost, bound);
    w.br(passed);
    w.end();
    // The last rounds would reach too far, or some page is not there at all.
    const first = ranges.map((range) => this.#checked(range, range.low, range.high));
    this.checks.areHeld(first);
    w.op(W.i32_eqz);
    w.brIf(missed);
    this.#limitTo(ALWAYS);
    w.br(passed);
    w.end(); // spent
    leave.spent();
    w.end(); // missed
    leave.missed(() => this.checks.doStray(first));
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

  #checked({ base, write, alignment }: MovingRange, low: number, high: number): CheckedRange {
    const local = this.registers.localOf(base) as number; // it is known
    return { local, low, high, write, alignment };
  }
}
