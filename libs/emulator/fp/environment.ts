import { FpFlags, RoundingMode } from './modes.js';
import type { FpPolicy, InvalidInteger } from './policy.js';

/** The sign bit of binary32, and of the high half of binary64, as an int32. */
export const SIGN = 0x80000000 | 0;

/** Shifts right, OR-ing the bits shifted out into bit 0 ("jamming"), so that rounding still sees them. `value` is unsigned. */
export function shiftRightJam(value: number, count: number): number {
  if (count === 0) return value;
  if (count > 31) return value === 0 ? 0 : 1;
  return (value >>> count) | (value << (32 - count) === 0 ? 0 : 1);
}

/** The high 32 bits (as int32) of the 64-bit product of two unsigned 32-bit numbers. */
export function multiplyHigh(a: number, b: number): number {
  const aLo = a & 0xffff;
  const aHi = a >>> 16;
  const bLo = b & 0xffff;
  const bHi = b >>> 16;
  const middle = (Math.imul(aHi, bLo) + (Math.imul(aLo, bLo) >>> 16)) | 0;
  const carry = (Math.imul(aLo, bHi) + (middle & 0xffff)) | 0;
  return (Math.imul(aHi, bHi) + (middle >>> 16) + (carry >>> 16)) | 0;
}

/**
 * The state every operation shares: modes, accumulated flags, NaN rules. Values with two halves are returned as the low
 * int32 with the high int32 in `hi`; nothing here allocates.
 */
export class FpEnvironment {
  roundingMode: RoundingMode = RoundingMode.NearestEven;
  /** Replaces tiny results by a zero of the same sign. Operands are not flushed. */
  flushToZero = false;
  /**
   * IEEE 754 (1985: 7.4; 2008: 7.5): with the underflow trap enabled every tiny result signals Underflow, otherwise only an
   * inexact one does. The caller sees the flag and takes the trap; overflow needs no such switch.
   */
  underflowTrapEnabled = false;
  /** Exceptions (FpFlags) raised since the caller last cleared them. */
  flags = 0;
  /** High half of the last two-half result. */
  hi = 0;

  /** Bit 22 of a signalling binary32 NaN; the same decision for bit 19 of a binary64 NaN's high half. */
  protected readonly signallingBit: 0 | 1;
  protected readonly tinyBeforeRounding: boolean;
  private readonly arithmeticSign: boolean;

  constructor(readonly policy: FpPolicy) {
    this.signallingBit = policy.nan.signallingBit;
    this.tinyBeforeRounding = policy.tininess === 'before-rounding';
    this.arithmeticSign = policy.signOperations === 'arithmetic';
  }

  // --- rounding -------------------------------------------------------------------------------------------------------

  /** What to add below the last kept bit so that truncation then rounds; `half` is half a unit of the last kept bit. */
  protected roundingIncrement(sign: number, half: number): number {
    const mode = this.roundingMode;
    if (mode === RoundingMode.NearestEven) return half;
    if (mode === RoundingMode.TowardZero) return 0;
    return (mode === RoundingMode.Up) === (sign === 0) ? half * 2 - 1 : 0;
  }

  /**
   * Rounds to binary32. The value is ±significand/2^30 × 2^(exponent−127), where bit 30 of the significand is set and bit 31
   * clear; bits 6..0 are rounded away, bit 0 being sticky.
   */
  protected round32(sign: number, exponent: number, significand: number): number {
    const increment = this.roundingIncrement(sign, 0x40);
    let biased = exponent;
    let kept = significand;
    if (exponent <= 0) {
      if (this.flushToZero) {
        this.flags |= this.policy.flushRaises;
        return sign;
      }
      const tiny = this.tinyBeforeRounding || exponent < 0 || ((significand + increment) | 0) >= 0;
      kept = shiftRightJam(significand, 1 - exponent);
      biased = 1;
      if (tiny && ((kept & 0x7f) !== 0 || this.underflowTrapEnabled)) this.flags |= FpFlags.Underflow;
    } else if (exponent >= 254 && (exponent > 254 || ((significand + increment) | 0) < 0)) {
      this.flags |= FpFlags.Overflow | FpFlags.Inexact;
      return sign | (increment === 0 ? 0x7f7fffff : 0x7f800000);
    }
    const rest = kept & 0x7f;
    if (rest !== 0) this.flags |= FpFlags.Inexact;
    kept = (kept + increment) >>> 7;
    if (rest === 0x40 && this.roundingMode === RoundingMode.NearestEven) kept &= ~1;
    // The leading bit, when there is one, adds one to the exponent field; so does a carry out of the significand.
    return (sign + ((biased - 1) << 23) + kept) | 0;
  }

  /** `round32` for a 64-bit significand whose bit 62 is set (bit 30 of `high`), bit 63 clear. */
  protected round32Wide(sign: number, exponent: number, high: number, low: number): number {
    return this.round32(sign, exponent, high | (low === 0 ? 0 : 1));
  }

  /** `round32` for any significand, zero and carries into bit 31 included. */
  protected normalizeRound32(sign: number, exponent: number, significand: number): number {
    if (significand === 0) return sign;
    const shift = Math.clz32(significand) - 1;
    if (shift < 0) return this.round32(sign, exponent + 1, (significand >>> 1) | (significand & 1));
    return this.round32(sign, exponent - shift, significand << shift);
  }

  /**
   * Rounds to binary64. The value is ±(high:low)/2^62 × 2^(exponent−1023), where bit 30 of `high` is set and bit 31 clear;
   * bits 9..0 of `low` are rounded away, bit 0 being sticky.
   */
  protected round64(sign: number, exponent: number, high: number, low: number): number {
    const increment = this.roundingIncrement(sign, 0x200);
    let biased = exponent;
    let keptHigh = high;
    let keptLow = low;
    if (exponent <= 0) {
      if (this.flushToZero) {
        this.flags |= this.policy.flushRaises;
        this.hi = sign;
        return 0;
      }
      const tiny = this.tinyBeforeRounding || exponent < 0 || addCarry(high, low, increment) >= 0;
      keptLow = this.shiftRightJam64(high, low, 1 - exponent);
      keptHigh = this.hi;
      biased = 1;
      if (tiny && ((keptLow & 0x3ff) !== 0 || this.underflowTrapEnabled)) this.flags |= FpFlags.Underflow;
    } else if (exponent >= 2046 && (exponent > 2046 || addCarry(high, low, increment) < 0)) {
      this.flags |= FpFlags.Overflow | FpFlags.Inexact;
      this.hi = sign | (increment === 0 ? 0x7fefffff : 0x7ff00000);
      return increment === 0 ? -1 : 0;
    }
    const rest = keptLow & 0x3ff;
    if (rest !== 0) this.flags |= FpFlags.Inexact;
    keptHigh = addCarry(keptHigh, keptLow, increment);
    keptLow = (keptLow + increment) | 0;
    let result = (keptHigh << 22) | (keptLow >>> 10);
    if (rest === 0x200 && this.roundingMode === RoundingMode.NearestEven) result &= ~1;
    this.hi = (sign + ((biased - 1) << 20) + (keptHigh >>> 10)) | 0;
    return result;
  }

  /** `round64` for any significand, zero and carries into bit 63 included. */
  protected normalizeRound64(sign: number, exponent: number, high: number, low: number): number {
    if (high < 0) return this.round64(sign, exponent + 1, high >>> 1, (high << 31) | (low >>> 1) | (low & 1));
    if (high === 0) {
      if (low === 0) {
        this.hi = sign;
        return 0;
      }
      const shift = Math.clz32(low) - 1;
      if (shift < 0) return this.round64(sign, exponent - 31, low >>> 1, low << 31);
      return this.round64(sign, exponent - 32 - shift, low << shift, 0);
    }
    const shift = Math.clz32(high) - 1;
    if (shift === 0) return this.round64(sign, exponent, high, low);
    return this.round64(sign, exponent - shift, (high << shift) | (low >>> (32 - shift)), low << shift);
  }

  /** `shiftRightJam` for 64 bits: high half in `hi`. */
  protected shiftRightJam64(high: number, low: number, count: number): number {
    if (count === 0) {
      this.hi = high;
      return low;
    }
    if (count < 32) {
      this.hi = high >>> count;
      return (high << (32 - count)) | (low >>> count) | (low << (32 - count) === 0 ? 0 : 1);
    }
    this.hi = 0;
    return shiftRightJam(high, count - 32) | (low === 0 ? 0 : 1);
  }

  /** The sign of an exact zero sum of operands with different signs. */
  protected zeroSumSign(): number {
    return this.roundingMode === RoundingMode.Down ? SIGN : 0;
  }

  // --- NaNs -----------------------------------------------------------------------------------------------------------

  protected isNan32(a: number): boolean {
    return (a & 0x7fffffff) > 0x7f800000;
  }

  protected isSignalling32(a: number): boolean {
    return (a & 0x7fffffff) > 0x7f800000 && ((a >>> 22) & 1) === this.signallingBit;
  }

  protected isNan64(lo: number, hi: number): boolean {
    const magnitude = hi & 0x7fffffff;
    return magnitude > 0x7ff00000 || (magnitude === 0x7ff00000 && lo !== 0);
  }

  protected isSignalling64(lo: number, hi: number): boolean {
    return this.isNan64(lo, hi) && ((hi >>> 19) & 1) === this.signallingBit;
  }

  protected invalid32(): number {
    this.flags |= FpFlags.Invalid;
    return this.policy.nan.default32;
  }

  protected invalid64(): number {
    this.flags |= FpFlags.Invalid;
    return this.defaultNan64();
  }

  protected defaultNan64(): number {
    this.hi = this.policy.nan.default64Hi;
    return this.policy.nan.default64Lo;
  }

  /**
   * The quiet NaN to return for the NaN `a`. Setting the fraction's first bit makes an IEEE 754-2008 NaN quiet; clearing it
   * could turn a legacy one into an infinity, so there the default NaN stands in for it.
   */
  protected quiet32(a: number): number {
    if (this.policy.nan.propagation === 'default') return this.policy.nan.default32;
    if (this.signallingBit === 0) return a | 0x00400000;
    return this.isSignalling32(a) ? this.policy.nan.default32 : a;
  }

  protected quiet64(lo: number, hi: number): number {
    if (this.policy.nan.propagation === 'default') return this.defaultNan64();
    if (this.signallingBit === 0) {
      this.hi = hi | 0x00080000;
      return lo;
    }
    if (this.isSignalling64(lo, hi)) return this.defaultNan64();
    this.hi = hi;
    return lo;
  }

  /** Result of an operation on one NaN. */
  protected propagate32(a: number): number {
    if (this.isSignalling32(a)) this.flags |= FpFlags.Invalid;
    return this.quiet32(a);
  }

  protected propagate64(lo: number, hi: number): number {
    if (this.isSignalling64(lo, hi)) this.flags |= FpFlags.Invalid;
    return this.quiet64(lo, hi);
  }

  /** Result of an operation on two operands of which at least one is a NaN. */
  protected propagatePair32(a: number, b: number): number {
    const signallingA = this.isSignalling32(a);
    const signallingB = this.isSignalling32(b);
    if (signallingA || signallingB) this.flags |= FpFlags.Invalid;
    if (this.policy.nan.propagation === 'signalling-first' && (signallingA || signallingB)) {
      return this.quiet32(signallingA ? a : b);
    }
    return this.quiet32(this.isNan32(a) ? a : b);
  }

  protected propagatePair64(aLo: number, aHi: number, bLo: number, bHi: number): number {
    const signallingA = this.isSignalling64(aLo, aHi);
    const signallingB = this.isSignalling64(bLo, bHi);
    if (signallingA || signallingB) this.flags |= FpFlags.Invalid;
    const signallingFirst = this.policy.nan.propagation === 'signalling-first' && (signallingA || signallingB);
    const takeA = signallingFirst ? signallingA : this.isNan64(aLo, aHi);
    return takeA ? this.quiet64(aLo, aHi) : this.quiet64(bLo, bHi);
  }

  // --- sign operations ------------------------------------------------------------------------------------------------

  /** Absolute value; see `FpPolicy.signOperations` for what it does to NaNs. Inexact or tiny operands raise nothing. */
  abs32(a: number): number {
    return this.arithmeticSign && this.isNan32(a) ? this.propagate32(a) : a & 0x7fffffff;
  }

  neg32(a: number): number {
    return this.arithmeticSign && this.isNan32(a) ? this.propagate32(a) : a ^ SIGN;
  }

  abs64(lo: number, hi: number): number {
    if (this.arithmeticSign && this.isNan64(lo, hi)) return this.propagate64(lo, hi);
    this.hi = hi & 0x7fffffff;
    return lo;
  }

  neg64(lo: number, hi: number): number {
    if (this.arithmeticSign && this.isNan64(lo, hi)) return this.propagate64(lo, hi);
    this.hi = hi ^ SIGN;
    return lo;
  }

  // --- invalid conversions to integers --------------------------------------------------------------------------------

  protected invalidInteger32(nan: boolean, sign: number): number {
    const choice = this.invalidChoice(nan, sign);
    return choice === 'max' ? 0x7fffffff : choice === 'min' ? SIGN : 0;
  }

  protected invalidInteger64(nan: boolean, sign: number): number {
    const choice = this.invalidChoice(nan, sign);
    this.hi = choice === 'max' ? 0x7fffffff : choice === 'min' ? SIGN : 0;
    return choice === 'max' ? -1 : 0;
  }

  private invalidChoice(nan: boolean, sign: number): InvalidInteger {
    this.flags |= FpFlags.Invalid;
    const { integerOf } = this.policy;
    if (nan) return integerOf.nan;
    return sign === 0 ? integerOf.above : integerOf.below;
  }
}

/** The high half, as int32, of (high:low) + increment; increment is a small non-negative number. */
function addCarry(high: number, low: number, increment: number): number {
  return (high + ((low + increment) >>> 0 < increment ? 1 : 0)) | 0;
}
