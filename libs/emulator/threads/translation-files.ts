import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { CompiledRegion, KeptModule, TranslationLibrary } from '../accel/jit/index.js';
import type { MemoryImport } from '../jit/wasm/index.js';
import { machineCodeFormat, machineCodeOf, modulesWithMachineCode } from './machine-code.js';

/** Where translations are kept between runs. Plain data: it may go to another thread. */
export interface TranslationFolder {
  readonly folder: string;
  /** Bytes that all files together may take. */
  readonly maxBytes?: number | undefined;
  /** Names the translator, see `generatorVersion`. */
  readonly version: string;
}

const DEFAULT_MAX_BYTES = 256 << 20;
/** Most Wasm that is kept under one key: what was made last. */
const MAX_KEY_BYTES = 32 << 20;
const SUFFIX = '.translations';
const UNFINISHED = '.new';
/** A file that was never finished belongs to a process that ended: nobody writes for so long. */
const ABANDONED_MS = 10 * 60_000;
const DIGEST_BYTES = 32;
/** By how much machine code must have grown for a file of megabytes to be written anew. */
const WORTH_WRITING = 0.1;

/** A module as it lies in a file. */
interface StoredModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly regions: readonly CompiledRegion[];
  readonly memory: MemoryImport;
  /** See `machineCodeOf`. */
  readonly machineCode: Uint8Array<ArrayBuffer>;
}

interface Contents {
  readonly modules: KeptModule[];
  added: boolean;
}

/**
 * A folder with a file per key: what it holds, as V8 serializes it, after its SHA-256. Files appear whole by being renamed, so
 * several processes may share a folder; of two that end at the same time, one's translations are kept. Nothing that is
 * wrong with a file or the folder is an error: what cannot be read is removed, what cannot be written is not kept.
 */
export class TranslationFiles implements TranslationLibrary {
  readonly #contents = new Map<string, Contents>();
  /** Bytes of machine code in the file of a key, as far as it was read or written here. */
  readonly #machineCodeBytes = new Map<string, number>();

  constructor(private readonly options: TranslationFolder) {}

  load(key: string): readonly KeptModule[] {
    const stored = this.#read(this.#fileOf(key));
    this.#machineCodeBytes.set(key, machineCodeBytes(stored));
    const compiled = modulesWithMachineCode(stored);
    const modules = stored.map(({ bytes, regions, memory }, index) => {
      return { bytes, regions, memory, module: compiled[index] as WebAssembly.Module };
    });
    this.#contents.set(key, { modules: [...modules], added: false });
    return modules;
  }

  add(key: string, made: KeptModule): void {
    const contents = this.#contents.get(key) ?? { modules: [], added: false };
    this.#contents.set(key, contents);
    contents.modules.push(made);
    contents.added = true;
  }

  /** Writes what is new. The library forgets what is under the key: {@link load} reads it again. */
  save(key: string): void {
    const contents = this.#contents.get(key);
    this.#contents.delete(key);
    if (contents) this.update(key, contents.modules, contents.added);
  }

  /**
   * Writes everything there is under a key, in place of what was there, if something was added or V8 has optimized more of it.
   * @returns whether that was so
   */
  update(key: string, modules: readonly KeptModule[], added: boolean): boolean {
    const kept = newest(modules);
    const code = machineCodeOf(kept);
    const stored = kept.map(({ bytes, regions, memory }, index) => {
      return { bytes, regions, memory, machineCode: code[index] as Uint8Array<ArrayBuffer> };
    });
    const before = this.#machineCodeBytes.get(key) ?? 0;
    const now = machineCodeBytes(stored);
    if (!added && now < before + before * WORTH_WRITING) return false;
    this.#machineCodeBytes.set(key, now);
    this.#write(this.#fileOf(key), stored);
    return true;
  }

  #write(file: string, modules: readonly StoredModule[]): void {
    const unfinished = `${file}.${randomUUID()}${UNFINISHED}`;
    try {
      mkdirSync(this.options.folder, { recursive: true, mode: 0o700 });
      const content = serialize(modules);
      const digest = createHash('sha256').update(content).digest();
      writeFileSync(unfinished, Buffer.concat([digest, content]), { flag: 'wx', mode: 0o600 });
      renameSync(unfinished, file);
    } catch {
      remove(unfinished);
      return;
    }
    this.#makeRoom(file);
  }

  #fileOf(key: string): string {
    const name = createHash('sha256')
      .update(JSON.stringify([this.options.version, machineCodeFormat(), key]))
      .digest('hex');
    return join(this.options.folder, name + SUFFIX);
  }

  #read(file: string): StoredModule[] {
    try {
      const bytes = readFileSync(file);
      try {
        const content = bytes.subarray(DIGEST_BYTES);
        if (!createHash('sha256').update(content).digest().equals(bytes.subarray(0, DIGEST_BYTES)))
          throw new Error('it is damaged');
        const modules = (deserialize(content) as StoredModule[]).map(separate); // serialized by #write, says the digest
        const now = new Date();
        utimesSync(file, now, now); // used: it is the last to go
        return modules;
      } catch {
        remove(file);
        return [];
      }
    } catch {
      return []; // there is none
    }
  }

  /** Removes what was not used for longest, until the rest fits. */
  #makeRoom(written: string): void {
    const { folder, maxBytes = DEFAULT_MAX_BYTES } = this.options;
    try {
      const files = readdirSync(folder)
        .filter((name) => name.endsWith(SUFFIX) || name.endsWith(UNFINISHED))
        .flatMap((name) => this.#describe(join(folder, name)))
        .sort((a, b) => b.usedMs - a.usedMs);
      let total = 0;
      for (const { path, sizeBytes, usedMs } of files) {
        const abandoned = path.endsWith(UNFINISHED) && Date.now() - usedMs > ABANDONED_MS;
        total += sizeBytes;
        if (abandoned || (total > maxBytes && path.endsWith(SUFFIX) && path !== written)) {
          total -= sizeBytes;
          remove(path);
        }
      }
    } catch {
      // Somebody else makes room at the same time.
    }
  }

  #describe(path: string): { path: string; sizeBytes: number; usedMs: number }[] {
    try {
      const { size, mtimeMs } = statSync(path);
      return [{ path, sizeBytes: size, usedMs: mtimeMs }];
    } catch {
      return []; // gone meanwhile
    }
  }
}

/** Somebody else may have removed it, or the folder. */
function remove(path: string): void {
  try {
    rmSync(path);
  } catch {
    // It is not there any more, or will have to stay.
  }
}

/** Arrays with memory of their own: to hand one that shares the file's to another thread would copy the file. */
const separate = ({ bytes, regions, memory, machineCode }: StoredModule): StoredModule => ({
  bytes: bytes.slice(),
  regions: regions.map((region) => ({
    ...region,
    addresses: region.addresses.slice(),
    words: region.words.slice(),
  })),
  memory,
  machineCode,
});

const machineCodeBytes = (modules: readonly StoredModule[]): number =>
  modules.reduce((sum, { machineCode }) => sum + machineCode.length, 0);

/** The last of the modules that fit under one key, in their order. */
function newest(modules: readonly KeptModule[]): KeptModule[] {
  let bytes = 0;
  let first = modules.length;
  while (first > 0 && (bytes += (modules[first - 1] as KeptModule).bytes.length) <= MAX_KEY_BYTES) first--;
  return modules.slice(first);
}
