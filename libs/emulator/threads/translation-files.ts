import type { KeptModule, KeptTranslations, PutOff, TranslationLibrary } from '../accel/jit/index.js';
import type { CacheFolder } from './cache-folder.js';
import type { FileKey } from './kept-files.js';
import { KeptFiles } from './kept-files.js';
import type { CompiledFunctions } from './machine-code.js';
import { compiledFunctionsOf, machineCodeOf, modulesWithMachineCode } from './machine-code.js';
import { NO_MACHINE_CODE, NOTHING_COMPILED } from './machine-code.js';
import type { StoredModule } from './stored-translations.js';
import { decodeTranslations, encodeTranslations } from './stored-translations.js';

/** Most Wasm that is kept under one key: what was made last. */
const MAX_KEY_BYTES = 32 << 20;
/** How much more must have been optimized for a file of megabytes to be written anew. */
const WORTH_WRITING = 0.1;
/** How long a program's end may wait until V8 has optimized what it will need again. */
const OPTIMIZING_MS = 200;

interface Contents {
  readonly modules: KeptModule[];
  readonly putOff: Map<string, PutOff>;
  /** Something came that the file does not have. */
  added: boolean;
}

/** A folder with a file per key. Of two processes that end at the same time, one's translations are kept. */
export class TranslationFiles implements TranslationLibrary {
  readonly #files: KeptFiles;
  readonly #contents = new Map<string, Contents>();
  /** Wasm bytes of the regions whose machine code the file of a key has, and this V8 takes, as far as it was read or written here. */
  readonly #optimizedBytes = new Map<string, number>();

  constructor(private readonly folder: CacheFolder) {
    this.#files = new KeptFiles('translations', folder);
  }

  has(key: string): boolean {
    return this.#files.has(this.#fileKey(key));
  }

  load(key: string): KeptTranslations {
    return this.#load(key, true);
  }

  /** The same with memory of its own for each array: to hand what shares the file's to another thread would copy the file. */
  loadApart(key: string): KeptTranslations {
    return this.#load(key, false);
  }

  #load(key: string, inPlace: boolean): KeptTranslations {
    const use = (content: Uint8Array<ArrayBuffer>, own: boolean): KeptTranslations => {
      const { modules, putOff } = decodeTranslations(content);
      const taken = own ? modulesWithMachineCode(modules) : [];
      const used = modules.map(({ optimized }, index) => (taken[index] ? optimized : []));
      this.#optimizedBytes.set(key, optimizedBytes(modules, used));
      const compiled = modules.map(({ bytes, regions, memory }, index): KeptModule => {
        const module = taken[index] ?? new WebAssembly.Module(bytes);
        return { bytes, regions, memory, module };
      });
      return { modules: inPlace ? compiled : compiled.map(apart), putOff };
    };
    const kept = this.#files.read(this.#fileKey(key), use, inPlace) ?? NOTHING;
    this.#contents.set(key, contentsOf(kept));
    return kept;
  }

  add(key: string, made: KeptModule): void {
    const contents = this.#contentsOf(key);
    contents.modules.push(made);
    contents.added = true;
  }

  putOff(key: string, place: string, why: PutOff): void {
    const contents = this.#contentsOf(key);
    // Who asks for one place in vain in each run loads what translates for it: longer than the file takes to write, once.
    contents.added ||= contents.putOff.get(place) !== why;
    contents.putOff.set(place, why);
  }

  replace(key: string, modules: readonly KeptModule[]): void {
    this.#contents.set(key, { ...contentsOf({ modules, putOff: new Map() }), added: true });
  }

  /** Writes what is new. The library forgets what is under the key: {@link load} reads it again. */
  save(key: string): void {
    const contents = this.#contents.get(key);
    this.#contents.delete(key);
    if (!contents) return;
    this.update(key, contents, contents.added, !contents.added);
  }

  /**
   * Writes everything there is under a key, in place of what was there, if something was added or V8 has optimized more of it.
   * @param optimize wait for V8 to optimize what was called: it would be compiled quickly again in each run. Not of use for what the next
   *   run translates anew
   * @returns whether it was written
   */
  update(key: string, { modules, putOff }: KeptTranslations, added: boolean, optimize = false): boolean {
    const kept = newest(modules);
    const functions = this.#files.isOwn() ? compiledFunctionsOf(kept) : kept.map(() => NOTHING_COMPILED);
    const before = this.#optimizedBytes.get(key) ?? 0;
    const possible = functions.map(({ optimized, quick }) => [
      ...optimized,
      ...(optimize ? quick.map(({ name }) => name) : []),
    ]);
    if (!added && optimizedBytes(kept, possible) <= before * (1 + WORTH_WRITING)) return false;
    const optimized = optimize ? withMoreOptimized(functions) : possible;
    const machineCode = machineCodeOf(kept, optimized);
    const stored = kept.map(({ bytes, regions, memory }, index): StoredModule => ({
      ...{ bytes, regions, memory, optimized: optimized[index] ?? [] },
      machineCode: machineCode[index] ?? NO_MACHINE_CODE,
    }));
    this.#optimizedBytes.set(key, optimizedBytes(kept, optimized));
    this.#files.write(this.#fileKey(key), encodeTranslations({ modules: stored, putOff }));
    return true;
  }

  #contentsOf(key: string): Contents {
    const contents = this.#contents.get(key) ?? contentsOf(NOTHING);
    this.#contents.set(key, contents);
    return contents;
  }

  #fileKey(key: string): FileKey {
    return [this.folder.version, this.folder.format, key];
  }
}

const NOTHING: KeptTranslations = { modules: [], putOff: new Map() };

const contentsOf = ({ modules, putOff }: KeptTranslations): Contents => ({
  modules: [...modules],
  putOff: new Map(putOff),
  added: false,
});

const apart = (kept: KeptModule): KeptModule => ({
  ...kept,
  bytes: kept.bytes.slice(),
  regions: kept.regions.map((region) => ({
    ...region,
    addresses: region.addresses.slice(),
    words: region.words.slice(),
  })),
});

/** Names of modules' functions, in the modules' order. */
type FunctionNames = readonly (readonly string[])[];

/** Wasm bytes of the regions whose functions are named. */
const optimizedBytes = (modules: readonly Pick<StoredModule, 'regions'>[], optimized: FunctionNames): number =>
  modules
    .flatMap(({ regions }, index) => regions.filter(({ name }) => optimized[index]?.includes(name)))
    .reduce((sum, { wasmBytes }) => sum + wasmBytes, 0);

/** Has V8 optimize functions that were called, until the time is over. @returns what is optimized then */
function withMoreOptimized(functions: readonly CompiledFunctions[]): FunctionNames {
  const until = performance.now() + OPTIMIZING_MS;
  return functions.map(({ optimized, quick }) => {
    const names = [...optimized];
    for (const { name, optimize } of quick) {
      if (performance.now() > until) break;
      optimize();
      names.push(name);
    }
    return names;
  });
}

/** The last of the modules that fit under one key, in their order. */
function newest(modules: readonly KeptModule[]): KeptModule[] {
  let bytes = 0;
  let first = modules.length;
  while (first > 0 && (bytes += (modules[first - 1] as KeptModule).bytes.length) <= MAX_KEY_BYTES) first--;
  return modules.slice(first);
}
