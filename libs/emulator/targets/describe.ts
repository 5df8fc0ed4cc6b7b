import type { ByteOrder } from '../core/index.js';
import type { TargetDescription } from '../jit/ir/index.js';
import { mipsModel } from './mips/models.js';
import { MIPS32, mipsDescription } from './mips/target.js';

/** Makes a description again from what identifies it, in another thread for example. @throws RangeError for unknown names */
export function describeTarget(name: string, model: string, byteOrder: ByteOrder): TargetDescription {
  if (name !== MIPS32) throw new RangeError(`there is no target '${name}'`);
  return mipsDescription(mipsModel(model), byteOrder);
}
