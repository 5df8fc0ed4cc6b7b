/** Trees whose files are made when they are looked at: /proc and /sys. */
import { Errno } from '../kernel/contracts.js';
import { FileType, Inode } from './inode.js';
import type { Attributes, ContentAccess, DirectoryEntry, FileContent, Tree, TreeStatistics } from './inode.js';
import { MagicLink } from './mounts.js';
import type { CallerLookup, PathCaller, Place } from './mounts.js';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const ROOT: Owner = { uid: 0, gid: 0 };

/** What a name of a generated directory stands for. */
export type GeneratedEntry =
  | {
      readonly kind: 'file';
      readonly mode?: number;
      readonly content: () => string | Uint8Array;
      /** Takes what is written at once; without it the file is read-only. */
      readonly store?: (bytes: Uint8Array) => void;
    }
  /** Bytes at offsets, as they are at the moment; each function says how many it moved. */
  | {
      readonly kind: 'bytes';
      readonly mode: number;
      readonly read: (offset: number, target: Uint8Array) => number;
      readonly write: (offset: number, source: Uint8Array) => number;
    }
  | {
      readonly kind: 'directory';
      readonly mode?: number;
      readonly names: () => readonly string[];
      readonly entry: (name: string, caller: PathCaller | undefined) => GeneratedEntry | undefined;
      readonly owner?: Owner;
    }
  | {
      readonly kind: 'link';
      readonly target: () => string;
      /** Where following it leads, if that is more than the text says. */
      readonly follow?: (caller: PathCaller) => Place;
    };

export type GeneratedDirectory = Extract<GeneratedEntry, { kind: 'directory' }>;

/** A directory of fixed names. */
export function directoryOf(entries: Readonly<Record<string, GeneratedEntry>>): GeneratedDirectory {
  return {
    kind: 'directory',
    names: () => Object.keys(entries),
    entry: (name) => (Object.hasOwn(entries, name) ? entries[name] : undefined),
  };
}

export class GeneratedTree implements Tree {
  readonly root: Inode;

  constructor(
    readonly device: bigint,
    readonly type: string,
    private readonly magic: number,
    root: GeneratedDirectory,
    private readonly now: () => bigint,
  ) {
    this.root = new DirectoryInode(this, root, '', undefined);
  }

  statistics(): TreeStatistics {
    return {
      type: this.magic,
      blockSize: 4096,
      blocks: 0,
      freeBlocks: 0,
      availableBlocks: 0,
      files: 0,
      freeFiles: 0,
    };
  }

  close(): void {
    // Nothing is held.
  }

  attributes(path: string, mode: number, owner: Owner = ROOT): Attributes {
    const now = this.now();
    return {
      device: this.device,
      inode: inodeNumber(path),
      mode,
      links: (mode & FileType.MASK) === FileType.DIRECTORY ? 2 : 1,
      ...owner,
      specialDevice: 0n,
      size: 0,
      blockSize: 1024,
      blocks: 0,
      accessedNs: now,
      modifiedNs: now,
      changedNs: now,
    };
  }

  make(entry: GeneratedEntry, path: string, parent: DirectoryInode, name: string): Inode {
    switch (entry.kind) {
      case 'file':
        return new FileInode(this, entry, path, parent.owner);
      case 'bytes':
        return new BytesInode(this, entry, path, parent.owner);
      case 'directory':
        return new DirectoryInode(this, entry, path, { parent, name });
      case 'link':
        return entry.follow
          ? new FollowedLink(this, entry.target, entry.follow, path, parent.owner)
          : new TextLink(this, entry.target, path, parent.owner);
    }
  }
}

/** The same number for the same path every time: FNV-1a. */
function inodeNumber(path: string): bigint {
  let hash = 0x811c9dc5;
  for (let i = 0; i < path.length; i++) hash = Math.imul(hash ^ path.charCodeAt(i), 0x01000193);
  return BigInt(hash >>> 0) + 1n;
}

class DirectoryInode extends Inode implements CallerLookup {
  readonly type = FileType.DIRECTORY;

  constructor(
    readonly tree: GeneratedTree,
    private readonly entry: GeneratedDirectory,
    private readonly path: string,
    private readonly place: { parent: DirectoryInode; name: string } | undefined,
  ) {
    super();
  }

  get owner(): Owner {
    return this.entry.owner ?? this.place?.parent.owner ?? ROOT;
  }

  override get parent(): Inode {
    return this.place?.parent ?? this;
  }

  override get nameInParent(): string {
    return this.place?.name ?? '';
  }

  attributes(): Attributes {
    return this.tree.attributes(this.path, FileType.DIRECTORY | (this.entry.mode ?? 0o555), this.owner);
  }

  change(): void {
    throw new Errno('EPERM');
  }

  override lookup(name: string): Inode | undefined {
    return this.#find(name, undefined);
  }

  lookupFor(name: string, caller: PathCaller): Inode | undefined {
    return this.#find(name, caller);
  }

  override entries(): DirectoryEntry[] {
    return this.entry.names().flatMap((name) => {
      const inode = this.lookup(name);
      return inode ? [{ name, inode: inode.attributes().inode, type: inode.type }] : [];
    });
  }

  #find(name: string, caller: PathCaller | undefined): Inode | undefined {
    const entry = this.entry.entry(name, caller);
    return entry && this.tree.make(entry, `${this.path}/${name}`, this, name);
  }
}

class FileInode extends Inode {
  readonly type = FileType.REGULAR;

  constructor(
    readonly tree: GeneratedTree,
    private readonly entry: Extract<GeneratedEntry, { kind: 'file' }>,
    private readonly path: string,
    private readonly owner: Owner,
  ) {
    super();
  }

  attributes(): Attributes {
    const permissions = this.entry.mode ?? (this.entry.store ? 0o644 : 0o444);
    return this.tree.attributes(this.path, FileType.REGULAR | permissions, this.owner);
  }

  change(): void {
    throw new Errno('EPERM');
  }

  /** The text is made once per open, so that reads of its parts agree. */
  override open(access: ContentAccess): FileContent {
    const { store, content } = this.entry;
    if (access.write && !store) throw new Errno('EACCES');
    let bytes: Uint8Array | undefined;
    const text = (): Uint8Array => {
      if (!bytes) {
        const made = content();
        bytes = typeof made === 'string' ? Buffer.from(made, 'latin1') : made;
      }
      return bytes;
    };
    return {
      read: (offset, target) => {
        const part = text().subarray(offset, offset + target.length);
        target.set(part);
        return part.length;
      },
      write: (_offset, source) => {
        store?.(source.slice());
        return source.length;
      },
      size: () => text().length,
      truncate: () => undefined, // what `>` of a shell does before it writes
      attributes: () => this.attributes(),
      change: () => this.change(),
      seek: (offset, what) => (offset >= text().length ? undefined : what === 'data' ? offset : text().length),
      allocate: () => {
        throw new Errno('EOPNOTSUPP');
      },
      sync: () => undefined,
      close: () => undefined,
    };
  }
}

class BytesInode extends Inode {
  readonly type = FileType.REGULAR;

  constructor(
    readonly tree: GeneratedTree,
    private readonly entry: Extract<GeneratedEntry, { kind: 'bytes' }>,
    private readonly path: string,
    private readonly owner: Owner,
  ) {
    super();
  }

  attributes(): Attributes {
    return this.tree.attributes(this.path, FileType.REGULAR | this.entry.mode, this.owner);
  }

  change(): void {
    throw new Errno('EPERM');
  }

  override open(): FileContent {
    const unsupported = (): never => {
      throw new Errno('EINVAL');
    };
    return {
      read: (offset, target) => this.entry.read(offset, target),
      write: (offset, source) => this.entry.write(offset, source),
      size: () => 2 ** 32, // so far addresses go
      truncate: () => undefined,
      attributes: () => this.attributes(),
      change: () => this.change(),
      seek: unsupported,
      allocate: unsupported,
      sync: () => undefined,
      close: () => undefined,
    };
  }
}

class TextLink extends Inode {
  readonly type = FileType.SYMLINK;

  constructor(
    readonly tree: GeneratedTree,
    private readonly target: () => string,
    private readonly path: string,
    private readonly owner: Owner,
  ) {
    super();
  }

  attributes(): Attributes {
    return this.tree.attributes(this.path, FileType.SYMLINK | 0o777, this.owner);
  }

  change(): void {
    throw new Errno('EPERM');
  }

  override readLink(): string {
    return this.target();
  }
}

class FollowedLink extends MagicLink {
  constructor(
    readonly tree: GeneratedTree,
    private readonly target: () => string,
    private readonly followed: (caller: PathCaller) => Place,
    private readonly path: string,
    private readonly owner: Owner,
  ) {
    super();
  }

  follow(caller: PathCaller): Place {
    return this.followed(caller);
  }

  attributes(): Attributes {
    return this.tree.attributes(this.path, FileType.SYMLINK | 0o700, this.owner);
  }

  change(): void {
    throw new Errno('EPERM');
  }

  override readLink(): string {
    return this.target();
  }
}
