import { PAGE_BYTES, PAGE_MASK, PAGE_OFFSET } from '../../memory/index.js';
import type { BranchKind as BranchKindType } from '../ir/index.js';
import { BranchKind } from '../ir/index.js';
import type { BranchInfo, InstructionClass, InstructionReader } from './classify.js';

/** Where instructions come from. Addresses are virtual. */
export interface CodeSource {
  /** The instruction word at an address, undefined where none can be fetched now without further ado. */
  word(address: number): number | undefined;
  /** Linear-memory offset of a page that has such a word. */
  placeOf(page: number): number;
  /** Have branches gone to this address more than once or twice lately? Code that hardly ever ran is not translated. */
  isWarm(address: number): boolean;
  /** Addresses near this one that branches have gone to more than once or twice lately, ascending. */
  warmNear(address: number): Iterable<number>;
  /**
   * Where a call at this address probably goes, by a register that was loaded from a distance to another one, given by its
   * offset. The translation compares before it believes that.
   */
  callTarget(site: number, table: { readonly base: number; readonly distance: number }): number | undefined;
  /** Instructions of the translation that can be entered at this address, 0 where there is none. */
  translatedSize(address: number): number;
}

/** How a block ends. Addresses outside the region are left through the jump cache. */
export type Terminator =
  /** `returnTo`: it is a call, and continues there when it returns. */
  | { readonly kind: 'goto'; readonly target: number; readonly returnTo?: number }
  | {
      readonly kind: 'branch';
      readonly taken: number;
      readonly next: number;
      /** The delay slot belongs to the taken path only. */
      readonly likely: boolean;
    }
  /** To an address known at run time. */
  | {
      readonly kind: 'indirect';
      /** `tail`: another function returns in this one's place. `jump`: through a table, as far as one can tell. */
      readonly role: 'call' | 'return' | 'tail' | 'jump';
      /** Where it will probably go. */
      readonly guess: number | undefined;
      /** Of a call: where it continues when it returns. */
      readonly returnTo: number;
    }
  /** The interpreter executes the instruction at `at`, then decides. */
  | { readonly kind: 'interpret'; readonly at: number }
  /** The last instruction has left already, see `SystemExits`. */
  | { readonly kind: 'system' };

/** Straight-line code: executed from the first instruction to the last, a delay slot included. */
export interface Block {
  readonly address: number;
  /** Instructions in order of execution with their words; the last is the delay slot where there is one. */
  readonly instructions: readonly { readonly address: number; readonly word: number }[];
  /** Index of the branch, or -1: everything after it lies in its delay slot. */
  readonly branchAt: number;
  readonly end: Terminator;
}

/** Every region has an entry. */
export type Entries = readonly [seed: number, ...others: number[]];

/** A piece of the guest's control flow that is translated as one function. */
export interface Region {
  /** Ascending by address. */
  readonly blocks: readonly Block[];
  /** Addresses at which it can be entered, first the one that it was followed from; each starts a block. */
  readonly entries: Entries;
  /** Pages (4 KiB) that it came from, by virtual page address: where they lie in linear memory. */
  readonly pages: ReadonlyMap<number, number>;
  /** Every instruction that was looked at, delay slots included, by virtual address. */
  readonly words: ReadonlyMap<number, number>;
  readonly instructionCount: number;
  /** Entries that it takes over from other regions: targets of jump tables. */
  readonly claimed: ReadonlySet<number>;
  /** Where calls by address tables were found to go, by the call's address. */
  readonly calls: ReadonlyMap<number, number>;
}

/**
 * Most instructions of a region. More than a thousand would outgrow the budget that the interpreter guarantees at entry
 * (see {@link Block}: a path through a region without a loop must fit).
 */
export const MAX_REGION_INSTRUCTIONS = 250;

/** What bounds a region, in instructions. */
export interface RegionLimits {
  readonly most: number;
  /** The same where a jump table holds the region together: an interpreter's main loop should be one region. */
  readonly mostWithTable: number;
  /** A translation this small is made again as part of a larger one: it is a function that its caller should not leave for. */
  readonly mostAgain: number;
}

const DEFAULT_LIMITS: RegionLimits = { most: MAX_REGION_INSTRUCTIONS, mostWithTable: 1000, mostAgain: 40 };
const MAX_ENTRIES = 1000;

/** Follows control flow from an address. @returns undefined where nothing can be translated */
export function discoverRegion(
  seed: number,
  source: CodeSource,
  reader: InstructionReader,
  limits = DEFAULT_LIMITS,
): Region | undefined {
  return new Discovery(source, reader, limits).run(seed);
}

class Discovery {
  readonly #classes = new Map<number, InstructionClass>();
  readonly #words = new Map<number, number>();
  readonly #leaders = new Set<number>();
  readonly #entries = new Set<number>();
  readonly #pages = new Map<number, number>();
  readonly #queue: number[] = [];
  /** Registers that the current straight line has loaded from memory, and from where. */
  readonly #loaded = new Map<number, { readonly base: number; readonly distance: number }>();
  /** Probable targets of indirect branches, by the branch's address. */
  readonly #guesses = new Map<number, number>();
  /** Jumps to other functions, which return in this one's place. */
  readonly #tailCalls = new Set<number>();
  /** Targets of jump tables, which the region takes over from others. */
  readonly #claimed = new Set<number>();
  #limit: number;
  #seed = -1;

  constructor(
    private readonly source: CodeSource,
    private readonly reader: InstructionReader,
    private readonly limits: RegionLimits,
  ) {
    this.#limit = limits.most;
  }

  run(seed: number): Region | undefined {
    this.#seed = seed;
    this.#enter(seed);
    for (let at = this.#queue.shift(); at !== undefined; at = this.#queue.shift()) this.#walk(at);
    const first = this.#classes.get(seed);
    if (!first || first.kind === 'interpret') return undefined;
    const blocks = [...this.#leaders]
      .filter((address) => this.#classes.has(address))
      .sort((a, b) => a - b)
      .map((address) => this.#block(address));
    const others = [...this.#entries].filter((address) => address !== seed && this.#isUseful(address));
    return {
      blocks,
      entries: [seed, ...others.slice(0, MAX_ENTRIES - 1)],
      pages: this.#pages,
      words: this.#words,
      instructionCount: this.#classes.size,
      claimed: this.#claimed,
      calls: this.#guesses,
    };
  }

  #enter(address: number): void {
    if (!this.#belongs(address)) return;
    this.#entries.add(address);
    this.#include(address);
  }

  #claim(address: number): void {
    this.#claimed.add(address);
    this.#enter(address);
  }

  /** What other translations have is not made twice, unless it is short. */
  #belongs(address: number): boolean {
    if (address === this.#seed || this.#claimed.has(address)) return true;
    return this.source.translatedSize(address) <= this.limits.mostAgain;
  }

  #include(address: number): void {
    if (this.#leaders.has(address) || !this.#belongs(address)) return;
    this.#leaders.add(address);
    this.#queue.push(address);
  }

  /** Visits instructions from a leader to the end of its straight line. */
  #walk(leader: number): void {
    this.#loaded.clear();
    for (let address = leader; ; address = (address + 4) >>> 0) {
      if (this.#classes.has(address)) {
        this.#leaders.add(address); // joins code that was visited from elsewhere
        return;
      }
      if (address !== leader && (address & PAGE_OFFSET) === 0) {
        this.#leaders.add(address); // a new page starts a block, where its mapping is checked
      }
      if (this.#classes.size >= this.#limit) return;
      const info = this.#visit(address);
      if (!info) return;
      if (info.kind === 'interpret' || info.kind === 'system') return this.#enter((address + 4) >>> 0);
      if (info.kind === 'branch') return this.#follow(address, info.branch);
      if (info.load) this.#loaded.set(info.load.into, info.load);
      if (info.changes !== undefined) this.#loaded.delete(info.changes);
    }
  }

  #visit(address: number): InstructionClass | undefined {
    const word = this.source.word(address);
    if (word === undefined) return undefined;
    let info = this.reader.classify(word, address);
    if (info.kind === 'branch' && !this.#slotFits(address, info.branch.kind)) info = { kind: 'interpret' };
    this.#words.set(address, word);
    this.#classes.set(address, info);
    this.#addPage((address & PAGE_MASK) >>> 0);
    return info;
  }

  /**
   * A delay slot is translated with its branch: it must be an ordinary instruction. Where it lies on the next page, whose mapping
   * is to be checked before the branch, the two are a block of their own.
   */
  #slotFits(address: number, kind: BranchKindType): boolean {
    if (kind === BranchKind.Immediate) return true;
    const slot = (address + 4) >>> 0;
    const word = this.source.word(slot);
    if (word === undefined || this.reader.classify(word, slot).kind !== 'plain') return false;
    this.#words.set(slot, word);
    if ((slot & PAGE_OFFSET) === 0) {
      this.#addPage(slot);
      this.#leaders.add(address);
    }
    return true;
  }

  #addPage(page: number): void {
    if (!this.#pages.has(page)) this.#pages.set(page, this.source.placeOf(page));
  }

  #follow(address: number, branch: BranchInfo): void {
    const next = (address + (branch.kind === BranchKind.Immediate ? 4 : 8)) >>> 0;
    if (branch.target !== undefined) {
      const backward = branch.target <= address && branch.target > address - PAGE_BYTES;
      if (backward && !branch.isCall) this.#enter(branch.target);
      else if (this.source.isWarm(branch.target)) this.#include(branch.target);
    } else if (branch.isCall) {
      this.#guessCall(address, branch);
    } else if (this.#isTailCall(branch)) {
      this.#tailCalls.add(address);
      this.#guessCall(address, branch);
    } else if (branch.register !== this.reader.linkRegister) {
      // A jump table: what it jumped to so far, even if that is part of another region already.
      this.#limit = Math.max(this.#limit, this.limits.mostWithTable);
      for (const target of this.source.warmNear(address)) this.#claim(target);
    }
    if (branch.isCall) this.#enter(next);
    else if (branch.conditional) this.#include(next);
  }

  /** A jump table's address is added up before it is jumped to, or is not in the register of calls. */
  #isTailCall({ register }: BranchInfo): boolean {
    return register === this.reader.callRegister && register !== undefined && this.#loaded.has(register);
  }

  /** Calls through a table of addresses, as position-independent code makes them all, go where the table says now. */
  #guessCall(address: number, { register }: BranchInfo): void {
    const table = register === undefined ? undefined : this.#loaded.get(register);
    const guess = table && this.source.callTarget(address, table);
    if (guess === undefined || !this.source.isWarm(guess)) return;
    this.#guesses.set(address, guess);
    this.#include(guess);
  }

  /** Entering where the interpreter would be called at once helps nobody. */
  #isUseful(entry: number): boolean {
    const info = this.#classes.get(entry);
    return info !== undefined && info.kind !== 'interpret';
  }

  #block(leader: number): Block {
    const instructions: { address: number; word: number }[] = [];
    const add = (address: number): void => {
      instructions.push({ address, word: this.#words.get(address) as number }); // visited
    };
    for (let address = leader; ; address = (address + 4) >>> 0) {
      const info = this.#classes.get(address);
      const done = (end: Terminator, branchAt = -1): Block => ({
        address: leader,
        instructions,
        branchAt,
        end,
      });
      if (!info || (address !== leader && this.#leaders.has(address))) return done({ kind: 'goto', target: address });
      if (info.kind === 'interpret') return done({ kind: 'interpret', at: address });
      add(address);
      if (info.kind === 'system') return done({ kind: 'system' });
      if (info.kind !== 'branch') continue;
      const { kind, target, conditional, isCall } = info.branch;
      const branchAt = instructions.length - 1;
      let next = (address + 4) >>> 0;
      if (kind !== BranchKind.Immediate) {
        add(next);
        next = (next + 4) >>> 0;
      }
      if (target === undefined) {
        const jump = this.#tailCalls.has(address) ? 'tail' : 'jump';
        const role = isCall ? 'call' : info.branch.register === this.reader.linkRegister ? 'return' : jump;
        return done({ kind: 'indirect', role, guess: this.#guesses.get(address), returnTo: next }, branchAt);
      }
      if (!conditional) return done({ kind: 'goto', target, ...(isCall ? { returnTo: next } : {}) }, branchAt);
      return done({ kind: 'branch', taken: target, next, likely: kind === BranchKind.Likely }, branchAt);
    }
  }
}
