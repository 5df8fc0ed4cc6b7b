import type { TranslationStats } from './jit/index.js';

/** Why a vCPU stopped. One union for all engines. */
export type VcpuExit =
  | { readonly kind: 'budget' }
  /** The CPU waits for an interrupt. */
  | { readonly kind: 'halted' }
  /** Something needs the machine's attention before the next instruction: an earlier deadline, a power event. */
  | { readonly kind: 'attention' };

export interface VcpuStats {
  /** Instructions executed since power-on; an instruction that raised an exception counts. */
  instructions: number;
  /** Returns from generated code, by reason. */
  exits: Record<VcpuExit['kind'], number>;
  /** Soft TLB misses that found RAM, by access; device accesses. */
  tlbMisses: number;
  mmio: number;
  /** Absent where nothing is translated. */
  translation?: Readonly<TranslationStats>;
}

/** What runs guest code: interpreter, translator, KVM. */
export interface Vcpu {
  /** Executes at most `instructions` and advances the scheduler's clock by what was executed. */
  run(instructions: number): VcpuExit;
  /** Virtual address of the next instruction. */
  readonly programCounter: number;
  /** Waiting for an interrupt, and none is pending. */
  readonly waiting: boolean;
  /** Waiting, and no interrupt line can ever end it because all are masked. */
  readonly deaf: boolean;
  /** Called in the middle of an instruction (by a device): return from {@link run} after it. */
  requestLeave(): void;
  readonly stats: Readonly<VcpuStats>;
  setIrqLine(line: number, level: boolean): void;
  reset(): void;
  /** Gives back threads; the vCPU does not run again. */
  close(): void;
  boot(entry: { readonly pc: number; readonly gpr: Readonly<Record<number, number>> }): void;
}
