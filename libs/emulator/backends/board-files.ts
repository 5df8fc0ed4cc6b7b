import { CopyOnWriteOverlay } from './copy-on-write.js';
import type { ImageFile } from './image-file.js';
import { openImageFile } from './image-file.js';
import { openRawImage } from './raw-image.js';

/**
 * The files of one board, open until all of them are closed. They are never written to: what the guest writes to its drives is
 * kept in memory, and gone with the board.
 */
export class BoardFiles {
  readonly #opened: { close(): void }[] = [];

  /** Opens a kernel, an initrd or firmware, if the board has one. @throws Error of the system when it cannot be read */
  image(path: string | undefined): ImageFile | undefined {
    return path === undefined ? undefined : this.#add(openImageFile(path));
  }

  /** Opens the raw image that a drive begins as. @throws ConfigError (field `drives`), see {@link openRawImage} */
  drive(path: string): CopyOnWriteOverlay {
    return new CopyOnWriteOverlay(this.#add(openRawImage(path, { readOnly: true })));
  }

  /** Releases all files. Images and drives must not be used afterwards. */
  close(): void {
    for (const file of this.#opened.splice(0)) file.close();
  }

  #add<T extends { close(): void }>(file: T): T {
    this.#opened.push(file);
    return file;
  }
}
