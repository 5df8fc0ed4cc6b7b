import { ENTRY_BUDGET, TranslationWord } from '../ir/index.js';
import type { FunctionWriter, Label } from './encoder.js';
import { ValType, W } from './encoder.js';
import type { Emit } from './lowering.js';

/**
 * What a translation is called with, by parameter, all i32. V8 passes five parameters and a result in registers of the host on
 * x64, and each keeps a register or a place on the stack from the first block to the last.
 */
export const TranslationParameter = {
  /** The {@link TranslationWord} that it was found by: which of its entries, and its own index in the table of translations. */
  Word: 0,
  /** The instructions that the budget still has. */
  Remaining: 1,
  /** Where a translation waits for this one to return, 0 where none does. */
  ReturnTo: 2,
  /** How many translations wait. */
  Depth: 3,
} as const;

/** Types of the parameters. */
export const TRANSLATION_PARAMETERS: readonly ValType[] = Array<ValType>(4).fill(ValType.i32);

/**
 * Types of the results: what the budget still has, 0 or more, if the guest has come to where a translation waits; else
 * {@link ELSEWHERE}, and the CPU's area says where the guest is and what the budget has.
 */
export const TRANSLATION_RESULTS: readonly ValType[] = [ValType.i32];

export const ELSEWHERE = -1;

/** Leave the arguments. */
export interface TranslationArguments {
  readonly word: Emit;
  readonly remaining: Emit;
  readonly returnTo: Emit;
  readonly depth: Emit;
}

/** What is said of who waits. */
export type Waiting = Pick<TranslationArguments, 'returnTo' | 'depth'>;

/** For translations for which nobody waits. */
export const nobodyWaits = (w: FunctionWriter): Waiting => ({
  returnTo: () => w.i32(0),
  depth: () => w.i32(0),
});

/** Leaves what a call of a translation through the table takes. */
export function translationArguments(w: FunctionWriter, args: TranslationArguments): void {
  const { word, remaining, returnTo, depth } = args;
  word();
  remaining();
  returnTo();
  depth();
  targetOf(w, word); // where the table has it
}

/** Leaves the index in the function table. */
export function targetOf(w: FunctionWriter, word: Emit): void {
  word();
  w.i32(TranslationWord.targetShift);
  w.op(W.i32_shr_u);
}

/** Leaves the number of the entry. */
export function entryOf(w: FunctionWriter, word: Emit): void {
  word();
  w.i32(TranslationWord.entryMask);
  w.op(W.i32_and);
}

/** Leaves whether two words are of the same translation. */
export function haveSameTarget(w: FunctionWriter, word: Emit, other: Emit): void {
  word();
  other();
  w.op(W.i32_xor);
  w.i32(TranslationWord.entryMask);
  w.op(W.i32_le_u);
}

/** Leaves for a label where there is not enough left of the budget to enter a translation. */
export function unlessMayEnter(w: FunctionWriter, remaining: number, label: Label): void {
  w.get(remaining);
  w.i32(ENTRY_BUDGET);
  w.op(W.i32_le_s);
  w.brIf(label);
}
