import type { PreparedInterpreter } from '@bootlab/emulator/threads';
import type * as BootProcess from '../src/boot/process.js';
import type * as ExecProcess from '../src/exec/process.js';

/** A file that the compiler wrote, as it was when the rest was made from it. */
export interface CompiledFile {
  /** Relative to the prepared folder. */
  readonly path: string;
  readonly size: number;
  /** When it was written, in seconds since 1970. */
  readonly second: number;
}

/** `build.json`, and where it lies. */
export interface PreparedBuild {
  readonly folder: string;
  readonly compiled: readonly CompiledFile[];
  /** `RUNTIME` of the process that prepared it. */
  readonly runtime: string;
  /** Of the command line. */
  readonly version: string;
  /** Names the emulator's generators, see `generatorVersion`. */
  readonly generator: string;
  /** See `CacheFolder`: that of the process that prepared it, undefined where this one differs or nobody has compared. */
  readonly format?: number | undefined;
  /** In the folder `interpreters`, by the engine's keys. */
  readonly interpreters: Readonly<Record<string, PreparedInterpreter>>;
}

/** A bundle whose first file runs. */
export interface RunningBundle<Exports> {
  readonly exports: Exports;
  /** V8 has taken what was compiled at build time: its version and flags are the same. */
  readonly takesCode: boolean;
  /** Names of its other files, as far as they were loaded by now. */
  readonly parts: ReadonlySet<string>;
  /** Keeps what V8 has compiled of its files by now. */
  keepCode(): void;
}

export declare const PREPARED: URL;
export declare const COMPILED: URL;
export declare const RUNTIME: string;
export declare function preparedBuild(): PreparedBuild | undefined;
export declare function describeCompiled(path: string): CompiledFile;
export declare function readCompiled(files: readonly CompiledFile[]): Buffer;
export declare function requireBundle(name: 'exec'): typeof ExecProcess;
export declare function requireBundle(name: 'boot'): typeof BootProcess;
export declare function runBundle(name: 'exec'): RunningBundle<typeof ExecProcess>;
