import type { BigIntStats } from 'node:fs';
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { EmulatorError } from '../core/index.js';

/** A kernel, initrd or firmware in a file of the host: read as often as it is needed, and not kept meanwhile. */
export class ImageFile {
  readonly #opened: BigIntStats;
  /** Of what can be read only once, such as a pipe. */
  readonly #kept: Uint8Array | undefined;

  /** @internal use {@link openImageFile} */
  constructor(
    readonly path: string,
    private readonly fd: number,
  ) {
    this.#opened = fstatSync(fd, { bigint: true });
    this.#kept = this.#opened.isFile() ? undefined : readFileSync(fd);
  }

  /** @throws EmulatorError when the file was written to since it was opened: a board must start from the same image again */
  read(): Uint8Array {
    if (this.#kept) return this.#kept;
    const { size, mtimeNs } = fstatSync(this.fd, { bigint: true });
    if (size !== this.#opened.size || mtimeNs !== this.#opened.mtimeNs) throw this.#changed();
    const bytes = new Uint8Array(Number(size));
    for (let done = 0; done < bytes.length;) {
      const count = readSync(this.fd, bytes, done, bytes.length - done, done);
      if (count === 0) throw this.#changed();
      done += count;
    }
    return bytes;
  }

  #changed(): EmulatorError {
    return new EmulatorError(`${this.path} was changed while a board used it: start the board anew`);
  }

  /** Releases the file. The image must not be used afterwards. */
  close(): void {
    closeSync(this.fd);
  }
}

/** Opens an image. @throws Error of the system when it cannot be read */
export function openImageFile(path: string): ImageFile {
  const fd = openSync(path, 'r');
  try {
    return new ImageFile(path, fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
