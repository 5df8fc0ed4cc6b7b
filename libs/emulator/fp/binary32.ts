import { FpEnvironment, SIGN, multiplyHigh, shiftRightJam } from './environment.js';
import { FpClass, FpFlags, FpRelation } from './modes.js';

const INFINITY = 0x7f800000;
const FRACTION = 0x007fffff;
const LEADING = 0x00800000;

/** binary32 operations; values are int32 bit patterns. */
export class Binary32 extends FpEnvironment {
  /** Biased exponent of the last operand given to `normal32`, as if subnormal numbers had an unbounded exponent. */
  private exponent = 0;

  add32(a: number, b: number): number {
    return this.sum32(a, b, 0);
  }

  sub32(a: number, b: number): number {
    return this.sum32(a, b, SIGN);
  }

  /** a + b, or a − b where `flip` is the sign bit. A NaN operand is returned with the sign it came with. */
  private sum32(a: number, b: number, flip: number): number {
    const exponentA = (a >>> 23) & 0xff;
    const exponentB = (b >>> 23) & 0xff;
    const signA = a & SIGN;
    const signB = (b & SIGN) ^ flip;
    if (exponentA === 0xff || exponentB === 0xff) {
      if (this.isNan32(a) || this.isNan32(b)) return this.propagatePair32(a, b);
      if (exponentA !== 0xff) return signB | INFINITY;
      return exponentB === 0xff && signA !== signB ? this.invalid32() : a;
    }
    // Leading bit at bit 29 so that a sum's carry stays below bit 31.
    let large = ((exponentA === 0 ? 0 : LEADING) | (a & FRACTION)) << 6;
    let small = ((exponentB === 0 ? 0 : LEADING) | (b & FRACTION)) << 6;
    let exponent = exponentA === 0 ? 1 : exponentA;
    let sign = signA;
    const distance = exponent - (exponentB === 0 ? 1 : exponentB);
    if (distance < 0 || (distance === 0 && small > large)) {
      const swap = large;
      large = small;
      small = swap;
      exponent -= distance;
      sign = signB;
    }
    small = shiftRightJam(small, distance < 0 ? -distance : distance);
    if (signA === signB) return this.normalizeRound32(sign, exponent + 1, large + small);
    if (large === small) return this.zeroSumSign();
    return this.normalizeRound32(sign, exponent + 1, large - small);
  }

  mul32(a: number, b: number): number {
    const sign = (a ^ b) & SIGN;
    const magnitudeA = a & 0x7fffffff;
    const magnitudeB = b & 0x7fffffff;
    if (magnitudeA >= INFINITY || magnitudeB >= INFINITY) {
      if (magnitudeA > INFINITY || magnitudeB > INFINITY) return this.propagatePair32(a, b);
      return magnitudeA === 0 || magnitudeB === 0 ? this.invalid32() : sign | INFINITY;
    }
    if (magnitudeA === 0 || magnitudeB === 0) return sign;
    const significandA = this.normal32(magnitudeA) << 7;
    const exponentA = this.exponent;
    const significandB = this.normal32(magnitudeB) << 8;
    const exponent = exponentA + this.exponent - 126;
    // [1, 2) × 2^30 by [1, 2) × 2^31: the high word is [1, 4) × 2^29.
    const high = multiplyHigh(significandA, significandB) | (Math.imul(significandA, significandB) === 0 ? 0 : 1);
    if (high < 0x40000000) return this.round32(sign, exponent - 1, high << 1);
    return this.round32(sign, exponent, high);
  }

  div32(a: number, b: number): number {
    const sign = (a ^ b) & SIGN;
    const magnitudeA = a & 0x7fffffff;
    const magnitudeB = b & 0x7fffffff;
    if (magnitudeA >= INFINITY || magnitudeB >= INFINITY) {
      if (magnitudeA > INFINITY || magnitudeB > INFINITY) return this.propagatePair32(a, b);
      if (magnitudeB !== INFINITY) return sign | INFINITY;
      return magnitudeA === INFINITY ? this.invalid32() : sign;
    }
    if (magnitudeB === 0) {
      if (magnitudeA === 0) return this.invalid32();
      this.flags |= FpFlags.DivByZero;
      return sign | INFINITY;
    }
    if (magnitudeA === 0) return sign;
    let dividend = this.normal32(magnitudeA);
    let exponent = this.exponent;
    const divisor = this.normal32(magnitudeB);
    exponent += 127 - this.exponent;
    if (dividend < divisor) {
      dividend *= 2;
      exponent--;
    }
    // The quotient has 27 bits. All of this is exact in a double: the dividend has at most 51 bits, and quotients of such
    // integers lie further below the next integer than the division's rounding error.
    const scaled = dividend * 0x4000000;
    const quotient = Math.floor(scaled / divisor);
    return this.round32(sign, exponent, (quotient << 4) | (quotient * divisor === scaled ? 0 : 1));
  }

  sqrt32(a: number): number {
    const magnitude = a & 0x7fffffff;
    if (magnitude > INFINITY) return this.propagate32(a);
    if (magnitude === 0) return a;
    if (a < 0) return this.invalid32();
    if (magnitude === INFINITY) return a;
    const significand = this.normal32(magnitude);
    const odd = (this.exponent & 1) === 0 ? 1 : 0;
    // 51 or 52 bits; the square root has 26, and a root that is not an integer lies further from one than the rounding error.
    const radicand = significand * (odd === 1 ? 0x10000000 : 0x8000000);
    const root = Math.floor(Math.sqrt(radicand));
    return this.round32(0, (this.exponent + 127 - odd) >> 1, (root << 5) | (root * root === radicand ? 0 : 1));
  }

  /** a×b + c with one rounding. */
  fusedMulAdd32(a: number, b: number, c: number): number {
    if (this.isNan32(a) || this.isNan32(b) || this.isNan32(c)) return this.fusedNan32(a, b, c);
    const sign = (a ^ b) & SIGN;
    const magnitudeA = a & 0x7fffffff;
    const magnitudeB = b & 0x7fffffff;
    const magnitudeC = c & 0x7fffffff;
    const signC = c & SIGN;
    if (magnitudeA === INFINITY || magnitudeB === INFINITY) {
      if (magnitudeA === 0 || magnitudeB === 0) return this.invalid32();
      return magnitudeC === INFINITY && signC !== sign ? this.invalid32() : sign | INFINITY;
    }
    if (magnitudeC === INFINITY) return c;
    if (magnitudeA === 0 || magnitudeB === 0) {
      if (magnitudeC !== 0) return this.normalizeRound32(signC, this.operandExponent(c), this.operandSignificand(c));
      return sign === signC ? c : this.zeroSumSign();
    }
    const significandA = this.normal32(magnitudeA) << 7;
    let exponent = this.exponent;
    const significandB = this.normal32(magnitudeB) << 8;
    exponent += this.exponent - 126;
    // The exact product, leading bit at bit 62 of (high:low).
    let high = multiplyHigh(significandA, significandB);
    let low = Math.imul(significandA, significandB);
    if (high < 0x40000000) {
      high = (high << 1) | (low >>> 31);
      low <<= 1;
      exponent--;
    }
    if (magnitudeC === 0) return this.round32Wide(sign, exponent, high, low);
    const addend = this.normal32(magnitudeC) << 7;
    return this.sumWide32(sign, exponent, high, low, signC, this.exponent, addend);
  }

  /** Rounds ±(high:low) ± addend, both with their leading bit at bit 62 (the addend's low half is zero). */
  private sumWide32(
    signP: number,
    exponentP: number,
    highP: number,
    lowP: number,
    signC: number,
    exponentC: number,
    addend: number,
  ): number {
    let high = highP;
    let low = lowP;
    let otherHigh = addend;
    let otherLow = 0;
    let exponent = exponentP;
    let sign = signP;
    if (exponentP >= exponentC) {
      otherLow = this.shiftRightJam64(addend, 0, exponentP - exponentC);
      otherHigh = this.hi;
    } else {
      low = this.shiftRightJam64(highP, lowP, exponentC - exponentP);
      high = this.hi;
      exponent = exponentC;
    }
    if (signP === signC) {
      const sum = (low + otherLow) | 0;
      high = (high + otherHigh + (sum >>> 0 < low >>> 0 ? 1 : 0)) | 0;
      low = sum;
    } else {
      if (high < otherHigh || (high === otherHigh && low >>> 0 < otherLow >>> 0)) {
        sign = signC;
        const swapHigh = high;
        high = otherHigh;
        otherHigh = swapHigh;
        const swapLow = low;
        low = otherLow;
        otherLow = swapLow;
      }
      high = (high - otherHigh - (low >>> 0 < otherLow >>> 0 ? 1 : 0)) | 0;
      low = (low - otherLow) | 0;
      if (high === 0 && low === 0) return this.zeroSumSign();
    }
    if (high < 0) return this.round32Wide(sign, exponent + 1, high >>> 1, low | (high & 1));
    if (high === 0) {
      // At most 31 leading zeros follow in `low`; bit 31 may be set, which the normalisation takes.
      return this.normalizeRound32(sign, exponent - 32, low);
    }
    const shift = Math.clz32(high) - 1;
    if (shift === 0) return this.round32Wide(sign, exponent, high, low);
    return this.round32Wide(sign, exponent - shift, (high << shift) | (low >>> (32 - shift)), low << shift);
  }

  private fusedNan32(a: number, b: number, c: number): number {
    const rules = this.policy.nan;
    const magnitudeA = a & 0x7fffffff;
    const magnitudeB = b & 0x7fffffff;
    const signalling = this.isSignalling32(a) || this.isSignalling32(b) || this.isSignalling32(c);
    if (signalling) this.flags |= FpFlags.Invalid;
    if ((magnitudeA === INFINITY && magnitudeB === 0) || (magnitudeA === 0 && magnitudeB === INFINITY)) {
      const { invalid, result } = rules.fusedInfinityTimesZero;
      if (invalid) this.flags |= FpFlags.Invalid;
      return result === 'default' && !signalling ? rules.default32 : this.quiet32(c);
    }
    const first = rules.fusedOrder === 'abc' ? a : c;
    const second = rules.fusedOrder === 'abc' ? b : a;
    const third = rules.fusedOrder === 'abc' ? c : b;
    if (signalling && rules.propagation === 'signalling-first') {
      return this.quiet32(this.isSignalling32(first) ? first : this.isSignalling32(second) ? second : third);
    }
    return this.quiet32(this.isNan32(first) ? first : this.isNan32(second) ? second : third);
  }

  /**
   * MIPS MADD/MSUB/NMADD/NMSUB.S before Release 6: a×b, rounded, then ± c, rounded again; `negate` inverts the result's sign,
   * a NaN's too.
   */
  mulThenAdd32(a: number, b: number, c: number, subtract: boolean, negate: boolean): number {
    const result = this.sum32(this.mul32(a, b), c, subtract ? SIGN : 0);
    return negate ? result ^ SIGN : result;
  }

  /** FpRelation of a to b. `signalling` raises Invalid for quiet NaNs as well. */
  compare32(a: number, b: number, signalling: boolean): number {
    if (this.isNan32(a) || this.isNan32(b)) {
      if (signalling || this.isSignalling32(a) || this.isSignalling32(b)) this.flags |= FpFlags.Invalid;
      return FpRelation.Unordered;
    }
    if (a === b || ((a | b) & 0x7fffffff) === 0) return FpRelation.Equal;
    // Sign and magnitude: two negative numbers compare the other way round.
    return a < b !== (a < 0 && b < 0) ? FpRelation.Less : FpRelation.Greater;
  }

  /** The FpClass bit of a. */
  class32(a: number): number {
    const magnitude = a & 0x7fffffff;
    if (magnitude > INFINITY) return this.isSignalling32(a) ? FpClass.SignallingNan : FpClass.QuietNan;
    const negative = a < 0;
    if (magnitude === INFINITY) return negative ? FpClass.NegativeInfinity : FpClass.PositiveInfinity;
    if (magnitude >= LEADING) return negative ? FpClass.NegativeNormal : FpClass.PositiveNormal;
    if (magnitude !== 0) return negative ? FpClass.NegativeSubnormal : FpClass.PositiveSubnormal;
    return negative ? FpClass.NegativeZero : FpClass.PositiveZero;
  }

  /** The 24-bit significand, leading bit set, of a finite magnitude above zero; its exponent is left in `exponent`. */
  private normal32(magnitude: number): number {
    if (magnitude >= LEADING) {
      this.exponent = magnitude >>> 23;
      return (magnitude & FRACTION) | LEADING;
    }
    const shift = Math.clz32(magnitude) - 8;
    this.exponent = 1 - shift;
    return magnitude << shift;
  }

  /** Exponent for `normalizeRound32` of `operandSignificand(a)`. */
  private operandExponent(a: number): number {
    return Math.max((a >>> 23) & 0xff, 1);
  }

  private operandSignificand(a: number): number {
    return (((a & INFINITY) === 0 ? 0 : LEADING) | (a & FRACTION)) << 7;
  }
}
