import type { MemoryImport } from '../../jit/wasm/index.js';

/** The interpreter of one kind of machine. */
export interface Interpreter {
  readonly module: WebAssembly.Module;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** V8 has optimized it already. */
  readonly optimized: boolean;
}

/**
 * Interpreters that were generated before. Generating one takes much longer than checking it, and optimizing it longer still: a
 * program that runs for some milliseconds should not wait for it, and of boards each would do it again.
 */
export interface InterpreterStore {
  /** @param key says everything that the module depends on, except the generator: a store belongs to one build of it */
  find(key: string): Interpreter | undefined;
  /** A CPU has run on one that was not optimized when it was found or generated: it may be by now. */
  ran?(key: string, interpreter: Interpreter & { readonly memory: MemoryImport }): void;
}
