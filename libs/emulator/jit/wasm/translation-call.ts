import { ENTRY_BUDGET } from '../ir/index.js';
import type { FunctionWriter } from './encoder.js';
import { ValType, W } from './encoder.js';
import type { Emit } from './lowering.js';

/** What a translation is called with, by parameter, all i32. */
export const TranslationParameter = {
  /** Which of its entries. */
  Entry: 0,
  /** Its own index in the table of translations. */
  Self: 1,
  /** The instructions that the budget still has. */
  Remaining: 2,
  /** The linear-memory offset of the current soft TLB. */
  Tlb: 3,
} as const;

/** Types of the parameters. */
export const TRANSLATION_PARAMETERS: readonly ValType[] = [ValType.i32, ValType.i32, ValType.i32, ValType.i32];

/** Leave the arguments. */
export interface TranslationArguments {
  readonly entry: Emit;
  readonly self: Emit;
  readonly remaining: Emit;
  readonly tlb: Emit;
}

/** Leaves what a call of a translation through the table takes. */
export function translationArguments({ entry, self, remaining, tlb }: TranslationArguments): void {
  entry();
  self();
  remaining();
  tlb();
  self(); // where the table has it
}

/** Takes a condition, and leaves whether it holds and there is enough left of the budget to enter a translation. */
export function andMayEnter(w: FunctionWriter, remaining: number): void {
  w.get(remaining);
  w.i32(ENTRY_BUDGET);
  w.op(W.i32_gt_s);
  w.op(W.i32_and);
}
