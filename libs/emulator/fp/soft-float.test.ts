import { describe, expect, it } from '@jest/globals';
import {
  ARM,
  FpClass,
  FpFlags,
  MIPS_2008,
  MIPS_LEGACY,
  RISCV,
  RoundingMode,
  SoftFloat,
  X86_SSE,
  conditionHolds,
  type FpPolicy,
} from './index.js';

// The reference below computes with exact rationals and shares nothing with the library but the encodings.

interface Format {
  readonly precision: number;
  readonly maxExponent: number;
}
const F32: Format = { precision: 24, maxExponent: 127 };
const F64: Format = { precision: 53, maxExponent: 1023 };

const MODES = [RoundingMode.NearestEven, RoundingMode.TowardZero, RoundingMode.Up, RoundingMode.Down];

/** sign × numerator / denominator × 2^exponent; `sticky` says that the true magnitude is slightly larger. */
interface Exact {
  readonly negative: boolean;
  readonly numerator: bigint;
  readonly denominator: bigint;
  readonly sticky?: boolean;
}

interface Outcome {
  readonly bits: bigint;
  readonly flags: number;
}

const bitLength = (n: bigint): number => n.toString(2).length;

function decode(bits: bigint, format: Format): Exact {
  const fractionBits = format.precision - 1;
  const exponentMask = BigInt(2 * format.maxExponent + 1);
  const biased = Number((bits >> BigInt(fractionBits)) & exponentMask);
  const fraction = bits & ((1n << BigInt(fractionBits)) - 1n);
  const significand = biased === 0 ? fraction : fraction | (1n << BigInt(fractionBits));
  const exponent = Math.max(biased, 1) - format.maxExponent - fractionBits;
  return {
    negative: bits >> BigInt(format.precision === 24 ? 31 : 63) === 1n,
    numerator: exponent >= 0 ? significand << BigInt(exponent) : significand,
    denominator: exponent >= 0 ? 1n : 1n << BigInt(-exponent),
  };
}

/** Rounds to a multiple of 2^quantum. */
function roundTo(value: Exact, quantum: number, mode: RoundingMode): { count: bigint; inexact: boolean } {
  const numerator = value.numerator << BigInt(Math.max(-quantum, 0));
  const denominator = value.denominator << BigInt(Math.max(quantum, 0));
  const count = numerator / denominator;
  const rest = numerator % denominator;
  const inexact = rest !== 0n || value.sticky === true;
  const half = 2n * rest - denominator;
  const aboveHalf = half > 0n || (half === 0n && value.sticky === true);
  let up = false;
  if (mode === RoundingMode.NearestEven) up = aboveHalf || (half === 0n && (count & 1n) === 1n);
  else if (mode === RoundingMode.Up) up = inexact && !value.negative;
  else if (mode === RoundingMode.Down) up = inexact && value.negative;
  return { count: up ? count + 1n : count, inexact };
}

function encode(value: Exact, format: Format, mode: RoundingMode, policy: FpPolicy): Outcome {
  const { precision, maxExponent } = format;
  const minExponent = 1 - maxExponent;
  const sign = value.negative ? 1n << BigInt(precision === 24 ? 31 : 63) : 0n;
  if (value.numerator === 0n) return { bits: sign, flags: 0 };
  let leading = bitLength(value.numerator) - bitLength(value.denominator);
  if (value.numerator << BigInt(Math.max(-leading, 0)) < value.denominator << BigInt(Math.max(leading, 0))) leading--;
  const quantum = Math.max(leading, minExponent) - precision + 1;
  const { count, inexact } = roundTo(value, quantum, mode);
  let flags = inexact ? FpFlags.Inexact : 0;
  let tiny = leading < minExponent;
  if (tiny && policy.tininess === 'after-rounding') {
    const unbounded = roundTo(value, leading - precision + 1, mode);
    tiny = leading < minExponent - 1 || unbounded.count < 1n << BigInt(precision);
  }
  if (tiny && inexact) flags |= FpFlags.Underflow;
  const magnitude = (BigInt(Math.max(leading, minExponent) + maxExponent - 1) << BigInt(precision - 1)) + count;
  const infinity = BigInt(2 * maxExponent + 1) << BigInt(precision - 1);
  if (magnitude < infinity) return { bits: sign | magnitude, flags };
  const toLargest = mode === RoundingMode.TowardZero || mode === (value.negative ? RoundingMode.Up : RoundingMode.Down);
  return { bits: sign | (toLargest ? infinity - 1n : infinity), flags: FpFlags.Overflow | FpFlags.Inexact };
}

const negate = (a: Exact): Exact => ({ ...a, negative: !a.negative });
const times = (a: Exact, b: Exact): Exact => ({
  negative: a.negative !== b.negative,
  numerator: a.numerator * b.numerator,
  denominator: a.denominator * b.denominator,
});
const over = (a: Exact, b: Exact): Exact => ({
  negative: a.negative !== b.negative,
  numerator: a.numerator * b.denominator,
  denominator: a.denominator * b.numerator,
});
function plus(a: Exact, b: Exact, mode: RoundingMode): Exact {
  const x = (a.negative ? -a.numerator : a.numerator) * b.denominator;
  const y = (b.negative ? -b.numerator : b.numerator) * a.denominator;
  const sum = x + y;
  const zeroSign = a.negative === b.negative ? a.negative : mode === RoundingMode.Down;
  return {
    negative: sum === 0n ? zeroSign : sum < 0n,
    numerator: sum < 0n ? -sum : sum,
    denominator: a.denominator * b.denominator,
  };
}
/** The root to 2^-1200, marked sticky where it is not exact. */
function root(a: Exact): Exact {
  const scaled = (a.numerator << 2400n) / a.denominator;
  let estimate = scaled === 0n ? 0n : 1n << BigInt((bitLength(scaled) + 1) >> 1);
  for (;;) {
    const next = estimate === 0n ? 0n : (estimate + scaled / estimate) >> 1n;
    if (next >= estimate) break;
    estimate = next;
  }
  return {
    negative: a.negative,
    numerator: estimate,
    denominator: 1n << 1200n,
    sticky: estimate * estimate !== scaled || (scaled * a.denominator) >> 2400n !== a.numerator,
  };
}

function xorshift(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state | 0;
  };
}

/** Finite values of every kind: boundaries of the format, neighbours of powers of two, ties, random ones. */
function finiteValues(format: Format, random: () => number, count: number): bigint[] {
  const width = format.precision === 24 ? 32 : 64;
  const fractionBits = BigInt(format.precision - 1);
  const field = (biased: number, fraction: bigint) => (BigInt(biased) << fractionBits) + fraction;
  const largest = field(2 * format.maxExponent + 1, -1n);
  const values = [0n, 1n, 2n, 3n, field(1, -1n), field(1, 0n), field(1, 1n), field(2, -1n), field(2, 0n), largest];
  for (const step of [-format.precision - 1, -format.precision, -1, 0, 1, 2, format.precision - 1, format.precision]) {
    for (const offset of [-1n, 0n, 1n]) values.push(field(format.maxExponent + step, offset));
  }
  values.push(field(format.maxExponent, 1n << (fractionBits - 1n)), field(2 * format.maxExponent, 0n), largest - 1n);
  const randomBits = () => BigInt.asUintN(width, (BigInt(random()) << 32n) ^ BigInt.asUintN(32, BigInt(random())));
  while (values.length < count) {
    const bits = randomBits() & ((1n << BigInt(width - 1)) - 1n);
    const near = field(format.maxExponent + (random() % 4), bits & ((1n << fractionBits) - 1n));
    values.push((random() & 1) === 0 ? near : bits > largest ? bits >> 1n : bits);
  }
  return values.flatMap((bits) => [bits, bits | (1n << BigInt(width - 1))]);
}

const lo = (bits: bigint): number => Number(BigInt.asIntN(32, bits));
const hi = (bits: bigint): number => Number(BigInt.asIntN(32, bits >> 32n));
const pair = (low: number, high: number): bigint => BigInt.asUintN(64, (BigInt(high) << 32n) | BigInt(low >>> 0));
const hex = (bits: bigint): string => `0x${bits.toString(16)}`;

/** Runs one operation on a unit in the given mode: its result bits and flags. */
function run(unit: SoftFloat, mode: RoundingMode, operation: () => bigint): Outcome {
  unit.roundingMode = mode;
  unit.flags = 0;
  const bits = operation();
  return { bits, flags: unit.flags };
}

function check(name: string, operands: bigint[], mode: RoundingMode, actual: Outcome, expected: Outcome): void {
  if (actual.bits === expected.bits && actual.flags === expected.flags) return;
  const show = (o: Outcome) => `${hex(o.bits)} flags ${o.flags}`;
  throw new Error(
    `${name}(${operands.map(hex).join(', ')}) ${RoundingMode[mode]}: ${show(actual)}, not ${show(expected)}`,
  );
}

describe.each([MIPS_LEGACY, ARM])('finite arithmetic against exact rationals, tininess of $name', (policy) => {
  const unit = new SoftFloat(policy);
  const random = xorshift(0x2545f491);

  describe.each([
    { format: F32, width: 32 },
    { format: F64, width: 64 },
  ])('binary$width', ({ format, width }) => {
    const wide = width === 64;
    const values = finiteValues(format, random, 42);
    const from64 = (low: number): bigint => pair(low, unit.hi);
    const from32 = (bits: number): bigint => BigInt.asUintN(32, BigInt(bits));

    it('adds, subtracts, multiplies and divides', () => {
      for (const a of values) {
        for (const b of values) {
          const x = decode(a, format);
          const y = decode(b, format);
          for (const mode of MODES) {
            const sum = run(unit, mode, () =>
              wide ? from64(unit.add64(lo(a), hi(a), lo(b), hi(b))) : from32(unit.add32(lo(a), lo(b))),
            );
            check('add', [a, b], mode, sum, encode(plus(x, y, mode), format, mode, policy));
            const difference = run(unit, mode, () =>
              wide ? from64(unit.sub64(lo(a), hi(a), lo(b), hi(b))) : from32(unit.sub32(lo(a), lo(b))),
            );
            check('sub', [a, b], mode, difference, encode(plus(x, negate(y), mode), format, mode, policy));
            const product = run(unit, mode, () =>
              wide ? from64(unit.mul64(lo(a), hi(a), lo(b), hi(b))) : from32(unit.mul32(lo(a), lo(b))),
            );
            check('mul', [a, b], mode, product, encode(times(x, y), format, mode, policy));
            if (y.numerator === 0n) continue;
            const quotient = run(unit, mode, () =>
              wide ? from64(unit.div64(lo(a), hi(a), lo(b), hi(b))) : from32(unit.div32(lo(a), lo(b))),
            );
            check('div', [a, b], mode, quotient, encode(over(x, y), format, mode, policy));
          }
        }
      }
    });

    it('takes square roots', () => {
      for (const a of finiteValues(format, random, 300)) {
        const x = decode(a, format);
        if (x.negative) continue;
        for (const mode of MODES) {
          const actual = run(unit, mode, () => (wide ? from64(unit.sqrt64(lo(a), hi(a))) : from32(unit.sqrt32(lo(a)))));
          check('sqrt', [a], mode, actual, encode(root(x), format, mode, policy));
        }
      }
    });

    it('multiplies and adds, fused and not', () => {
      const pick = (): bigint => values[(random() >>> 0) % values.length] ?? 0n;
      for (let i = 0; i < 20_000; i++) {
        const a = pick();
        const b = pick();
        // Every other addend nearly cancels the product.
        const product = times(decode(a, format), decode(b, format));
        const near = encode(negate(product), format, RoundingMode.NearestEven, policy).bits;
        const infinite =
          (near >> BigInt(format.precision - 1)) % BigInt(2 * format.maxExponent + 2) > 2 * format.maxExponent;
        const c = i % 2 === 0 || infinite ? pick() : near ^ BigInt(random() & 1);
        const mode = MODES[i & 3] ?? RoundingMode.NearestEven;
        const fused = run(unit, mode, () =>
          wide
            ? from64(unit.fusedMulAdd64(lo(a), hi(a), lo(b), hi(b), lo(c), hi(c)))
            : from32(unit.fusedMulAdd32(lo(a), lo(b), lo(c))),
        );
        check('fused', [a, b, c], mode, fused, encode(plus(product, decode(c, format), mode), format, mode, policy));
        const unfused = run(unit, mode, () =>
          wide
            ? from64(unit.mulThenAdd64(lo(a), hi(a), lo(b), hi(b), lo(c), hi(c), false, false))
            : from32(unit.mulThenAdd32(lo(a), lo(b), lo(c), false, false)),
        );
        const inTwoSteps = run(unit, mode, () => {
          if (!wide) return from32(unit.add32(unit.mul32(lo(a), lo(b)), lo(c)));
          const low = unit.mul64(lo(a), hi(a), lo(b), hi(b));
          return from64(unit.add64(low, unit.hi, lo(c), hi(c)));
        });
        check('unfused', [a, b, c], mode, unfused, inTwoSteps);
      }
    });

    it('converts between the formats', () => {
      for (const a of finiteValues(format, random, 400)) {
        for (const mode of MODES) {
          const actual = run(unit, mode, () =>
            wide ? from32(unit.f64ToF32(lo(a), hi(a))) : from64(unit.f32ToF64(lo(a))),
          );
          check('convert', [a], mode, actual, encode(decode(a, format), wide ? F32 : F64, mode, policy));
        }
      }
    });

    it('converts integers to floats', () => {
      const integers: bigint[] = [0n];
      for (let bit = 0n; bit < 64n; bit++) for (const offset of [-1n, 0n, 1n]) integers.push((1n << bit) + offset);
      for (let i = 0; i < 400; i++) integers.push(pair(random(), random()) >> BigInt(random() & 63));
      for (const integer of integers) {
        for (const mode of MODES) {
          const word = BigInt.asIntN(32, integer);
          const long = BigInt.asIntN(64, integer);
          for (const [value, bits] of [
            [word, () => (wide ? from64(unit.i32ToF64(lo(word))) : from32(unit.i32ToF32(lo(word))))],
            [
              long,
              () => (wide ? from64(unit.i64ToF64(lo(long), hi(long))) : from32(unit.i64ToF32(lo(long), hi(long)))),
            ],
          ] as const) {
            const exact = { negative: value < 0n, numerator: value < 0n ? -value : value, denominator: 1n };
            check('fromInteger', [value], mode, run(unit, mode, bits), encode(exact, format, mode, policy));
          }
        }
      }
    });

    it('converts floats to integers in the mode asked for', () => {
      const around: bigint[] = [];
      for (let biased = -3; biased < 66; biased++) {
        const power = BigInt(biased + format.maxExponent) << BigInt(format.precision - 1);
        for (let i = 0; i < 12; i++) around.push(power + BigInt(i < 6 ? i - 3 : random() & 0x7fffff));
      }
      const signBit = 1n << BigInt(width - 1);
      for (const a of [...finiteValues(format, random, 400), ...around, ...around.map((bits) => bits | signBit)]) {
        const exact = decode(a, format);
        for (const mode of MODES) {
          const { count, inexact } = roundTo(exact, 0, mode);
          const integer = exact.negative ? -count : count;
          for (const bits of [32, 64]) {
            const actual = run(unit, RoundingMode.NearestEven, () => {
              if (bits === 32) return BigInt(wide ? unit.f64ToI32(lo(a), hi(a), mode) : unit.f32ToI32(lo(a), mode));
              const low = wide ? unit.f64ToI64(lo(a), hi(a), mode) : unit.f32ToI64(lo(a), mode);
              return BigInt.asIntN(64, pair(low, unit.hi));
            });
            const fits = integer === BigInt.asIntN(bits, integer);
            const flags = !fits ? FpFlags.Invalid : inexact ? FpFlags.Inexact : 0;
            const limit = (1n << BigInt(bits - 1)) - 1n;
            const clamped = integer > 0n || policy.integerOf.below === 'max' ? limit : -limit - 1n;
            check(`toI${bits}`, [a], mode, actual, { bits: fits ? integer : clamped, flags });
          }
        }
      }
    });

    it('compares and classifies', () => {
      const number = (bits: bigint): number => {
        const view = new DataView(new ArrayBuffer(8));
        view.setBigUint64(0, wide ? bits : bits << 32n);
        return wide ? view.getFloat64(0) : view.getFloat32(0);
      };
      for (const a of values) {
        const magnitude = a & ((1n << BigInt(width - 1)) - 1n);
        const normal = magnitude >= 1n << BigInt(format.precision - 1);
        const kind = magnitude === 0n ? 'Zero' : normal ? 'Normal' : 'Subnormal';
        const found = wide ? unit.class64(lo(a), hi(a)) : unit.class32(lo(a));
        expect(found).toBe(FpClass[`${a === magnitude ? 'Positive' : 'Negative'}${kind}`]);
        for (const b of values) {
          const relation = wide
            ? unit.compare64(lo(a), hi(a), lo(b), hi(b), false)
            : unit.compare32(lo(a), lo(b), false);
          if (relation !== (Math.sign(number(a) - number(b)) || 0)) {
            throw new Error(`compare(${hex(a)}, ${hex(b)}) gave ${relation}`);
          }
        }
      }
    });
  });
});

const QUIET_2008 = 0x7fc01234;
const SIGNALLING_2008 = 0x7f801234;
const ONE = 0x3f800000;
const INFINITY = 0x7f800000;
const NEGATIVE_INFINITY = 0xff800000 | 0;

describe('NaNs', () => {
  const flagsOf = (unit: SoftFloat): number => {
    const { flags } = unit;
    unit.flags = 0;
    return flags;
  };

  it('legacy MIPS: the quiet bit is inverted and every result is the default NaN', () => {
    const unit = new SoftFloat(MIPS_LEGACY);
    expect(unit.class32(0x7fc00000)).toBe(FpClass.SignallingNan);
    expect(unit.class32(0x7f800001)).toBe(FpClass.QuietNan);
    expect(unit.class64(0, 0xfff80000 | 0)).toBe(FpClass.SignallingNan);
    expect(unit.class64(1, 0x7ff00000)).toBe(FpClass.QuietNan);
    expect(unit.add32(0x7f800001, ONE)).toBe(0x7fbfffff);
    expect(flagsOf(unit)).toBe(0);
    expect(unit.add32(ONE, 0x7fc00001)).toBe(0x7fbfffff);
    expect(flagsOf(unit)).toBe(FpFlags.Invalid);
    expect([unit.mul64(0, 0x7ff00000, 0, 0), unit.hi]).toEqual([-1, 0x7ff7ffff]);
    expect(flagsOf(unit)).toBe(FpFlags.Invalid);
  });

  it('legacy MIPS: a quiet NaN whose payload does not fit binary32 stays a NaN', () => {
    const unit = new SoftFloat(MIPS_LEGACY);
    expect(unit.f64ToF32(1, 0x7ff00000)).toBe(0x7fbfffff);
    expect(unit.flags).toBe(0);
  });

  it('abs and neg only touch the sign, unless the target has them arithmetic', () => {
    const bitwise = new SoftFloat(MIPS_2008);
    expect(bitwise.neg32(SIGNALLING_2008)).toBe(SIGNALLING_2008 | (0x80000000 | 0));
    expect([bitwise.abs64(1, 0xfff00000 | 0), bitwise.hi]).toEqual([1, 0x7ff00000]);
    expect(bitwise.flags).toBe(0);
    const arithmetic = new SoftFloat({ ...MIPS_LEGACY, signOperations: 'arithmetic' });
    expect(arithmetic.neg32(0x7fc00000)).toBe(0x7fbfffff);
    expect(flagsOf(arithmetic)).toBe(FpFlags.Invalid);
    expect(arithmetic.neg32(ONE)).toBe(0xbf800000 | 0);
    expect([arithmetic.abs64(7, 0xbff00000 | 0), arithmetic.hi]).toEqual([7, 0x3ff00000]);
    expect(arithmetic.flags).toBe(0);
  });

  it.each([
    { policy: MIPS_2008, quietThenSignalling: 0x7fc01234, created: 0x7fc00000 },
    { policy: ARM, quietThenSignalling: 0x7fc01234, created: 0x7fc00000 },
    { policy: RISCV, quietThenSignalling: 0x7fc00000, created: 0x7fc00000 },
    { policy: X86_SSE, quietThenSignalling: 0x7fc05678, created: 0xffc00000 | 0 },
  ])('$policy.name: choice among two NaNs, and the NaN it creates', ({ policy, quietThenSignalling, created }) => {
    const unit = new SoftFloat(policy);
    expect(unit.add32(0x7fc05678, SIGNALLING_2008)).toBe(quietThenSignalling);
    expect(flagsOf(unit)).toBe(FpFlags.Invalid);
    expect(unit.sub32(INFINITY, INFINITY)).toBe(created);
    expect(flagsOf(unit)).toBe(FpFlags.Invalid);
    expect(unit.sqrt32(QUIET_2008)).toBe(policy === RISCV ? created : QUIET_2008);
    expect(flagsOf(unit)).toBe(0);
  });

  it.each([
    { policy: MIPS_2008, result: QUIET_2008, flags: FpFlags.Invalid },
    { policy: ARM, result: 0x7fc00000, flags: FpFlags.Invalid },
    { policy: RISCV, result: 0x7fc00000, flags: FpFlags.Invalid },
    { policy: X86_SSE, result: QUIET_2008, flags: 0 },
  ])('$policy.name: fused ∞×0 + quiet NaN', ({ policy, result, flags }) => {
    const unit = new SoftFloat(policy);
    expect(unit.fusedMulAdd32(INFINITY, 0, QUIET_2008)).toBe(result);
    expect(flagsOf(unit)).toBe(flags);
    const low = QUIET_2008 << 29;
    const high = 0x7ff80000 | ((QUIET_2008 & 0x7fffff) >>> 3);
    unit.fusedMulAdd64(0, 0x7ff00000, 0, 0, low, high);
    expect(unit.hi).toBe(result === QUIET_2008 ? high : 0x7ff80000);
    expect(flagsOf(unit)).toBe(flags);
  });

  it('are unordered; quiet ones are Invalid only for signalling comparisons', () => {
    const unit = new SoftFloat(MIPS_2008);
    expect(unit.compare32(QUIET_2008, ONE, false)).toBe(2);
    expect(flagsOf(unit)).toBe(0);
    expect(unit.compare32(QUIET_2008, ONE, true)).toBe(2);
    expect(flagsOf(unit)).toBe(FpFlags.Invalid);
    expect(unit.compare64(0, 0x3ff00000, 1, 0x7ff00000, false)).toBe(2);
    expect(flagsOf(unit)).toBe(FpFlags.Invalid);
  });

  it.each([
    { policy: MIPS_LEGACY, nan: 0x7fffffff, below: 0x7fffffff },
    { policy: MIPS_2008, nan: 0, below: 0x80000000 | 0 },
    { policy: RISCV, nan: 0x7fffffff, below: 0x80000000 | 0 },
    { policy: X86_SSE, nan: 0x80000000 | 0, below: 0x80000000 | 0 },
  ])('$policy.name: conversion of NaN and −∞ to integers', ({ policy, nan, below }) => {
    const unit = new SoftFloat(policy);
    expect(unit.f32ToI32(0x7fc00001, RoundingMode.TowardZero)).toBe(nan);
    expect(unit.f64ToI32(0, 0xfff00000 | 0, RoundingMode.TowardZero)).toBe(below);
    unit.f32ToI64(NEGATIVE_INFINITY, RoundingMode.Up);
    expect(unit.hi).toBe(below);
    expect(unit.flags).toBe(FpFlags.Invalid);
  });
});

describe('exceptions', () => {
  it('division by zero gives an infinity; zero by zero and infinity by infinity are Invalid', () => {
    const unit = new SoftFloat(MIPS_LEGACY);
    expect(unit.div32(ONE, 0x80000000 | 0)).toBe(NEGATIVE_INFINITY);
    expect(unit.flags).toBe(FpFlags.DivByZero);
    unit.flags = 0;
    expect(unit.div32(0, 0)).toBe(0x7fbfffff);
    expect(unit.div32(INFINITY, INFINITY)).toBe(0x7fbfffff);
    expect(unit.flags).toBe(FpFlags.Invalid);
  });

  it('the root of a negative number is Invalid, that of −0 is −0', () => {
    const unit = new SoftFloat(MIPS_LEGACY);
    expect(unit.sqrt32(0x80000000 | 0)).toBe(0x80000000 | 0);
    expect(unit.flags).toBe(0);
    expect([unit.sqrt64(0, 0xbff00000 | 0), unit.hi]).toEqual([-1, 0x7ff7ffff]);
    expect(unit.flags).toBe(FpFlags.Invalid);
  });

  it('an exact subnormal signals Underflow only where the underflow trap is enabled', () => {
    const unit = new SoftFloat(MIPS_LEGACY);
    const half = 0x3f000000;
    expect(unit.mul32(0x00800000, half)).toBe(0x00400000);
    expect(unit.flags).toBe(0);
    unit.underflowTrapEnabled = true;
    expect(unit.mul32(0x00800000, half)).toBe(0x00400000);
    expect(unit.flags).toBe(FpFlags.Underflow);
  });

  it.each([
    { policy: MIPS_LEGACY, flags: 0 },
    { policy: ARM, flags: FpFlags.Underflow },
    { policy: X86_SSE, flags: FpFlags.Underflow | FpFlags.Inexact },
  ])('$policy.name: flush-to-zero keeps the sign, and raises flags $flags', ({ policy, flags }) => {
    const unit = new SoftFloat(policy);
    unit.flushToZero = true;
    expect(unit.mul32(0x80800001 | 0, 0x3f000000)).toBe(0x80000000 | 0);
    expect([unit.mul64(1, 0x00100000, 0, 0xbfe00000 | 0), unit.hi]).toEqual([0, 0x80000000 | 0]);
    expect(unit.flags).toBe(flags);
  });
});

it('the sixteen MIPS conditions', () => {
  // Rows of MD00086's table for C.cond: which of greater, less, equal, unordered make the condition true.
  const table = [
    'F',
    'UN',
    'EQ',
    'UEQ',
    'OLT',
    'ULT',
    'OLE',
    'ULE',
    'SF',
    'NGLE',
    'SEQ',
    'NGL',
    'LT',
    'NGE',
    'LE',
    'NGT',
  ];
  const truth = table.map((_, condition) => [1, -1, 0, 2].map((relation) => conditionHolds(condition, relation)));
  const row = (name: string) => (truth[table.indexOf(name)] ?? []).map((holds) => (holds ? 'T' : 'F')).join('');
  expect(row('F') + row('SF')).toBe('FFFFFFFF');
  expect(row('UN') + row('NGLE')).toBe('FFFTFFFT');
  expect(row('EQ') + row('SEQ')).toBe('FFTFFFTF');
  expect(row('UEQ') + row('NGL')).toBe('FFTTFFTT');
  expect(row('OLT') + row('LT')).toBe('FTFFFTFF');
  expect(row('ULT') + row('NGE')).toBe('FTFTFTFT');
  expect(row('OLE') + row('LE')).toBe('FTTFFTTF');
  expect(row('ULE') + row('NGT')).toBe('FTTTFTTT');
});
