import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { conditionHolds, MIPS_2008, RoundingMode, SoftFloat } from '@bootlab/emulator/fp';
import { cacheFolder } from '@bootlab/emulator/testkit';

/** Berkeley TestFloat's generator of operands and results, as `npm run setup` builds it. */
const generator = (): string => join(cacheFolder('guests', 'testfloat'), 'testfloat_gen');

/** TestFloat's levels: some thousand cases for each function, or some million. */
export type Level = 1 | 2;

/** A function of TestFloat and how it is calculated here. Operands and results are 32-bit halves, low ones first. */
interface TestedFunction {
  readonly name: string;
  /** The result depends on the rounding mode. */
  readonly rounds: boolean;
  readonly operands: 1 | 2;
  readonly result: 'f32' | 'f64' | 'integer' | 'bool';
  /** The result has 64 bits. */
  readonly wide: boolean;
  /** @returns the result's low half; the high one of 64-bit results is in `unit.hi` */
  readonly evaluate: (unit: SoftFloat, a: Int32Array, b: Int32Array) => number;
}

/* eslint-disable @typescript-eslint/no-non-null-assertion -- operands have two halves */
const lo = (operand: Int32Array): number => operand[0]!;
const hi = (operand: Int32Array): number => operand[1]!;
/* eslint-enable @typescript-eslint/no-non-null-assertion */

/** Condition codes of C.cond.fmt (MD00086): quiet ones, and 8 more for those that signal on quiet NaNs. */
const COMPARISONS = {
  eq: 2,
  le_quiet: 6,
  lt_quiet: 4,
  eq_signaling: 10,
  le: 14,
  lt: 12,
} as const;

const functions: readonly Omit<TestedFunction, 'wide'>[] = [
  ...(['add', 'sub', 'mul', 'div'] as const).flatMap((verb): Omit<TestedFunction, 'wide'>[] => [
    {
      ...{ name: `f32_${verb}`, rounds: true, operands: 2, result: 'f32' },
      evaluate: (u, a, b) => u[`${verb}32`](lo(a), lo(b)),
    },
    {
      ...{ name: `f64_${verb}`, rounds: true, operands: 2, result: 'f64' },
      evaluate: (u, a, b) => u[`${verb}64`](lo(a), hi(a), lo(b), hi(b)),
    },
  ]),
  { name: 'f32_sqrt', rounds: true, operands: 1, result: 'f32', evaluate: (u, a) => u.sqrt32(lo(a)) },
  { name: 'f64_sqrt', rounds: true, operands: 1, result: 'f64', evaluate: (u, a) => u.sqrt64(lo(a), hi(a)) },
  { name: 'f32_to_f64', rounds: false, operands: 1, result: 'f64', evaluate: (u, a) => u.f32ToF64(lo(a)) },
  { name: 'f64_to_f32', rounds: true, operands: 1, result: 'f32', evaluate: (u, a) => u.f64ToF32(lo(a), hi(a)) },
  { name: 'i32_to_f32', rounds: true, operands: 1, result: 'f32', evaluate: (u, a) => u.i32ToF32(lo(a)) },
  { name: 'i32_to_f64', rounds: false, operands: 1, result: 'f64', evaluate: (u, a) => u.i32ToF64(lo(a)) },
  { name: 'i64_to_f32', rounds: true, operands: 1, result: 'f32', evaluate: (u, a) => u.i64ToF32(lo(a), hi(a)) },
  { name: 'i64_to_f64', rounds: true, operands: 1, result: 'f64', evaluate: (u, a) => u.i64ToF64(lo(a), hi(a)) },
  ...integers('f32_to_i32', (u, a) => u.f32ToI32(lo(a), u.roundingMode)),
  ...integers('f64_to_i32', (u, a) => u.f64ToI32(lo(a), hi(a), u.roundingMode)),
  ...integers('f32_to_i64', (u, a) => u.f32ToI64(lo(a), u.roundingMode)),
  ...integers('f64_to_i64', (u, a) => u.f64ToI64(lo(a), hi(a), u.roundingMode)),
  ...Object.entries(COMPARISONS).flatMap(([name, condition]): Omit<TestedFunction, 'wide'>[] => {
    const signals = condition >= 8;
    return [
      {
        ...{ name: `f32_${name}`, rounds: false, operands: 2, result: 'bool' },
        evaluate: (u, a, b) => Number(conditionHolds(condition, u.compare32(lo(a), lo(b), signals))),
      },
      {
        ...{ name: `f64_${name}`, rounds: false, operands: 2, result: 'bool' },
        evaluate: (u, a, b) => Number(conditionHolds(condition, u.compare64(lo(a), hi(a), lo(b), hi(b), signals))),
      },
    ];
  }),
];

function integers(name: string, evaluate: TestedFunction['evaluate']): Omit<TestedFunction, 'wide'>[] {
  return [{ name, rounds: true, operands: 1, result: 'integer', evaluate }];
}

const MODES: readonly { readonly mode: RoundingMode; readonly option: string }[] = [
  { mode: RoundingMode.NearestEven, option: '-rnear_even' },
  { mode: RoundingMode.TowardZero, option: '-rminMag' },
  { mode: RoundingMode.Up, option: '-rmax' },
  { mode: RoundingMode.Down, option: '-rmin' },
];

/** Each function with each rounding mode that matters to it. */
export const TESTED = functions.flatMap((described) => {
  const tested: TestedFunction = { ...described, wide: described.result === 'f64' || described.name.endsWith('i64') };
  return (tested.rounds ? MODES : MODES.slice(0, 1)).map(({ mode, option }) => ({
    title: tested.rounds ? `${tested.name} ${option.slice(2)}` : tested.name,
    tested,
    mode,
    option,
  }));
});

export interface Outcome {
  cases: number;
  /** The first differences, as TestFloat writes cases, each with what comes out here. */
  differences: string[];
}

const MOST_DIFFERENCES = 10;

/**
 * Calculates what TestFloat generates and compares result and exceptions. NaNs count as equal, as TestFloat has it: which one
 * comes out is an architecture's own (decision 11).
 */
export async function runTestFloat(
  { tested, mode, option }: Omit<(typeof TESTED)[number], 'title'>,
  level: Level,
): Promise<Outcome> {
  const comparison = new CaseReader(tested, mode);
  const child = spawn(generator(), ['-level', `${level}`, option, '-tininessafter', '-exact', tested.name], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) =>
      status === 0 ? resolve() : reject(new Error(`testfloat_gen ${tested.name} ended with ${signal ?? status}`)),
    );
  });
  for await (const part of child.stdout) comparison.read(part as Buffer);
  await ended;
  return comparison.outcome;
}

const NEWLINE = 10;
const SPACE = 32;

/** Reads lines `operand… result flags`, all in hexadecimal, and compares each. */
class CaseReader {
  readonly outcome: Outcome = { cases: 0, differences: [] };
  readonly #unit = new SoftFloat(MIPS_2008);
  /** Operands, result and exceptions of the line so far, as halves. */
  readonly #fields = Array.from({ length: 4 }, () => new Int32Array(2));
  #field = 0;
  #low = 0;
  #high = 0;

  constructor(
    private readonly tested: TestedFunction,
    mode: RoundingMode,
  ) {
    this.#unit.roundingMode = mode;
  }

  read(bytes: Uint8Array): void {
    let [low, high] = [this.#low, this.#high];
    for (const byte of bytes) {
      if (byte > SPACE) {
        const digit = byte <= 57 ? byte - 48 : (byte & 15) + 9;
        high = (high << 4) | (low >>> 28);
        low = (low << 4) | digit;
        continue;
      }
      const field = this.#fields[this.#field++] as Int32Array;
      field[0] = low;
      field[1] = high;
      low = high = 0;
      if (byte === NEWLINE) {
        this.#field = 0;
        this.#compare();
      }
    }
    this.#low = low;
    this.#high = high;
  }

  #compare(): void {
    const unit = this.#unit;
    const { operands, result, wide, evaluate } = this.tested;
    const [a, b] = this.#fields as [Int32Array, Int32Array];
    const [expected, flags] = this.#fields.slice(operands) as [Int32Array, Int32Array];
    unit.flags = 0;
    const low = evaluate(unit, a, b);
    this.outcome.cases++;
    const high = wide ? unit.hi : 0;
    const same = low === lo(expected) && (!wide || high === hi(expected));
    const equal = same || (isNaN(result, low, high) && isNaN(result, lo(expected), hi(expected)));
    if ((equal && unit.flags === lo(flags)) || this.outcome.differences.length >= MOST_DIFFERENCES) return;
    const text = [...this.#fields.slice(0, operands + 2)].map(hexadecimal).join(' ');
    this.outcome.differences.push(`${text}: ${hexadecimal(Int32Array.of(low, high))} ${unit.flags.toString(16)}`);
  }
}

function isNaN(format: TestedFunction['result'], low: number, high: number): boolean {
  if (format === 'f32') return (low & 0x7fffffff) > 0x7f800000;
  if (format !== 'f64') return false;
  const exponent = high & 0x7fffffff;
  return exponent > 0x7ff00000 || (exponent === 0x7ff00000 && low !== 0);
}

const hexadecimal = (halves: Int32Array): string =>
  [hi(halves), lo(halves)].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
