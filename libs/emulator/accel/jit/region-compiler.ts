import { asError, getOrInsertComputed } from '../../core/index.js';
import { JumpCache, SoftTlb } from '../../jit/ir/index.js';
import type { TargetDescription } from '../../jit/ir/index.js';
import type { CodeSource, DirectWindow, Region } from '../../jit/regions/index.js';
import { discoverRegion, InstructionReader } from '../../jit/regions/index.js';
import { PAGE_MASK } from '../../memory/index.js';
import type { CompiledRegion, CompilerSetup, KeptModule, RegionModule } from './region-module.js';
import { windowKey } from './region-module.js';
import { RegionModuleWriter } from './region-module-writer.js';
import { isOutdated } from './strays.js';

/** Why a request was not fulfilled: it was postponed, or said to be covered, which did not help. */
export type PutOff = 'postponed' | 'covered';

/** A branch target that was visited often. */
export interface TranslationRequest {
  readonly address: number;
  readonly modeKey: number;
  /** Linear-memory offset of the instruction there. */
  readonly linear: number;
  /** Linear-memory offset of the soft TLB that the code runs with. */
  readonly tlbBase: number;
  /** The CPU's area when the translation was asked for: what registers hold helps to guess where calls go. */
  readonly state: Int32Array;
  /** Where the directly mapped segment shows RAM at present. */
  readonly window: DirectWindow | undefined;
  /** Addresses of all strays that are known, see `Strays`. */
  readonly strays: ReadonlySet<number>;
  /** What became of it when it was asked for before. */
  readonly before: readonly PutOff[];
  /** Batches that the vCPU had taken in when it asked. */
  readonly batchesSeen: number;
}

/** The answer to requests. */
export interface CompiledBatch {
  /** Undefined where nothing could be translated. */
  readonly made: RegionModule | undefined;
  /** What was asked for and cannot be translated. */
  readonly refused: readonly TranslationRequest[];
  /** What there is already, in an earlier batch or a known module that had not arrived when it was asked for. */
  readonly covered: readonly TranslationRequest[];
  /** What should be asked for again when more of the code around has been visited. */
  readonly postponed: readonly TranslationRequest[];
  readonly wasmBytes: number;
  /** Host milliseconds. */
  readonly translateMs: number;
  readonly compileMs: number;
}

/** Code that the translator has a fault with: it can only be interpreted. */
export interface TranslationFailure {
  /** Undefined: it was not asked for, but made of what is known. */
  readonly request: TranslationRequest | undefined;
  readonly error: Error;
}

/** What became of requests. */
export type CompilerResult =
  | { readonly kind: 'answer'; readonly batch: CompiledBatch }
  | { readonly kind: 'failed'; readonly failure: TranslationFailure };

/** What fails so often in the same way does not fail because the code is being changed. */
const ATTEMPTS = 3;
/** How much of the visits before a translation a branch target must have had to count as warm. */
const WARM_SHARE = 0.1;
/** Words of a jump cache entry. */
const TAG = JumpCache.tag >> 2;
const TARGET = JumpCache.target >> 2;
const SIZE = JumpCache.size >> 2;
/** How far around a jump through a table its targets are looked for. */
const NEAR_BYTES = 0x4000;

/**
 * Makes regions from guest memory. It only reads that memory, which may change under its hands when it works beside
 * the vCPU: whoever installs a region compares the words first.
 */
export class RegionCompiler {
  /** Batches that the vCPU may not have seen yet. */
  readonly #unseen: UnseenBatch[] = [];
  #batches = 0;
  /** Regions that exist, by virtual page. */
  readonly #known = new Map<number, CompiledRegion[]>();
  readonly #readers = new Map<number, InstructionReader>();
  readonly #view: DataView;
  readonly #words: Int32Array;

  constructor(
    private readonly setup: CompilerSetup,
    private readonly description: TargetDescription,
    /** Is given every module. */
    private readonly keep?: (made: KeptModule) => void,
  ) {
    this.#view = new DataView(setup.buffer);
    this.#words = new Int32Array(setup.buffer);
  }

  /** These regions exist: whoever asks for them is about to learn so, too. */
  learn(regions: readonly CompiledRegion[]): void {
    for (const region of regions)
      for (const [page] of region.pages) getOrInsertComputed(this.#known, page, () => []).push(region);
  }

  /**
   * As {@link compile}, but tells of what fails. The vCPU may rewrite code while it is read, which can leave a region that contradicts
   * itself: what fails is tried alone, and what fails alone, but not always in the same way, is postponed.
   */
  *attempt(requests: readonly TranslationRequest[]): Generator<CompilerResult, void> {
    const [first, ...more] = requests;
    if (!first) return;
    const made = this.#attempt(requests);
    if (!(made instanceof Error)) yield { kind: 'answer', batch: made };
    else if (more.length === 0) yield this.#insist(first, made);
    else for (const request of requests) yield* this.attempt([request]);
  }

  #attempt(requests: readonly TranslationRequest[]): CompiledBatch | Error {
    try {
      return this.compile(requests);
    } catch (error) {
      return asError(error);
    }
  }

  #insist(request: TranslationRequest, error: Error): CompilerResult {
    for (let attempts = 1; attempts < ATTEMPTS; attempts++) {
      const made = this.#attempt([request]);
      if (!(made instanceof Error)) return { kind: 'answer', batch: made };
      if (made.message !== error.message)
        return { kind: 'answer', batch: { ...this.compile([]), postponed: [request] } };
    }
    return { kind: 'failed', failure: { request, error } };
  }

  /** @throws Error when the code was changed while it was read, in a way that made no sense */
  compile(requests: readonly TranslationRequest[]): CompiledBatch {
    try {
      return this.#compile(requests);
    } catch (error) {
      // No batch comes of it.
      this.#unseen.pop();
      this.#batches--;
      throw error;
    }
  }

  #compile(requests: readonly TranslationRequest[]): CompiledBatch {
    const started = performance.now();
    const module = new RegionModuleWriter(this.setup, this.description);
    const refused: TranslationRequest[] = [];
    const postponed: TranslationRequest[] = [];
    const covered: TranslationRequest[] = [];
    const unseen: UnseenBatch = new Map();
    // Others may have worked for the vCPU before.
    for (const { batchesSeen } of requests) this.#batches = Math.max(this.#batches, batchesSeen);
    this.#unseen.push(unseen);
    this.#batches++;
    for (const request of requests) {
      while (this.#batches - this.#unseen.length < request.batchesSeen) this.#unseen.shift();
      // Asked for before the vCPU knew that it is on its way. It may be in the middle of a region that nobody will enter there
      // once there is one.
      if (this.#isKnown(request) || this.#unseenSize(request.address, request) !== undefined) {
        covered.push(request);
        continue;
      }
      const { modeKey, window, strays } = request;
      const reader = this.#reader(modeKey);
      const region = discoverRegion(request.address, this.#source(request), reader);
      if (!region) {
        refused.push(request);
        continue;
      }
      if (region.claimed.size > 0 && !request.before.includes('postponed')) {
        postponed.push(request);
        continue;
      }
      module.add(region, reader, { modeKey, window, strays, joined: false });
      note(unseen, request, region);
    }
    const { regions } = module;
    const bytes = regions.length > 0 ? module.finish() : undefined;
    const translated = performance.now();
    const made = bytes && { module: new WebAssembly.Module(bytes), regions };
    const compileMs = performance.now() - translated;
    if (bytes && made) this.keep?.({ ...made, bytes, memory: this.setup.memory });
    return {
      made,
      refused,
      postponed,
      covered,
      wasmBytes: bytes?.length ?? 0,
      translateMs: translated - started,
      compileMs,
    };
  }

  /** Does a known region contain this address, or start there? */
  #isKnown(request: TranslationRequest): boolean {
    if (request.before.includes('covered')) return false;
    const source = this.#source(request);
    const matches = ({ addresses, words }: CompiledRegion): boolean =>
      addresses.every((address, i) => source.word(address) === words[i]);
    const window = windowKey(request.window);
    const known = this.#known.get((request.address & PAGE_MASK) >>> 0) ?? [];
    return known.some(
      (region) =>
        region.modeKey === request.modeKey &&
        region.addresses.includes(request.address) &&
        windowKey(region.window) === window &&
        !isOutdated(region, request.strays) &&
        matches(region),
    );
  }

  #reader(modeKey: number): InstructionReader {
    const { description, setup } = this;
    return getOrInsertComputed(
      this.#readers,
      modeKey,
      () => new InstructionReader(description, modeKey, setup.systemExits),
    );
  }

  /** Instructions of a region, on its way to the vCPU, that can be entered at an address; 0 where it only contains it. */
  #unseenSize(address: number, request: TranslationRequest): number | undefined {
    if (this.#unseen.length === 0) return undefined;
    const space = spaceKey(request);
    for (const batch of this.#unseen) {
      const size = batch.get(space)?.get(address);
      if (size !== undefined) return size;
    }
    return undefined;
  }

  #source(request: TranslationRequest): CodeSource {
    const { address: seed, modeKey, linear: seedLinear, tlbBase, state } = request;
    const little = this.description.byteOrder === 'little';
    const words = this.#words;
    const { jumpCache } = this.setup;
    /** Index of the first word of the entry that is in use for an address, or -1. */
    const cacheEntry = (address: number): number => {
      const tag = (address + modeKey) | 0;
      const own = (jumpCache + JumpCache.offset(address, modeKey)) >>> 2;
      if (words[own + TAG] === tag) return own;
      const alternate = own ^ (JumpCache.alternate >> 2);
      return words[alternate + TAG] === tag ? alternate : -1;
    };
    const leastVisits = -this.setup.threshold * (1 - WARM_SHARE);
    const isWarm = (address: number): boolean => {
      const at = cacheEntry(address);
      return at >= 0 && (words[at + TARGET] as number) >= leastVisits;
    };
    /** Linear-memory offset of what can be fetched now without further ado, or -1. */
    const locate = (address: number): number => {
      if (((address ^ seed) & PAGE_MASK) === 0) return (seedLinear + (address - seed)) >>> 0;
      const at = (tlbBase + SoftTlb.offset(address)) >>> 2;
      if (words[at + (SoftTlb.execTag >> 2)] !== (address & PAGE_MASK)) return -1;
      const addend = words[at + (SoftTlb.addend >> 2)] as number;
      // Pages that are never checked again must lie beside the first as their addresses do.
      const unchecked = this.description.isDirectlyMapped(seed) && this.description.isDirectlyMapped(address);
      if (unchecked && addend !== ((seedLinear - seed) | 0)) return -1;
      const linear = (address + addend) >>> 0;
      return linear < this.#view.byteLength - 4 ? linear : -1;
    };
    return {
      isWarm,
      warmNear(address) {
        const warm: number[] = [];
        for (let near = address - NEAR_BYTES; near < address + NEAR_BYTES; near += 4) {
          // Looked up without calls: eight thousand of them, in code that V8 has hardly seen yet, took ten milliseconds.
          let at = (jumpCache + JumpCache.offset(near, modeKey)) >>> 2;
          if (words[at + TAG] !== ((near + modeKey) | 0)) at ^= JumpCache.alternate >> 2;
          if (words[at + TAG] !== ((near + modeKey) | 0)) continue;
          if ((words[at + TARGET] as number) >= leastVisits) warm.push(near);
        }
        return warm;
      },
      callTarget: (_, { base, distance }) => {
        const address = ((state[base >> 2] as number) + distance) >>> 0;
        const at = (tlbBase + SoftTlb.offset(address)) >>> 2;
        if (address & 3 || words[at + (SoftTlb.readTag >> 2)] !== (address & PAGE_MASK)) return undefined;
        const linear = (address + (words[at + (SoftTlb.addend >> 2)] as number)) >>> 0;
        return linear < this.#view.byteLength - 4 ? this.#view.getUint32(linear, little) : undefined;
      },
      word: (address) => {
        const linear = locate(address);
        return linear < 0 ? undefined : this.#view.getUint32(linear, little);
      },
      placeOf: locate,
      translatedSize: (address) => {
        const at = cacheEntry(address);
        if (at < 0 || (words[at + TARGET] as number) <= 0) return this.#unseenSize(address, request) ?? 0;
        return words[at + SIZE] as number;
      },
    };
  }
}

/** By {@link spaceKey} and address: size of the region that can be entered there, 0 where one only contains it. */
type UnseenBatch = Map<string, Map<number, number>>;

/** Names an address space's code. */
const spaceKey = ({ modeKey, linear, address }: TranslationRequest): string => `${modeKey} ${(linear - address) | 0}`;

function note(batch: UnseenBatch, request: TranslationRequest, { words, entries, instructionCount }: Region): void {
  const there = getOrInsertComputed(batch, spaceKey(request), () => new Map());
  for (const address of words.keys()) if (!there.has(address)) there.set(address, 0);
  for (const address of entries) there.set(address, instructionCount);
}
