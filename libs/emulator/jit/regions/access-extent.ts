import type { SharingAccess } from './access-steps.js';
import { remainderOf, WRITE } from './access-steps.js';

/** Where accesses lie, in bytes from one register, that one check may cover. */
export interface AccessExtent {
  /** Of the first byte that must be looked at, and the last. */
  readonly low: number;
  readonly high: number;
  /** Some of them are stores; what may be written may be read. */
  readonly write: boolean;
  /** The widest one's, and that one's distance. */
  readonly alignment: number;
  readonly anchor: number;
}

/** That of a single access. @param distance from the register */
export const extentOf = ({ kind, alignment, reach }: SharingAccess, distance: number): AccessExtent => ({
  ...{ low: distance, high: distance + reach, write: kind === WRITE },
  ...{ alignment, anchor: distance },
});

/** @returns that of both; undefined where they are aligned differently: they cannot pass together */
export function joined(a: AccessExtent, b: AccessExtent): AccessExtent | undefined {
  if (remainderOf(b.anchor - a.anchor, Math.min(a.alignment, b.alignment)) !== 0) return undefined;
  const { alignment, anchor } = b.alignment > a.alignment ? b : a;
  return {
    ...{ low: Math.min(a.low, b.low), high: Math.max(a.high, b.high), write: a.write || b.write },
    ...{ alignment, anchor },
  };
}

/** Begins at a multiple of the alignment, where the accesses are aligned: on the first one's page still. */
export const alignedLow = ({ low, alignment, anchor }: AccessExtent): number =>
  low - remainderOf(low - anchor, alignment);
