import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  futimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  type Stats,
} from 'node:fs';
import { basename, join } from 'node:path';
import { fingerprint } from '../core/index.js';
import { crc32 } from './crc32.js';
import { release } from './release.js';

const DEFAULT_MAX_BYTES = 256 << 20;
const UNFINISHED = '.new';
/** A file that was never finished belongs to a process that ended: nobody writes for so long. */
const ABANDONED_MS = 10 * 60_000;
/** A checksum, and zeros: what follows begins at a multiple of 8. */
const HEAD_BYTES = 8;
/** How a file of ours is named: a short name for its key, or a digest in earlier builds, and what it holds, and for a while more. */
const OURS = /^[0-9a-f]{16,64}\.[a-z-]+(\..*\.new)?$/;
const WRITABLE_BY_OTHERS = 0o022;

export interface KeptFilesOptions {
  readonly folder: string;
  /** Bytes that all files together may take, default 256 MiB. */
  readonly maxBytes?: number | undefined;
  /** May other users read what is kept? */
  readonly public?: boolean | undefined;
}

/** Says what is in a file, and for whom: everything that it depends on. */
export type FileKey = readonly (string | number)[];

/**
 * A folder of files, each found by what its content depends on, behind a CRC-32 of its key and content, which is for damage: who may
 * write here can do worse, see {@link isOwn}. Files appear whole by being renamed, so several processes may share a folder. Nothing
 * that is wrong with a file or the folder is an error: what cannot be read is removed, what cannot be written is not kept, and
 * those go first that were not used for longest.
 */
export class KeptFiles {
  /** @param kind what the files hold, in small letters: part of their names */
  constructor(
    private readonly kind: string,
    private readonly options: KeptFilesOptions,
  ) {}

  /**
   * @param use is given the content, and whether nobody but this user can have written it
   * @param stays its memory is used afterwards; otherwise it is given back at once
   * @returns what `use` does; undefined where there is no such file, or it is damaged, or `use` fails
   */
  read<T>(key: FileKey, use: (content: Uint8Array<ArrayBuffer>, own: boolean) => T, stays = false): T | undefined {
    const path = this.#pathOf(key);
    try {
      const file = openSync(path, 'r');
      try {
        const stats = fstatSync(file);
        const bytes = new Uint8Array(stats.size);
        readAll(file, bytes);
        const content = bytes.subarray(HEAD_BYTES);
        if (!headOf(key, content).equals(bytes.subarray(0, HEAD_BYTES))) throw new Error('it is damaged');
        const used = use(content, isOwn(stats) && this.isOwn());
        if (!stays) release(bytes);
        touch(file);
        return used;
      } catch {
        remove(path);
        return undefined;
      } finally {
        closeSync(file);
      }
    } catch {
      return undefined; // there is none
    }
  }

  /** Is there a file, whatever is in it? */
  has(key: FileKey): boolean {
    return statSync(this.#pathOf(key), { throwIfNoEntry: false }) !== undefined;
  }

  write(key: FileKey, content: Uint8Array): void {
    const path = this.#pathOf(key);
    const unfinished = `${path}.${randomUUID()}${UNFINISHED}`;
    try {
      this.#makeFolder();
      const mode = this.options.public ? 0o644 : 0o600;
      writeFileSync(unfinished, Buffer.concat([headOf(key, content), content]), { flag: 'wx', mode });
      renameSync(unfinished, path);
    } catch {
      remove(unfinished);
      return;
    }
    this.#makeRoom(basename(path));
  }

  /** Can nobody but this user write to the folder? Makes it if there is none. False on systems that cannot tell. */
  isOwn(): boolean {
    try {
      this.#makeFolder();
      return isOwn(statSync(this.options.folder));
    } catch {
      return false; // it cannot be made
    }
  }

  #makeFolder(): void {
    mkdirSync(this.options.folder, { recursive: true, mode: this.options.public ? 0o755 : 0o700 });
  }

  /** Two keys may have the same: the checksum tells them apart. */
  #pathOf(key: FileKey): string {
    return join(this.options.folder, `${fingerprint(JSON.stringify(key))}.${this.kind}`);
  }

  /** Removes what was not used for longest, until the rest fits. */
  #makeRoom(written: string): void {
    const { folder, maxBytes = DEFAULT_MAX_BYTES } = this.options;
    try {
      const files = readdirSync(folder)
        .filter((name) => OURS.test(name))
        .flatMap((name) => describe(folder, name))
        .sort((a, b) => b.usedMs - a.usedMs);
      let total = 0;
      for (const { name, sizeBytes, usedMs } of files) {
        const unfinished = name.endsWith(UNFINISHED);
        total += sizeBytes;
        if (unfinished ? Date.now() - usedMs > ABANDONED_MS : total > maxBytes && name !== written) {
          total -= sizeBytes;
          remove(join(folder, name));
        }
      }
    } catch {
      // Somebody else makes room at the same time.
    }
  }
}

/** Of its key as well: a file under another's name is a damaged file. */
function headOf(key: FileKey, content: Uint8Array): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(crc32(content, crc32(`${JSON.stringify(key)}\n`)));
  return head;
}

/** Can only this user have written it? Who administers the host may do anything anyway. */
export const isOwn = ({ uid, mode }: Stats): boolean =>
  (uid === process.getuid?.() || uid === 0) && (mode & WRITABLE_BY_OTHERS) === 0;

function describe(folder: string, name: string): { name: string; sizeBytes: number; usedMs: number }[] {
  try {
    const { size, mtimeMs } = statSync(join(folder, name));
    return [{ name, sizeBytes: size, usedMs: mtimeMs }];
  } catch {
    return []; // gone meanwhile
  }
}

function readAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    const count = readSync(file, bytes, at, bytes.length - at, null);
    if (count === 0) throw new Error('it is cut off');
    at += count;
  }
}

/** What was used now is the last to go. */
function touch(file: number): void {
  try {
    const now = new Date();
    futimesSync(file, now, now);
  } catch {
    // It is another user's.
  }
}

/** Somebody else may have removed it, or the folder. */
function remove(path: string): void {
  try {
    rmSync(path);
  } catch {
    // It is not there any more, or will have to stay.
  }
}
