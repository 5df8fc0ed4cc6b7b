/**
 * What an ELF file for MIPS says of the CPU that it wants.
 * Source: MIPS O32 ABI - FR0 and FR1 Interlinking (.MIPS.abiflags); e_flags in the System V ABI's MIPS supplement.
 */
import type { ProgramFile } from '../../linux-abi/kernel-abi.js';

const EF_MIPS_ABI2 = 0x20;
const EF_MIPS_FP64 = 0x200;
const EF_MIPS_NAN2008 = 0x400;
const EF_MIPS_MICROMIPS = 0x02000000;
const EF_MIPS_ARCH_SHIFT = 28;
/** Instruction sets of e_flags that a MIPS32 release 2 core does not execute. */
const FOREIGN_ARCHITECTURES: Readonly<Record<number, string>> = { 9: 'MIPS32 release 6', 10: 'MIPS64 release 6' };

/** Fp_abi of .MIPS.abiflags: how the code uses floating-point registers. */
const FP_64 = 6;
const FP_64A = 7;

export const PT_MIPS_ABIFLAGS = 0x70000003;

/** @throws Error with a sentence that says what the program wants and this CPU lacks */
export function checkMipsProgram({ flags, architectureSegment }: ProgramFile): { wideFpRegisters: boolean } {
  const architecture = FOREIGN_ARCHITECTURES[flags >>> EF_MIPS_ARCH_SHIFT];
  if (architecture) throw new Error(`it is built for ${architecture}, and the CPU is a MIPS32 release 2 core`);
  if (flags & EF_MIPS_ABI2) throw new Error('it uses the n32 ABI, and only o32 programs can run');
  if (flags & EF_MIPS_MICROMIPS) throw new Error('it is microMIPS code, which the CPU does not execute');
  if (flags & EF_MIPS_NAN2008)
    throw new Error('it is built with -mnan=2008, and the CPU has the NaN encodings from before (-mnan=legacy)');
  const fpAbi = architectureSegment?.[7];
  return { wideFpRegisters: fpAbi === undefined ? (flags & EF_MIPS_FP64) !== 0 : fpAbi === FP_64 || fpAbi === FP_64A };
}
