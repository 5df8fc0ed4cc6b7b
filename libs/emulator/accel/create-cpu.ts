import type { ByteOrder, Scheduler } from '../core/index.js';
import type { AddressSpace, LinearMemory } from '../memory/index.js';
import { MipsCpu, mipsModel } from '../targets/index.js';
import type { TranslationOptions } from './jit/index.js';
import type { InterpreterStore } from './interp/index.js';
import { InterpreterVcpu } from './interp/index.js';

export interface MipsVcpuOptions {
  /** CPU model id, for example `24Kf`. */
  readonly model: string;
  readonly byteOrder: ByteOrder;
  readonly bus: AddressSpace;
  readonly memory: LinearMemory;
  readonly scheduler: Scheduler;
  readonly nsPerInstruction: number;
  readonly countHz: number;
  readonly deviceAccessNs: number;
  readonly translation?: TranslationOptions | undefined;
  readonly interpreters?: InterpreterStore | undefined;
}

/** A MIPS CPU on its generated interpreter, in its reset state. */
export function createMipsVcpu(options: MipsVcpuOptions): Promise<InterpreterVcpu> {
  const model = mipsModel(options.model);
  return InterpreterVcpu.create({
    ...options,
    createCore: (host) => new MipsCpu(host, { ...options, model }),
  });
}
