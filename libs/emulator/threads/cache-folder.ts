import { cachedDataVersionTag } from 'node:v8';
import { generatorVersion } from './generator-version.js';
import type { KeptFilesOptions } from './kept-files.js';

/** Where what was generated is kept between runs. Data that may go to another thread. */
export interface CacheFolder extends KeptFilesOptions {
  /** Names the generator, see `generatorVersion`. */
  readonly version: string;
  /** Names who understands this process's machine code: V8's version and flags, and the processor's features. */
  readonly format: number;
}

/**
 * A folder of this host as a cache. Undefined where nothing can be kept because the build does not say which it is.
 * Called before other threads of this process use a cache: they change flags of V8's for a moment.
 * @param version names the generator where that is known already, see {@link generatorVersion}
 */
export function cacheFolder(folder: string, version = generatorVersion()): CacheFolder | undefined {
  return version === undefined ? undefined : { folder, version, format: cachedDataVersionTag() };
}

/**
 * The same for a process in which no other thread uses a cache: where it lies and what its format is are found out when that is asked for.
 * Node loads much for it, which programs that translate nothing do without.
 * @param format if it is known already
 */
export function lateCacheFolder(
  folder: () => string,
  version = generatorVersion(),
  format?: number,
): CacheFolder | undefined {
  if (version === undefined) return undefined;
  return {
    version,
    get folder() {
      return folder();
    },
    get format() {
      return format ?? cachedDataVersionTag();
    },
  };
}
