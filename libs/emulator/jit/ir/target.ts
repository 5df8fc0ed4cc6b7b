import type { ByteOrder } from '../../core/index.js';
import type { InstructionTable } from './encoding.js';
import type { EngineState } from './engine-state.js';
import type { Fragment, Value } from './fragment.js';
import type { IrBuilder, StateField } from './builder.js';
import type { HelperSignature } from './ops.js';

/** A helper's usual case as generated code. */
export interface HelperExpansion<B extends IrBuilder = IrBuilder> {
  /**
   * Emits the usual case, and a call of the helper for the others; ends with an immediate branch.
   * @param args the helper's arguments
   * @param previousWord the instruction before this one in memory if it was executed just before, in a straight line, else 0
   */
  emit(b: B, args: readonly Value[], previousWord: Value): void;
}

/**
 * Half of an access to a word at any address, as instruction sets have it that otherwise access aligned words only: one
 * instruction for the part in the word's first bytes, one for the rest.
 */
export interface PartialAccess {
  readonly kind: 'load' | 'store';
  /** Does it have the first or the last byte? */
  readonly side: 'first' | 'last';
  /** State offsets of the register that is loaded or stored, and of the one with the address. */
  readonly register: number;
  readonly base: number;
  /** From the address to the first byte of the word, if the other half is of the same word. */
  readonly distance: number;
}

/** Lets translations make one access of two instructions. */
export interface UnalignedAccesses<B extends IrBuilder = IrBuilder> {
  /** What an instruction word is half of. */
  half(word: number): PartialAccess | undefined;
  /** Emits the whole access, of width {@link Width.Unaligned32}. */
  whole(b: B, access: PartialAccess): void;
}

/** What an engine needs to know of an architecture to generate code for it. */
export interface TargetDescription<B extends IrBuilder = IrBuilder> {
  /** For example `mips32`. */
  readonly name: string;
  /** CPU model, for example `24Kf`: together with name and byte order it says everything, see `describeTarget`. */
  readonly model: string;
  readonly byteOrder: ByteOrder;
  /** Names the instructions of {@link table}, which may be made when it is first asked for. */
  readonly instructionSet: string;
  readonly table: InstructionTable<B>;
  /** By instruction: which ones often come next, the most frequent first. Only speed depends on it. */
  readonly followers: ReadonlyMap<string, readonly string[]>;
  /** Host functions that semantics call. */
  readonly helpers: readonly HelperSignature[];
  /**
   * Helpers with effect `leave` whose usual case the interpreter executes itself, by name. The rest calls the helper.
   */
  readonly expansions: ReadonlyMap<string, HelperExpansion<B>>;
  /** Absent where no instruction accesses half a word. */
  readonly unaligned?: UnalignedAccesses<B>;
  readonly engine: EngineState;
  /** Fields that translations keep in locals; no helper but those that leave the translation looks at them. */
  readonly registers: readonly StateField[];
  /** Offset of the register that calls leave the return address in: a jump to it is a return. */
  readonly linkRegister: number;
  /** Offset of the register that position-independent code holds a function's address in when it calls it, or goes on to it at its end. */
  readonly callRegister: number;
  /** What the mode key (see {@link EngineState.modeKey}) fixes: translations are made for one key. */
  modeConstants(modeKey: number): ReadonlyMap<StateField, number>;
  /**
   * Addresses that always show physical memory from 0 on in some modes (see `EngineHost.selectMode`), among them every mode
   * in which code runs at directly mapped addresses; undefined where the architecture has none.
   */
  readonly directSegment:
    { readonly virtualBase: number; readonly sizeBytes: number; readonly modes: readonly number[] } | undefined;
  /** Does this address have the same translation at all times, wherever code runs that can be fetched from it? */
  isDirectlyMapped(address: number): boolean;
  createBuilder(fragment: Fragment): B;
  /** Semantics of an instruction word that no pattern matches. */
  undefinedInstruction(b: B, word: Value): void;
}
