import type { TargetDescription } from '../../jit/ir/index.js';
import { JumpCache } from '../../jit/ir/index.js';
import type { TranslationLink } from '../../jit/interp/index.js';
import type { CodeSource, Region } from '../../jit/regions/index.js';
import { discoverRegion, InstructionReader, translateRegion } from '../../jit/regions/index.js';
import { ModuleWriter } from '../../jit/wasm/index.js';
import type { LinearMemory, RamBlock } from '../../memory/index.js';
import { PAGE_BYTES } from '../../memory/index.js';
import type { SoftTlbTables } from '../soft-tlb.js';

export interface TranslationOptions {
  /** Visits of a branch target before it is translated. 1: everything that is reached by a branch. */
  readonly threshold: number;
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
  /** Regions dropped because their code was written to. */
  invalidated: number;
  /** Times that everything was dropped because the cache was full. */
  flushes: number;
}

interface CachedRegion {
  readonly target: number;
  /** Guest instructions. */
  readonly instructions: number;
  readonly entries: readonly { readonly tag: number; readonly linear: number }[];
  readonly pages: readonly { readonly block: RamBlock; readonly page: number }[];
}

/** All translations are dropped when their Wasm exceeds this. */
const MAX_WASM_BYTES = 96 << 20;
/** A page whose code was rewritten this often is translated only after many more visits. */
const PATIENCE = 4;
const FIRST_TABLE_SIZE = 4096;
/** A branch target counts as warm when this share of the visits before a translation is still to come, or less. */
const WARM_SHARE = 0.9;

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
    invalidated: 0,
    flushes: 0,
  };
  readonly #cache: Int32Array;
  readonly #memoryWords: DataView;
  readonly #readers = new Map<number, InstructionReader>();
  readonly #byTag = new Map<number, { linear: number; target: number; entry: number }[]>();
  readonly #regions = new Map<number, CachedRegion>();
  readonly #byPage = new Map<RamBlock, Map<number, Set<CachedRegion>>>();
  readonly #rewrites = new Map<RamBlock, Map<number, number>>();
  readonly #freeTargets: number[] = [];
  readonly #blocks: RamBlock[] = [];
  readonly #modeKey: number;
  readonly #translated: number;
  #cachedBytes = 0;
  #nextTarget = 1; // 0 stands for none
  #dispatch: WebAssembly.ExportValue | undefined;

  constructor(
    private readonly memory: LinearMemory,
    private readonly words: Int32Array,
    private readonly description: TargetDescription,
    private readonly tlb: SoftTlbTables,
    private readonly options: TranslationOptions,
  ) {
    const jumpCache = memory.allocate(JumpCache.bytes);
    this.#cache = new Int32Array(memory.buffer, jumpCache, JumpCache.bytes >> 2);
    this.#memoryWords = new DataView(memory.buffer);
    this.link = { jumpCache, threshold: options.threshold };
    this.table = new WebAssembly.Table({ element: 'anyfunc', initial: FIRST_TABLE_SIZE });
    this.#modeKey = description.engine.modeKey.offset >> 2;
    this.#translated = description.engine.translated.offset >> 2;
  }

  /** The interpreter's function that continues at an address; translations jump through it. */
  connect(dispatch: WebAssembly.ExportValue): void {
    this.#dispatch = dispatch;
  }

  /** Takes over what generated code counted. */
  account(): void {
    this.stats.instructions += this.words[this.#translated] as number;
    this.words[this.#translated] = 0;
  }

  /** Watches for changes of code in this memory. */
  follow(block: RamBlock): void {
    block.onCodeWrite((_, offset, length) => this.#invalidate(block, offset, length));
    this.#blocks.push(block);
  }

  /** An address was visited often. @param entryOffset its jump cache entry in linear memory */
  translate(entryOffset: number): void {
    const at = (entryOffset - this.link.jumpCache) >> 2;
    const tag = this.#cache[at + (JumpCache.tag >> 2)] as number;
    const linear = this.#cache[at + (JumpCache.linear >> 2)] as number;
    const known = this.#byTag.get(tag)?.find((candidate) => candidate.linear === linear);
    if (known) return this.#enter(tag, linear, known.target, known.entry);
    const block = this.#blockAt(linear >>> 0);
    if (!block) return;
    const rewritten = this.#rewrites.get(block)?.get(pageOf(block, linear)) ?? 0;
    if (rewritten > PATIENCE) {
      this.#rewrites.get(block)?.set(pageOf(block, linear), rewritten >> 1);
      this.#cache[at + (JumpCache.target >> 2)] = -this.options.threshold << Math.min(rewritten, 12);
      return;
    }
    const modeKey = this.words[this.#modeKey] as number;
    this.#make((tag - modeKey) >>> 0, modeKey);
  }

  /** Drops everything. */
  flush(): void {
    this.#cache.fill(0);
    this.#byTag.clear();
    this.#byPage.clear();
    for (const target of this.#regions.keys()) this.#release(target);
    this.#regions.clear();
    this.#cachedBytes = 0;
    this.stats.flushes++;
  }

  #make(address: number, modeKey: number): void {
    let reader = this.#readers.get(modeKey);
    if (!reader) this.#readers.set(modeKey, (reader = new InstructionReader(this.description, modeKey)));
    const started = performance.now();
    const region = discoverRegion(address, this.#source(modeKey), reader);
    if (!region) return;
    const module = new ModuleWriter(this.memory.buffer.byteLength >>> 16);
    const dispatch = module.importFunction('env', 'dispatch', [], []);
    const constants: Record<string, number> = {};
    const imported = new Map<number, number>();
    const body = translateRegion(this.description, reader, region, {
      cpuBase: this.words.byteOffset,
      dispatch,
      pageAddend: (virtual, linear) => {
        const known = imported.get(virtual);
        if (known !== undefined) return known;
        const name = (virtual >>> 12).toString(16);
        const index = module.importConstant('pages', name);
        constants[name] = (linear - virtual) | 0;
        imported.set(virtual, index);
        return index;
      },
    });
    module.addFunction(body, [], 'region');
    const bytes = module.finish();
    const translated = performance.now();
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
      env: { memory: this.memory.memory, dispatch: this.#dispatch as WebAssembly.ImportValue },
      pages: constants,
    });
    this.#install(instance.exports['region'], region, modeKey, bytes.length);
    this.stats.translateMs += translated - started;
    this.stats.compileMs += performance.now() - translated;
    this.stats.regions++;
    this.stats.guestInstructions += region.instructionCount;
    this.stats.wasmBytes += bytes.length;
  }

  #install(fn: unknown, region: Region, modeKey: number, bytes: number): void {
    this.#cachedBytes += bytes;
    if (this.#cachedBytes > MAX_WASM_BYTES) this.flush();
    const target = this.#freeTargets.pop() ?? this.#nextTarget++;
    if (target >= this.table.length) this.table.grow(this.table.length);
    this.table.set(target, fn);
    const pages = [...region.pages.values()].map((linear) => {
      const block = this.#blockAt(linear) as RamBlock; // discovery found it through the soft TLB, which holds blocks only
      return { block, page: pageOf(block, linear) };
    });
    const entries = region.entries.map((address) => ({
      tag: (address + modeKey) | 0,
      linear: ((region.pages.get((address & ~(PAGE_BYTES - 1)) >>> 0) as number) + (address & (PAGE_BYTES - 1))) | 0,
    }));
    const cached: CachedRegion = { target, instructions: region.instructionCount, entries, pages };
    this.#regions.set(target, cached);
    for (const { block, page } of pages) {
      block.markCode(page * PAGE_BYTES);
      let regions = this.#byPage.get(block);
      if (!regions) this.#byPage.set(block, (regions = new Map()));
      const there = regions.get(page);
      if (there) there.add(cached);
      else regions.set(page, new Set([cached]));
    }
    entries.forEach(({ tag, linear }, entry) => {
      const list = this.#byTag.get(tag);
      const item = { linear, target, entry };
      const same = list?.findIndex((other) => other.linear === linear) ?? -1;
      if (!list) this.#byTag.set(tag, [item]);
      else if (same < 0) list.push(item);
      else if (entry > 0)
        return; // what was made for this address on purpose stays
      else list[same] = item;
      this.#enter(tag, linear, target, entry);
    });
  }

  #enter(tag: number, linear: number, target: number, entry: number): void {
    const at = JumpCache.offset(tag & ~3) >> 2;
    this.#cache[at + (JumpCache.tag >> 2)] = tag;
    this.#cache[at + (JumpCache.linear >> 2)] = linear;
    this.#cache[at + (JumpCache.target >> 2)] = target;
    this.#cache[at + (JumpCache.entry >> 2)] = entry;
  }

  #source(modeKey: number): CodeSource {
    const little = this.description.byteOrder === 'little';
    return {
      locate: (address) => this.tlb.fetchOffset(address),
      word: (linear) => this.#memoryWords.getUint32(linear, little),
      isWarm: (address) => {
        const at = JumpCache.offset(address) >> 2;
        const visits = this.#cache[at + (JumpCache.target >> 2)] as number;
        return (
          this.#cache[at + (JumpCache.tag >> 2)] === ((address + modeKey) | 0) &&
          visits >= -this.options.threshold * WARM_SHARE
        );
      },
      translatedSize: (address) => {
        const target = this.#cache[(JumpCache.offset(address) + JumpCache.target) >> 2] as number;
        const tag = this.#cache[(JumpCache.offset(address) + JumpCache.tag) >> 2];
        return target > 0 && tag === ((address + modeKey) | 0) ? (this.#regions.get(target)?.instructions ?? 0) : 0;
      },
    };
  }

  #invalidate(block: RamBlock, offset: number, length: number): void {
    const pages = this.#byPage.get(block);
    const last = Math.floor((offset + length - 1) / PAGE_BYTES);
    for (let page = Math.floor(offset / PAGE_BYTES); page <= last; page++) {
      block.clearCode(page * PAGE_BYTES);
      const regions = pages?.get(page);
      if (!regions) continue;
      pages?.delete(page);
      for (const region of regions) this.#drop(region);
      let counts = this.#rewrites.get(block);
      if (!counts) this.#rewrites.set(block, (counts = new Map()));
      counts.set(page, (counts.get(page) ?? 0) + 1);
    }
  }

  #drop(region: CachedRegion): void {
    if (!this.#regions.delete(region.target)) return;
    this.stats.invalidated++;
    for (const { block, page } of region.pages) this.#byPage.get(block)?.get(page)?.delete(region);
    for (const { tag, linear } of region.entries) {
      const list = this.#byTag.get(tag)?.filter((item) => item.target !== region.target);
      if (list && list.length > 0) this.#byTag.set(tag, list);
      else this.#byTag.delete(tag);
      const at = JumpCache.offset(tag & ~3) >> 2;
      if (
        this.#cache[at + (JumpCache.target >> 2)] === region.target &&
        this.#cache[at + (JumpCache.linear >> 2)] === linear
      )
        this.#cache.fill(0, at, at + 4);
    }
    this.#release(region.target);
  }

  #release(target: number): void {
    this.table.set(target, null);
    this.#freeTargets.push(target);
  }

  #blockAt(linear: number): RamBlock | undefined {
    return this.#blocks.find((block) => linear >= block.linearOffset && linear < block.linearOffset + block.sizeBytes);
  }
}

const pageOf = (block: RamBlock, linear: number): number =>
  Math.floor(((linear >>> 0) - block.linearOffset) / PAGE_BYTES);
