import { FpFlags, RoundingMode } from '@bootlab/emulator/fp';
import { OPERATIONS, is64Bit, type Format, type Operation } from './operations.js';

/**
 * Test vectors by the method of Berkeley TestFloat: representatives of every operand class in all combinations, plus random
 * operands drawn so that sums cancel, products and quotients come to lie at the ends of the exponent range and fractions
 * have few bits (ties).
 *
 * A set of vectors is an Int32Array of eight words for each: operation, FCSR, three operands (low word, high word).
 */
export const VECTOR_WORDS = 8;

/** Fields of FCSR beside RM, which is its two lowest bits (MD00082, "FCSR"). */
export const FCSR = {
  flagsShift: 2,
  enablesShift: 7,
  causeShift: 12,
  condition: 1 << 23,
  flushToZero: 1 << 24,
} as const;
const ALL_FLAGS = 0x1f;

export type Density = 'quick' | 'full';

const MODES = [RoundingMode.NearestEven, RoundingMode.TowardZero, RoundingMode.Up, RoundingMode.Down];

const SIZES = {
  // random vectors for each operation of one, two and three operands
  quick: { random: [300, 600, 1000], everyModeForThree: false },
  full: { random: [20_000, 40_000, 40_000], everyModeForThree: true },
} as const;

const LAYOUT = { S: { fractionBits: 23, bias: 127 }, D: { fractionBits: 52, bias: 1023 } } as const;

/** Deterministic random numbers: George Marsaglia's xorshift with 32 bits of state. */
class Random {
  private state = 0x9e3779b9 | 0;

  word(): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return this.state;
  }

  below(limit: number): number {
    return (this.word() >>> 0) % limit;
  }

  long(): bigint {
    return (BigInt(this.word() >>> 0) << 32n) | BigInt(this.word() >>> 0);
  }

  oneOf(...values: [number, ...number[]]): number {
    return values[this.below(values.length)] ?? values[0];
  }
}

/** One or two values of each operand class, with both signs. */
function representatives(format: 'S' | 'D'): bigint[] {
  const { fractionBits, bias } = LAYOUT[format];
  const fraction = BigInt(fractionBits);
  const at = (biased: number, bits: bigint): bigint => (BigInt(biased) << fraction) + bits;
  const quietBit = 1n << (fraction - 1n);
  const magnitudes = [
    0n,
    1n,
    at(1, -1n), // the largest subnormal
    at(1, 0n), // the smallest normal
    at(bias, 0n),
    at(bias, 1n),
    at(bias + 1, quietBit),
    at(2 * bias + 1, -1n), // the largest
    at(2 * bias + 1, 0n), // infinity
    at(2 * bias + 1, 1n),
    at(2 * bias + 1, quietBit),
  ];
  return withSigns(format, magnitudes);
}

/** More of them for operations on one operand: around powers of two, halfway cases, the ends of the integer ranges. */
function boundaries(format: 'S' | 'D'): bigint[] {
  const { fractionBits, bias } = LAYOUT[format];
  const fraction = BigInt(fractionBits);
  const values: bigint[] = [];
  for (const exponent of [
    -bias,
    1 - bias,
    -150,
    -149,
    -127,
    -126,
    -2,
    -1,
    0,
    1,
    2,
    22,
    23,
    24,
    30,
    31,
    32,
    51,
    52,
    53,
    62,
    63,
    64,
    127,
    128,
    bias,
  ]) {
    if (exponent < -bias || exponent > bias) continue;
    const power = BigInt(exponent + bias) << fraction;
    for (const offset of [-2n, -1n, 0n, 1n, 2n]) if (power + offset >= 0n) values.push(power + offset);
    values.push(power + (1n << (fraction - 1n)), power + (3n << (fraction - 2n)));
    // Halves next to integers of this size, and binary32's rounding ties in binary64.
    const unit = fraction - 1n - BigInt(Math.max(exponent, 0));
    if (unit >= 0n) values.push(power + (1n << unit), power + (3n << unit), power + (5n << unit) - 1n);
    if (format === 'D') values.push(power + (1n << 28n), power + (3n << 28n), power + (1n << 28n) + 1n);
  }
  return withSigns(format, [...values, ...representatives(format)]);
}

function withSigns(format: 'S' | 'D', magnitudes: readonly bigint[]): bigint[] {
  const sign = 1n << (format === 'S' ? 31n : 63n);
  return [...new Set(magnitudes.flatMap((bits) => [bits & ~sign, bits | sign]))];
}

function integers(format: 'W' | 'L'): bigint[] {
  const bits = format === 'W' ? 32n : 64n;
  const values = new Set<bigint>([0n, 5n, 10n]);
  for (let bit = 0n; bit < bits; bit++) {
    const spread = bit >= 24n ? 1n << (bit - 24n) : 0n; // half a unit in the last place of binary32
    for (const offset of [-1n, 0n, 1n, spread, 3n * spread, spread + 1n, spread - 1n]) {
      values.add(BigInt.asUintN(Number(bits), (1n << bit) + offset));
      values.add(BigInt.asUintN(Number(bits), -(1n << bit) + offset));
    }
  }
  return [...values];
}

function randomFloat(format: 'S' | 'D', random: Random, biasedExponent = randomExponent(format, random)): bigint {
  const { fractionBits, bias } = LAYOUT[format];
  const fractionMask = (1n << BigInt(fractionBits)) - 1n;
  let fraction = random.long() & fractionMask;
  const shape = random.below(4);
  if (shape === 1) fraction &= random.long() & random.long() & random.long(); // few bits set
  if (shape === 2) fraction = (fraction >> BigInt(random.below(fractionBits))) << BigInt(random.below(fractionBits));
  if (shape === 3) fraction = fractionMask - (fraction >> BigInt(random.below(fractionBits)));
  const biased = Math.min(Math.max(biasedExponent, 0), 2 * bias + 1);
  const sign = BigInt(random.below(2)) << BigInt(format === 'S' ? 31 : 63);
  return sign | (BigInt(biased) << BigInt(fractionBits)) | (fraction & fractionMask);
}

/** Biased: any, or, as often, one around the integers. */
function randomExponent(format: 'S' | 'D', random: Random): number {
  const { bias } = LAYOUT[format];
  return random.below(2) === 0 ? random.below(2 * bias + 2) : bias - 3 + random.below(70);
}

function randomInteger(format: 'W' | 'L', random: Random): bigint {
  const bits = format === 'W' ? 32 : 64;
  return BigInt.asUintN(bits, BigInt.asIntN(64, random.long()) >> BigInt(random.below(64)));
}

/**
 * Operands whose exponents put a sum within reach of cancellation or rounding, a product or quotient at the ends of the
 * range, and a third operand next to the product of the first two.
 */
function relatedFloats(format: 'S' | 'D', random: Random): [bigint, bigint, bigint] {
  const { fractionBits, bias } = LAYOUT[format];
  const any = randomExponent(format, random);
  const spread = random.below(2 * fractionBits + 8) - fractionBits - 4;
  const first = randomExponent(format, random);
  const second = random.oneOf(
    any,
    first + spread,
    bias - first + spread, // the least products
    3 * bias - first + (spread >> 3), // the largest
    first + bias + spread, // the least quotients
    first - bias + (spread >> 3), // the largest
  );
  const product = first + second - bias;
  const third = random.oneOf(any, product, product + 1, product + spread);
  return [randomFloat(format, random, first), randomFloat(format, random, second), randomFloat(format, random, third)];
}

class VectorSet {
  private words = new Int32Array(1 << 20);
  /** The same memory for the operands: a 64-bit store is the low word, then the high one, as on every host we run on. */
  private longs = new BigInt64Array(this.words.buffer);
  private used = 0;

  add(operation: Operation, fcsr: number, operands: readonly bigint[]): void {
    if (this.used + VECTOR_WORDS > this.words.length) {
      const larger = new Int32Array(this.words.length * 2);
      larger.set(this.words);
      this.words = larger;
      this.longs = new BigInt64Array(larger.buffer);
    }
    this.words[this.used] = operation.number;
    this.words[this.used + 1] = fcsr;
    let at = this.used / 2 + 1;
    for (const bits of operands) this.longs[at++] = bits;
    this.used += VECTOR_WORDS;
  }

  finish(): Int32Array {
    return this.words.slice(0, this.used);
  }
}

/** The vectors for all operations, or for those that `wanted` picks. The same arguments give the same vectors. */
export function makeVectors(density: Density, wanted: (operation: Operation) => boolean = () => true): Int32Array {
  const set = new VectorSet();
  const { random: counts, everyModeForThree } = SIZES[density];
  for (const operation of OPERATIONS.filter(wanted)) {
    const random = new Random();
    const rounds = operation.to !== 'C';
    let turn = 0;
    const nextMode = (): RoundingMode => MODES[turn++ & 3] ?? RoundingMode.NearestEven;

    for (const operands of classCombinations(operation)) {
      if (rounds && (operation.operands < 3 || everyModeForThree)) {
        for (const mode of MODES) set.add(operation, mode, operands);
      } else {
        set.add(operation, rounds ? nextMode() : RoundingMode.NearestEven, operands);
      }
      if (!rounds) continue;
      // With Inexact already set, implementations may take a short cut through the host's arithmetic.
      set.add(operation, RoundingMode.NearestEven | (FpFlags.Inexact << FCSR.flagsShift), operands);
      set.add(operation, nextMode() | FCSR.flushToZero, operands);
    }
    const count = counts[operation.operands - 1] ?? 0;
    for (let i = 0; i < count; i++) {
      let fcsr = nextMode() | (random.below(8) === 0 ? FCSR.flushToZero : 0);
      if (random.below(2) === 0) fcsr |= (FpFlags.Inexact | (random.word() & ALL_FLAGS)) << FCSR.flagsShift;
      if (random.below(4) === 0) fcsr |= (random.word() & ALL_FLAGS) << FCSR.causeShift;
      set.add(operation, fcsr, randomOperands(operation, random));
    }
  }
  return set.finish();
}

/** Vectors with enabled exceptions, for every operation that is one instruction and that `wanted` picks. */
export function makeTrapVectors(wanted: (operation: Operation) => boolean): Int32Array {
  const set = new VectorSet();
  for (const operation of OPERATIONS.filter((candidate) => wanted(candidate) && !candidate.pair)) {
    const random = new Random();
    const fcsr = (): number =>
      (random.word() & 3) |
      ((random.word() & ALL_FLAGS) << FCSR.flagsShift) |
      ((random.word() & ALL_FLAGS) << FCSR.enablesShift);
    for (const operands of classCombinations(operation)) set.add(operation, fcsr(), operands);
    for (let i = 0; i < 300; i++) set.add(operation, fcsr(), randomOperands(operation, random));
  }
  return set.finish();
}

function* classCombinations({ from, operands }: Operation): Generator<bigint[]> {
  if (from === 'W' || from === 'L') {
    for (const a of integers(from)) yield [a];
  } else if (operands === 1) {
    for (const a of boundaries(asFloat(from))) yield [a];
  } else {
    const values = representatives(asFloat(from));
    // A third operand from every other class value: its own classes matter, its combination with each pair hardly.
    const thirds = operands === 3 ? values.filter((_, i) => i % 3 !== 1) : [0n];
    for (const a of values) for (const b of values) for (const c of thirds) yield operands === 3 ? [a, b, c] : [a, b];
  }
}

function randomOperands({ from, operands }: Operation, random: Random): bigint[] {
  if (from === 'W' || from === 'L') return [randomInteger(from, random)];
  const format = asFloat(from);
  if (operands === 1) return [randomFloat(format, random)];
  return relatedFloats(format, random).slice(0, operands);
}

function asFloat(format: Format): 'S' | 'D' {
  if (format !== 'S' && format !== 'D') throw new Error(`${format} is not a floating-point format`);
  return format;
}

/** Vectors as the guest reads them: struct vector of mips-fpu-program.c in its byte order. */
export function encodeVectors(vectors: Int32Array, littleEndian: boolean): Uint8Array {
  return encodeRecords(vectors, VECTOR_WORDS, 2, (at) => OPERATIONS[vectors[at] ?? -1]?.from ?? 'D', littleEndian);
}

/** Results are four words: value (low, high), FCSR, ExcCode of an exception. The inverse of `decodeResults`. */
export const RESULT_WORDS = 4;

export function encodeResults(vectors: Int32Array, results: Int32Array, littleEndian: boolean): Uint8Array {
  return encodeRecords(results, RESULT_WORDS, 0, resultFormat(vectors), littleEndian);
}

/** Results as `RESULT_WORDS` host words each, from the guest's struct result. */
export function decodeResults(vectors: Int32Array, bytes: Uint8Array, littleEndian: boolean): Int32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const words = new Int32Array(bytes.byteLength / 4).map((_, i) => view.getInt32(i * 4, littleEndian));
  const format = resultFormat(vectors);
  for (let at = 0; at < words.length; at += RESULT_WORDS) swapHalves(words, at, format(at), littleEndian);
  return words;
}

const resultFormat =
  (vectors: Int32Array) =>
  (at: number): Format =>
    OPERATIONS[vectors[(at / RESULT_WORDS) * VECTOR_WORDS] ?? -1]?.to ?? 'D';

function encodeRecords(
  words: Int32Array,
  recordWords: number,
  header: number,
  formatAt: (at: number) => Format,
  littleEndian: boolean,
): Uint8Array {
  const ordered = words.slice();
  for (let at = 0; at < words.length; at += recordWords) {
    const values = recordWords === VECTOR_WORDS ? 3 : 1;
    for (let i = 0; i < values; i++) swapHalves(ordered, at + header + 2 * i, formatAt(at), littleEndian);
  }
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  ordered.forEach((word, i) => view.setInt32(i * 4, word, littleEndian));
  return bytes;
}

/** A big-endian guest has the high half of a 64-bit value first. */
function swapHalves(words: Int32Array, at: number, format: Format, littleEndian: boolean): void {
  if (littleEndian || !is64Bit(format)) return;
  const low = words[at] ?? 0;
  words[at] = words[at + 1] ?? 0;
  words[at + 1] = low;
}
