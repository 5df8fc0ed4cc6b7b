/**
 * Interpreters that were generated before. Generating one takes much longer than compiling it, and a program that runs for
 * some milliseconds should not wait for it.
 */
export interface InterpreterStore {
  /** @param key says everything that the module depends on, except the generator: a store belongs to one build of it */
  find(key: string): Uint8Array<ArrayBuffer> | undefined;
  /** A module that was not found has been generated. */
  generated?(key: string, module: Uint8Array<ArrayBuffer>): void;
}
