import { cachedDataVersionTag, setFlagsFromString } from 'node:v8';
import type { MemoryImport } from '../jit/wasm/index.js';

/**
 * What V8's optimizing compiler made of WebAssembly modules, as bytes. V8 keeps it for web pages from visit to visit. Node has no
 * interface to that, but V8's own tests have: intrinsics, which can be named where `--allow-natives-syntax` holds. Where this V8
 * has none of that name, there is no machine code, and modules are compiled each time. Functions that were only compiled
 * quickly so far, or not at all, are compiled when they are first called, as ever.
 */
interface Intrinsics {
  isOptimized(exported: unknown): boolean;
  optimize(exported: unknown): void;
  serialize(module: WebAssembly.Module): ArrayBuffer;
  /** @returns undefined where it was written by another V8, with other flags, or for another processor */
  deserialize(code: ArrayBuffer, wasm: Uint8Array): WebAssembly.Module | undefined;
}

const NONE = new Uint8Array(0);
/** Flags belong to the process: another thread may take the permission away between two steps of ours. */
const ATTEMPTS = 8;

/** Names who understands the machine code that this process writes: V8's version and flags, and the processor's features. */
export const machineCodeFormat = (): number => cachedDataVersionTag();

/** A module and the memory that it imports. */
interface LoadedModule {
  readonly module: WebAssembly.Module;
  readonly memory: MemoryImport;
}

/** The optimized machine code of modules, as far as there is some by now; else empty. In their order. */
export function machineCodeOf(modules: readonly LoadedModule[]): Uint8Array<ArrayBuffer>[] {
  const imports = new StandIns();
  const code = withIntrinsics(({ isOptimized, serialize }) =>
    modules.map((loaded) => {
      // V8 ends the process when it is to serialize nothing.
      const optimized = Object.values(imports.instantiate(loaded)).some(isOptimized);
      return optimized ? new Uint8Array(serialize(loaded.module)) : NONE;
    }),
  );
  return code ?? modules.map(() => NONE);
}

/** The same for a module whose exported functions are optimized now, which may take V8 a second. */
export function optimizedMachineCodeOf(loaded: LoadedModule): Uint8Array<ArrayBuffer> {
  const code = withIntrinsics(({ optimize, serialize }) => {
    for (const exported of Object.values(new StandIns().instantiate(loaded))) optimize(exported);
    return new Uint8Array(serialize(loaded.module));
  });
  return code ?? NONE;
}

/**
 * Modules with the machine code that they had before. V8 checks that it was written by its like and for these bytes, and
 * nothing else: the caller must know that it is what {@link machineCodeOf} returned.
 */
export function modulesWithMachineCode(
  stored: readonly { readonly bytes: Uint8Array<ArrayBuffer>; readonly machineCode: Uint8Array<ArrayBuffer> }[],
): WebAssembly.Module[] {
  const some = stored.some(({ machineCode }) => machineCode.length > 0);
  const found = some
    ? withIntrinsics(({ deserialize }) =>
        stored.map(({ bytes, machineCode }) =>
          machineCode.length > 0 ? deserialize(machineCode.slice().buffer, bytes) : undefined,
        ),
      )
    : undefined;
  return stored.map(({ bytes }, index) => found?.[index] ?? new WebAssembly.Module(bytes));
}

/** @returns undefined where there are no such intrinsics */
function withIntrinsics<T>(use: (intrinsics: Intrinsics) => T): T | undefined {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    let intrinsics: Intrinsics;
    try {
      setFlagsFromString('--allow-natives-syntax');
      // V8 drops code that is not used for a while, and could not compile it again later.
      intrinsics = {
        isOptimized: new Function('f', 'return %IsTurboFanFunction(f)') as Intrinsics['isOptimized'],
        optimize: new Function('f', '%WasmTierUpFunction(f)') as Intrinsics['optimize'],
        serialize: new Function('m', 'return %SerializeWasmModule(m)') as Intrinsics['serialize'],
        deserialize: new Function('c', 'w', 'return %DeserializeWasmModule(c, w)') as Intrinsics['deserialize'],
      };
    } catch {
      continue;
    } finally {
      // The flags are part of what V8 writes.
      setFlagsFromString('--no-allow-natives-syntax');
    }
    return use(intrinsics);
  }
  return undefined;
}

/** Imports for modules whose functions are never called. */
class StandIns {
  readonly #memories = new Map<string, WebAssembly.Memory>();
  readonly #table = new WebAssembly.Table({ element: 'anyfunc', initial: 1 });

  instantiate({ module, memory }: LoadedModule): WebAssembly.Exports {
    const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
    for (const { module: from, name, kind } of WebAssembly.Module.imports(module))
      (imports[from] ??= {})[name] = this.#standIn(kind, memory);
    return new WebAssembly.Instance(module, imports).exports;
  }

  #standIn(kind: WebAssembly.ImportExportKind, memory: MemoryImport): WebAssembly.ImportValue {
    if (kind === 'memory') return this.#memory(memory);
    if (kind === 'table') return this.#table;
    if (kind === 'global') return 0;
    return () => undefined;
  }

  #memory({ pages, shared }: MemoryImport): WebAssembly.Memory {
    const key = `${pages} ${shared}`;
    let memory = this.#memories.get(key);
    if (!memory) this.#memories.set(key, (memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared })));
    return memory;
  }
}
