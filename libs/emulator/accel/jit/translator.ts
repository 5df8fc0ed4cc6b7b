import { EmulatorError, getOrInsertComputed } from '../../core/index.js';
import type { TargetDescription } from '../../jit/ir/index.js';
import { JumpCache, TranslationWord, wordOf } from '../../jit/ir/index.js';
import type { TranslationLink } from '../../jit/interp/index.js';
import type { DirectWindow, SystemExits } from '../../jit/regions/index.js';
import { firstFreeTarget, systemExitTarget, translateSystemExits } from '../../jit/regions/index.js';
import type { LinearMemory, RamBlock } from '../../memory/index.js';
import { PAGE_MASK, PAGE_OFFSET } from '../../memory/index.js';
import type { DispatchTable } from '../dispatch-table.js';
import type { JumpCacheKey } from '../jump-cache.js';
import { jumpCacheKey, JumpCacheTable } from '../jump-cache.js';
import type { SoftTlbTables } from '../soft-tlb.js';
import { CodePages } from './code-pages.js';
import type { KnownRegion, Places } from './known-regions.js';
import { KnownRegions, placeOf } from './known-regions.js';
import type { CompiledBatch, PutOff, TranslationFailure, TranslationRequest } from './region-compiler.js';
import type { LocatedRegion } from './region-locator.js';
import { RegionLocator } from './region-locator.js';
import { Strays } from './strays.js';
import type { TranslationService, TranslationServiceFactory } from './service.js';
import { translateInline } from './service.js';

export interface TranslationOptions {
  /** Visits of a branch target before it is translated, after the one that started the count. At least 1. */
  readonly threshold: number;
  /** Where translations are made. Default: in the vCPU's own thread, which waits for them. */
  readonly service?: TranslationServiceFactory | undefined;
  /** All translations are dropped when their Wasm exceeds this. Default 96 MiB. */
  readonly maxWasmBytes?: number | undefined;
  /** See `CompilerSetup`. A function is asked when something is translated first, and nothing is looked up before. */
  readonly image?: string | (() => string | undefined) | undefined;
  /** Hears of the first code that the translator has a fault with: it is interpreted. Without this the machine stops then. */
  readonly warn?: ((line: string) => void) | undefined;
}

export interface TranslationStats {
  /** Instructions that translations executed; the others were interpreted. */
  instructions: number;
  regions: number;
  /** Guest instructions and Wasm bytes of all regions made. */
  guestInstructions: number;
  wasmBytes: number;
  /** Host time spent making them, milliseconds. */
  translateMs: number;
  compileMs: number;
  /** The vCPU's own part of it. */
  installMs: number;
  /** Regions dropped because their code was written to. */
  invalidated: number;
  /** Times that everything was dropped because the cache was full. */
  flushes: number;
  /** Instructions that are known to access memory outside of the direct window often, see `Strays`. */
  strays: number;
  /** Translations that failed because of faults in the translator: it should be none. */
  failures: number;
  /** Translations of earlier runs and of other boards. */
  readonly cache: {
    /** Regions taken from there, and regions that had to be made. */
    hits: number;
    misses: number;
    /** Wasm bytes that it offered. */
    bytes: number;
  };
}

/** Where a translation is entered. */
interface Entry extends JumpCacheKey {
  /** See {@link TranslationWord}. */
  readonly word: number;
  /** Instructions of the translation. */
  readonly size: number;
}

interface CachedRegion {
  readonly known: KnownRegion;
  /** Linear-memory offset of its first instruction. */
  readonly linear: number;
  readonly target: number;
  readonly wasmBytes: number;
  readonly entries: readonly Entry[];
  readonly places: Places;
}

const DEFAULT_MAX_WASM_BYTES = 96 << 20;
/** A page whose code was rewritten this often is translated only after many more visits. */
const PATIENCE = 4;
/** Code with a jump table is translated after this many times the usual visits, when more of its targets are known. */
const POSTPONEMENT = 8;
/** Part of the usual visits after which an address is translated that took a translation's place in the jump cache. */
const DISPLACER_SHARE = 4;
/** Code that cannot be translated is tried again after this many times the usual visits: it may have changed. */
const FAILURE = 4096;
const FIRST_TABLE_SIZE = 4096;
/** As much of the CPU's area as holds general registers. */
const STATE_WORDS = 128;
const NO_PAGES: ReadonlySet<number> = new Set();

/**
 * Keeps the translations of one vCPU: makes them when the interpreter asks, finds them again, drops them when their
 * code changes.
 */
export class Translator {
  readonly link: TranslationLink;
  readonly table: WebAssembly.Table;
  readonly stats: TranslationStats = {
    instructions: 0,
    regions: 0,
    guestInstructions: 0,
    wasmBytes: 0,
    translateMs: 0,
    compileMs: 0,
    installMs: 0,
    invalidated: 0,
    flushes: 0,
    strays: 0,
    failures: 0,
    cache: { hits: 0, misses: 0, bytes: 0 },
  };
  readonly #jumpCache: JumpCacheTable;
  readonly #startService: () => TranslationService;
  /** By the tag of its key. */
  readonly #entries = new Map<number, Entry[]>();
  readonly #known: KnownRegions;
  /** Virtual pages whose known code was looked for already, and where they were in linear memory. */
  readonly #settled = new Map<number, number>();
  readonly #regions = new Map<number, CachedRegion>();
  /** Regions are dropped when their code is written to. */
  readonly #pages = new CodePages<CachedRegion>((region) => this.#drop(region));
  readonly #locator: RegionLocator;
  readonly #strays = new Strays();
  /** Installed regions by virtual pages whose code nobody has compared yet. */
  readonly #unverified = new Map<number, Set<CachedRegion>>();
  readonly #freeTargets: number[] = [];
  /** What was asked for and put off, by {@link requestKey}. */
  readonly #putOff = new Map<string, readonly PutOff[]>();
  readonly #modeKey: number;
  readonly #translated: number;
  #service: TranslationService | undefined;
  #cachedBytes = 0;
  #batchesSeen = 0;
  /** Before this one, the table of translations holds system exits. */
  readonly #firstTarget: number;
  #nextTarget: number;
  #placed = false;

  constructor(
    private readonly memory: LinearMemory,
    private readonly words: Int32Array,
    private readonly description: TargetDescription,
    private readonly tlb: SoftTlbTables,
    private readonly options: TranslationOptions,
    /** For mirrored code. */
    private readonly dispatch?: DispatchTable,
  ) {
    this.#jumpCache = new JumpCacheTable(memory);
    this.#locator = new RegionLocator({
      buffer: memory.buffer,
      description,
      fetchOffset: (address) => tlb.fetchOffset(address),
      holdsCode: (linear) => this.#pages.has(linear),
    });
    const threshold = Math.min(options.threshold, JumpCache.maxVisits);
    this.link = { jumpCache: this.#jumpCache.offset, threshold };
    this.table = new WebAssembly.Table({ element: 'anyfunc', initial: FIRST_TABLE_SIZE });
    this.#known = new KnownRegions({ memory: memory.memory, translations: this.table }, this.#strays);
    const systemExits = this.#installSystemExits();
    this.#firstTarget = this.#nextTarget = firstFreeTarget(systemExits);
    const { image, service = translateInline } = options;
    this.#startService = () =>
      service(
        {
          buffer: memory.buffer,
          memory: { pages: memory.pages, shared: memory.shared },
          cpuBase: words.byteOffset,
          jumpCache: this.link.jumpCache,
          threshold,
          systemExits,
          image: typeof image === 'function' ? image() : image,
        },
        description,
      );
    if (typeof image === 'string') this.#service = this.#startService(); // what is known is of use from the first instruction on
    this.#modeKey = wordOf(description.engine.modeKey);
    this.#translated = wordOf(description.engine.translated);
  }

  /** @returns names of the system exits, which lie in the table from 1 on */
  #installSystemExits(): SystemExits {
    const { memory, link, words, description, table } = this;
    const names = [...description.expansions.keys()];
    if (names.length === 0) return names;
    const module = translateSystemExits(description, {
      memory: { pages: memory.pages, shared: memory.shared },
      cpuBase: words.byteOffset,
      jumpCache: link.jumpCache,
    });
    const env = { memory: memory.memory, translations: table };
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module), { env });
    for (const name of names) table.set(systemExitTarget(names, name) as number, exports[name]); // it is one of them
    return names;
  }

  /** Takes over what generated code counted. */
  account(): void {
    this.stats.instructions += this.words[this.#translated] as number;
    this.words[this.#translated] = 0;
  }

  /** Watches for changes of code in this memory. */
  follow(block: RamBlock): void {
    this.#pages.follow(block);
  }

  /** Are there translations from earlier runs? */
  get hasKept(): boolean {
    this.#service ??= this.#startService();
    return this.#service.hasKept ?? false;
  }

  /** An address was visited often. @param entryOffset its jump cache entry in linear memory */
  translate(entryOffset: number): void {
    const key = this.#jumpCache.keyAt(entryOffset);
    const { tag, linear } = key;
    const known = this.#entryOf(key);
    if (known) return this.#enter(known);
    if (this.#jumpCache.takeDisplacer(entryOffset))
      return this.#jumpCache.count(key, Math.ceil(this.link.threshold / DISPLACER_SHARE));
    if (!this.#pages.has(linear)) return;
    const rewritten = this.#pages.rewrites(linear);
    if (rewritten > PATIENCE) {
      this.#pages.forgive(linear);
      return this.#jumpCache.count(key, this.link.threshold * 2 ** Math.min(rewritten, 12));
    }
    const modeKey = this.words[this.#modeKey] as number;
    const address = (tag - modeKey) >>> 0;
    this.#installKnown(address, linear >>> 0);
    const installed = this.#entryOf(key);
    if (installed) return this.#enter(installed);
    this.#service ??= this.#startService();
    this.#service.request({
      address,
      modeKey,
      linear: linear >>> 0,
      tlbBase: this.tlb.base,
      before: this.#putOff.get(requestKey({ address, modeKey, linear })) ?? [],
      state: this.words.slice(0, STATE_WORDS),
      window: this.#locator.window,
      strays: this.#strays.all,
      batchesSeen: this.#batchesSeen,
    });
    this.collect();
  }

  /**
   * The CPU fetches from a page that it did not fetch from just before: what is known of its code is installed before it
   * gets hot. A region of mirrored code is installed as soon as one of its pages is there: nobody goes on to another page
   * before it was fetched from, and then its code is compared.
   * @param address virtual
   * @param linear where that is in linear memory
   */
  fetched(address: number, linear: number): void {
    const page = (address & PAGE_MASK) >>> 0;
    this.#verify(page, linear - (address & PAGE_OFFSET));
    if (this.#settled.get(page) === linear - (address & PAGE_OFFSET)) return;
    const isInVain = !this.#pages.has(linear) || this.#pages.rewrites(linear) > PATIENCE;
    // A region whose other pages cannot be told at present is tried again.
    const complete = isInVain || this.#installKnown(address, linear);
    if (complete) this.#settled.set(page, linear - (address & PAGE_OFFSET));
  }

  /** Pages may be fetched from that nobody fetched from just now: another address space is in use. */
  addressSpaceSelected(): void {
    for (const page of [...this.#unverified.keys()]) {
      const linear = this.#locator.mirrorOf(page);
      if (linear !== undefined) this.#verify(page, linear);
    }
  }

  /** Takes over what the service has finished. */
  collect(): void {
    let learned = false;
    for (let result = this.#service?.poll(); result; result = this.#service?.poll()) {
      if (result.kind === 'answer') {
        this.#takeAnswer(result.batch);
      } else if (result.kind === 'put-off') {
        this.#takePutOff(result);
      } else if (result.kind === 'failed') {
        this.#takeFailure(result.failure);
      } else {
        for (const { strays } of result.made.regions) this.#learn(strays);
        const news = this.#known.add(result.made, true);
        if (news.length === 0) continue; // a thread that was started again offers all once more
        this.stats.cache.bytes += result.wasmBytes;
        for (const { region } of news) for (const [page] of region.pages) this.#settled.delete(page);
        learned = true;
      }
    }
    // Pages that were fetched from before it was known.
    if (learned) this.tlb.forEachPage((address, linear) => this.fetched(address, linear));
  }

  /**
   * Translations have left to the interpreter for accesses outside of the window.
   * @param addresses of the instructions; one may have left more than once
   * @param weight how often each of them stands for
   */
  strayed(addresses: Iterable<number>, weight: number): void {
    this.#learn(this.#strays.count(addresses, weight));
  }

  /** Drops regions that were not made for strays which are known now. */
  #learn(strays: readonly number[]): void {
    if (strays.length === 0) return;
    const hasOutdated = this.#known.outdate(this.#strays.add(strays));
    this.stats.strays = this.#strays.all.size;
    if (!hasOutdated) return;
    for (const region of [...this.#regions.values()]) if (region.known.outdated) this.#drop(region);
  }

  /** Ends the service. */
  close(): void {
    this.#service?.close();
  }

  /**
   * Memory is on the bus for the first time, or moved: drops everything.
   * @param window where the directly mapped segment now shows RAM
   */
  relocate(window: DirectWindow | undefined): void {
    this.#locator.window = window;
    if (this.#placed) this.flush();
    this.#placed = true;
  }

  /** Installs nothing any more of what is installed. */
  flush(): void {
    this.#known.uninstall();
    this.#settled.clear();
    this.#jumpCache.clear();
    this.#entries.clear();
    this.#pages.clear();
    this.#unverified.clear();
    this.dispatch?.clear();
    for (const target of this.#regions.keys()) this.#release(target);
    this.#regions.clear();
    this.#cachedBytes = 0;
    this.stats.flushes++;
  }

  #takeAnswer(batch: CompiledBatch): void {
    const { stats } = this;
    this.#batchesSeen++;
    stats.translateMs += batch.translateMs;
    stats.compileMs += batch.compileMs;
    stats.wasmBytes += batch.wasmBytes;
    this.#takePutOff(batch);
    if (!batch.made) return;
    const current: LocatedRegion[] = [];
    for (const known of this.#known.add(batch.made, false)) {
      const { region } = known;
      const [address] = region.entries; // the requested one
      const located = { known, places: new Map(region.pages), missing: NO_PAGES };
      stats.regions++;
      stats.guestInstructions += region.instructions;
      stats.cache.misses++;
      // Else its address starts to count anew.
      if (!known.outdated && this.#locator.isCurrent(located)) current.push(located);
      else this.#restartCount({ address, modeKey: region.modeKey, linear: placeOf(located.places, address) });
    }
    this.#install(current);
  }

  #takePutOff({ postponed, covered }: Pick<CompiledBatch, 'postponed' | 'covered'>): void {
    for (const request of postponed) {
      this.#putOff.set(requestKey(request), [...request.before, 'postponed']);
      this.#restartCount(request, POSTPONEMENT);
    }
    for (const request of covered) {
      const { address, modeKey, linear } = request;
      this.#installKnown(address, linear);
      if (this.#entryOf(jumpCacheKey(address, modeKey, linear))) continue;
      // The region that covers it may have been dropped since.
      this.#putOff.set(requestKey(request), [...request.before, 'covered']);
      this.#restartCount(request);
    }
  }

  #takeFailure({ request, error }: TranslationFailure): void {
    const { stats, options } = this;
    const instead = request
      ? `the code at 0x${request.address.toString(16).padStart(8, '0')} cannot be translated and is interpreted`
      : 'what earlier runs translated cannot be joined and stays in pieces';
    const line = `${instead}, which is slower; please report it: ${error.message}`;
    if (!options.warn) throw new EmulatorError(line, { cause: error });
    if (stats.failures++ === 0) options.warn(line);
    if (request) this.#restartCount(request, FAILURE);
  }

  /**
   * Installs known regions with code on a page, as far as all of their code can be found and is what was translated.
   * @returns false where some of a region's code cannot be found at present
   */
  #installKnown(address: number, linear: number): boolean {
    const virtualPage = (address & PAGE_MASK) >>> 0;
    let complete = true;
    const current: LocatedRegion[] = [];
    for (const known of this.#known.on(virtualPage)) {
      if (known.outdated || !this.#locator.suits(known)) continue;
      const located = this.#locator.locate(known, virtualPage, linear - (address & PAGE_OFFSET));
      if (!located) {
        complete = false;
        continue;
      }
      const { entries, modeKey } = known.region;
      const [first] = entries;
      const firstLinear = placeOf(located.places, first);
      if (known.installedAt.has(firstLinear)) continue;
      // What was made for this address in this run stays.
      const there = this.#entryOf(jumpCacheKey(first, modeKey, firstLinear));
      if (there && (there.word & TranslationWord.entryMask) === 0) continue;
      if (this.#locator.isCurrent(located)) current.push(located);
    }
    for (const { known } of current) {
      if (!known.fresh) continue;
      known.fresh = false;
      this.stats.cache.hits++;
    }
    this.#install(current);
    return complete;
  }

  /** Drops regions that expected other code on a page which was not there when they were installed. */
  #verify(page: number, linear: number): void {
    const regions = this.#unverified.get(page);
    if (!regions) return;
    this.#unverified.delete(page);
    for (const cached of regions) {
      const { known, places } = cached;
      const missing = new Set([...places.keys()].filter((other) => other !== page));
      const isCurrent = places.get(page) === linear && this.#locator.isCurrent({ known, places, missing });
      if (isCurrent) this.#pages.watch(cached, linear);
      else this.#drop(cached);
    }
  }

  #restartCount(
    { address, modeKey, linear }: Pick<TranslationRequest, 'address' | 'modeKey' | 'linear'>,
    factor = 1,
  ): void {
    this.#jumpCache.count(jumpCacheKey(address, modeKey, linear), this.link.threshold * factor);
  }

  #install(current: readonly LocatedRegion[]): void {
    if (current.length === 0) return;
    const started = performance.now();
    if (!this.#haveRoom(current)) {
      this.flush();
      this.#known.clear();
    }
    for (const source of new Set(current.map(({ known }) => known.source))) {
      const regions = current.filter(({ known }) => known.source === source);
      const exports = source.instantiate(regions.map(({ known, places }) => ({ region: known.region, places })));
      for (const located of regions) this.#installRegion(located, exports[located.known.region.name]);
    }
    this.stats.installMs += performance.now() - started;
  }

  #haveRoom(regions: readonly LocatedRegion[]): boolean {
    const limit = this.options.maxWasmBytes ?? DEFAULT_MAX_WASM_BYTES;
    const bytes = regions.reduce((sum, { known }) => sum + known.region.wasmBytes, this.#cachedBytes);
    return bytes <= limit && this.#firstTarget + this.#regions.size + regions.length <= TranslationWord.maxTarget;
  }

  #installRegion({ known, places, missing }: LocatedRegion, fn: unknown): void {
    const { region } = known;
    const target = this.#freeTargets.pop() ?? this.#nextTarget++;
    if (target >= this.table.length) this.table.grow(this.table.length);
    this.table.set(target, fn);
    const entries = region.entries.map((address, index): Entry => ({
      ...jumpCacheKey(address, region.modeKey, placeOf(places, address)),
      ...{ word: TranslationWord.pack(target, index), size: region.instructions },
    }));
    const linear = placeOf(places, region.entries[0]);
    known.installedAt.add(linear);
    const cached: CachedRegion = { known, places, linear, target, entries, wasmBytes: region.wasmBytes };
    this.#cachedBytes += region.wasmBytes;
    this.#regions.set(target, cached);
    for (const [page, linear] of places) {
      if (missing.has(page)) getOrInsertComputed(this.#unverified, page, () => new Set()).add(cached);
      else this.#pages.watch(cached, linear);
    }
    entries.forEach((entry, index) => {
      const list = getOrInsertComputed(this.#entries, entry.tag, () => []);
      const same = list.findIndex((other) => other.linear === entry.linear);
      if (same < 0) list.push(entry);
      else if (index > 0)
        return; // what was made for this address on purpose stays
      else list[same] = entry;
      this.#enter(entry);
    });
  }

  #entryOf({ tag, linear }: JumpCacheKey): Entry | undefined {
    return this.#entries.get(tag)?.find((entry) => entry.linear === linear);
  }

  #enter(at: Entry): void {
    const { tag, linear, word, size } = at;
    this.#jumpCache.enter(at, word, size);
    const [address, modeKey] = [tag & ~3, tag & 3];
    const { window } = this.#locator;
    if (window?.kind === 'mirror' && linear === ((window.linear + address) | 0))
      this.dispatch?.enter(modeKey, address, word);
  }

  #drop(region: CachedRegion): void {
    if (!this.#regions.delete(region.target)) return;
    region.known.installedAt.delete(region.linear);
    for (const [page] of region.known.region.pages) this.#settled.delete(page);
    this.stats.invalidated++;
    this.#cachedBytes -= region.wasmBytes;
    for (const [page, linear] of region.places) {
      this.#unverified.get(page)?.delete(region);
      this.#pages.unwatch(region, linear);
    }
    for (const entry of region.entries) {
      const { tag } = entry;
      const list = this.#entries.get(tag)?.filter(({ word }) => TranslationWord.targetOf(word) !== region.target);
      if (list && list.length > 0) this.#entries.set(tag, list);
      else this.#entries.delete(tag);
      this.dispatch?.leave(tag & 3, tag & ~3, region.target);
      this.#jumpCache.leave(entry, region.target);
    }
    this.#release(region.target);
  }

  #release(target: number): void {
    this.table.set(target, null);
    this.#freeTargets.push(target);
  }
}

const requestKey = ({ address, modeKey, linear }: Pick<TranslationRequest, 'address' | 'modeKey' | 'linear'>): string =>
  `${address} ${modeKey} ${linear | 0}`;
