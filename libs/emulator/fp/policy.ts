/**
 * What IEEE 754 leaves to the target: NaN encodings and choice, invalid integer conversions, when tininess is seen.
 * Each target is one constant of data; the arithmetic itself has no target-specific code.
 */

/** Which NaN an operation with NaN operands returns. A signalling NaN is made quiet before it is returned. */
export type NanPropagation =
  /** Always the default NaN (RISC-V, Arm with FPCR.DN). */
  | 'default'
  /** The first signalling operand, else the first quiet one (Arm, MIPS with FCSR.NAN2008). */
  | 'signalling-first'
  /** The first operand if it is a NaN, else the second (x86 SSE). */
  | 'first-operand';

/** The integer an invalid conversion gives: the destination's largest, its smallest, or zero. */
export type InvalidInteger = 'max' | 'min' | 'zero';

export interface NanPolicy {
  readonly name: string;
  /** Most significant fraction bit of a signalling NaN: 0 in IEEE 754-2008, 1 on MIPS and PA-RISC before it. */
  readonly signallingBit: 0 | 1;
  /** Bit patterns (int32) of the NaN that invalid operations create. */
  readonly default32: number;
  readonly default64Lo: number;
  readonly default64Hi: number;
  readonly propagation: NanPropagation;
  /** Fused a×b+c: the order in which operands are searched for the NaN to return. */
  readonly fusedOrder: 'abc' | 'cab';
  /** Fused ∞×0+quiet NaN: whether Invalid is raised, and whether the addend or the default NaN is returned. */
  readonly fusedInfinityTimesZero: { readonly invalid: boolean; readonly result: 'addend' | 'default' };
}

export interface FpPolicy {
  readonly name: string;
  readonly nan: NanPolicy;
  /** Tininess is decided before rounding (Arm) or after rounding to the full precision with an unbounded exponent. */
  readonly tininess: 'before-rounding' | 'after-rounding';
  /** Flags (FpFlags) raised when flush-to-zero replaces a tiny result by zero. */
  readonly flushRaises: number;
  /** Whether abs and neg are arithmetic (a signalling NaN is Invalid, a quiet NaN keeps its sign) or only touch bit 31/63. */
  readonly signOperations: 'arithmetic' | 'bitwise';
  /** Results of float to integer conversion: of NaN, of values above and below the destination's range. */
  readonly integerOf: { readonly nan: InvalidInteger; readonly above: InvalidInteger; readonly below: InvalidInteger };
}

/**
 * MIPS before NAN2008 (FCSR.NAN2008 = 0: every MIPS32 core up to the 74K). The manual allows "when possible" one of the
 * operands as the result of an operation on quiet NaNs; like QEMU, we always return the default NaN.
 * See docs/decisions/0011-floating-point.md.
 */
export const MIPS_LEGACY_NAN: NanPolicy = {
  name: 'MIPS legacy',
  signallingBit: 1,
  default32: 0x7fbfffff,
  default64Lo: -1,
  default64Hi: 0x7ff7ffff,
  propagation: 'default',
  fusedOrder: 'abc',
  fusedInfinityTimesZero: { invalid: true, result: 'default' },
};

/** MIPS with FCSR.NAN2008 = 1 (P5600, Release 6). */
export const MIPS_2008_NAN: NanPolicy = {
  name: 'MIPS NAN2008',
  signallingBit: 0,
  default32: 0x7fc00000,
  default64Lo: 0,
  default64Hi: 0x7ff80000,
  propagation: 'signalling-first',
  fusedOrder: 'cab',
  fusedInfinityTimesZero: { invalid: true, result: 'addend' },
};

/** Arm, FPCR.DN = 0 (Arm ARM, pseudocode FPProcessNaNs and FPMulAdd). */
export const ARM_NAN: NanPolicy = {
  ...MIPS_2008_NAN,
  name: 'Arm',
  fusedInfinityTimesZero: { invalid: true, result: 'default' },
};

/** RISC-V (unprivileged ISA, 11.3 "NaN Generation and Propagation", 11.6 on FMADD's ∞×0+qNaN). */
export const RISCV_NAN: NanPolicy = {
  ...MIPS_2008_NAN,
  name: 'RISC-V',
  propagation: 'default',
  fusedInfinityTimesZero: { invalid: true, result: 'default' },
};

/** x86 SSE and FMA3 (Intel SDM Vol. 1, 4.8.3.5 and 14.5.2). The default NaN is negative. */
export const X86_SSE_NAN: NanPolicy = {
  name: 'x86 SSE',
  signallingBit: 0,
  default32: 0xffc00000 | 0,
  default64Lo: 0,
  default64Hi: 0xfff80000 | 0,
  propagation: 'first-operand',
  fusedOrder: 'abc',
  fusedInfinityTimesZero: { invalid: false, result: 'addend' },
};

const SATURATE_NAN_ZERO = { nan: 'zero', above: 'max', below: 'min' } as const;

/**
 * Flushing raises nothing, which MIPS leaves to the implementation, and abs and neg are bitwise, both as in QEMU. The manual
 * has arithmetic ABS.fmt and NEG.fmt for ABS2008 = 0 (MD00086). See docs/decisions/0011-floating-point.md.
 */
export const MIPS_LEGACY: FpPolicy = {
  name: 'MIPS legacy',
  nan: MIPS_LEGACY_NAN,
  tininess: 'after-rounding',
  flushRaises: 0,
  signOperations: 'bitwise',
  integerOf: { nan: 'max', above: 'max', below: 'max' },
};

export const MIPS_2008: FpPolicy = {
  ...MIPS_LEGACY,
  name: 'MIPS NAN2008, ABS2008',
  nan: MIPS_2008_NAN,
  integerOf: SATURATE_NAN_ZERO,
};

/** Arm FPCR.FZ: a flushed result raises Underflow alone (Arm ARM, FPCR.FZ). */
export const ARM: FpPolicy = {
  name: 'Arm',
  nan: ARM_NAN,
  tininess: 'before-rounding',
  flushRaises: 2,
  signOperations: 'bitwise',
  integerOf: SATURATE_NAN_ZERO,
};

/** RISC-V has no flush-to-zero. */
export const RISCV: FpPolicy = {
  name: 'RISC-V',
  nan: RISCV_NAN,
  tininess: 'after-rounding',
  flushRaises: 0,
  signOperations: 'bitwise',
  integerOf: { nan: 'max', above: 'max', below: 'min' },
};

/** x86 MXCSR.FTZ: a flushed result raises Underflow and Inexact; invalid conversions give the "integer indefinite". */
export const X86_SSE: FpPolicy = {
  name: 'x86 SSE',
  nan: X86_SSE_NAN,
  tininess: 'after-rounding',
  flushRaises: 3,
  signOperations: 'bitwise',
  integerOf: { nan: 'min', above: 'min', below: 'min' },
};
