import type { KernelAbi } from '../targets/index.js';
import { mipsO32 } from '../targets/index.js';

/** Architectures that Linux programs can be run for. */
export const ARCHITECTURES = ['mipsel', 'mips'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

export const ABIS: Readonly<Record<Architecture, () => KernelAbi>> = {
  mipsel: () => mipsO32('little'),
  mips: () => mipsO32('big'),
};
