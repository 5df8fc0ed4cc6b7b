import type { StateField } from './builder.js';
import type { StateLayout } from './encoding.js';

/** What the engines keep in every CPU's area, whatever its architecture. Host helpers read and write the same fields. */
export interface EngineState {
  /** Address of the instruction that is being executed; valid inside `trap`, `sync` and `leave` helpers and between runs. */
  readonly pc: StateField;
  /** See {@link DelayState}. */
  readonly delay: StateField;
  /** Where execution goes after the delay slot. */
  readonly branchTarget: StateField;
  /** Instructions that the current budget still had when the current run of straight-line code began. */
  readonly remaining: StateField;
  /** Address at which the current run began: `(pc - runStart) / 4` instructions of it are complete. */
  readonly runStart: StateField;
  /** Non-zero: the engine calls the `attention` helper at the next instruction boundary outside a delay slot. */
  readonly attention: StateField;
  /** Page that the engine fetches from without asking again, or {@link SoftTlb.invalidTag}. */
  readonly fetchTag: StateField;
  /** Linear-memory offset of an instruction on that page = its virtual address + this. */
  readonly fetchAddend: StateField;
  /** Set by helpers, see {@link EngineEvent}. */
  readonly event: StateField;
  /** Linear-memory offset of the current mode's soft TLB. */
  readonly tlbBase: StateField;
  /** Operands and results of helpers that are wider than i32. */
  readonly scratch: StateField;
}

export const DelayState = {
  None: 0,
  /** A branch was executed; its delay slot comes next. */
  SlotPending: 1,
  /** The current instruction is the delay slot. */
  InSlot: 2,
} as const;

export const EngineEvent = {
  None: 0,
  /** State was rewritten (exception, return from one): continue from it. */
  Reload: 1,
  /** Return from the run function. */
  Leave: 2,
} as const;

export function addEngineState(layout: StateLayout): EngineState {
  return {
    pc: layout.i32('pc'),
    delay: layout.i32('delay'),
    branchTarget: layout.i32('branchTarget'),
    remaining: layout.i32('remaining'),
    runStart: layout.i32('runStart'),
    attention: layout.i32('attention'),
    fetchTag: layout.i32('fetchTag'),
    fetchAddend: layout.i32('fetchAddend'),
    event: layout.i32('event'),
    tlbBase: layout.i32('tlbBase'),
    scratch: layout.i64('scratch', 4),
  };
}

/**
 * Soft TLB entry layout, four 32-bit words. A tag is the page's virtual address; an access hits when the address, with
 * its low bits cut to the access size's alignment, equals the tag. An invalid tag can never equal such a value.
 */
export const SoftTlb = {
  entries: 1024,
  entryShift: 4,
  readTag: 0,
  writeTag: 4,
  execTag: 8,
  /** Linear-memory offset of a byte = its virtual address + addend (mod 2^32). */
  addend: 12,
  /** Differs from every masked address in bits 3..11, which no comparison keeps. */
  invalidTag: 0x800,
} as const;
