import { getOrInsertComputed } from '../../core/index.js';
/**
 * A host directory as a tree of guest files.
 *
 * **Containment.** No path of more than one component ever reaches the host. Directories are held by `O_PATH` descriptors,
 * each opened by one name below its parent's with `O_NOFOLLOW`, and every operation names one entry of such a directory as
 * `/proc/self/fd/N/name` — Linux's `openat`, which Node does not offer, in the form proc(5) gives it. So neither symbolic
 * links, nor `..`, nor another process that exchanges a directory for a link at the wrong moment lead outside. Hosts without
 * /proc/self/fd (macOS) use plain paths below the root; there another *host* process that works on the same tree could win
 * such a race, a guest cannot, because a system call is never interrupted by another.
 *
 * **Special files.** Device nodes of the host are shown but cannot be opened. FIFOs and sockets are the emulator's: those that
 * the guest makes exist in this tree's memory only and are gone at the end.
 *
 * **Ownership and permissions** are the host's, as with qemu-user; times are set with the precision of Node (about 0.2 µs).
 */
import * as fs from 'node:fs';
import { constants } from 'node:fs';
import { Errno } from '../kernel/contracts.js';
import type { Credentials, GuestClock } from '../kernel/contracts.js';
import { Access, FileType, identityOf, Inode } from './inode.js';
import type {
  AttributeChange,
  Attributes,
  ContentAccess,
  Creation,
  DirectoryEntry,
  FileContent,
  Tree,
  TreeStatistics,
} from './inode.js';
import { MemoryNode, MemoryTree } from './memory-tree.js';
import { MemoryBudget } from './sparse-bytes.js';

/** open(2) on Linux; Node names neither. */
const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;

/** Descriptors of directories that are kept open; others are opened again when needed. */
const MAX_ANCHORS = 64;

const HOLDS_BY_DESCRIPTOR = process.platform === 'linux' && fs.existsSync('/proc/self/fd');

const hostPath = (path: string): Buffer => Buffer.from(path, 'latin1');

/** Runs a host call; its failure becomes the guest's. */
function host<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw asErrno(error);
  }
}

/** The code of a Node error; told by its shape, because errors of another realm are no instances of this one's Error. */
export function hostErrorCode(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

function asErrno(error: unknown): unknown {
  const code = hostErrorCode(error);
  // Node itself refuses numbers that no host file can have.
  if (code === 'ERR_OUT_OF_RANGE') return new Errno('EINVAL');
  if (code === undefined || !/^E[A-Z0-9]+$/.test(code)) return error;
  // The host's limit of descriptors is the system's, from the guest's point of view.
  return new Errno(code === 'EMFILE' ? 'ENFILE' : code === 'ENOTSUP' ? 'EOPNOTSUPP' : code);
}

export interface HostTreeOptions {
  /** Absolute, without symbolic links. */
  readonly path: string;
  readonly clock: Pick<GuestClock, 'realtimeNs'>;
  /** Device number of the FIFOs and sockets that only this tree's memory holds. */
  readonly nodeDevice: bigint;
}

export class HostTree implements Tree {
  readonly type = 'host';
  readonly root: Inode;
  readonly path: string;
  /** FIFOs and sockets that the guest made, by directory and name. */
  readonly nodes: GuestNodes;
  /** Files that are open; what a guest leaves open at its end is closed with the tree. */
  readonly open = new Set<HostContent>();
  readonly #anchors = new Map<HostDirectory, number>();

  /** @throws the host's error where `path` cannot be opened */
  constructor({ path, clock, nodeDevice }: HostTreeOptions) {
    this.path = path;
    this.nodes = new GuestNodes(clock, nodeDevice);
    const stats = fs.statSync(path, { bigint: true });
    this.root = stats.isDirectory()
      ? new HostDirectory(this, undefined, identityOf({ device: stats.dev, inode: stats.ino }))
      : HostTree.#singleFile(this, path, stats);
  }

  /** A tree whose root is one file, for binds of files: the file's directory is held, no other name in it reachable. */
  static #singleFile(tree: HostTree, path: string, stats: fs.BigIntStats): Inode {
    const slash = path.lastIndexOf('/');
    const directory = new HostDirectory(tree, undefined, '', path.slice(0, slash) || '/');
    return directory.inodeFor(Buffer.from(path.slice(slash + 1)).toString('latin1'), stats);
  }

  statistics(): TreeStatistics {
    const { type, bsize, blocks, bfree, bavail, files, ffree } = host(() => fs.statfsSync(this.path));
    return {
      type,
      blockSize: bsize,
      blocks,
      freeBlocks: bfree,
      availableBlocks: bavail,
      files,
      freeFiles: ffree,
    };
  }

  close(): void {
    for (const content of [...this.open]) content.close();
    for (const descriptor of this.#anchors.values()) fs.closeSync(descriptor);
    this.#anchors.clear();
  }

  /** A host path of `directory` for one operation, without a way for anyone to bend it; ends without a slash. */
  anchor(directory: HostDirectory): string {
    if (!HOLDS_BY_DESCRIPTOR) return directory.plainPath();
    // From the nearest directory that is held, one step down at a time: trees may be deeper than any stack.
    const missing: HostDirectory[] = [];
    let held: HostDirectory | undefined = directory;
    while (held && !this.#anchors.has(held)) {
      missing.push(held);
      held = held.place?.parent;
    }
    let descriptor = held ? this.#use(held) : undefined;
    for (const next of missing.reverse()) {
      const flags = O_PATH | O_CLOEXEC | constants.O_DIRECTORY;
      const parent = descriptor;
      descriptor =
        next.place && parent !== undefined
          ? host(() =>
              fs.openSync(hostPath(`/proc/self/fd/${parent}/${next.place!.name}`), flags | constants.O_NOFOLLOW),
            )
          : host(() => fs.openSync(next.rootPath, flags));
      this.#anchors.set(next, descriptor);
      if (this.#anchors.size > MAX_ANCHORS) {
        const [oldest] = this.#anchors.keys();
        this.release(oldest!);
      }
    }
    return `/proc/self/fd/${descriptor}`;
  }

  /** The Map's order is that of use: what was used last is given up last. */
  #use(directory: HostDirectory): number | undefined {
    const descriptor = this.#anchors.get(directory);
    if (descriptor === undefined) return undefined;
    this.#anchors.delete(directory);
    this.#anchors.set(directory, descriptor);
    return descriptor;
  }

  release(directory: HostDirectory): void {
    const descriptor = this.#anchors.get(directory);
    if (descriptor === undefined) return;
    this.#anchors.delete(directory);
    fs.closeSync(descriptor);
  }
}

/** FIFOs and sockets beside the host's files. */
class GuestNodes {
  readonly #tree: MemoryTree;
  readonly #byDirectory = new Map<string, Map<string, MemoryNode>>();

  constructor(clock: Pick<GuestClock, 'realtimeNs'>, device: bigint) {
    this.#tree = new MemoryTree({ device, clock, budget: new MemoryBudget(16 * 1024 * 1024) });
  }

  in(directory: HostDirectory): ReadonlyMap<string, MemoryNode> | undefined {
    return this.#byDirectory.get(directory.identity);
  }

  add(directory: HostDirectory, name: string, node: MemoryNode): void {
    getOrInsertComputed(this.#byDirectory, directory.identity, () => new Map()).set(name, node);
  }

  create(directory: HostDirectory, name: string, type: number, creation: Creation): MemoryNode {
    const node = new MemoryNode(this.#tree, type, creation);
    this.add(directory, name, node);
    return node;
  }

  take(directory: HostDirectory, name: string): MemoryNode | undefined {
    const names = this.#byDirectory.get(directory.identity);
    const node = names?.get(name);
    names?.delete(name);
    if (names?.size === 0) this.#byDirectory.delete(directory.identity);
    return node;
  }
}

/** A file of the host that is no directory: where it was found. */
class HostInode extends Inode {
  readonly type: number;

  constructor(
    readonly tree: HostTree,
    readonly directory: HostDirectory,
    readonly name: string,
    stats: fs.BigIntStats,
  ) {
    super();
    this.type = Number(stats.mode) & FileType.MASK;
  }

  attributes(): Attributes {
    return toAttributes(host(() => fs.lstatSync(this.#path(), { bigint: true })));
  }

  override permits(credentials: Credentials, access: number): boolean {
    if (this.type === FileType.SYMLINK) return true;
    if (process.getuid?.() === 0) return super.permits(credentials, access);
    return this.#held((path) => hostPermits(path, access));
  }

  change({ mode, uid, gid, accessedNs, modifiedNs }: AttributeChange): void {
    if (uid !== undefined || gid !== undefined) {
      // lchown(2): -1 leaves an id as it is; Node wants both.
      const now = this.attributes();
      host(() => fs.lchownSync(this.#path(), uid ?? now.uid, gid ?? now.gid));
    }
    if (mode !== undefined) {
      if (this.type === FileType.SYMLINK) throw new Errno('EOPNOTSUPP');
      this.#held((path) => host(() => fs.chmodSync(path, mode & 0o7777)));
    }
    if (accessedNs !== undefined || modifiedNs !== undefined) {
      const now = this.attributes();
      const accessed = toSeconds(accessedNs ?? now.accessedNs);
      const modified = toSeconds(modifiedNs ?? now.modifiedNs);
      host(() => fs.lutimesSync(this.#path(), accessed, modified));
    }
  }

  override open(access: ContentAccess): FileContent {
    if (this.type !== FileType.REGULAR) throw new Errno(this.type === FileType.SYMLINK ? 'ELOOP' : 'EACCES');
    return openContent(this.tree, this.#path(), access, 0);
  }

  override readLink(): string {
    if (this.type !== FileType.SYMLINK) throw new Errno('EINVAL');
    return host(() => fs.readlinkSync(this.#path(), 'buffer')).toString('latin1');
  }

  #path(): Buffer {
    return hostPath(`${this.tree.anchor(this.directory)}/${this.name}`);
  }

  /** Calls back with a path that leads to this very file: chmod(2) and access(2) have no form that follows no links. */
  #held<T>(use: (path: Buffer | string) => T): T {
    if (!HOLDS_BY_DESCRIPTOR) return use(this.#path());
    const descriptor = host(() => fs.openSync(this.#path(), O_PATH | O_CLOEXEC | constants.O_NOFOLLOW));
    try {
      return use(`/proc/self/fd/${descriptor}`);
    } finally {
      fs.closeSync(descriptor);
    }
  }
}

class HostDirectory extends Inode {
  readonly type = FileType.DIRECTORY;
  /** Directories that someone may hold; the others are made again when they are looked up. */
  readonly #known = new Map<string, WeakRef<HostDirectory>>();
  #place: { parent: HostDirectory; name: string } | undefined;
  #removed = false;

  constructor(
    readonly tree: HostTree,
    place: { parent: HostDirectory; name: string } | undefined,
    /** Device and inode on the host. */
    readonly identity: string,
    readonly rootPath: string = tree.path,
  ) {
    super();
    this.#place = place;
  }

  get place(): { readonly parent: HostDirectory; readonly name: string } | undefined {
    return this.#place;
  }

  /** Path by names, for hosts where directories cannot be held. */
  plainPath(): string {
    if (!this.#place) return Buffer.from(this.rootPath).toString('latin1');
    return `${this.#place.parent.plainPath()}/${this.#place.name}`;
  }

  override get parent(): HostDirectory {
    return this.#place?.parent ?? this;
  }

  override get nameInParent(): string | undefined {
    return this.#removed ? undefined : (this.#place?.name ?? '');
  }

  attributes(): Attributes {
    return toAttributes(host(() => fs.statSync(this.#self(), { bigint: true })));
  }

  override permits(credentials: Credentials, access: number): boolean {
    if (process.getuid?.() === 0) return super.permits(credentials, access);
    return hostPermits(this.#self(), access);
  }

  change({ mode, uid, gid, accessedNs, modifiedNs }: AttributeChange): void {
    const self = this.#self();
    const now = this.attributes();
    if (uid !== undefined || gid !== undefined) host(() => fs.chownSync(self, uid ?? now.uid, gid ?? now.gid));
    if (mode !== undefined) host(() => fs.chmodSync(self, mode & 0o7777));
    if (accessedNs !== undefined || modifiedNs !== undefined) {
      const accessed = toSeconds(accessedNs ?? now.accessedNs);
      const modified = toSeconds(modifiedNs ?? now.modifiedNs);
      host(() => fs.utimesSync(self, accessed, modified));
    }
  }

  override lookup(name: string): Inode | undefined {
    if (this.#removed) return undefined;
    const node = this.tree.nodes.in(this)?.get(name);
    if (node) return node;
    const stats = this.#stats(name);
    return stats && this.inodeFor(name, stats);
  }

  /** The inode of an entry whose `lstat` is at hand. */
  inodeFor(name: string, stats: fs.BigIntStats): Inode {
    if (!stats.isDirectory()) return new HostInode(this.tree, this, name, stats);
    const identity = identityOf({ device: stats.dev, inode: stats.ino });
    const known = this.#known.get(name)?.deref();
    if (known?.identity === identity) return known;
    if (known) this.tree.release(known); // another directory took its name
    const directory = new HostDirectory(this.tree, { parent: this, name }, identity);
    this.#known.set(name, new WeakRef(directory));
    return directory;
  }

  override entries(): DirectoryEntry[] {
    if (this.#removed) return [];
    const names = host(() => fs.readdirSync(this.#self(), { encoding: 'buffer' }));
    // The host's order says something of its disk; a guest sees the names' order.
    names.sort((a, b) => a.compare(b));
    const result: DirectoryEntry[] = [];
    for (const bytes of names) {
      const name = bytes.toString('latin1');
      const stats = this.#stats(name);
      if (stats) result.push({ name, inode: stats.ino, type: Number(stats.mode) & FileType.MASK });
    }
    for (const [name, node] of this.tree.nodes.in(this) ?? []) {
      result.push({ name, inode: node.number, type: node.type });
    }
    return result;
  }

  override createFile(name: string, { mode }: Creation, access: ContentAccess): { inode: Inode; content: FileContent } {
    const content = openContent(this.tree, this.#path(name), access, constants.O_CREAT | constants.O_EXCL, mode);
    return { inode: this.#created(name), content };
  }

  override createDirectory(name: string, { mode }: Creation): void {
    host(() => fs.mkdirSync(this.#path(name), mode));
    this.#correctMode(name, mode);
  }

  override createLink(name: string, target: string): void {
    host(() => fs.symlinkSync(hostPath(target), this.#path(name)));
  }

  override createNode(name: string, type: number, creation: Creation): Inode {
    if (type === FileType.REGULAR) {
      const { inode, content } = this.createFile(name, creation, { read: false, write: true });
      content.close();
      return inode;
    }
    if (!hostPermits(this.#self(), Access.WRITE)) throw new Errno('EACCES');
    return this.tree.nodes.create(this, name, type, creation);
  }

  override linkTo(name: string, file: Inode): void {
    if (file instanceof MemoryNode) throw new Errno('EPERM');
    if (!(file instanceof HostInode) || file.tree !== this.tree) throw new Errno('EXDEV');
    const from = hostPath(`${this.tree.anchor(file.directory)}/${file.name}`);
    host(() => fs.linkSync(from, this.#path(name)));
  }

  override unlink(name: string): void {
    const node = this.tree.nodes.take(this, name);
    if (node) node.dropLink();
    else host(() => fs.unlinkSync(this.#path(name)));
  }

  override removeDirectory(name: string): void {
    const directory = this.lookup(name);
    if (directory instanceof HostDirectory) {
      if (this.tree.nodes.in(directory)) throw new Errno('ENOTEMPTY');
      this.tree.release(directory);
    }
    host(() => fs.rmdirSync(this.#path(name)));
    if (directory instanceof HostDirectory) directory.#removed = true;
    this.#known.delete(name);
  }

  override rename(name: string, target: Inode, targetName: string, how: 'replace' | 'exchange'): void {
    if (!(target instanceof HostDirectory) || target.tree !== this.tree) throw new Errno('EXDEV');
    if (how === 'exchange') throw new Errno('EINVAL'); // as a file system that cannot: Node has no renameat2
    const moved = this.lookup(name);
    if (!moved) throw new Errno('ENOENT');
    const replaced = target.lookup(targetName);

    if (moved instanceof MemoryNode) {
      if (replaced === moved) return;
      if (replaced) target.unlink(targetName);
      this.tree.nodes.take(this, name);
      this.tree.nodes.add(target, targetName, moved);
      return;
    }
    if (replaced instanceof MemoryNode) target.unlink(targetName);
    if (replaced instanceof HostDirectory && this.tree.nodes.in(replaced)) throw new Errno('ENOTEMPTY');
    host(() => fs.renameSync(this.#path(name), target.#path(targetName)));
    if (replaced instanceof HostDirectory && replaced !== moved) {
      replaced.#removed = true;
      this.tree.release(replaced);
    }
    this.#known.delete(name);
    target.#known.delete(targetName);
    if (moved instanceof HostDirectory) {
      moved.#place = { parent: target, name: targetName };
      target.#known.set(targetName, new WeakRef(moved));
    }
  }

  #self(): Buffer {
    if (this.#removed) throw new Errno('ENOENT');
    return hostPath(`${this.tree.anchor(this)}/.`);
  }

  #path(name: string): Buffer {
    if (this.#removed) throw new Errno('ENOENT');
    return hostPath(`${this.tree.anchor(this)}/${name}`);
  }

  #stats(name: string): fs.BigIntStats | undefined {
    return host(() => fs.lstatSync(this.#path(name), { bigint: true, throwIfNoEntry: false }));
  }

  /** The host's umask may have taken bits that the guest's leaves. */
  #correctMode(name: string, mode: number): void {
    const stats = this.#stats(name);
    if (!stats) return;
    const inode = this.inodeFor(name, stats);
    if ((Number(stats.mode) & 0o7777) !== (mode & 0o7777)) inode.change({ mode });
  }

  #created(name: string): Inode {
    const inode = this.lookup(name);
    if (!inode) throw new Errno('ENOENT'); // removed by another host process since
    return inode;
  }
}

function openContent(
  tree: HostTree,
  path: Buffer,
  { read, write }: ContentAccess,
  more: number,
  mode = 0,
): FileContent {
  const access = read && write ? constants.O_RDWR : write ? constants.O_WRONLY : constants.O_RDONLY;
  // Should the entry have become a FIFO or a device since it was looked at, opening must neither hang nor act.
  const flags = access | more | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY | O_CLOEXEC;
  const descriptor = host(() => fs.openSync(path, flags, mode));
  try {
    const stats = fs.fstatSync(descriptor);
    if (!stats.isFile()) throw new Errno('EACCES');
    // The host's umask may have taken bits that the guest's leaves.
    if (more !== 0 && (stats.mode & 0o7777) !== (mode & 0o7777)) host(() => fs.fchmodSync(descriptor, mode & 0o7777));
  } catch (error) {
    fs.closeSync(descriptor);
    throw error;
  }
  return new HostContent(tree, descriptor);
}

class HostContent implements FileContent {
  #descriptor: number | undefined;

  constructor(
    private readonly tree: HostTree,
    descriptor: number,
  ) {
    this.#descriptor = descriptor;
    tree.open.add(this);
  }

  read(offset: number, target: Uint8Array): number {
    if (offset + target.length > Number.MAX_SAFE_INTEGER) return 0; // no host file is that long
    return host(() => {
      const descriptor = this.#open();
      let done = 0;
      while (done < target.length) {
        const count = fs.readSync(descriptor, target, done, target.length - done, offset + done);
        if (count === 0) break;
        done += count;
      }
      return done;
    });
  }

  write(offset: number, source: Uint8Array): number {
    if (offset + source.length > Number.MAX_SAFE_INTEGER) throw new Errno('EFBIG');
    return host(() => fs.writeSync(this.#open(), source, 0, source.length, offset));
  }

  size(): number {
    return host(() => fs.fstatSync(this.#open())).size;
  }

  truncate(size: number): void {
    host(() => fs.ftruncateSync(this.#open(), size));
  }

  attributes(): Attributes {
    return toAttributes(host(() => fs.fstatSync(this.#open(), { bigint: true })));
  }

  change({ mode, uid, gid, accessedNs, modifiedNs }: AttributeChange): void {
    const descriptor = this.#open();
    const now = this.attributes();
    if (uid !== undefined || gid !== undefined) host(() => fs.fchownSync(descriptor, uid ?? now.uid, gid ?? now.gid));
    if (mode !== undefined) host(() => fs.fchmodSync(descriptor, mode & 0o7777));
    if (accessedNs !== undefined || modifiedNs !== undefined) {
      const accessed = toSeconds(accessedNs ?? now.accessedNs);
      const modified = toSeconds(modifiedNs ?? now.modifiedNs);
      host(() => fs.futimesSync(descriptor, accessed, modified));
    }
  }

  /** Node has no lseek: like a file system without holes, lseek(2). */
  seek(offset: number, what: 'data' | 'hole'): number | undefined {
    const size = this.size();
    if (offset >= size) return undefined;
    return what === 'data' ? offset : size;
  }

  allocate(_offset: number, _length: number, what: 'reserve' | 'punch'): void {
    if (what === 'punch') throw new Errno('EOPNOTSUPP');
  }

  sync(): void {
    host(() => fs.fsyncSync(this.#open()));
  }

  close(): void {
    if (this.#descriptor === undefined) return;
    this.tree.open.delete(this);
    fs.closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #open(): number {
    if (this.#descriptor === undefined) throw new Errno('EBADF');
    return this.#descriptor;
  }
}

function hostPermits(path: Buffer | string, access: number): boolean {
  try {
    fs.accessSync(path, access); // R_OK, W_OK, X_OK are access(2)'s 4, 2, 1
    return true;
  } catch {
    return false;
  }
}

function toAttributes(stats: fs.BigIntStats): Attributes {
  return {
    device: stats.dev,
    inode: stats.ino,
    mode: Number(stats.mode),
    links: Number(stats.nlink),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    specialDevice: stats.rdev,
    size: Number(stats.size),
    blockSize: Number(stats.blksize),
    blocks: Number(stats.blocks),
    accessedNs: stats.atimeNs,
    modifiedNs: stats.mtimeNs,
    changedNs: stats.ctimeNs,
  };
}

const toSeconds = (ns: bigint): number => Number(ns / 1_000_000_000n) + Number(ns % 1_000_000_000n) / 1e9;
