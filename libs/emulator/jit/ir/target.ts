import type { ByteOrder } from '../../core/index.js';
import type { InstructionTable } from './encoding.js';
import type { EngineState } from './engine-state.js';
import type { Fragment, Value } from './fragment.js';
import type { IrBuilder } from './builder.js';
import type { HelperSignature } from './ops.js';

/** What an engine needs to know of an architecture to generate code for it. */
export interface TargetDescription<B extends IrBuilder = IrBuilder> {
  /** For example `mips32`. */
  readonly name: string;
  readonly byteOrder: ByteOrder;
  readonly table: InstructionTable<B>;
  /** Host functions that semantics call. */
  readonly helpers: readonly HelperSignature[];
  readonly engine: EngineState;
  createBuilder(fragment: Fragment): B;
  /** Semantics of an instruction word that no pattern matches. */
  undefinedInstruction(b: B, word: Value): void;
}
