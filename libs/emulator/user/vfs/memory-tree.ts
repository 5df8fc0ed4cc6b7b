/**
 * Files in memory: tmpfs, and the overlay, which is a tmpfs whose directories and files begin as those of a tree below.
 * Names are taken over from below when they are first looked up, bytes when their page is first written; a removed name
 * stays in its directory as a whiteout. Nothing is ever written below.
 */
import { Errno } from '../kernel/contracts.js';
import type { GuestClock } from '../kernel/contracts.js';
import { FileType, identityOf, Inode } from './inode.js';
import type {
  AttributeChange,
  Attributes,
  Creation,
  DirectoryEntry,
  FileContent,
  Tree,
  TreeStatistics,
} from './inode.js';
import { ReadAhead } from './read-ahead.js';
import { PAGE_BYTES, SparseBytes } from './sparse-bytes.js';
import type { MemoryBudget } from './sparse-bytes.js';

/** Largest file, as Linux's tmpfs on 32-bit systems. */
const MAX_FILE_BYTES = 2 ** 43;
/** What a name, an inode and its bookkeeping cost against the budget, so that empty files cannot fill the host's memory. */
const INODE_BYTES = 512;

export interface MemoryTreeOptions {
  readonly device: bigint;
  readonly type?: string;
  readonly clock: Pick<GuestClock, 'realtimeNs'>;
  readonly budget: MemoryBudget;
  /** Permissions of the root directory. */
  readonly mode?: number;
  /** The tree below, for an overlay. */
  readonly lower?: Tree;
}

export class MemoryTree implements Tree {
  readonly type: string;
  readonly device: bigint;
  readonly root: MemoryDirectory;
  readonly clock: Pick<GuestClock, 'realtimeNs'>;
  readonly budget: MemoryBudget;
  readonly #lower: Tree | undefined;
  /** Files of the tree below that have several names, by identity. */
  readonly #hardLinks = new Map<string, MemoryInode>();
  #nextInode = 1n;

  constructor({ device, type = 'tmpfs', clock, budget, mode = 0o755, lower }: MemoryTreeOptions) {
    this.device = device;
    this.type = type;
    this.clock = clock;
    this.budget = budget;
    this.#lower = lower;
    this.root = new MemoryDirectory(this, { mode, uid: 0, gid: 0 }, undefined, lower?.root);
  }

  statistics(): TreeStatistics {
    const blocks = Math.floor(this.budget.limit / PAGE_BYTES);
    const free = Math.floor((this.budget.limit - this.budget.used) / PAGE_BYTES);
    return {
      type: 0x01021994, // TMPFS_MAGIC
      blockSize: PAGE_BYTES,
      blocks,
      freeBlocks: free,
      availableBlocks: free,
      files: blocks,
      freeFiles: free,
    };
  }

  close(): void {
    this.#lower?.close();
  }

  allocateInode(): bigint {
    this.budget.take(INODE_BYTES);
    return this.#nextInode++;
  }

  freeInode(): void {
    this.budget.give(INODE_BYTES);
  }

  /** An inode of this tree that begins as one of the tree below. */
  adopt(lower: Inode, parent: MemoryDirectory, name: string): MemoryInode {
    const attributes = lower.attributes();
    const key = attributes.links > 1 && !lower.isDirectory ? identityOf(attributes) : undefined;
    const known = key === undefined ? undefined : this.#hardLinks.get(key);
    if (known) return known;
    // Everything belongs to root: the overlay's user is the guest's, not the host's.
    const creation = { mode: attributes.mode & 0o7777, uid: 0, gid: 0 };
    let inode: MemoryInode;
    switch (lower.type) {
      case FileType.DIRECTORY:
        inode = new MemoryDirectory(this, creation, { parent, name }, lower);
        break;
      case FileType.REGULAR:
        inode = new MemoryFile(this, creation, lower);
        break;
      case FileType.SYMLINK:
        inode = new MemoryLink(this, creation, lower.readLink());
        break;
      default:
        inode = new MemoryNode(this, lower.type, creation, attributes.specialDevice);
    }
    inode.takeTimes(attributes);
    if (key !== undefined) {
      inode.links = attributes.links;
      this.#hardLinks.set(key, inode);
    }
    return inode;
  }
}

export abstract class MemoryInode extends Inode {
  readonly number: bigint;
  links = 1;
  #mode: number;
  #uid: number;
  #gid: number;
  #accessedNs: bigint;
  #modifiedNs: bigint;
  #changedNs: bigint;

  constructor(
    readonly tree: MemoryTree,
    readonly type: number,
    creation: Creation,
  ) {
    super();
    this.number = tree.allocateInode();
    this.#mode = creation.mode & 0o7777;
    this.#uid = creation.uid;
    this.#gid = creation.gid;
    this.#accessedNs = this.#modifiedNs = this.#changedNs = tree.clock.realtimeNs();
  }

  attributes(): Attributes {
    const size = this.size;
    return {
      device: this.tree.device,
      inode: this.number,
      mode: this.type | this.#mode,
      links: this.links,
      uid: this.#uid,
      gid: this.#gid,
      specialDevice: this.specialDevice,
      size,
      blockSize: PAGE_BYTES,
      blocks: Math.ceil(this.allocatedBytes / 512),
      accessedNs: this.#accessedNs,
      modifiedNs: this.#modifiedNs,
      changedNs: this.#changedNs,
    };
  }

  change({ mode, uid, gid, accessedNs, modifiedNs }: AttributeChange): void {
    if (mode !== undefined) this.#mode = mode & 0o7777;
    if (uid !== undefined) this.#uid = uid;
    if (gid !== undefined) this.#gid = gid;
    if (accessedNs !== undefined) this.#accessedNs = accessedNs;
    if (modifiedNs !== undefined) this.#modifiedNs = modifiedNs;
    this.#changedNs = this.tree.clock.realtimeNs();
  }

  /** The content changed. */
  touch(): void {
    this.#modifiedNs = this.#changedNs = this.tree.clock.realtimeNs();
  }

  takeTimes({ accessedNs, modifiedNs, changedNs }: Attributes): void {
    this.#accessedNs = accessedNs;
    this.#modifiedNs = modifiedNs;
    this.#changedNs = changedNs;
  }

  /** One name fewer. */
  dropLink(): void {
    this.links--;
    this.#changedNs = this.tree.clock.realtimeNs();
    if (this.links === 0) this.released();
  }

  protected get size(): number {
    return 0;
  }
  protected get allocatedBytes(): number {
    return 0;
  }
  protected get specialDevice(): bigint {
    return 0n;
  }
  /** No name leads here any more. */
  protected released(): void {
    this.tree.freeInode();
  }
}

export class MemoryLink extends MemoryInode {
  constructor(
    tree: MemoryTree,
    creation: Creation,
    readonly target: string,
  ) {
    super(tree, FileType.SYMLINK, { ...creation, mode: 0o777 });
  }

  override readLink(): string {
    return this.target;
  }

  protected override get size(): number {
    return this.target.length;
  }
}

/** A FIFO, a socket or a device node. */
export class MemoryNode extends MemoryInode {
  readonly #device: bigint;

  constructor(tree: MemoryTree, type: number, creation: Creation, device = 0n) {
    super(tree, type, creation);
    this.#device = device;
  }

  protected override get specialDevice(): bigint {
    return this.#device;
  }
}

export class MemoryFile extends MemoryInode {
  readonly #bytes: SparseBytes;
  readonly #lower: Inode | undefined;
  #lowerContent: FileContent | undefined;
  /** It, while it is open. */
  #ahead: ReadAhead | undefined;
  #opened = 0;

  constructor(tree: MemoryTree, creation: Creation, lower?: Inode) {
    super(tree, FileType.REGULAR, creation);
    this.#lower = lower;
    this.#bytes = new SparseBytes(
      tree.budget,
      lower && { read: (offset, target) => this.#readLower(lower, offset, target) },
      lower?.attributes().size,
    );
  }

  override open(): FileContent {
    this.#opened++;
    let closed = false;
    const bytes = this.#bytes;
    return {
      read: (offset, target) => bytes.read(offset, target),
      write: (offset, source) => {
        if (offset + source.length > MAX_FILE_BYTES) throw new Errno('EFBIG');
        const written = bytes.write(offset, source);
        this.touch();
        return written;
      },
      size: () => bytes.size,
      truncate: (size) => {
        if (size > MAX_FILE_BYTES) throw new Errno('EFBIG');
        bytes.truncate(size);
        this.touch();
      },
      attributes: () => this.attributes(),
      change: (change) => this.change(change),
      seek: (offset, what) => bytes.seek(offset, what),
      allocate: (offset, length, what) => {
        if (offset + length > MAX_FILE_BYTES) throw new Errno('EFBIG');
        if (what === 'punch') bytes.punch(offset, length);
        else bytes.reserve(offset, length);
      },
      sync: () => undefined,
      close: () => {
        if (closed) return;
        closed = true;
        this.#opened--;
        this.#releaseUnused();
      },
    };
  }

  protected override get size(): number {
    return this.#bytes.size;
  }

  protected override get allocatedBytes(): number {
    const backed = this.#lower ? Math.ceil(this.#bytes.size / PAGE_BYTES) * PAGE_BYTES : 0;
    return Math.max(backed, this.#bytes.allocated);
  }

  protected override released(): void {
    super.released();
    this.#releaseUnused();
  }

  #releaseUnused(): void {
    if (this.#opened > 0) return;
    this.#lowerContent?.close();
    this.#lowerContent = undefined;
    this.#ahead = undefined;
    if (this.links === 0) this.#bytes.clear();
  }

  #readLower(lower: Inode, offset: number, target: Uint8Array): number {
    this.#ahead ??= new ReadAhead((this.#lowerContent = lower.open({ read: true, write: false })));
    return this.#ahead.read(offset, target);
  }
}

export class MemoryDirectory extends MemoryInode {
  /** Names taken over or created here; null is a whiteout. */
  readonly #names = new Map<string, MemoryInode | null>();
  readonly #lower: Inode | undefined;
  #place: { parent: MemoryDirectory; name: string } | undefined;
  #removed = false;

  constructor(
    tree: MemoryTree,
    creation: Creation,
    place: { parent: MemoryDirectory; name: string } | undefined,
    lower?: Inode,
  ) {
    super(tree, FileType.DIRECTORY, creation);
    this.#place = place;
    this.#lower = lower;
    this.links = 2;
    if (!lower) return;
    const attributes = lower.attributes();
    this.takeTimes(attributes);
    this.links = attributes.links;
  }

  override get parent(): MemoryDirectory {
    return this.#place?.parent ?? this;
  }

  override get nameInParent(): string | undefined {
    return this.#removed ? undefined : (this.#place?.name ?? '');
  }

  override lookup(name: string): MemoryInode | undefined {
    const known = this.#names.get(name);
    if (known !== undefined) return known ?? undefined;
    const lower = this.#removed ? undefined : this.#lower?.lookup(name);
    if (!lower) return undefined;
    const inode = this.tree.adopt(lower, this, name);
    this.#names.set(name, inode);
    return inode;
  }

  override entries(): DirectoryEntry[] {
    if (this.#removed) return [];
    const names = new Set(this.#names.keys());
    for (const { name } of this.#lower?.entries() ?? []) names.add(name);
    const result: DirectoryEntry[] = [];
    for (const name of names) {
      const inode = this.lookup(name);
      if (inode) result.push({ name, inode: inode.number, type: inode.type });
    }
    return result;
  }

  override createFile(name: string, creation: Creation): { inode: MemoryInode; content: FileContent } {
    const inode = new MemoryFile(this.tree, creation);
    this.add(name, inode);
    return { inode, content: inode.open() };
  }

  override createDirectory(name: string, creation: Creation): void {
    this.add(name, new MemoryDirectory(this.tree, creation, { parent: this, name }));
  }

  override createLink(name: string, target: string, creation: Creation): void {
    this.add(name, new MemoryLink(this.tree, creation, target));
  }

  override createNode(name: string, type: number, creation: Creation): Inode {
    const inode =
      type === FileType.REGULAR ? new MemoryFile(this.tree, creation) : new MemoryNode(this.tree, type, creation);
    this.add(name, inode);
    return inode;
  }

  override linkTo(name: string, file: Inode): void {
    if (!(file instanceof MemoryInode) || file.tree !== this.tree) throw new Errno('EXDEV');
    if (file.links === 0) throw new Errno('ENOENT');
    this.add(name, file);
    file.links++;
    file.change({});
  }

  override unlink(name: string): void {
    const inode = this.#existing(name);
    this.#forget(name);
    inode.dropLink();
    this.touch();
  }

  override removeDirectory(name: string): void {
    const directory = this.#existing(name);
    if (!(directory instanceof MemoryDirectory)) throw new Errno('ENOTDIR');
    if (directory.entries().length > 0) throw new Errno('ENOTEMPTY');
    this.#forget(name);
    directory.#remove();
    this.links--;
    this.touch();
  }

  override rename(name: string, target: Inode, targetName: string, how: 'replace' | 'exchange'): void {
    if (!(target instanceof MemoryDirectory) || target.tree !== this.tree) throw new Errno('EXDEV');
    const moved = this.#existing(name);
    const replaced = target.lookup(targetName);
    if (replaced === moved) return; // rename(2): two names of one file, nothing happens
    if (how === 'exchange') {
      if (!replaced) throw new Errno('ENOENT');
      this.#forget(name);
      target.#forget(targetName);
      target.#enter(targetName, moved);
      this.#enter(name, replaced);
      return;
    }
    if (replaced?.isDirectory) target.removeDirectory(targetName);
    else if (replaced) target.unlink(targetName);
    this.#forget(name);
    if (moved.isDirectory) this.links--;
    target.#enter(targetName, moved);
    if (moved.isDirectory) target.links++;
    this.touch();
    target.touch();
    moved.change({});
  }

  /** Enters a new inode. @throws Errno ENOENT in a directory that was removed */
  add(name: string, inode: MemoryInode): void {
    if (this.#removed) throw new Errno('ENOENT');
    this.#enter(name, inode);
    if (inode.isDirectory) this.links++;
    this.touch();
  }

  protected override get size(): number {
    return PAGE_BYTES;
  }

  #enter(name: string, inode: MemoryInode): void {
    this.#names.set(name, inode);
    if (inode instanceof MemoryDirectory) inode.#place = { parent: this, name };
  }

  #existing(name: string): MemoryInode {
    const inode = this.lookup(name);
    if (!inode) throw new Errno('ENOENT');
    return inode;
  }

  /** The name is free afterwards: a whiteout where the tree below has one like it. */
  #forget(name: string): void {
    if (this.#lower?.lookup(name)) this.#names.set(name, null);
    else this.#names.delete(name);
  }

  #remove(): void {
    this.#removed = true;
    this.#names.clear();
    this.links = 0;
    this.released();
  }
}
