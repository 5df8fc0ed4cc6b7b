import { Binary64 } from './binary64.js';
import { SIGN } from './environment.js';
import { FpFlags, RoundingMode } from './modes.js';

/**
 * IEEE 754 binary32 and binary64 arithmetic with all four rounding modes, exact flags and the target's NaN rules. One
 * instance belongs to one vCPU. This class holds the conversions; arithmetic is in Binary32 and Binary64.
 */
export class SoftFloat extends Binary64 {
  /** Whether the last `toMagnitude` dropped a fraction. */
  private dropped = false;

  /** Low half returned, high half in `hi`. Exact, except that signalling NaNs are Invalid. */
  f32ToF64(a: number): number {
    const sign = a & SIGN;
    const magnitude = a & 0x7fffffff;
    if (magnitude > 0x7f800000) {
      const signalling = this.isSignalling32(a);
      if (signalling) this.flags |= FpFlags.Invalid;
      if (signalling && this.signallingBit === 1) return this.defaultNan64();
      return this.quiet64(magnitude << 29, sign | 0x7ff00000 | ((magnitude & 0x007fffff) >>> 3));
    }
    if (magnitude === 0x7f800000) return this.infinity64(sign);
    if (magnitude === 0) {
      this.hi = sign;
      return 0;
    }
    let exponent = magnitude >>> 23;
    let significand = magnitude & 0x007fffff;
    if (exponent === 0) {
      const shift = Math.clz32(significand) - 8;
      significand = (significand << shift) & 0x007fffff;
      exponent = 1 - shift;
    }
    this.hi = sign | ((exponent + 1023 - 127) << 20) | (significand >>> 3);
    return significand << 29;
  }

  f64ToF32(lo: number, hi: number): number {
    const sign = hi & SIGN;
    const magnitude = hi & 0x7fffffff;
    if (this.isNan64(lo, hi)) {
      const signalling = this.isSignalling64(lo, hi);
      if (signalling) this.flags |= FpFlags.Invalid;
      const narrowed = sign | 0x7f800000 | ((magnitude & 0x000fffff) << 3) | (lo >>> 29);
      // A legacy quiet NaN may lose its whole fraction here, and must not turn into an infinity.
      if (this.signallingBit === 1 && (signalling || (narrowed & 0x007fffff) === 0)) return this.policy.nan.default32;
      return this.quiet32(narrowed);
    }
    if (magnitude === 0x7ff00000) return sign | 0x7f800000;
    if ((magnitude | lo) === 0) return sign;
    const low = this.normal64(lo, magnitude);
    return this.round32Wide(sign, this.normalExponent - 1023 + 127, (this.hi << 10) | (low >>> 22), low << 10);
  }

  i32ToF32(i: number): number {
    return this.normalizeRound32(i & SIGN, 127 + 30, i < 0 ? -i | 0 : i);
  }

  /** Exact. */
  i32ToF64(i: number): number {
    if (i === 0) {
      this.hi = 0;
      return 0;
    }
    const magnitude = i < 0 ? -i | 0 : i;
    const shift = Math.clz32(magnitude);
    const normal = magnitude << shift;
    this.hi = (i & SIGN) | (((1023 + 30 - shift) << 20) + (normal >>> 11));
    return normal << 21;
  }

  i64ToF32(lo: number, hi: number): number {
    if (lo === 0 && hi === 0) return 0;
    const sign = hi & SIGN;
    const low = sign === 0 ? lo : -lo | 0;
    const high = sign === 0 ? hi : (~hi + (lo === 0 ? 1 : 0)) | 0;
    if (high === 0) {
      return this.normalizeRound32(sign, 127 + 30, low);
    }
    // The upper 32 significant bits and the sticky rest.
    const shift = Math.clz32(high);
    const top = shift === 0 ? high : (high << shift) | (low >>> (32 - shift));
    return this.normalizeRound32(sign, 127 + 62 - shift, top | (low << shift === 0 ? 0 : 1));
  }

  i64ToF64(lo: number, hi: number): number {
    if (lo === 0 && hi === 0) {
      this.hi = 0;
      return 0;
    }
    const sign = hi & SIGN;
    const low = sign === 0 ? lo : -lo | 0;
    const high = sign === 0 ? hi : (~hi + (lo === 0 ? 1 : 0)) | 0;
    return this.normalizeRound64(sign, 1023 + 62, high, low);
  }

  f32ToI32(a: number, mode: RoundingMode): number {
    const magnitude = a & 0x7fffffff;
    if (magnitude > 0x7f800000) return this.invalidInteger32(true, 0);
    return this.toI32(a & SIGN, (magnitude >>> 23) - 127, magnitude << 29, this.widened32(magnitude), mode);
  }

  f64ToI32(lo: number, hi: number, mode: RoundingMode): number {
    if (this.isNan64(lo, hi)) return this.invalidInteger32(true, 0);
    const exponent = (hi >>> 20) & 0x7ff;
    return this.toI32(hi & SIGN, exponent - 1023, lo, this.significandHi(hi, exponent), mode);
  }

  /** Low half returned, high half in `hi`. */
  f32ToI64(a: number, mode: RoundingMode): number {
    const magnitude = a & 0x7fffffff;
    if (magnitude > 0x7f800000) return this.invalidInteger64(true, 0);
    return this.toI64(a & SIGN, (magnitude >>> 23) - 127, magnitude << 29, this.widened32(magnitude), mode);
  }

  /** Low half returned, high half in `hi`. */
  f64ToI64(lo: number, hi: number, mode: RoundingMode): number {
    if (this.isNan64(lo, hi)) return this.invalidInteger64(true, 0);
    const exponent = (hi >>> 20) & 0x7ff;
    return this.toI64(hi & SIGN, exponent - 1023, lo, this.significandHi(hi, exponent), mode);
  }

  private significandHi(hi: number, exponent: number): number {
    return (hi & 0x000fffff) | (exponent === 0 ? 0 : 0x00100000);
  }

  /** High half of a binary32 significand scaled as binary64's; the low half is `magnitude << 29`. */
  private widened32(magnitude: number): number {
    return ((magnitude & 0x007fffff) | (magnitude >= 0x00800000 ? 0x00800000 : 0)) >>> 3;
  }

  private toI32(sign: number, exponent: number, lo: number, hi: number, mode: RoundingMode): number {
    if (exponent > 31) return this.invalidInteger32(false, sign);
    const low = this.toMagnitude(sign, exponent, lo, hi, mode);
    const limit = sign === 0 ? 0x7fffffff : 0x80000000;
    if (this.hi !== 0 || low >>> 0 > limit) return this.invalidInteger32(false, sign);
    if (this.dropped) this.flags |= FpFlags.Inexact;
    return sign === 0 ? low : -low | 0;
  }

  private toI64(sign: number, exponent: number, lo: number, hi: number, mode: RoundingMode): number {
    if (exponent > 63) return this.invalidInteger64(false, sign);
    const low = this.toMagnitude(sign, exponent, lo, hi, mode);
    const high = this.hi;
    if (high < 0 && (sign === 0 || high !== SIGN || low !== 0)) return this.invalidInteger64(false, sign);
    if (this.dropped) this.flags |= FpFlags.Inexact;
    if (sign === 0) return low;
    this.hi = (~high + (low === 0 ? 1 : 0)) | 0;
    return -low | 0;
  }

  /**
   * (hi:lo)/2^52 × 2^exponent rounded to an unsigned 64-bit integer: low half returned, high half in `hi`, `dropped` set if
   * the result is inexact. The exponent is at most 63.
   */
  private toMagnitude(sign: number, exponent: number, lo: number, hi: number, mode: RoundingMode): number {
    this.dropped = false;
    const left = exponent - 52;
    if (left >= 0) {
      this.hi = left === 0 ? hi : (hi << left) | (lo >>> (32 - left));
      return lo << left;
    }
    // Two bits below the integer, the lower one sticky. A significand has 53 bits: 55 places bring it down to the sticky bit.
    const low = this.shiftRightJam64((hi << 2) | (lo >>> 30), lo << 2, Math.min(-left, 55));
    const high = this.hi;
    const rest = low & 3;
    const whole = (high << 30) | (low >>> 2);
    this.hi = high >>> 2;
    if (rest === 0) return whole;
    this.dropped = true;
    const up =
      mode === RoundingMode.NearestEven
        ? rest === 3 || (rest === 2 && (whole & 1) === 1)
        : mode !== RoundingMode.TowardZero && (mode === RoundingMode.Up) === (sign === 0);
    if (!up) return whole;
    if (whole === -1) this.hi++;
    return (whole + 1) | 0;
  }
}
