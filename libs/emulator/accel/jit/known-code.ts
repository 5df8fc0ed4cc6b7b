import { firstIndex, getOrInsertComputed } from '../../core/index.js';
import type { TargetDescription } from '../../jit/ir/index.js';
import { BranchKind } from '../../jit/ir/index.js';
import type { CodeSource, Region, RegionLimits } from '../../jit/regions/index.js';
import { discoverRegion, InstructionReader } from '../../jit/regions/index.js';
import type { CompiledRegion, CompilerSetup } from './region-module.js';

/** Functions of up to `mostAgain` instructions are translated again in each that calls them. */
const LIMITS: RegionLimits = { most: 1500, mostWithTable: 5000, mostAgain: 100 };

/** Does a region go on to a jump through a table that is another one's? */
const reaches = ({ words }: Region, { blocks }: Region): boolean =>
  blocks.some(({ end, branchAt, instructions }) => {
    const jump = end.kind === 'indirect' && end.role === 'jump' ? instructions[branchAt] : undefined;
    return jump !== undefined && words.has(jump.address);
  });

/** All code that a program's regions consist of. */
export class KnownCode {
  readonly reader: InstructionReader;
  /** Those that agree on what lies where. */
  readonly regions: CompiledRegion[] = [];
  readonly #words = new Map<number, number>();
  /** Linear-memory offsets of virtual pages. */
  readonly #pages = new Map<number, number>();
  /** Those of {@link regions} that have jump tables. */
  readonly #withTables: readonly CompiledRegion[];
  readonly #calls = new Map<number, number>();
  /** Addresses that calls go to. */
  readonly #functions = new Set<number>();
  readonly #functionStarts: Float64Array;
  /** Where branches go, and calls return to. */
  readonly #reached = new Set<number>();
  readonly #sizes = new Map<number, number>();

  constructor(regions: readonly CompiledRegion[], setup: CompilerSetup, description: TargetDescription) {
    this.reader = new InstructionReader(description, (regions[0] as CompiledRegion).modeKey, setup.systemExits);
    for (const region of regions) this.#add(region);
    this.#withTables = this.regions.filter(({ tableTargets }) => tableTargets.length > 0);
    for (const [address, word] of this.#words) {
      const info = this.reader.classify(word, address);
      if (info.kind !== 'branch') continue;
      const { target, isCall, kind } = info.branch;
      if (isCall) this.#reached.add(address + (kind === BranchKind.Immediate ? 4 : 8));
      else if (target !== undefined) this.#reached.add(target);
      // Position-independent code may call the next instruction to learn where it is.
      if (isCall && target !== undefined && target !== address + 8) this.#functions.add(target);
    }
    for (const target of this.#calls.values()) this.#functions.add(target);
    for (const address of this.#functions) if (!this.#words.has(address)) this.#functions.delete(address);
    this.#functionStarts = Float64Array.from(this.#functions).sort();
  }

  #add(region: CompiledRegion): void {
    const { addresses, words, pages, calls } = region;
    const differs = addresses.some((address, i) => (this.#words.get(address) ?? words[i]) !== words[i]);
    if (differs || pages.some(([page, linear]) => (this.#pages.get(page) ?? linear) !== linear)) return;
    this.regions.push(region);
    for (const [page, linear] of pages) this.#pages.set(page, linear);
    addresses.forEach((address, i) => this.#words.set(address, words[i] as number));
    for (const [site, target] of calls) this.#calls.set(site, target);
  }

  /** A region of each function, and of what is reached in another way. */
  join(): Region[] {
    const made = new Map<number, Region>();
    const covered = new Set<number>();
    const make = (seed: number, region: Region | undefined): void => {
      if (!region) return;
      made.set(seed, region);
      for (const address of region.words.keys()) covered.add(address);
    };
    const seeds = this.regions.map(({ entries }) => entries[0]);
    const functions = seeds.filter((seed) => this.#functions.has(seed));
    for (const seed of new Set([...functions, ...this.#functions])) make(seed, this.#discover(seed));
    /** By the seeds of regions with a jump table: what else it jumps to. */
    const tables = new Map<number, Set<number>>();
    for (const seed of seeds) {
      if (covered.has(seed)) continue;
      const region = this.#discover(seed);
      const home = region && [...made].find(([, other]) => other.claimed.size > 0 && reaches(region, other))?.[0];
      if (home === undefined) {
        make(seed, region);
        continue;
      }
      getOrInsertComputed(tables, home, () => new Set()).add(seed);
    }
    for (const [seed, targets] of tables) make(seed, this.#discover(seed, targets));
    return [...made.values()];
  }

  /** @param targets of a jump table in it, besides those that are known */
  #discover(seed: number, targets: Iterable<number> = []): Region | undefined {
    return discoverRegion(seed, this.#source(targets), this.reader, LIMITS);
  }

  #source(targets: Iterable<number>): CodeSource {
    return {
      word: (address) => this.#words.get(address),
      placeOf: (page) => this.#pages.get(page) as number, // every instruction's page is listed
      isWarm: (address) => this.#words.has(address),
      warmNear: (site) =>
        new Set([
          ...this.#withTables
            .filter(({ addresses }) => addresses.includes(site))
            .flatMap((region) => this.#targetsFrom(site, region)),
          ...targets,
        ]),
      callTarget: (site) => this.#calls.get(site),
      translatedSize: (address) => (this.#functions.has(address) ? this.#sizeOf(address) : 0),
    };
  }

  /** A region that was not joined takes everything nearby for a target. */
  #targetsFrom(site: number, { joined, tableTargets }: CompiledRegion): readonly number[] {
    if (joined) return tableTargets;
    const home = this.#functionAround(site);
    return tableTargets.filter((target) => !this.#reached.has(target) && this.#functionAround(target) === home);
  }

  /** Number of the function that an address lies in, if functions lie one behind the other. */
  #functionAround(address: number): number {
    return firstIndex(this.#functionStarts, (start) => start > address);
  }

  /** Instructions of a function, without what it calls; more than the limit are not counted. */
  #sizeOf(entry: number): number {
    return getOrInsertComputed(this.#sizes, entry, () => this.#count(entry));
  }

  #count(entry: number): number {
    const seen = new Set<number>();
    const queue = [entry];
    for (let address = queue.pop(); address !== undefined; address = queue.pop()) {
      const word = this.#words.get(address);
      if (word === undefined || seen.has(address)) continue;
      seen.add(address);
      if (seen.size > LIMITS.mostAgain) break;
      const info = this.reader.classify(word, address);
      if (info.kind !== 'branch') {
        queue.push(address + 4);
        continue;
      }
      const { target, isCall, conditional, kind, register } = info.branch;
      // A jump table's targets belong to the function; where a tail call goes does not.
      const isKnown = register === this.reader.linkRegister || this.#calls.has(address);
      if (target === undefined && !isCall && !isKnown) return Infinity;
      if (isCall || conditional) queue.push(address + (kind === BranchKind.Immediate ? 4 : 8));
      if (!isCall && target !== undefined) queue.push(target);
    }
    return seen.size;
  }
}
