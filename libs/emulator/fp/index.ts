/**
 * Exact software floating point, used wherever Wasm's native operations would not give the guest's result and flags.
 * modes.ts: rounding modes, flags, classes, MIPS conditions. policy.ts: what targets differ in. soft-float.ts: SoftFloat
 * with the conversions, on top of binary64.ts, binary32.ts and environment.ts (rounding, flags, NaNs).
 */
export { FpClass, FpFlags, FpRelation, RoundingMode, conditionHolds } from './modes.js';
export {
  ARM,
  ARM_NAN,
  MIPS_2008,
  MIPS_2008_NAN,
  MIPS_LEGACY,
  MIPS_LEGACY_NAN,
  RISCV,
  RISCV_NAN,
  X86_SSE,
  X86_SSE_NAN,
} from './policy.js';
export type { FpPolicy, InvalidInteger, NanPolicy, NanPropagation } from './policy.js';
export { SoftFloat } from './soft-float.js';
