import { asError, getOrInsertComputed } from '../../core/index.js';
import type { TargetDescription } from '../../jit/ir/index.js';
import type { Region } from '../../jit/regions/index.js';
import { KnownCode } from './known-code.js';
import type { CompiledRegion, CompilerSetup, KeptModule, RegionModule } from './region-module.js';
import { windowKey } from './region-module.js';
import { RegionModuleWriter } from './region-module-writer.js';
import { RegionSet } from './region-set.js';

/** Joining is worth its time when so many instructions, and such a share of what is joined, are new. */
const WORTH_JOINING = 300;
const WORTH_JOINING_AGAIN = 0.25;

/** Regions that begin within the same 2^16 bytes share a module. */
const NEIGHBOURHOOD_SHIFT = 16;

/** Nobody looks for them where memory is mirrored. */
const NO_STRAYS: ReadonlySet<number> = new Set();

/** What was translated anew, and the regions that this replaces. */
export interface JoinedRegions {
  readonly made: readonly KeptModule[];
  readonly replaced: readonly CompiledRegion[];
}

/**
 * Translates anew, as a whole, what was translated in pieces. A region is made when its first address has become hot, of what is warm
 * by then; what gets hot later becomes regions of its own, and control goes to and fro between them. Who knows from
 * earlier runs what gets hot makes one region of each function. Only for programs that run at their own addresses: a kernel
 * is too large, and executes little of it often.
 * @param failed is told why something cannot be translated as a whole, and stays as it is
 * @returns undefined where there is nothing to gain
 */
export function joinRegions(
  kept: readonly (RegionModule & Partial<Pick<KeptModule, 'bytes'>>)[],
  setup: CompilerSetup,
  description: TargetDescription,
  failed: (error: Error) => void,
): JoinedRegions | undefined {
  const groups = new Map<string, CompiledRegion[]>();
  for (const { regions } of kept)
    for (const region of regions) {
      if (region.window?.kind !== 'mirror') continue;
      const key = `${region.modeKey} ${windowKey(region.window)}`;
      getOrInsertComputed(groups, key, () => []).push(region);
    }
  /** In as few modules as it is worth. */
  const translate = (code: KnownCode): KeptModule[] => {
    const { modeKey, window } = code.regions[0] as CompiledRegion; // it is worth joining
    return [...neighbourhoods(code.join())].map((neighbours) => {
      const module = new RegionModuleWriter(setup, description);
      for (const region of neighbours)
        module.add(region, code.reader, { modeKey, window, strays: NO_STRAYS, joined: true });
      const bytes = module.finish();
      // Machine code that there is already stays.
      const there = kept.find((one) => one.bytes && isEqual(one.bytes, bytes))?.module;
      const compiled = there ?? new WebAssembly.Module(bytes);
      return { bytes, regions: module.regions, memory: setup.memory, module: compiled };
    });
  };
  const replaced: CompiledRegion[] = [];
  const made: KeptModule[] = [];
  for (const regions of groups.values()) {
    if (!isWorthJoining(regions)) continue;
    try {
      const code = new KnownCode(regions, setup, description);
      if (!isWorthJoining(code.regions)) continue;
      made.push(...translate(code));
      replaced.push(...code.regions);
    } catch (error) {
      failed(asError(error));
    }
  }
  return replaced.length > 0 ? { made, replaced } : undefined;
}

/**
 * What one module is made of: V8 takes some 80 microseconds to load one and make an instance of it, and there are hundreds of regions.
 * They are told by their addresses, so that most stay as they are when some code is added.
 */
function neighbourhoods(regions: readonly Region[]): Iterable<readonly Region[]> {
  const found = new Map<number, Region[]>();
  for (const region of regions)
    getOrInsertComputed(found, region.entries[0] >>> NEIGHBOURHOOD_SHIFT, () => []).push(region);
  return found.values();
}

/** Modules without some of their regions, which may have crossed threads meanwhile. */
export function withoutRegions<T extends RegionModule>(modules: readonly T[], regions: readonly CompiledRegion[]): T[] {
  const meant = new RegionSet(regions);
  return modules
    .map((one) => ({ ...one, regions: one.regions.filter((region) => !meant.has(region)) }))
    .filter((one) => one.regions.length > 0);
}

function isWorthJoining(regions: readonly CompiledRegion[]): boolean {
  const sizeOf = (some: readonly CompiledRegion[]): number =>
    some.reduce((sum, { instructions }) => sum + instructions, 0);
  const added = sizeOf(regions.filter(({ joined }) => !joined));
  return added > WORTH_JOINING && added > WORTH_JOINING_AGAIN * sizeOf(regions);
}

const isEqual = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index]);
