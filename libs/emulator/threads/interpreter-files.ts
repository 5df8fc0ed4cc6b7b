import { createHash } from 'node:crypto';
import type { Interpreter, InterpreterStore } from '../accel/index.js';
import type { CacheFolder } from './cache-folder.js';
import type { FileKey } from './kept-files.js';
import { KeptFiles } from './kept-files.js';
import type { LoadedModule } from './machine-code.js';
import { machineCodeOf, modulesWithMachineCode } from './machine-code.js';
import type { PreparedInterpreters } from './prepared-interpreters.js';

/**
 * A folder with interpreters: their Wasm, which any V8 can use, and apart from it the machine code that V8 made of that, for those
 * that understand it.
 */
export class InterpreterFiles implements InterpreterStore {
  readonly #wasm: KeptFiles;
  readonly #machineCode: KeptFiles;
  /** Keys whose Wasm has a file, and keys whose machine code has one. */
  readonly #kept = new Set<string>();
  readonly #complete = new Set<string>();

  /** @param prepared where those are looked for first */
  constructor(
    private readonly folder: CacheFolder,
    private readonly prepared?: PreparedInterpreters,
  ) {
    this.#wasm = new KeptFiles('interpreter', folder);
    this.#machineCode = new KeptFiles('machine-code', folder);
  }

  find(key: string): Interpreter | undefined {
    return this.prepared?.findOptimized(key) ?? this.#find(key) ?? this.prepared?.find(key);
  }

  ran(key: string, interpreter: Interpreter & LoadedModule): void {
    if (this.#complete.has(key)) return;
    if (!this.#kept.has(key)) this.#wasm.write(this.#wasmKey(key), interpreter.bytes);
    this.#kept.add(key);
    const [machineCode] = this.#machineCode.isOwn() ? machineCodeOf([interpreter]) : [];
    if (!machineCode?.length) return;
    this.#machineCode.write(this.#machineCodeKey(key, interpreter.bytes), machineCode);
    this.#complete.add(key);
  }

  #find(key: string): Interpreter | undefined {
    const bytes = this.#wasm.read(this.#wasmKey(key), (content) => content.slice());
    if (!bytes) return undefined;
    this.#kept.add(key);
    const optimized = this.#machineCode.read(this.#machineCodeKey(key, bytes), (machineCode, own) =>
      own ? modulesWithMachineCode([{ bytes, machineCode }])[0] : undefined,
    );
    return { bytes, module: optimized ?? new WebAssembly.Module(bytes), optimized: optimized !== undefined };
  }

  #wasmKey(key: string): FileKey {
    return [this.folder.version, key];
  }

  #machineCodeKey(key: string, bytes: Uint8Array): FileKey {
    const { version, format } = this.folder;
    return [version, format, key, createHash('sha256').update(bytes).digest('hex')];
  }
}
