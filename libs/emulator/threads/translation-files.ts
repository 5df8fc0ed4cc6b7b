import { deserialize, serialize } from 'node:v8';
import type { CompiledRegion, KeptModule, KeptTranslations, PutOff, TranslationLibrary } from '../accel/jit/index.js';
import type { MemoryImport } from '../jit/wasm/index.js';
import type { CacheFolder } from './cache-folder.js';
import type { FileKey } from './kept-files.js';
import { KeptFiles } from './kept-files.js';
import { machineCodeOf, modulesWithMachineCode, NO_MACHINE_CODE, optimizedFunctionsOf } from './machine-code.js';

/** Most Wasm that is kept under one key: what was made last. */
const MAX_KEY_BYTES = 32 << 20;
/** How much more must have been optimized for a file of megabytes to be written anew. */
const WORTH_WRITING = 0.1;

/** A module as it lies in a file. */
interface StoredModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly regions: readonly CompiledRegion[];
  readonly memory: MemoryImport;
  /** See {@link machineCodeOf}. */
  readonly machineCode: Uint8Array<ArrayBuffer>;
  /** Names of the functions that it has. */
  readonly optimized: readonly string[];
}

interface Stored {
  readonly modules: readonly StoredModule[];
  readonly putOff: KeptTranslations['putOff'];
}

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
    const kept =
      this.#files.read(this.#fileKey(key), (content, own) => {
        const { modules, putOff } = deserialize(content) as Stored; // what update serialized, says the digest
        const taken = own ? modulesWithMachineCode(modules) : [];
        this.#optimizedBytes.set(key, optimizedBytes(modules.filter((_, index) => taken[index])));
        return { modules: modules.map((module, index) => compiled(module, taken[index])), putOff };
      }) ?? NOTHING;
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
    this.update(key, contents, contents.added);
  }

  /**
   * Writes everything there is under a key, in place of what was there, if something was added or V8 has optimized more of it.
   * @returns whether that was so
   */
  update(key: string, { modules, putOff }: KeptTranslations, added: boolean): boolean {
    const kept = newest(modules);
    const optimized = this.#files.isOwn() ? optimizedFunctionsOf(kept) : kept.map(() => []);
    const before = this.#optimizedBytes.get(key) ?? 0;
    const now = optimizedBytes(kept.map(({ regions }, index) => ({ regions, optimized: optimized[index] ?? [] })));
    if (!added && now <= before * (1 + WORTH_WRITING)) return false;
    this.#optimizedBytes.set(key, now);
    const machineCode = machineCodeOf(kept, optimized);
    const stored = kept.map(({ bytes, regions, memory }, index): StoredModule => ({
      ...{ bytes, regions, memory, optimized: optimized[index] ?? [] },
      machineCode: machineCode[index] ?? NO_MACHINE_CODE,
    }));
    this.#files.write(this.#fileKey(key), serialize({ modules: stored, putOff } satisfies Stored));
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

/** With memory of its own: to hand what shares the file's to another thread would copy the file. */
function compiled(
  { bytes, regions, memory }: StoredModule,
  module: WebAssembly.Module = new WebAssembly.Module(bytes),
): KeptModule {
  return {
    bytes: bytes.slice(),
    regions: regions.map((region) => ({
      ...region,
      addresses: region.addresses.slice(),
      words: region.words.slice(),
    })),
    memory,
    module,
  };
}

/** Wasm bytes of the regions whose functions V8 has optimized. */
const optimizedBytes = (modules: readonly Pick<StoredModule, 'regions' | 'optimized'>[]): number =>
  modules
    .flatMap(({ regions, optimized }) => regions.filter(({ name }) => optimized.includes(name)))
    .reduce((sum, { wasmBytes }) => sum + wasmBytes, 0);

/** The last of the modules that fit under one key, in their order. */
function newest(modules: readonly KeptModule[]): KeptModule[] {
  let bytes = 0;
  let first = modules.length;
  while (first > 0 && (bytes += (modules[first - 1] as KeptModule).bytes.length) <= MAX_KEY_BYTES) first--;
  return modules.slice(first);
}
