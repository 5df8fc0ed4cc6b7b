import { cachedDataVersionTag } from 'node:v8';
import { generatorVersion } from './generator-version.js';
import type { KeptFilesOptions } from './kept-files.js';

/** Where what was generated is kept between runs. Plain data: it may go to another thread. */
export interface CacheFolder extends KeptFilesOptions {
  /** Names the generator, see `generatorVersion`. */
  readonly version: string;
  /** Names who understands this process's machine code: V8's version and flags, and the processor's features. */
  readonly format: number;
}

/**
 * A folder of this host as a cache. Undefined where nothing can be kept because the build does not say which it is.
 * Called before other threads of this process use a cache: they change flags of V8's for a moment.
 * @param options `build`: see {@link generatorVersion}
 */
export function cacheFolder(
  folder: string,
  { build, ...options }: Omit<KeptFilesOptions, 'folder'> & { readonly build?: URL } = {},
): CacheFolder | undefined {
  const version = generatorVersion(build);
  return version === undefined ? undefined : { ...options, folder, version, format: cachedDataVersionTag() };
}
