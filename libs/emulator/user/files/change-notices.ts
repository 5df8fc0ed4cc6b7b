import { getOrInsertComputed } from '../../core/index.js';
/** Who is told of what the guest does to files: the watches of inotify(7). */
import { Errno } from '../kernel/contracts.js';
import { FileType, identityOf } from '../vfs/inode.js';
import type { Attributes, Inode } from '../vfs/inode.js';
import type { Place } from '../vfs/mounts.js';
import type { FoundAt, OpenFile } from './open-file.js';

/** linux/inotify.h, the same on all architectures. */
export const FileEvent = {
  ACCESS: 0x1,
  MODIFY: 0x2,
  ATTRIB: 0x4,
  CLOSE_WRITE: 0x8,
  CLOSE_NOWRITE: 0x10,
  OPEN: 0x20,
  MOVED_FROM: 0x40,
  MOVED_TO: 0x80,
  CREATE: 0x100,
  DELETE: 0x200,
  DELETE_SELF: 0x400,
  MOVE_SELF: 0x800,
  /** Of the flags in events. */
  Q_OVERFLOW: 0x4000,
  IGNORED: 0x8000,
  ISDIR: 0x40000000,
} as const;

export interface FileNotice {
  /** Bits of {@link FileEvent}. */
  readonly mask: number;
  /** Joins the two halves of a renaming; else 0. */
  readonly cookie: number;
  /** The entry of the watched directory that the event is about; undefined for what is watched itself. */
  readonly name: string | undefined;
  /** The file has lost that name already. */
  readonly unlinked?: boolean;
}

/** Watches one file or directory. */
export interface FileWatch {
  tell(notice: FileNotice): void;
  /** What is watched is gone for good. */
  gone(): void;
}

/** What something happened to: an open file, which knows itself without a name, or what a path led to. */
export interface Changed {
  readonly inode: Inode;
  attributes(): Attributes;
}

export class ChangeNotices {
  /** By the identity of what is watched. */
  readonly #watches = new Map<string, Set<FileWatch>>();
  /** How often regular files are open: they live that long without a name. */
  readonly #open = new Map<string, number>();
  #cookie = 0;

  get #idle(): boolean {
    return this.#watches.size === 0;
  }

  /** @returns ends the watch */
  watch(identity: string, watch: FileWatch): () => void {
    const watches = getOrInsertComputed(this.#watches, identity, () => new Set());
    watches.add(watch);
    return () => {
      watches.delete(watch);
      if (watches.size === 0 && this.#watches.get(identity) === watches) this.#watches.delete(identity);
    };
  }

  /**
   * Something happened to a file: told to who watches it, and to who watches the directory that it was found in.
   * @param foundAt undefined where only the file itself is meant
   */
  file(changed: Changed, foundAt: FoundAt | undefined, event: number): void {
    if (this.#idle) return;
    const { inode } = changed;
    const mask = event | (inode.isDirectory ? FileEvent.ISDIR : 0);
    const own = attributesOf(changed);
    const parent = parentOf(inode, foundAt);
    const directory = parent && attributesOf(parent.directory);
    if (directory) {
      const notice = { mask, cookie: 0, name: parent.name, unlinked: own === undefined || own.links === 0 };
      this.#tell(identityOf(directory), notice);
    }
    if (own) this.#tell(identityOf(own), { mask, cookie: 0, name: undefined });
  }

  opened(file: OpenFile, identity: string | undefined): void {
    if (identity !== undefined) this.#open.set(identity, (this.#open.get(identity) ?? 0) + 1);
    this.file(file, file.foundAt, FileEvent.OPEN);
    file.onRelease(() => this.#closed(file, identity));
  }

  #closed(file: OpenFile, identity: string | undefined): void {
    if (!this.#idle) this.file(file, file.foundAt, file.flags.write ? FileEvent.CLOSE_WRITE : FileEvent.CLOSE_NOWRITE);
    if (identity === undefined) return;
    const left = (this.#open.get(identity) ?? 1) - 1;
    if (left > 0) this.#open.set(identity, left);
    else {
      this.#open.delete(identity);
      if (this.#watches.has(identity) && attributesOf(file)?.links === 0) this.#gone(identity);
    }
  }

  /** An entry of a directory came or went. */
  entry(directory: Place, name: string, event: number, isDirectory = false, cookie = 0): void {
    if (this.#idle) return;
    const mask = event | (isDirectory ? FileEvent.ISDIR : 0);
    const attributes = attributesOf(directory.inode);
    if (attributes) this.#tell(identityOf(attributes), { mask, cookie, name });
  }

  /** A name of a file was taken away. @param linksLeft how many others it has; a directory has none */
  unlinked(directory: Place, name: string, inode: Inode, identity: string, linksLeft: number): void {
    if (this.#idle) return;
    // A directory ends with its only name; of a file the name goes first, and what is left of it is told later.
    if (inode.isDirectory) this.#lostName(identity, 0);
    else this.#tell(identity, { mask: FileEvent.ATTRIB, cookie: 0, name: undefined });
    this.entry(directory, name, FileEvent.DELETE, inode.isDirectory);
    if (!inode.isDirectory) this.#lostName(identity, linksLeft);
  }

  /** @param replaced what had the new name before, with how many names are left of it */
  renamed(
    from: { readonly directory: Place; readonly name: string },
    to: { readonly directory: Place; readonly name: string },
    moved: Inode,
    replaced: { readonly inode: Inode; readonly identity: string; readonly linksLeft: number } | undefined,
  ): void {
    if (this.#idle) return;
    const cookie = ++this.#cookie;
    this.entry(from.directory, from.name, FileEvent.MOVED_FROM, moved.isDirectory, cookie);
    this.entry(to.directory, to.name, FileEvent.MOVED_TO, moved.isDirectory, cookie);
    if (replaced && !replaced.inode.isDirectory)
      this.#tell(replaced.identity, { mask: FileEvent.ATTRIB, cookie: 0, name: undefined });
    const identity = identityOf(moved.attributes());
    this.#tell(identity, { mask: FileEvent.MOVE_SELF, cookie: 0, name: undefined });
    if (replaced) this.#lostName(replaced.identity, replaced.linksLeft);
  }

  #lostName(identity: string, linksLeft: number): void {
    if (linksLeft === 0 && !this.#open.has(identity)) this.#gone(identity);
  }

  #gone(identity: string): void {
    for (const watch of [...(this.#watches.get(identity) ?? [])]) {
      watch.tell({ mask: FileEvent.DELETE_SELF, cookie: 0, name: undefined });
      watch.gone();
    }
  }

  #tell(identity: string, notice: FileNotice): void {
    for (const watch of [...(this.#watches.get(identity) ?? [])]) watch.tell(notice);
  }
}

/** Undefined where somebody else has removed it meanwhile: nobody can be told. */
function attributesOf(changed: Pick<Changed, 'attributes'>): Attributes | undefined {
  try {
    return changed.attributes();
  } catch (error) {
    if (error instanceof Errno) return undefined;
    throw error;
  }
}

/** The directory and name under which a file is known. */
function parentOf(
  inode: Inode,
  foundAt: FoundAt | undefined,
): { readonly directory: Inode; readonly name: string } | undefined {
  if (foundAt?.name !== undefined) return { directory: foundAt.directory.inode, name: foundAt.name };
  if (!foundAt || inode.type !== FileType.DIRECTORY) return undefined;
  const name = inode.nameInParent;
  return name === undefined || inode.parent === inode ? undefined : { directory: inode.parent, name };
}
