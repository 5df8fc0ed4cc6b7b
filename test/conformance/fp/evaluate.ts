import { conditionHolds, FpFlags, RoundingMode, SoftFloat, type FpPolicy } from '@bootlab/emulator/fp';
import { OPERATIONS, is64Bit } from './operations.js';
import { FCSR, RESULT_WORDS, VECTOR_WORDS } from './vectors.js';

/** An FPU that runs one instruction, or two. */
class Fpu extends SoftFloat {
  /** Exceptions of the instruction before. */
  earlierFlags = 0;

  nextInstruction(): void {
    this.earlierFlags |= this.flags;
    this.flags = 0;
  }
}

/** The instruction's low result word; a 64-bit result's high word is in `hi`. Operands are words[at], words[at + 1], … */
type Evaluation = (unit: Fpu, words: Int32Array, at: number) => number;

const ONE_32 = 0x3f800000;
const ONE_64_HI = 0x3ff00000;
const CONDITIONS = 'f un eq ueq olt ult ole ule sf ngle seq ngl lt nge le ngt'.split(' ');
const CONVERSION_MODES: Readonly<Record<string, RoundingMode>> = {
  round: RoundingMode.NearestEven,
  trunc: RoundingMode.TowardZero,
  ceil: RoundingMode.Up,
  floor: RoundingMode.Down,
};

/* eslint-disable @typescript-eslint/no-non-null-assertion -- operand words lie inside the record by construction */
const binary32 = (call: (u: Fpu, a: number, b: number, c: number) => number): Evaluation => {
  return (unit, words, at) => call(unit, words[at]!, words[at + 2]!, words[at + 4]!);
};
type Pairs = [aLo: number, aHi: number, bLo: number, bHi: number, cLo: number, cHi: number];
const binary64 = (call: (u: Fpu, ...pairs: Pairs) => number): Evaluation => {
  return (unit, words, at) =>
    call(unit, words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!, words[at + 4]!, words[at + 5]!);
};
/* eslint-enable @typescript-eslint/no-non-null-assertion */

/** The operations of each name in operations.h, without the format suffix, except conditions and conversions to integers. */
const ARITHMETIC: Readonly<Record<string, Evaluation>> = {
  add_s: binary32((u, a, b) => u.add32(a, b)),
  sub_s: binary32((u, a, b) => u.sub32(a, b)),
  mul_s: binary32((u, a, b) => u.mul32(a, b)),
  div_s: binary32((u, a, b) => u.div32(a, b)),
  sqrt_s: binary32((u, a) => u.sqrt32(a)),
  abs_s: binary32((u, a) => u.abs32(a)),
  neg_s: binary32((u, a) => u.neg32(a)),
  recip_s: binary32((u, a) => u.div32(ONE_32, a)),
  rsqrt_s: binary32((u, a) => u.div32(ONE_32, u.sqrt32(a))),
  madd_s: binary32((u, a, b, c) => u.mulThenAdd32(a, b, c, false, false)),
  msub_s: binary32((u, a, b, c) => u.mulThenAdd32(a, b, c, true, false)),
  nmadd_s: binary32((u, a, b, c) => u.mulThenAdd32(a, b, c, false, true)),
  nmsub_s: binary32((u, a, b, c) => u.mulThenAdd32(a, b, c, true, true)),
  mul_add_s: binary32((u, a, b, c) => {
    const product = u.mul32(a, b);
    u.nextInstruction();
    return u.add32(product, c);
  }),
  add_mov_s: binary32((u, a, b) => u.add32(a, b)),
  div_abs_s: binary32((u, a, b) => u.abs32(u.div32(a, b))),
  cvt_d_s: binary32((u, a) => u.f32ToF64(a)),
  cvt_s_w: binary32((u, a) => u.i32ToF32(a)),
  cvt_d_w: binary32((u, a) => u.i32ToF64(a)),
  add_d: binary64((u, aLo, aHi, bLo, bHi) => u.add64(aLo, aHi, bLo, bHi)),
  sub_d: binary64((u, aLo, aHi, bLo, bHi) => u.sub64(aLo, aHi, bLo, bHi)),
  mul_d: binary64((u, aLo, aHi, bLo, bHi) => u.mul64(aLo, aHi, bLo, bHi)),
  div_d: binary64((u, aLo, aHi, bLo, bHi) => u.div64(aLo, aHi, bLo, bHi)),
  sqrt_d: binary64((u, lo, hi) => u.sqrt64(lo, hi)),
  abs_d: binary64((u, lo, hi) => u.abs64(lo, hi)),
  neg_d: binary64((u, lo, hi) => u.neg64(lo, hi)),
  recip_d: binary64((u, lo, hi) => u.div64(0, ONE_64_HI, lo, hi)),
  rsqrt_d: binary64((u, lo, hi) => {
    const root = u.sqrt64(lo, hi);
    return u.div64(0, ONE_64_HI, root, u.hi);
  }),
  madd_d: binary64((u, ...pairs) => u.mulThenAdd64(...pairs, false, false)),
  msub_d: binary64((u, ...pairs) => u.mulThenAdd64(...pairs, true, false)),
  nmadd_d: binary64((u, ...pairs) => u.mulThenAdd64(...pairs, false, true)),
  nmsub_d: binary64((u, ...pairs) => u.mulThenAdd64(...pairs, true, true)),
  mul_add_d: binary64((u, aLo, aHi, bLo, bHi, cLo, cHi) => {
    const product = u.mul64(aLo, aHi, bLo, bHi);
    u.nextInstruction();
    return u.add64(product, u.hi, cLo, cHi);
  }),
  add_mov_d: binary64((u, aLo, aHi, bLo, bHi) => u.add64(aLo, aHi, bLo, bHi)),
  div_abs_d: binary64((u, aLo, aHi, bLo, bHi) => {
    const quotient = u.div64(aLo, aHi, bLo, bHi);
    return u.abs64(quotient, u.hi);
  }),
  cvt_s_d: binary64((u, lo, hi) => u.f64ToF32(lo, hi)),
  cvt_s_l: binary64((u, lo, hi) => u.i64ToF32(lo, hi)),
  cvt_d_l: binary64((u, lo, hi) => u.i64ToF64(lo, hi)),
};

function evaluationOf(name: string): Evaluation {
  const arithmetic = ARITHMETIC[name];
  if (arithmetic) return arithmetic;
  const [verb = '', middle = '', format = ''] = name.split('_');
  if (verb === 'c') {
    const condition = CONDITIONS.indexOf(middle);
    const signalling = (condition & 8) !== 0;
    const outcome = (relation: number) => (conditionHolds(condition, relation) ? 1 : 0);
    return format === 's'
      ? binary32((u, a, b) => outcome(u.compare32(a, b, signalling)))
      : binary64((u, aLo, aHi, bLo, bHi) => outcome(u.compare64(aLo, aHi, bLo, bHi, signalling)));
  }
  const mode = (unit: Fpu): RoundingMode => CONVERSION_MODES[verb] ?? unit.roundingMode;
  switch (`${middle}_${format}`) {
    case 'w_s':
      return binary32((u, a) => u.f32ToI32(a, mode(u)));
    case 'w_d':
      return binary64((u, lo, hi) => u.f64ToI32(lo, hi, mode(u)));
    case 'l_s':
      return binary32((u, a) => u.f32ToI64(a, mode(u)));
    case 'l_d':
      return binary64((u, lo, hi) => u.f64ToI64(lo, hi, mode(u)));
  }
  throw new Error(`evaluate.ts does not know operation ${name} of operations.h`);
}

const EVALUATIONS = OPERATIONS.map(({ name, to }) => ({
  evaluate: evaluationOf(name),
  condition: to === 'C',
  wide: is64Bit(to),
  signOnly: /^(abs|neg)_/.test(name),
}));

const CAUSE_FIELD = 0x3f << FCSR.causeShift;
/** ExcCode of the floating-point exception (MD00090, "Cause register"). */
const FLOATING_POINT_EXCEPTION = 15;

export interface EvaluationOptions {
  readonly policy: FpPolicy;
  /** Bits that this CPU's FCSR always has set (NAN2008, ABS2008). */
  readonly fcsrFixedBits?: number;
  /** Whether Enables.U makes every tiny result signal Underflow, as the manual has it. */
  readonly trapExactUnderflow?: boolean;
}

/** What the vectors' instructions give, in the layout of `decodeResults`. */
export function evaluateVectors(vectors: Int32Array, options: EvaluationOptions): Int32Array {
  const { policy, fcsrFixedBits = 0, trapExactUnderflow = false } = options;
  const unit = new Fpu(policy);
  const results = new Int32Array((vectors.length / VECTOR_WORDS) * RESULT_WORDS);
  let out = 0;
  for (let at = 0; at < vectors.length; at += VECTOR_WORDS, out += RESULT_WORDS) {
    const operation = EVALUATIONS[vectors[at] ?? -1];
    if (!operation) throw new Error(`vector ${at / VECTOR_WORDS} has no operation`);
    const fcsr = (vectors[at + 1] ?? 0) | fcsrFixedBits;
    const enables = fcsr >>> FCSR.enablesShift;
    unit.roundingMode = fcsr & 3;
    unit.flushToZero = (fcsr & FCSR.flushToZero) !== 0;
    unit.underflowTrapEnabled = trapExactUnderflow && (enables & FpFlags.Underflow) !== 0;
    unit.flags = 0;
    unit.earlierFlags = 0;
    const low = operation.evaluate(unit, vectors, at + 2);

    const keepsCause = operation.signOnly && policy.signOperations === 'bitwise';
    const caused = keepsCause ? fcsr : (fcsr & ~CAUSE_FIELD) | (unit.flags << FCSR.causeShift);
    if ((unit.flags & enables) !== 0) {
      // Neither result, condition nor Flags change.
      results[out + 2] = caused;
      results[out + 3] = FLOATING_POINT_EXCEPTION;
      continue;
    }
    results[out] = operation.condition ? 0 : low;
    results[out + 1] = operation.wide ? unit.hi : 0;
    results[out + 2] =
      caused |
      ((unit.flags | unit.earlierFlags) << FCSR.flagsShift) |
      (operation.condition && low === 1 ? FCSR.condition : 0);
  }
  return results;
}

/** The first `most` differences between results, as sentences. */
export function describeDifferences(
  vectors: Int32Array,
  actual: Int32Array,
  expected: Int32Array,
  most = 20,
): string[] {
  const lines: string[] = [];
  for (let at = 0; at < expected.length && lines.length < most; at++) {
    if (actual[at] === expected[at]) continue;
    const record = Math.floor(at / RESULT_WORDS);
    const vector = vectors.subarray(record * VECTOR_WORDS, (record + 1) * VECTOR_WORDS);
    const operands = [2, 4, 6].map((i) => pair(vector, i)).join(' ');
    const show = (results: Int32Array) =>
      `${pair(results, record * RESULT_WORDS)} fcsr ${hex(results[record * RESULT_WORDS + 2])} exception ${results[record * RESULT_WORDS + 3]}`;
    const name = OPERATIONS[vector[0] ?? -1]?.name;
    lines.push(`${name} fcsr ${hex(vector[1])} of ${operands}: ${show(actual)}, expected ${show(expected)}`);
    at = (record + 1) * RESULT_WORDS - 1;
  }
  return lines;
}

const hex = (word: number | undefined): string => ((word ?? 0) >>> 0).toString(16).padStart(8, '0');
const pair = (words: Int32Array, at: number): string => `${hex(words[at + 1])}_${hex(words[at])}`;
