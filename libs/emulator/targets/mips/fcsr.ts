/** FCSR, the floating-point control and status register: field layout (MD00082, section 5.6.2). */
export const FCSR = {
  RM: 3,
  FLAGS_SHIFT: 2,
  ENABLES_SHIFT: 7,
  CAUSE_SHIFT: 12,
  CAUSE: 0x3f << 12,
  CAUSE_INEXACT: 1 << 12,
  /** Unimplemented operation: always traps when set. */
  CAUSE_E: 1 << 17,
  FCC0: 1 << 23,
  FS: 1 << 24,
  FCC1_7: 0x7f << 25,
  /** Bits 21 and 22 are implementation-dependent and read as zero here, as are the release 6 bits 18..20. */
  WRITABLE: (0xff83ffff | 0) & ~(0x1f << 18),
} as const;

/** Native arithmetic is allowed while these bits of FCSR are 0: round to nearest even, no trap enabled, no flushing. */
export const NATIVE_GUARD = FCSR.RM | (0x1f << FCSR.ENABLES_SHIFT) | FCSR.FS;
/** A conversion to an integer in range may round natively while these are 0: it does not trap, and nothing is flushed. */
export const ROUNDING_GUARD = (1 << FCSR.ENABLES_SHIFT) | FCSR.FS;
/** While this bit is 0, the result must moreover be exact. */
export const INEXACT_FLAGGED = 1 << FCSR.FLAGS_SHIFT;

/** What the last native operation was, so that its Cause can still be computed. 0: Cause is up to date. */
export const PendingOperation = {
  none: 0,
  /** An operation without any exception: Cause is 0. */
  exact: 1,
  add_s: 2,
  sub_s: 3,
  mul_s: 4,
  div_s: 5,
  sqrt_s: 6,
  add_d: 7,
  sub_d: 8,
  mul_d: 9,
  div_d: 10,
  sqrt_d: 11,
} as const;
