/** Rounding directions, numbered as the RM field of MIPS FCSR (MIPS32 Architecture Vol. I-A, MD00082, "FCSR"). */
export enum RoundingMode {
  NearestEven = 0,
  TowardZero = 1,
  Up = 2,
  Down = 3,
}

/** IEEE exceptions, in the bit order of MIPS FCSR Flags, Enables and Cause: I U O Z V. */
export const FpFlags = { Inexact: 1, Underflow: 2, Overflow: 4, DivByZero: 8, Invalid: 16 } as const;

/** Operand classes, one bit each, in the order of MIPS Release 6 CLASS.fmt (MD00087, "CLASS.fmt"). */
export const FpClass = {
  SignallingNan: 1 << 0,
  QuietNan: 1 << 1,
  NegativeInfinity: 1 << 2,
  NegativeNormal: 1 << 3,
  NegativeSubnormal: 1 << 4,
  NegativeZero: 1 << 5,
  PositiveInfinity: 1 << 6,
  PositiveNormal: 1 << 7,
  PositiveSubnormal: 1 << 8,
  PositiveZero: 1 << 9,
} as const;

/** Result of a comparison of a with b. */
export const FpRelation = { Less: -1, Equal: 0, Greater: 1, Unordered: 2 } as const;

/**
 * Evaluates one of the sixteen MIPS C.cond.fmt predicates on a comparison result (MD00086, "C.cond.fmt").
 *
 * @param condition the instruction's cond field, 0..15: bit 0 accepts unordered, bit 1 equal, bit 2 less. Bit 3 asks for
 *   Invalid on quiet NaNs too; it belongs to the comparison (`signalling`) and has no part in the outcome.
 * @param relation -1, 0, 1 or 2 as returned by `compare32` and `compare64`
 */
export function conditionHolds(condition: number, relation: number): boolean {
  switch (relation) {
    case FpRelation.Unordered:
      return (condition & 1) !== 0;
    case FpRelation.Equal:
      return (condition & 2) !== 0;
    case FpRelation.Less:
      return (condition & 4) !== 0;
    default:
      return false;
  }
}
