import { getOrInsertComputed } from '../core/index.js';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';
import type { MemoryImport } from '../jit/wasm/index.js';
import { release } from './release.js';

/**
 * What V8's optimizing compiler made of WebAssembly modules, as bytes. V8 keeps it for web pages from visit to visit. Node has no
 * interface to that, but V8's own tests have: intrinsics, which can be named where `--allow-natives-syntax` holds. Where this V8
 * has none of that name, there is no machine code, and modules are compiled each time. Functions that were only compiled
 * quickly so far, or not at all, are compiled when they are first called, as ever.
 */
interface Intrinsics {
  isOptimized(exported: WebAssembly.ExportValue): boolean;
  /** It was called, and V8 has compiled it quickly for that. */
  isQuick(exported: WebAssembly.ExportValue): boolean;
  /** Waits for the optimizing compiler. */
  optimize(exported: WebAssembly.ExportValue): void;
  serialize(module: WebAssembly.Module): ArrayBuffer | undefined;
  /** @returns undefined where it was written by another V8, with other flags, or for another processor */
  deserialize(code: ArrayBuffer, wasm: Uint8Array): WebAssembly.Module | undefined;
}

/** One function for all: V8 forgets what it compiled of a function that is not called for a while, and could not again. */
const BODY = `
  switch (name) {
    case 'isOptimized': return %IsTurboFanFunction(a);
    case 'isQuick': return %IsLiftoffFunction(a);
    case 'optimize': return %WasmTierUpFunction(a);
    case 'serialize': return %SerializeWasmModule(a);
    case 'deserialize': return %DeserializeWasmModule(a, b);
  }`;
const SCRIPT = `(function (name, a, b) {${BODY}})`;
/** Returns what the intrinsic does. */
type Call = (name: keyof Intrinsics, a: unknown, b?: unknown) => never;

/** Flags belong to the process: another thread may take the permission away between two steps of ours. */
const ATTEMPTS = 8;

/** What {@link compiledIntrinsics} returned, once somebody has had it. */
let atHand: Uint8Array | undefined;

export const NO_MACHINE_CODE = new Uint8Array(0);
export const NOTHING_COMPILED: CompiledFunctions = { optimized: [], quick: [] };

/** A module and the memory that it imports. */
export interface LoadedModule {
  readonly module: WebAssembly.Module;
  readonly memory: MemoryImport;
}

/** Functions that a module exports, by what V8 has made of them by now. */
export interface CompiledFunctions {
  /** Names of those that it has optimized. */
  readonly optimized: readonly string[];
  /** Those that were called, and compiled quickly for that. */
  readonly quick: readonly QuickFunction[];
}

export interface QuickFunction {
  readonly name: string;
  /** Has V8 optimize it now, which may take tens of milliseconds. */
  optimize(): void;
}

/** In the modules' order. */
export function compiledFunctionsOf(modules: readonly LoadedModule[]): CompiledFunctions[] {
  const intrinsics = findIntrinsics();
  if (!intrinsics) return modules.map(() => NOTHING_COMPILED);
  const standIns = new StandIns();
  return modules.map(({ module, memory }) => {
    const functions = Object.entries(standIns.exportsOf(module, memory));
    return {
      optimized: functions.filter(([, exported]) => intrinsics.isOptimized(exported)).map(([name]) => name),
      quick: functions
        .filter(([, exported]) => intrinsics.isQuick(exported))
        .map(([name, exported]) => ({ name, optimize: () => intrinsics.optimize(exported) })),
    };
  });
}

/**
 * The optimized machine code of modules, as far as there is some by now; else empty. In their order.
 * @param optimized names of the functions that it is of, see {@link compiledFunctionsOf}
 */
export function machineCodeOf(
  modules: readonly LoadedModule[],
  optimized: readonly (readonly string[])[] = compiledFunctionsOf(modules).map((functions) => functions.optimized),
): Uint8Array<ArrayBuffer>[] {
  const intrinsics = findIntrinsics();
  return modules.map(({ module }, index) => {
    // V8 ends the process when it is to serialize nothing.
    const code = optimized[index]?.length ? intrinsics?.serialize(module) : undefined;
    return code ? new Uint8Array(code) : NO_MACHINE_CODE;
  });
}

/** The same for one module, all of whose exported functions are optimized now, which may take V8 a second. */
export function optimizedMachineCodeOf(loaded: LoadedModule): Uint8Array<ArrayBuffer> {
  const exported = new StandIns().exportsOf(loaded.module, loaded.memory);
  const intrinsics = findIntrinsics();
  if (intrinsics) for (const one of Object.values(exported)) intrinsics.optimize(one);
  return machineCodeOf([loaded], [Object.keys(exported)])[0] ?? NO_MACHINE_CODE;
}

/**
 * Modules with the machine code that they had before, in their order; undefined where there is none, or V8 does not take it. V8
 * compares its version and flags and the processor's features, and nothing else: the caller must know that it is what
 * {@link machineCodeOf} returned for a module of these bytes. Whoever could change it could have this process do anything.
 * @param compiled what {@link compiledIntrinsics} returned, if that is at hand: it saves milliseconds, from now on
 */
export function modulesWithMachineCode(
  stored: readonly { readonly bytes: Uint8Array<ArrayBuffer>; readonly machineCode: Uint8Array<ArrayBuffer> }[],
  compiled?: Uint8Array,
): (WebAssembly.Module | undefined)[] {
  atHand ??= compiled;
  const intrinsics = stored.some(({ machineCode }) => machineCode.length > 0) ? findIntrinsics() : undefined;
  return stored.map(({ bytes, machineCode }) => {
    if (machineCode.length === 0) return undefined;
    const copy = machineCode.slice(); // V8 wants a buffer of its own, and copies that
    const module = intrinsics?.deserialize(copy.buffer, bytes);
    release(copy);
    return module;
  });
}

/**
 * The intrinsics in the form that V8 keeps compiled code in. Processes with the same V8 and flags find them there without a change of flags,
 * which needs a module of Node that takes long to load.
 * @returns undefined where there are none
 */
export const compiledIntrinsics = (): Uint8Array | undefined =>
  whilePermitted(() => new Script(SCRIPT))?.createCachedData();

/** @returns undefined where this V8 does not take it: without it, the names are a syntax error */
function intrinsicsOf({ buffer, byteOffset, length }: Uint8Array): Intrinsics | undefined {
  try {
    const script = new Script(SCRIPT, { cachedData: Buffer.from(buffer, byteOffset, length) });
    return intrinsicsBy(script.runInThisContext() as Call); // SCRIPT is such a function
  } catch {
    return undefined;
  }
}

/** Intrinsics for use at once. Undefined where there are none of these names, or functions cannot be made of text. */
function findIntrinsics(): Intrinsics | undefined {
  const known = atHand && intrinsicsOf(atHand);
  if (known) return known;
  const call = whilePermitted(() => new Function('name', 'a', 'b', BODY) as Call); // it has this body
  return call && intrinsicsBy(call);
}

function whilePermitted<T>(compile: () => T): T | undefined {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      setFlagsFromString('--allow-natives-syntax');
      return compile();
    } catch {
      // Another thread was faster, or there are none.
    } finally {
      // The flags are part of what V8 writes, and nobody else should have these intrinsics.
      setFlagsFromString('--no-allow-natives-syntax');
    }
  }
  return undefined;
}

const intrinsicsBy = (call: Call): Intrinsics => ({
  isOptimized: (exported) => call('isOptimized', exported),
  isQuick: (exported) => call('isQuick', exported),
  optimize: (exported) => call('optimize', exported),
  serialize: (module) => call('serialize', module),
  deserialize: (code, wasm) => call('deserialize', code, wasm),
});

/** Imports for modules whose functions are never called. */
class StandIns {
  readonly #memories = new Map<string, WebAssembly.Memory>();
  readonly #table = new WebAssembly.Table({ element: 'anyfunc', initial: 1 });

  /** What a module exports; nothing where this process has no room for another memory of that size. */
  exportsOf(module: WebAssembly.Module, memory: MemoryImport): WebAssembly.Exports {
    try {
      const imports: Record<string, WebAssembly.ModuleImports> = {};
      for (const { module: from, name, kind } of WebAssembly.Module.imports(module))
        (imports[from] ??= {})[name] = this.#standIn(kind, memory);
      return new WebAssembly.Instance(module, imports).exports;
    } catch (error) {
      if (error instanceof RangeError) return {};
      throw error;
    }
  }

  #standIn(kind: WebAssembly.ImportExportKind, memory: MemoryImport): WebAssembly.ImportValue {
    if (kind === 'memory') return this.#memory(memory);
    if (kind === 'table') return this.#table;
    if (kind === 'global') return 0;
    return () => undefined;
  }

  #memory({ pages, shared }: MemoryImport): WebAssembly.Memory {
    const make = (): WebAssembly.Memory => new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
    return getOrInsertComputed(this.#memories, `${pages} ${shared}`, make);
  }
}
