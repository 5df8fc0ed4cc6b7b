import { addEngineState, StateLayout } from '../../jit/ir/index.js';

/**
 * Where the state of a MIPS32 CPU lies in its area of linear memory. What generated code accesses most comes first: the first 128 bytes
 * of linear memory take three bytes less of an instruction of the host's (decision 19, "Where registers lie").
 */
export const layout = new StateLayout();

/** Registers 0..31. */
export const GPR = layout.i32('gpr', 32);
/** Byte offset of a general register, and which register lies at one. */
export const gprOffset = (register: number): number => GPR.offset + (register << GPR.strideShift);
export const gprNumber = (offset: number): number => (offset - GPR.offset) >> GPR.strideShift;
/** Index of a general register in the CPU's area as words. */
export const gprWord = (register: number): number => gprOffset(register) >> 2;

export const engine = addEngineState(layout);

/**
 * HI and LO: one register, since `madd` adds to both. As two halves, which are put together and taken apart again, a sum of products
 * waits six cycles for each of them.
 */
export const ACCUMULATOR = layout.i64('accumulator');
export const [LO, HI] = layout.halves(ACCUMULATOR, 'lo', 'hi');
/** Link bit of LL/SC. */
export const LL_BIT = layout.i32('llbit');
/** Virtual address that LL read last; 1 in the other while LLAddr does not show it yet, which is seldom asked for. */
export const LL_ADDRESS = layout.i32('llAddress');
export const LL_PENDING = layout.i32('llPending');

/** FPRs. With FR=0 register 2n+1 as a 32-bit register is the high half of slot 2n. */
export const FPR = layout.i64('fpr', 32);
/** Floating-point control and status. The Cause field is stale while {@link FP_PENDING} is non-zero. */
export const FCSR = layout.i32('fcsr');
/** Byte distance from an odd slot to its 32-bit register: 0 with FR=1, 4 with FR=0. */
export const FPR_ODD_DELTA = layout.i32('fprOddDelta');
/** 1 where Status.FR selects 64-bit registers. */
export const FR = layout.i32('fr');
/** The last operation that ran natively, whose exact Cause is computed when someone looks: see fpu.ts. */
export const FP_PENDING = layout.i32('fpPending');
export const FP_PENDING_A = layout.i64('fpPendingA');
export const FP_PENDING_B = layout.i64('fpPendingB');

/** Derived from Status and Debug on each change: may this mode use coprocessor 0, 1 (1 or 0)? */
export const CP0_USABLE = layout.i32('cp0Usable');
export const CP1_USABLE = layout.i32('cp1Usable');

/** Coprocessor 0 registers, indexed `register * 8 + select`. */
export const CP0 = layout.i32('cp0', 256);

/** TLB entries, as the instruction set's registers show them. Largest TLB of the architecture: 64 entries. */
export const TLB_ENTRY_HI = layout.i32('tlbEntryHi', 64);
export const TLB_PAGE_MASK = layout.i32('tlbPageMask', 64);
export const TLB_ENTRY_LO0 = layout.i32('tlbEntryLo0', 64);
export const TLB_ENTRY_LO1 = layout.i32('tlbEntryLo1', 64);
