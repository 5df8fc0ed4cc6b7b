import { SIGN, multiplyHigh } from './environment.js';
import { Binary32 } from './binary32.js';
import { FpClass, FpFlags, FpRelation } from './modes.js';

const INFINITY = 0x7ff00000;
const FRACTION = 0x000fffff;
const LEADING = 0x00100000;
const TWO_32 = 0x100000000;
const TWO_52 = 0x10000000000000;

/** binary64 operations; values are pairs of int32 halves, low half first. */
export class Binary64 extends Binary32 {
  /** Biased exponent of the last operand given to `normal64`, as if subnormal numbers had an unbounded exponent. */
  private exponent64 = 0;
  /** Lower words of the last 128-bit result; the highest is `hi`. */
  private word2 = 0;
  private word1 = 0;
  private word0 = 0;

  add64(aLo: number, aHi: number, bLo: number, bHi: number): number {
    return this.sum64(aLo, aHi, bLo, bHi, 0);
  }

  sub64(aLo: number, aHi: number, bLo: number, bHi: number): number {
    return this.sum64(aLo, aHi, bLo, bHi, SIGN);
  }

  /** a + b, or a − b where `flip` is the sign bit. A NaN operand is returned with the sign it came with. */
  private sum64(aLo: number, aHi: number, bLo: number, bHi: number, flip: number): number {
    const exponentA = (aHi >>> 20) & 0x7ff;
    const exponentB = (bHi >>> 20) & 0x7ff;
    const signA = aHi & SIGN;
    const signB = (bHi & SIGN) ^ flip;
    if (exponentA === 0x7ff || exponentB === 0x7ff) {
      if (this.isNan64(aLo, aHi) || this.isNan64(bLo, bHi)) return this.propagatePair64(aLo, aHi, bLo, bHi);
      if (exponentA === 0x7ff && exponentB === 0x7ff && signA !== signB) return this.invalid64();
      return this.infinity64(exponentA === 0x7ff ? signA : signB);
    }
    // Leading bit at bit 62, so that a sum's carry stays within 64 bits.
    const fractionA = (exponentA === 0 ? 0 : LEADING) | (aHi & FRACTION);
    const fractionB = (exponentB === 0 ? 0 : LEADING) | (bHi & FRACTION);
    let largeHi = (fractionA << 10) | (aLo >>> 22);
    let largeLo = aLo << 10;
    let smallHi = (fractionB << 10) | (bLo >>> 22);
    let smallLo = bLo << 10;
    let exponent = exponentA === 0 ? 1 : exponentA;
    let sign = signA;
    const distance = exponent - (exponentB === 0 ? 1 : exponentB);
    if (
      distance < 0 ||
      (distance === 0 && (smallHi > largeHi || (smallHi === largeHi && smallLo >>> 0 > largeLo >>> 0)))
    ) {
      const swapHi = largeHi;
      const swapLo = largeLo;
      largeHi = smallHi;
      largeLo = smallLo;
      smallHi = swapHi;
      smallLo = swapLo;
      exponent -= distance;
      sign = signB;
    }
    smallLo = this.shiftRightJam64(smallHi, smallLo, distance < 0 ? -distance : distance);
    smallHi = this.hi;
    if (signA === signB) {
      const low = (largeLo + smallLo) | 0;
      const high = (largeHi + smallHi + (low >>> 0 < largeLo >>> 0 ? 1 : 0)) | 0;
      return this.normalizeRound64(sign, exponent, high, low);
    }
    const low = (largeLo - smallLo) | 0;
    const high = (largeHi - smallHi - (largeLo >>> 0 < smallLo >>> 0 ? 1 : 0)) | 0;
    if (high === 0 && low === 0) {
      this.hi = this.zeroSumSign();
      return 0;
    }
    return this.normalizeRound64(sign, exponent, high, low);
  }

  mul64(aLo: number, aHi: number, bLo: number, bHi: number): number {
    const sign = (aHi ^ bHi) & SIGN;
    const magnitudeA = aHi & 0x7fffffff;
    const magnitudeB = bHi & 0x7fffffff;
    const zeroA = (magnitudeA | aLo) === 0;
    const zeroB = (magnitudeB | bLo) === 0;
    if (magnitudeA >= INFINITY || magnitudeB >= INFINITY) {
      if (this.isNan64(aLo, aHi) || this.isNan64(bLo, bHi)) return this.propagatePair64(aLo, aHi, bLo, bHi);
      return zeroA || zeroB ? this.invalid64() : this.infinity64(sign);
    }
    if (zeroA || zeroB) {
      this.hi = sign;
      return 0;
    }
    const exponent = this.multiply(aLo, magnitudeA, bLo, magnitudeB);
    return this.round64(sign, exponent, this.hi, this.word2 | (this.word1 === 0 && this.word0 === 0 ? 0 : 1));
  }

  /** The exact product of two finite magnitudes above zero, leading bit at bit 126 of (hi:word2:word1:word0); its exponent. */
  private multiply(aLo: number, aMagnitude: number, bLo: number, bMagnitude: number): number {
    let low = this.normal64(aLo, aMagnitude);
    const aH = (this.hi << 10) | (low >>> 22);
    const aL = low << 10;
    let exponent = this.exponent64;
    low = this.normal64(bLo, bMagnitude);
    const bH = (this.hi << 11) | (low >>> 21);
    const bL = low << 11;
    exponent += this.exponent64 - 1022;
    // Schoolbook, by 32-bit words; sums of three words are exact in a double.
    const middle = (multiplyHigh(aL, bL) >>> 0) + (Math.imul(aL, bH) >>> 0) + (Math.imul(aH, bL) >>> 0);
    const upper =
      (multiplyHigh(aL, bH) >>> 0) +
      (multiplyHigh(aH, bL) >>> 0) +
      (Math.imul(aH, bH) >>> 0) +
      (middle >= 2 * TWO_32 ? 2 : middle >= TWO_32 ? 1 : 0);
    const word3 = (multiplyHigh(aH, bH) + (upper >= 2 * TWO_32 ? 2 : upper >= TWO_32 ? 1 : 0)) | 0;
    const word0 = Math.imul(aL, bL);
    const word1 = middle | 0;
    const word2 = upper | 0;
    // [1, 2) × 2^62 by [1, 2) × 2^63: the product is [1, 4) × 2^125.
    if (word3 < 0x40000000) {
      this.hi = (word3 << 1) | (word2 >>> 31);
      this.word2 = (word2 << 1) | (word1 >>> 31);
      this.word1 = (word1 << 1) | (word0 >>> 31);
      this.word0 = word0 << 1;
      return exponent - 1;
    }
    this.hi = word3;
    this.word2 = word2;
    this.word1 = word1;
    this.word0 = word0;
    return exponent;
  }

  div64(aLo: number, aHi: number, bLo: number, bHi: number): number {
    const sign = (aHi ^ bHi) & SIGN;
    const magnitudeA = aHi & 0x7fffffff;
    const magnitudeB = bHi & 0x7fffffff;
    const zeroA = (magnitudeA | aLo) === 0;
    const zeroB = (magnitudeB | bLo) === 0;
    if (magnitudeA >= INFINITY || magnitudeB >= INFINITY) {
      if (this.isNan64(aLo, aHi) || this.isNan64(bLo, bHi)) return this.propagatePair64(aLo, aHi, bLo, bHi);
      if (magnitudeB < INFINITY) return this.infinity64(sign);
      if (magnitudeA >= INFINITY) return this.invalid64();
      this.hi = sign;
      return 0;
    }
    if (zeroB) {
      if (zeroA) return this.invalid64();
      this.flags |= FpFlags.DivByZero;
      return this.infinity64(sign);
    }
    if (zeroA) {
      this.hi = sign;
      return 0;
    }
    let dividendLo = this.normal64(aLo, magnitudeA);
    let dividend = this.hi * TWO_32 + (dividendLo >>> 0);
    let exponent = this.exponent64;
    const divisorLo = this.normal64(bLo, magnitudeB);
    const divisorHi = this.hi;
    const divisor = divisorHi * TWO_32 + (divisorLo >>> 0);
    exponent += 1023 - this.exponent64;
    if (dividend < divisor) {
      dividend *= 2;
      dividendLo <<= 1;
      exponent--;
    }
    // The host's division gives 53 bits to the nearest, so the remainder dividend×2^52 − quotient×divisor is at most half a
    // divisor either way and its low 64 bits determine it.
    let quotient = (dividend / divisor) * TWO_52;
    let quotientLo = quotient | 0;
    const quotientHi = (quotient / TWO_32) | 0;
    const productHi =
      multiplyHigh(quotientLo, divisorLo) + Math.imul(quotientLo, divisorHi) + Math.imul(quotientHi, divisorLo);
    const productLo = Math.imul(quotientLo, divisorLo);
    const remainderHi = ((dividendLo << 20) - productHi - (productLo === 0 ? 0 : 1)) | 0;
    let remainder = remainderHi * TWO_32 + (-productLo >>> 0);
    if (remainder < 0) {
      remainder += divisor;
      quotient--;
      quotientLo = quotient | 0;
    }
    const rest = remainder === 0 ? 0 : remainder * 2 < divisor ? 1 : 0x201;
    return this.round64(sign, exponent, (quotient / 0x400000) | 0, (quotientLo << 10) | rest);
  }

  sqrt64(lo: number, hi: number): number {
    const magnitude = hi & 0x7fffffff;
    if (this.isNan64(lo, hi)) return this.propagate64(lo, hi);
    this.hi = hi;
    if ((magnitude | lo) === 0) return lo;
    if (hi < 0) return this.invalid64();
    if (magnitude === INFINITY) return lo;
    let significandLo = this.normal64(lo, magnitude);
    let significand = this.hi * TWO_32 + (significandLo >>> 0);
    const odd = (this.exponent64 & 1) === 0 ? 1 : 0;
    if (odd === 1) {
      significand *= 2;
      significandLo <<= 1;
    }
    // As in div64: the host's root is the integer nearest to that of significand×2^52, so the remainder is at most one root
    // either way and its low 64 bits determine it.
    let root = Math.sqrt(significand * TWO_52);
    const rootLo = root | 0;
    const rootHi = (root / TWO_32) | 0;
    const squareLo = Math.imul(rootLo, rootLo);
    const squareHi = multiplyHigh(rootLo, rootLo) + 2 * Math.imul(rootLo, rootHi);
    const remainderHi = ((significandLo << 20) - squareHi - (squareLo === 0 ? 0 : 1)) | 0;
    let remainder = remainderHi * TWO_32 + (-squareLo >>> 0);
    if (remainder < 0) {
      root--;
      remainder += 2 * root + 1;
    }
    // (root + ½)² is root² + root + ¼: never a tie.
    const rest = remainder === 0 ? 0 : remainder <= root ? 1 : 0x201;
    return this.round64(0, (this.exponent64 + 1023 - odd) >> 1, (root / 0x400000) | 0, ((root | 0) << 10) | rest);
  }

  /** a×b + c with one rounding. */
  fusedMulAdd64(aLo: number, aHi: number, bLo: number, bHi: number, cLo: number, cHi: number): number {
    if (this.isNan64(aLo, aHi) || this.isNan64(bLo, bHi) || this.isNan64(cLo, cHi)) {
      return this.fusedNan64(aLo, aHi, bLo, bHi, cLo, cHi);
    }
    const sign = (aHi ^ bHi) & SIGN;
    const magnitudeA = aHi & 0x7fffffff;
    const magnitudeB = bHi & 0x7fffffff;
    const magnitudeC = cHi & 0x7fffffff;
    const zeroProduct = (magnitudeA | aLo) === 0 || (magnitudeB | bLo) === 0;
    const zeroC = (magnitudeC | cLo) === 0;
    const signC = cHi & SIGN;
    if (magnitudeA === INFINITY || magnitudeB === INFINITY) {
      if (zeroProduct || (magnitudeC === INFINITY && signC !== sign)) return this.invalid64();
      return this.infinity64(sign);
    }
    if (magnitudeC === INFINITY) return this.infinity64(signC);
    if (zeroProduct) {
      if (zeroC) {
        this.hi = sign === signC ? sign : this.zeroSumSign();
        return 0;
      }
      const low = this.normal64(cLo, magnitudeC);
      return this.round64(signC, this.exponent64, (this.hi << 10) | (low >>> 22), low << 10);
    }
    const exponent = this.multiply(aLo, magnitudeA, bLo, magnitudeB);
    if (zeroC) {
      return this.round64(sign, exponent, this.hi, this.word2 | (this.word1 === 0 && this.word0 === 0 ? 0 : 1));
    }
    return this.addToProduct(sign, exponent, signC, cLo, magnitudeC);
  }

  /** Rounds the product left by `multiply` plus ±c. */
  private addToProduct(signP: number, exponentP: number, signC: number, cLo: number, magnitudeC: number): number {
    let w3 = this.hi;
    let w2 = this.word2;
    let w1 = this.word1;
    let w0 = this.word0;
    const low = this.normal64(cLo, magnitudeC);
    let c3 = (this.hi << 10) | (low >>> 22);
    let c2 = low << 10;
    let c1 = 0;
    let c0 = 0;
    let exponent = exponentP;
    const distance = exponentP - this.exponent64;
    if (distance >= 0) {
      c2 = this.shiftRightJam128(c3, c2, 0, 0, distance);
      c3 = this.hi;
      c1 = this.word1;
      c0 = this.word0;
    } else {
      w2 = this.shiftRightJam128(w3, w2, w1, w0, -distance);
      w3 = this.hi;
      w1 = this.word1;
      w0 = this.word0;
      exponent -= distance;
    }
    if (signP === signC) {
      // Doubles hold the sums of words and carries exactly.
      let sum = (w0 >>> 0) + (c0 >>> 0);
      w0 = sum | 0;
      sum = (w1 >>> 0) + (c1 >>> 0) + (sum >= TWO_32 ? 1 : 0);
      w1 = sum | 0;
      sum = (w2 >>> 0) + (c2 >>> 0) + (sum >= TWO_32 ? 1 : 0);
      w2 = sum | 0;
      w3 = (w3 + c3 + (sum >= TWO_32 ? 1 : 0)) | 0;
      return this.normalizeRound64(signP, exponent, w3, w2 | (w1 === 0 && w0 === 0 ? 0 : 1));
    }
    let difference = (w0 >>> 0) - (c0 >>> 0);
    w0 = difference | 0;
    difference = (w1 >>> 0) - (c1 >>> 0) - (difference < 0 ? 1 : 0);
    w1 = difference | 0;
    difference = (w2 >>> 0) - (c2 >>> 0) - (difference < 0 ? 1 : 0);
    w2 = difference | 0;
    w3 = (w3 - c3 - (difference < 0 ? 1 : 0)) | 0;
    let sign = signP;
    if (w3 < 0) {
      sign = signC;
      // Two's complement negation of the four words.
      w0 = -w0 | 0;
      w1 = (~w1 + (w0 === 0 ? 1 : 0)) | 0;
      w2 = (~w2 + (w0 === 0 && w1 === 0 ? 1 : 0)) | 0;
      w3 = (~w3 + (w0 === 0 && w1 === 0 && w2 === 0 ? 1 : 0)) | 0;
    }
    if ((w3 | w2 | w1 | w0) === 0) {
      this.hi = this.zeroSumSign();
      return 0;
    }
    while (w3 === 0) {
      w3 = w2;
      w2 = w1;
      w1 = w0;
      w0 = 0;
      exponent -= 32;
    }
    const shift = Math.clz32(w3) - 1;
    if (shift > 0) {
      w3 = (w3 << shift) | (w2 >>> (32 - shift));
      w2 = (w2 << shift) | (w1 >>> (32 - shift));
      w1 <<= shift;
      exponent -= shift;
    }
    return this.normalizeRound64(sign, exponent, w3, w2 | (w1 === 0 && w0 === 0 ? 0 : 1));
  }

  /** `shiftRightJam` for 128 bits: words 3, 1 and 0 in `hi`, `word1`, `word0`; word 2 is returned. */
  private shiftRightJam128(w3: number, w2: number, w1: number, w0: number, count: number): number {
    let a = w3;
    let b = w2;
    let c = w1;
    let d = w0;
    let rest = count;
    let jam = 0;
    while (rest >= 32 && (a | b | c | d) !== 0) {
      jam |= d;
      d = c;
      c = b;
      b = a;
      a = 0;
      rest -= 32;
    }
    if (rest > 0 && rest < 32) {
      jam |= d << (32 - rest);
      d = (d >>> rest) | (c << (32 - rest));
      c = (c >>> rest) | (b << (32 - rest));
      b = (b >>> rest) | (a << (32 - rest));
      a >>>= rest;
    }
    this.hi = a;
    this.word1 = c;
    this.word0 = d | (jam === 0 ? 0 : 1);
    return b;
  }

  private fusedNan64(aLo: number, aHi: number, bLo: number, bHi: number, cLo: number, cHi: number): number {
    const rules = this.policy.nan;
    const signallingA = this.isSignalling64(aLo, aHi);
    const signallingB = this.isSignalling64(bLo, bHi);
    const signallingC = this.isSignalling64(cLo, cHi);
    const signalling = signallingA || signallingB || signallingC;
    if (signalling) this.flags |= FpFlags.Invalid;
    const magnitudeA = aHi & 0x7fffffff;
    const magnitudeB = bHi & 0x7fffffff;
    const infiniteA = magnitudeA === INFINITY && aLo === 0;
    const infiniteB = magnitudeB === INFINITY && bLo === 0;
    if ((infiniteA && (magnitudeB | bLo) === 0) || (infiniteB && (magnitudeA | aLo) === 0)) {
      const { invalid, result } = rules.fusedInfinityTimesZero;
      if (invalid) this.flags |= FpFlags.Invalid;
      return result === 'default' && !signalling ? this.defaultNan64() : this.quiet64(cLo, cHi);
    }
    const bySignalling = signalling && rules.propagation === 'signalling-first';
    const takeA = bySignalling ? signallingA : this.isNan64(aLo, aHi);
    const takeB = bySignalling ? signallingB : this.isNan64(bLo, bHi);
    const takeC = bySignalling ? signallingC : this.isNan64(cLo, cHi);
    if (takeC && (rules.fusedOrder === 'cab' || !(takeA || takeB))) return this.quiet64(cLo, cHi);
    return takeA ? this.quiet64(aLo, aHi) : this.quiet64(bLo, bHi);
  }

  /**
   * MIPS MADD/MSUB/NMADD/NMSUB.D before Release 6: a×b, rounded, then ± c, rounded again; `negate` inverts the result's sign,
   * a NaN's too.
   */
  mulThenAdd64(
    aLo: number,
    aHi: number,
    bLo: number,
    bHi: number,
    cLo: number,
    cHi: number,
    subtract: boolean,
    negate: boolean,
  ): number {
    const product = this.mul64(aLo, aHi, bLo, bHi);
    const result = this.sum64(product, this.hi, cLo, cHi, subtract ? SIGN : 0);
    if (negate) this.hi ^= SIGN;
    return result;
  }

  /** FpRelation of a to b. `signalling` raises Invalid for quiet NaNs as well. */
  compare64(aLo: number, aHi: number, bLo: number, bHi: number, signalling: boolean): number {
    if (this.isNan64(aLo, aHi) || this.isNan64(bLo, bHi)) {
      if (signalling || this.isSignalling64(aLo, aHi) || this.isSignalling64(bLo, bHi)) this.flags |= FpFlags.Invalid;
      return FpRelation.Unordered;
    }
    if (aHi === bHi && aLo === bLo) return FpRelation.Equal;
    if ((((aHi | bHi) & 0x7fffffff) | aLo | bLo) === 0) return FpRelation.Equal;
    // Sign and magnitude: two negative numbers compare the other way round.
    const below = aHi === bHi ? aLo >>> 0 < bLo >>> 0 : aHi < bHi;
    return below !== (aHi < 0 && bHi < 0) ? FpRelation.Less : FpRelation.Greater;
  }

  /** The FpClass bit of the value. */
  class64(lo: number, hi: number): number {
    if (this.isNan64(lo, hi)) return this.isSignalling64(lo, hi) ? FpClass.SignallingNan : FpClass.QuietNan;
    const magnitude = hi & 0x7fffffff;
    const negative = hi < 0;
    if (magnitude === INFINITY) return negative ? FpClass.NegativeInfinity : FpClass.PositiveInfinity;
    if (magnitude >= LEADING) return negative ? FpClass.NegativeNormal : FpClass.PositiveNormal;
    if ((magnitude | lo) !== 0) return negative ? FpClass.NegativeSubnormal : FpClass.PositiveSubnormal;
    return negative ? FpClass.NegativeZero : FpClass.PositiveZero;
  }

  protected infinity64(sign: number): number {
    this.hi = sign | INFINITY;
    return 0;
  }

  /**
   * The 53-bit significand, leading bit set (bit 20 of `hi`), of a finite magnitude above zero; its exponent is left in
   * `exponent64`.
   */
  protected normal64(lo: number, magnitudeHi: number): number {
    if (magnitudeHi >= LEADING) {
      this.exponent64 = magnitudeHi >>> 20;
      this.hi = (magnitudeHi & FRACTION) | LEADING;
      return lo;
    }
    if (magnitudeHi === 0) {
      const shift = Math.clz32(lo) - 11;
      this.exponent64 = -31 - shift;
      if (shift < 0) {
        this.hi = lo >>> -shift;
        return lo << (32 + shift);
      }
      this.hi = lo << shift;
      return 0;
    }
    const shift = Math.clz32(magnitudeHi) - 11;
    this.exponent64 = 1 - shift;
    this.hi = (magnitudeHi << shift) | (lo >>> (32 - shift));
    return lo << shift;
  }

  /** Exponent left by `normal64`. */
  protected get normalExponent(): number {
    return this.exponent64;
  }
}
