import type { FileSystem, FileSystemOptions } from './api.js';

/** @throws Error naming the option and the mend: a root that is no directory, a bind whose host path does not exist */
export function createFileSystem(options: FileSystemOptions): FileSystem {
  throw new Error(`createFileSystem(${options.root ?? ''}): under construction`);
}
