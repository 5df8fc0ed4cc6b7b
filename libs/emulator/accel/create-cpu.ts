import { MipsCpu, mipsModel } from '../targets/index.js';
import type { InterpreterOptions } from './interp/index.js';
import { InterpreterVcpu } from './interp/index.js';

export interface MipsVcpuOptions extends Omit<InterpreterOptions, 'createCore'> {
  /** CPU model id, for example `24Kf`. */
  readonly model: string;
  /** Rate of CP0 Count in virtual time. */
  readonly countHz: number;
}

/** A MIPS CPU on its generated interpreter, in its reset state. */
export function createMipsVcpu(options: MipsVcpuOptions): Promise<InterpreterVcpu> {
  const model = mipsModel(options.model);
  return InterpreterVcpu.create({
    ...options,
    createCore: (host) => new MipsCpu(host, { ...options, model }),
  });
}
