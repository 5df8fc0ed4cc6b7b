import { conditionHolds, RoundingMode, SoftFloat, type FpPolicy } from '@bootlab/emulator/fp';
import { OPERATIONS, is64Bit } from './operations.js';
import { FCSR_FLUSH_TO_ZERO, RESULT_WORDS, VECTOR_WORDS } from './vectors.js';

/** The instruction's low result word; a 64-bit result's high word is in `hi`. Operands are words[at], words[at + 1], … */
type Evaluation = (unit: SoftFloat, words: Int32Array, at: number) => number;

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
const binary32 = (call: (u: SoftFloat, a: number, b: number, c: number) => number): Evaluation => {
  return (unit, words, at) => call(unit, words[at]!, words[at + 2]!, words[at + 4]!);
};
type Pairs = [aLo: number, aHi: number, bLo: number, bHi: number, cLo: number, cHi: number];
const binary64 = (call: (u: SoftFloat, ...pairs: Pairs) => number): Evaluation => {
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
  const mode = (unit: SoftFloat): RoundingMode => CONVERSION_MODES[verb] ?? unit.roundingMode;
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

const EVALUATIONS = OPERATIONS.map(({ name, to }) => ({ evaluate: evaluationOf(name), to, wide: is64Bit(to) }));

const FCSR_FCC0 = 1 << 23;

/**
 * What the vectors' instructions give on a CPU with this floating-point policy, in the layout of `decodeResults`.
 *
 * @param fcsrFixedBits bits that this CPU's FCSR always has set (NAN2008, ABS2008)
 */
export function evaluateVectors(vectors: Int32Array, policy: FpPolicy, fcsrFixedBits: number): Int32Array {
  const unit = new SoftFloat(policy);
  const results = new Int32Array((vectors.length / VECTOR_WORDS) * RESULT_WORDS);
  let out = 0;
  for (let at = 0; at < vectors.length; at += VECTOR_WORDS) {
    const operation = EVALUATIONS[vectors[at] ?? -1];
    if (!operation) throw new Error(`vector ${at / VECTOR_WORDS} has no operation`);
    const fcsr = vectors[at + 1] ?? 0;
    unit.roundingMode = fcsr & 3;
    unit.flushToZero = (fcsr & FCSR_FLUSH_TO_ZERO) !== 0;
    unit.flags = 0;
    const low = operation.evaluate(unit, vectors, at + 2);
    const condition = operation.to === 'C';
    results[out] = condition ? 0 : low;
    results[out + 1] = operation.wide ? unit.hi : 0;
    // Cause in bits 16..12, Flags in bits 6..2.
    results[out + 2] =
      fcsr | fcsrFixedBits | (unit.flags << 12) | (unit.flags << 2) | (condition && low === 1 ? FCSR_FCC0 : 0);
    out += RESULT_WORDS;
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
      `${pair(results, record * RESULT_WORDS)} fcsr ${hex(results[record * RESULT_WORDS + 2])}`;
    const name = OPERATIONS[vector[0] ?? -1]?.name;
    lines.push(`${name} fcsr ${hex(vector[1])} of ${operands}: ${show(actual)}, expected ${show(expected)}`);
    at = (record + 1) * RESULT_WORDS - 1;
  }
  return lines;
}

const hex = (word: number | undefined): string => ((word ?? 0) >>> 0).toString(16).padStart(8, '0');
const pair = (words: Int32Array, at: number): string => `${hex(words[at + 1])}_${hex(words[at])}`;
