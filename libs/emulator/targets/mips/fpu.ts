import { conditionHolds, FpFlags, FpRelation, MIPS_LEGACY, SoftFloat } from '../../fp/index.js';
import type { RoundingMode } from '../../fp/index.js';
import type { HelperSignature } from '../../jit/ir/index.js';
import { Type, wordOf } from '../../jit/ir/index.js';
import type { EngineHost, HelperFunction } from '../cpu-core.js';
import { ExceptionCode } from './cp0.js';
import { FCSR, PendingOperation } from './fcsr.js';
import * as S from './state.js';

type Single = (f: SoftFloat, a: number, b: number, c: number) => number;
/** 64-bit operands as low and high words; returns the low word, the high word stays in `f.hi`. */
type Double = (f: SoftFloat, o: Operands) => number;
interface Operands {
  readonly lo: Int32Array;
  readonly hi: Int32Array;
}

const ONE_32 = 0x3f800000;
const ONE_64_HI = 0x3ff00000;
const SIGN = -0x80000000;

const mode = (f: SoftFloat): RoundingMode => f.roundingMode;
/** Rounding of the instructions that name theirs, in the order of their function codes (MD00086). */
const NAMED_MODES = { round: 0, trunc: 1, ceil: 2, floor: 3 } as const;

/** Product first, rounded, then the sum, rounded: the flags of both accumulate. */
const fused32 = (f: SoftFloat, a: number, b: number, c: number, subtract: boolean, negate: boolean): number => {
  const product = f.mul32(a, b);
  const result = subtract ? f.sub32(product, c) : f.add32(product, c);
  return negate ? result ^ SIGN : result;
};
const fused64 = (f: SoftFloat, { lo, hi }: Operands, subtract: boolean, negate: boolean): number => {
  const low = f.mul64(lo[0] as number, hi[0] as number, lo[1] as number, hi[1] as number);
  const args = [low, f.hi, lo[2] as number, hi[2] as number] as const;
  const result = subtract ? f.sub64(...args) : f.add64(...args);
  if (negate) f.hi ^= SIGN;
  return result;
};

/** Operations on single precision or word operands that give a 32-bit result. */
const SINGLE: Readonly<Record<string, { readonly params: number; readonly run: Single }>> = {
  add_s: { params: 2, run: (f, a, b) => f.add32(a, b) },
  sub_s: { params: 2, run: (f, a, b) => f.sub32(a, b) },
  mul_s: { params: 2, run: (f, a, b) => f.mul32(a, b) },
  div_s: { params: 2, run: (f, a, b) => f.div32(a, b) },
  sqrt_s: { params: 1, run: (f, a) => f.sqrt32(a) },
  recip_s: { params: 1, run: (f, a) => f.div32(ONE_32, a) },
  rsqrt_s: { params: 1, run: (f, a) => f.div32(ONE_32, f.sqrt32(a)) },
  madd_s: { params: 3, run: (f, a, b, c) => fused32(f, a, b, c, false, false) },
  msub_s: { params: 3, run: (f, a, b, c) => fused32(f, a, b, c, true, false) },
  nmadd_s: { params: 3, run: (f, a, b, c) => fused32(f, a, b, c, false, true) },
  nmsub_s: { params: 3, run: (f, a, b, c) => fused32(f, a, b, c, true, true) },
  cvt_w_s: { params: 1, run: (f, a) => f.f32ToI32(a, mode(f)) },
  cvt_s_w: { params: 1, run: (f, a) => f.i32ToF32(a) },
  ...Object.fromEntries(
    Object.entries(NAMED_MODES).map(([name, m]) => [
      `${name}_w_s`,
      { params: 1, run: (f: SoftFloat, a: number) => f.f32ToI32(a, m) },
    ]),
  ),
};

/** 32-bit operand, 64-bit result. */
const WIDENING: Readonly<Record<string, Single>> = {
  cvt_d_s: (f, a) => f.f32ToF64(a),
  cvt_d_w: (f, a) => f.i32ToF64(a),
  cvt_l_s: (f, a) => f.f32ToI64(a, mode(f)),
  ...Object.fromEntries(
    Object.entries(NAMED_MODES).map(([name, m]) => [`${name}_l_s`, (f: SoftFloat, a: number) => f.f32ToI64(a, m)]),
  ),
};

const first = (o: Operands): readonly [number, number] => [o.lo[0] as number, o.hi[0] as number];
const pair = (o: Operands): readonly [number, number, number, number] => [
  o.lo[0] as number,
  o.hi[0] as number,
  o.lo[1] as number,
  o.hi[1] as number,
];

/** 64-bit operands, 64-bit result. */
const DOUBLE: Readonly<Record<string, Double>> = {
  add_d: (f, o) => f.add64(...pair(o)),
  sub_d: (f, o) => f.sub64(...pair(o)),
  mul_d: (f, o) => f.mul64(...pair(o)),
  div_d: (f, o) => f.div64(...pair(o)),
  sqrt_d: (f, o) => f.sqrt64(...first(o)),
  recip_d: (f, o) => f.div64(0, ONE_64_HI, ...first(o)),
  rsqrt_d: (f, o) => {
    const low = f.sqrt64(...first(o));
    return f.div64(0, ONE_64_HI, low, f.hi);
  },
  madd_d: (f, o) => fused64(f, o, false, false),
  msub_d: (f, o) => fused64(f, o, true, false),
  nmadd_d: (f, o) => fused64(f, o, false, true),
  nmsub_d: (f, o) => fused64(f, o, true, true),
  cvt_l_d: (f, o) => f.f64ToI64(...first(o), mode(f)),
  cvt_d_l: (f, o) => f.i64ToF64(...first(o)),
  ...Object.fromEntries(
    Object.entries(NAMED_MODES).map(([name, m]) => [
      `${name}_l_d`,
      (f: SoftFloat, o: Operands) => f.f64ToI64(...first(o), m),
    ]),
  ),
};

/** 64-bit operand, 32-bit result. */
const NARROWING: Readonly<Record<string, Double>> = {
  cvt_s_d: (f, o) => f.f64ToF32(...first(o)),
  cvt_s_l: (f, o) => f.i64ToF32(...first(o)),
  cvt_w_d: (f, o) => f.f64ToI32(...first(o), mode(f)),
  ...Object.fromEntries(
    Object.entries(NAMED_MODES).map(([name, m]) => [
      `${name}_w_d`,
      (f: SoftFloat, o: Operands) => f.f64ToI32(...first(o), m),
    ]),
  ),
};

const signature = (name: string, params: number, result: typeof Type.I32 | typeof Type.Void): HelperSignature => ({
  name,
  params,
  result,
  effect: 'trap',
});

export const FPU_HELPERS: readonly HelperSignature[] = [
  ...Object.entries(SINGLE).map(([name, { params }]) => signature(name, params, Type.I32)),
  ...Object.keys(WIDENING).map((name) => signature(name, 1, Type.Void)),
  ...Object.keys(DOUBLE).map((name) => signature(name, 0, Type.Void)),
  ...Object.keys(NARROWING).map((name) => signature(name, 0, Type.I32)),
  signature('unordered_s', 3, Type.I32),
  signature('unordered_d', 1, Type.I32),
  signature('readFpControl', 1, Type.I32),
  signature('writeFpControl', 2, Type.Void),
];

const PENDING_NAMES = new Map<number, string>(Object.entries(PendingOperation).map(([name, code]) => [code, name]));
const FCSR_WORD = wordOf(S.FCSR);
const PENDING_WORD = wordOf(S.FP_PENDING);

/**
 * The software side of coprocessor 1: exact arithmetic with flags, the control registers, the floating-point exception.
 * Source: MD00082 chapter 5.
 */
export class MipsFpu {
  readonly helpers: Readonly<Record<string, HelperFunction>>;
  readonly #float = new SoftFloat(MIPS_LEGACY);
  readonly #operands: Operands = { lo: new Int32Array(3), hi: new Int32Array(3) };

  constructor(
    private readonly host: EngineHost,
    private readonly fir: number,
    private readonly raise: (code: ExceptionCode) => void,
  ) {
    const helpers: Record<string, HelperFunction> = {
      readFpControl: (register) => this.#readControl(register),
      writeFpControl: (register, value) => this.#writeControl(register, value),
      unordered_s: (condition, a, b) => this.#unordered(condition, (f) => f.compare32(a, b, (condition & 8) !== 0)),
      unordered_d: (condition) => {
        this.#fetchOperands();
        return this.#unordered(condition, (f) => f.compare64(...pair(this.#operands), (condition & 8) !== 0));
      },
    };
    for (const [name, { run }] of Object.entries(SINGLE)) {
      helpers[name] = (a, b, c) => {
        const result = run(this.#begin(), a, b, c);
        this.#finish();
        return result;
      };
    }
    for (const [name, run] of Object.entries(WIDENING)) {
      helpers[name] = (a, b, c) => {
        this.#returnDouble(run(this.#begin(), a, b, c));
        this.#finish();
      };
    }
    for (const [name, run] of Object.entries(DOUBLE)) {
      helpers[name] = () => {
        this.#fetchOperands();
        this.#returnDouble(run(this.#begin(), this.#operands));
        this.#finish();
      };
    }
    for (const [name, run] of Object.entries(NARROWING)) {
      helpers[name] = () => {
        this.#fetchOperands();
        const result = run(this.#begin(), this.#operands);
        this.#finish();
        return result;
      };
    }
    this.helpers = helpers;
  }

  #fetchOperands(): void {
    const { view } = this.host;
    for (let i = 0; i < 3; i++) {
      this.#operands.lo[i] = view.getInt32(S.engine.scratch.offset + 8 * i, true);
      this.#operands.hi[i] = view.getInt32(S.engine.scratch.offset + 8 * i + 4, true);
    }
  }

  #returnDouble(low: number): void {
    this.host.view.setInt32(S.engine.scratch.offset, low, true);
    this.host.view.setInt32(S.engine.scratch.offset + 4, this.#float.hi, true);
  }

  #begin(): SoftFloat {
    const fcsr = this.host.words[FCSR_WORD] as number;
    this.#float.roundingMode = fcsr & FCSR.RM;
    this.#float.flushToZero = (fcsr & FCSR.FS) !== 0;
    this.#float.flags = 0;
    return this.#float;
  }

  /** Cause becomes this operation's flags; an enabled one traps, the others accumulate in Flags. */
  #finish(): void {
    const { flags } = this.#float;
    const old = this.host.words[FCSR_WORD] as number;
    const enables = (old >>> FCSR.ENABLES_SHIFT) & 0x1f;
    this.host.words[PENDING_WORD] = PendingOperation.none;
    const fcsr = (old & ~FCSR.CAUSE) | (flags << FCSR.CAUSE_SHIFT);
    if (flags & enables) {
      this.host.words[FCSR_WORD] = fcsr;
      this.raise(ExceptionCode.FloatingPoint);
    } else {
      this.host.words[FCSR_WORD] = fcsr | (flags << FCSR.FLAGS_SHIFT);
    }
  }

  #unordered(condition: number, compare: (f: SoftFloat) => number): number {
    const relation = compare(this.#begin());
    this.#finish();
    return conditionHolds(condition, relation) && relation === FpRelation.Unordered ? 1 : 0;
  }

  /** Computes the Cause of the last native operation, which can only have been inexact or exact. */
  #settle(): number {
    const { words, view } = this.host;
    const pending = words[PENDING_WORD] as number;
    if (pending !== PendingOperation.none) {
      words[PENDING_WORD] = PendingOperation.none;
      let flags = 0;
      if (pending !== PendingOperation.exact) {
        const name = PENDING_NAMES.get(pending) as string; // only instructions write the field
        const f = this.#begin();
        const word = (field: { offset: number }, half: number): number => view.getInt32(field.offset + half, true);
        this.#operands.lo[0] = word(S.FP_PENDING_A, 0);
        this.#operands.hi[0] = word(S.FP_PENDING_A, 4);
        this.#operands.lo[1] = word(S.FP_PENDING_B, 0);
        this.#operands.hi[1] = word(S.FP_PENDING_B, 4);
        if (name.endsWith('_s')) SINGLE[name]?.run(f, this.#operands.lo[0], this.#operands.lo[1], 0);
        else DOUBLE[name]?.(f, this.#operands);
        flags = f.flags & FpFlags.Inexact;
      }
      words[FCSR_WORD] = ((words[FCSR_WORD] as number) & ~FCSR.CAUSE) | (flags << FCSR.CAUSE_SHIFT);
    }
    return words[FCSR_WORD] as number;
  }

  #readControl(register: number): number {
    const fcsr = this.#settle();
    switch (register) {
      case 0:
        return this.fir;
      case 25: // FCCR: the condition codes, packed
        return ((fcsr >>> 24) & 0xfe) | ((fcsr >>> 23) & 1);
      case 26: // FEXR: Cause and Flags
        return fcsr & 0x0003f07c;
      case 28: // FENR: Enables, flush to zero, rounding mode
        return (fcsr & 0x00000f83) | ((fcsr >>> 22) & 4);
      case 31:
        return fcsr;
      default:
        return 0;
    }
  }

  #writeControl(register: number, value: number): void {
    const old = this.#settle();
    let fcsr: number;
    if (register === 25) fcsr = (old & ~(FCSR.FCC0 | FCSR.FCC1_7)) | ((value & 0xfe) << 24) | ((value & 1) << 23);
    else if (register === 26) fcsr = (old & ~0x0003f07c) | (value & 0x0003f07c);
    else if (register === 28) fcsr = (old & ~(0x00000f83 | FCSR.FS)) | (value & 0x00000f83) | ((value & 4) << 22);
    else if (register === 31) fcsr = value & FCSR.WRITABLE;
    else return;
    this.host.words[FCSR_WORD] = fcsr;
    const cause = (fcsr & FCSR.CAUSE) >>> FCSR.CAUSE_SHIFT;
    const enables = ((fcsr >>> FCSR.ENABLES_SHIFT) & 0x1f) | 0x20; // E has no enable and always traps
    if (cause & enables) this.raise(ExceptionCode.FloatingPoint);
  }
}
