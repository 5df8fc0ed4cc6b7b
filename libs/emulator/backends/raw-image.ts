import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import type { BlockBackend } from '../core/index.js';
import { ConfigError } from '../core/index.js';
import { checkRange, readOnlyError } from './bounds.js';

/** A raw disk image: byte n of the disk is byte n of the file. The file's size is the disk's size and never changes. */
export class RawImage implements BlockBackend {
  /** @internal use {@link openRawImage} */
  constructor(
    readonly path: string,
    readonly sizeBytes: number,
    readonly readOnly: boolean,
    private readonly fd: number,
  ) {}

  read(offset: number, target: Uint8Array): void {
    checkRange(this.path, this.sizeBytes, offset, target.length);
    for (let done = 0; done < target.length;) {
      const count = readSync(this.fd, target, done, target.length - done, offset + done);
      if (count === 0)
        throw new Error(`${this.path}: became shorter than its ${this.sizeBytes} bytes while it was in use`);
      done += count;
    }
  }

  write(offset: number, source: Uint8Array): void {
    if (this.readOnly) throw readOnlyError(this.path);
    checkRange(this.path, this.sizeBytes, offset, source.length);
    for (let done = 0; done < source.length;) {
      done += writeSync(this.fd, source, done, source.length - done, offset + done);
    }
  }

  flush(): void {
    if (!this.readOnly) fsyncSync(this.fd);
  }

  /** Releases the file. The image must not be used afterwards. */
  close(): void {
    closeSync(this.fd);
  }
}

/**
 * Opens a raw disk image.
 * @param options.readOnly refuse writes and open the file for reading only; default false
 * @throws ConfigError (field `drives`) when the file cannot be opened, is not a regular file, or is empty
 */
export function openRawImage(path: string, { readOnly = false }: { readOnly?: boolean } = {}): RawImage {
  let fd: number;
  try {
    fd = openSync(path, readOnly ? 'r' : 'r+');
  } catch (error) {
    throw new ConfigError(
      'drives',
      `cannot open disk image: ${(error as Error).message}`,
      'Name a readable raw image file',
    );
  }
  const stat = fstatSync(fd);
  if (!stat.isFile() || stat.size === 0) {
    closeSync(fd);
    const problem = stat.isFile() ? 'is empty' : 'is not a regular file';
    throw new ConfigError(
      'drives',
      `disk image ${path} ${problem}`,
      'Name a raw image file of the size that the disk shall have',
    );
  }
  return new RawImage(path, stat.size, readOnly, fd);
}
