import { getOrInsertComputed } from '../../core/index.js';
import { PAGE_MASK, PAGE_OFFSET } from '../../memory/index.js';
import type { CompiledRegion, RegionModule } from './region-module.js';
import { placeImport, PLACES, windowKey } from './region-module.js';
import { isSameRegion } from './region-set.js';
import type { Strays } from './strays.js';
import { isOutdated } from './strays.js';

/** A region that may be installed wherever its code turns up. */
export interface KnownRegion {
  readonly region: CompiledRegion;
  readonly source: KnownModule;
  /** See {@link windowKey}. */
  readonly window: string;
  /** Linear-memory offsets of its first instruction where it is installed. */
  readonly installedAt: Set<number>;
  /** It was made in an earlier run or for another board, and has not been of use here yet. */
  fresh: boolean;
  /** There are strays in it that it was not made for, see `Strays`. */
  outdated: boolean;
}

/** Where the pages of a region lie: linear-memory offset by virtual address. */
export type Places = ReadonlyMap<number, number>;

/** A module, and its instances as far as they can serve again. */
export class KnownModule {
  #placeless: WebAssembly.Exports | undefined;
  /** Names of the constants that say where pages lie: those of regions that others have replaced are still imported. */
  #placeImports: readonly string[] | undefined;

  constructor(
    private readonly made: RegionModule,
    private readonly env: WebAssembly.ModuleImports,
  ) {}

  /** Functions of some of its regions, which lie at these places. */
  instantiate(regions: readonly { readonly region: CompiledRegion; readonly places: Places }[]): WebAssembly.Exports {
    const hasPlaces = regions.some(({ region }) => region.places.length > 0);
    if (!hasPlaces && this.#placeless) return this.#placeless;
    this.#placeImports ??= WebAssembly.Module.imports(this.made.module)
      .filter(({ module }) => module === PLACES)
      .map(({ name }) => name);
    // Functions of regions that are not meant are never called.
    const values: Record<string, number> = Object.fromEntries(this.#placeImports.map((name) => [name, 0]));
    for (const { region, places } of regions)
      for (const page of region.places)
        values[placeImport(region.name, page)] = ((places.get(page) as number) - page) | 0; // every page is located
    const { exports } = new WebAssembly.Instance(this.made.module, { env: this.env, [PLACES]: values });
    if (!hasPlaces) this.#placeless = exports;
    return exports;
  }
}

/**
 * All regions that exist as modules, by the virtual pages that their code comes from. Code that was overwritten may come
 * back, another process may have it at other places, and what was translated in an earlier run is waited for.
 */
export class KnownRegions {
  readonly #byPage = new Map<number, KnownRegion[]>();

  constructor(
    private readonly env: WebAssembly.ModuleImports,
    private readonly strays: Strays,
  ) {}

  /** @returns its regions, in their order; of those that are `fresh` only what was not known before */
  add(made: RegionModule, fresh: boolean): KnownRegion[] {
    const source = new KnownModule(made, this.env);
    return made.regions.flatMap((region) => {
      const [first] = region.entries;
      const there = this.on((first & PAGE_MASK) >>> 0);
      if (fresh && there.some((known) => isSameRegion(known.region, region))) return [];
      const known = {
        ...{ region, source, window: windowKey(region.window), installedAt: new Set<number>(), fresh },
        outdated: isOutdated(region, this.strays.all),
      };
      for (const [page] of region.pages) getOrInsertComputed(this.#byPage, page, () => []).push(known);
      return [known];
    });
  }

  /** @param page virtual address of a page */
  on(page: number): readonly KnownRegion[] {
    return this.#byPage.get(page) ?? [];
  }

  /** There are more strays. @returns whether regions are outdated that were not */
  outdate(strays: ReadonlySet<number>): boolean {
    let found = false;
    for (const page of new Set([...strays].map((address) => (address & PAGE_MASK) >>> 0)))
      for (const known of this.on(page)) {
        if (known.outdated || !isOutdated(known.region, strays)) continue;
        known.outdated = true;
        found = true;
      }
    return found;
  }

  /** Nothing is installed any more. */
  uninstall(): void {
    for (const list of this.#byPage.values()) for (const { installedAt } of list) installedAt.clear();
  }

  clear(): void {
    this.#byPage.clear();
  }
}

/** Linear-memory offset of an instruction of a region. */
export const placeOf = (places: Places, address: number): number =>
  (places.get((address & PAGE_MASK) >>> 0) as number) + (address & PAGE_OFFSET); // every instruction's page is listed
