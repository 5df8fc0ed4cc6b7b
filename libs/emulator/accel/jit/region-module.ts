import type { DirectWindow, Entries, SystemExits } from '../../jit/regions/index.js';
import type { MemoryImport } from '../../jit/wasm/index.js';

/** The machine memory that code is read from, and where in it things lie. Plain data: it may go to another thread. */
export interface CompilerSetup {
  readonly buffer: ArrayBufferLike;
  readonly memory: MemoryImport;
  readonly cpuBase: number;
  readonly jumpCache: number;
  /** Visits before a translation, as the interpreter counts them. */
  readonly threshold: number;
  /** See {@link SystemExits}: they are in the table of translations, in this order. */
  readonly systemExits: SystemExits;
  /** Names what the machine boots, for whoever keeps translations for the next time it does; undefined: nobody does. */
  readonly image: string | undefined;
}

/** A translated region. Good wherever its words are found at its addresses, in a machine that is laid out the same. */
export interface CompiledRegion {
  /** Name of its function among the module's exports. */
  readonly name: string;
  readonly modeKey: number;
  readonly window: DirectWindow | undefined;
  /** Guest instructions, and bytes of the Wasm function. */
  readonly instructions: number;
  readonly wasmBytes: number;
  /** Virtual addresses at which it can be entered; the first is the requested one. */
  readonly entries: Entries;
  /** Virtual address and linear-memory offset of the pages it came from. */
  readonly pages: readonly (readonly [virtual: number, linear: number])[];
  /** Virtual addresses of those pages whose place the function compares: the module imports it, see {@link placeImport}. */
  readonly places: readonly number[];
  /** Virtual addresses of all instructions, ascending, and the words found there. */
  readonly addresses: Uint32Array;
  readonly words: Uint32Array;
  /** Calls by address tables, and where they went when it was made; targets of jump tables. */
  readonly calls: readonly (readonly [site: number, target: number])[];
  readonly tableTargets: readonly number[];
  /** Addresses of instructions in it that were known to be strays, see `Strays`. */
  readonly strays: readonly number[];
  /** It was made of others, see `joinRegions`. */
  readonly joined: boolean;
}

/** Regions in one module. */
export interface RegionModule {
  readonly module: WebAssembly.Module;
  readonly regions: readonly CompiledRegion[];
}

/** The same with its bytes, as it can be kept. */
export interface KeptModule extends RegionModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly memory: MemoryImport;
}

/** The module that the constants are imported from which say where pages lie. */
export const PLACES = 'places';

/** Name of an imported constant of the module `places`: linear-memory offset minus virtual address of a region's page. */
export const placeImport = (region: string, virtualPage: number): string =>
  `${region}.${(virtualPage >>> 0).toString(16)}`;

/** Windows are small plain data that may have crossed threads: their text is compared. */
export const windowKey = (window: DirectWindow | undefined): string => JSON.stringify(window ?? null);
