import { closeSync, fstatSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Interpreter, InterpreterStore } from '../accel/index.js';
import { isOwn } from './kept-files.js';
import { modulesWithMachineCode } from './machine-code.js';

/** Names of files. */
export interface PreparedInterpreter {
  readonly wasm: string;
  /** What the optimizing compiler of the V8 that prepared it made of that. */
  readonly machineCode?: string;
}

/** Name of the file that a build keeps `compiledIntrinsics` in, beside its interpreters. */
export const INTRINSICS_FILE = 'intrinsics';

/**
 * Interpreters that a build generated, in files that came with the program and are trusted as the program is. What is no
 * more than that, machine code, is taken where nobody but this user, or root, can have written it since.
 */
export class PreparedInterpreters implements InterpreterStore {
  /** @param index by the keys of the store */
  constructor(
    private readonly folder: string,
    private readonly index: Readonly<Record<string, PreparedInterpreter>>,
  ) {}

  /** Only with machine code that this V8 takes. V8 knows modules by their bytes: none of the same may have been made before. */
  findOptimized(key: string): Interpreter | undefined {
    const files = this.index[key];
    const machineCode = files?.machineCode && this.#read(files.machineCode, true);
    const bytes = files && machineCode && this.#read(files.wasm);
    if (!bytes || !machineCode) return undefined;
    const [module] = modulesWithMachineCode([{ bytes, machineCode }], this.#read(INTRINSICS_FILE));
    return module && { module, bytes, optimized: true };
  }

  find(key: string): Interpreter | undefined {
    const optimized = this.findOptimized(key);
    const files = this.index[key];
    if (!files || optimized) return optimized;
    const bytes = this.#read(files.wasm);
    return bytes && { module: new WebAssembly.Module(bytes), bytes, optimized: false };
  }

  /** @returns undefined for a file that cannot be read, or that is wanted `own` and is not */
  #read(name: string, own = false): Uint8Array<ArrayBuffer> | undefined {
    try {
      const file = openSync(join(this.folder, name), 'r');
      try {
        if (own && !(isOwn(fstatSync(file)) && isOwn(statSync(this.folder)))) return undefined;
        return new Uint8Array(readFileSync(file)); // in memory of its own
      } finally {
        closeSync(file);
      }
    } catch {
      return undefined;
    }
  }
}
