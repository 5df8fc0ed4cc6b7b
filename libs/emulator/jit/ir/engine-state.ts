import type { StateField } from './builder.js';
import type { StateLayout } from './encoding.js';
import { Type, Width } from './ops.js';

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
  /** The mode that `EngineHost.selectMode` chose last. */
  readonly mode: StateField;
  /** Linear-memory offset of the current mode's soft TLB. */
  readonly tlbBase: StateField;
  /**
   * Bytes at the start of the target's directly mapped segment that show RAM in the current mode: element n is in units of
   * 2^n bytes, 0 where the segment cannot be used.
   */
  readonly directLimits: StateField;
  /** The same in bytes, for modes that may use the segment: 0 where no RAM lies there. */
  readonly directBytes: StateField;
  /**
   * Everything that changes what an instruction means, as a number below the instruction alignment (4): the architecture
   * keeps it up to date, and only translations made for the same key run.
   */
  readonly modeKey: StateField;
  /** Set by translations that leave for the interpreter: it executes at least one instruction itself. */
  readonly interpretNext: StateField;
  /** Instructions that translations executed since the engine last looked (mod 2^32). */
  readonly translated: StateField;
  /** Accesses that translations left to the interpreter as their window does not hold the page, since the engine last looked. */
  readonly misses: StateField;
  /** Addresses of the instructions that made the last of them: element `misses` modulo the number of elements comes next. */
  readonly missedAt: StateField;
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
    mode: layout.i32('mode'),
    tlbBase: layout.i32('tlbBase'),
    directLimits: layout.i32('directLimits', 4),
    directBytes: layout.i32('directBytes'),
    modeKey: layout.i32('modeKey'),
    interpretNext: layout.i32('interpretNext'),
    translated: layout.i32('translated'),
    misses: layout.i32('misses'),
    missedAt: layout.i32('missedAt', 64),
    scratch: layout.i64('scratch', 4),
  };
}

/** Where the arguments of a helper lie whose usual case is generated code (`TargetDescription.expansions`): in `scratch`. */
export function helperArgument({ scratch }: EngineState, index: number): StateField {
  const offset = scratch.offset + (index << scratch.strideShift);
  return { name: `argument ${index}`, offset, width: Width.W32, type: Type.I32, count: 1, strideShift: 2 };
}

/**
 * Soft TLB entry layout, four 32-bit words. A tag is the page's virtual address; an access hits when the address, with
 * its low bits cut to the access size's alignment, equals the tag. An invalid tag can never equal such a value.
 */
export const SoftTlb = {
  entries: 4096,
  entryShift: 4,
  readTag: 0,
  writeTag: 4,
  execTag: 8,
  /** Linear-memory offset of a byte = its virtual address + addend (mod 2^32). */
  addend: 12,
  /** Bytes from the table of one mode to that of the next, in the same address space. */
  modeStride: 4096 << 4,
  /** Byte offset of an address's entry in its table. */
  offset: (address: number): number => ((address >>> 12) & (SoftTlb.entries - 1)) << SoftTlb.entryShift,
  /** Differs from every masked address in bits 3..11, which no comparison keeps. */
  invalidTag: 0x800,
} as const;

/**
 * Jump cache: from the address of a branch target to its translation, four 32-bit words an entry. An address has two entries to choose
 * from, its own and that one's neighbour (`offset` and `offset ^ alternate`). The interpreter counts there how often it comes by; a full
 * count asks for a translation.
 */
export const JumpCache = {
  entries: 32768,
  entryShift: 4,
  /** Bit of an entry's byte offset in which the two entries of an address differ. */
  alternate: 1 << 4,
  /** Virtual address + mode key. */
  tag: 0,
  /** Linear-memory offset of the instruction: the same virtual address may be mapped to other memory. */
  linear: 4,
  /** Positive: a {@link TranslationWord}. Negative: visits left. 0: asked for, or refused. */
  target: 8,
  /**
   * Is an entry with one target rather to be given to another address than an entry with the other? Those with translations are the hottest;
   * nothing is lost with one that is free.
   */
  isColder: (one: number, other: number): boolean => other !== 0 && (one === 0 || one < other),
  /** Most visits that a count begins with: nobody waits for the end of it. */
  maxVisits: 2 ** 30,
  /** Instructions of the translation. */
  size: 12,
  /** Where there is none: upper half of the tag that used the entry before, and visits that were left to that. */
  displaced: 12,
  /** Bits of {@link JumpCache.displaced} with the visits. */
  displacedVisits: 0xffff,
  /** In these bits: the tag before was that of a translation, and nobody has asked yet whether there is one of this tag, too. */
  displacedTranslation: 1,
  /**
   * Byte offset of an address's own entry. The mode key is part of it: kernel code may run in turn for processes with and
   * without a coprocessor.
   */
  offset: (address: number, modeKey: number): number =>
    (((address >>> 2) ^ (address >>> 15) ^ (modeKey << JumpCache.modeShift)) & (JumpCache.entries - 1)) <<
    JumpCache.entryShift,
  modeShift: 13,
  bytes: 32768 << 4,
} as const;

/** A word that says how a translation is entered: its index in the function table, and the number of its entry, less than 2^16. */
export const TranslationWord = {
  /** Largest index: words are positive. */
  maxTarget: 0x7fff,
  pack: (target: number, entry: number): number => (target << 16) | entry,
  targetShift: 16,
  targetOf: (word: number): number => word >>> 16,
  entryMask: 0xffff,
} as const;

/**
 * Whoever enters a translation has more than so much budget left, in instructions: a page's worth. A way through a translation that
 * may be longer checks again.
 */
export const ENTRY_BUDGET = 1024;

/** What the tables of mirrored pages say of a page, in bits; nothing of one that is not mirrored or does not permit the access. */
export const MirrorPage = {
  there: 1,
  /** The one behind it is there, too. */
  next: 2,
} as const;

/**
 * No page below this address is mirrored. So what lies at a distance of less from a register, on a mirrored page, is reached without a carry
 * beyond 32 bits: the distance may be part of the constant that is added to the register. (Nor are those at the other end of the
 * address space: linear memory ends before.)
 */
export const LOWEST_MIRRORED = 0x8000;

/**
 * Dispatch table, for code at mirrored addresses: for each mode key a word a page with the offset of the page's block, 0 where nothing
 * may be entered; and blocks of a page's size with a {@link TranslationWord} for each instruction, 0 where nothing is entered.
 */
export const DispatchLayout = {
  modeKeys: 4,
  /**
   * Pages are looked up by the address rotated right by two bits: what is not aligned finds a word behind the last page's,
   * which stays 0.
   */
  pagesBytes: 2 ** 22 * 4,
} as const;
