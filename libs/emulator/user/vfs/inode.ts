/* eslint-disable @typescript-eslint/no-unused-vars -- the parameters of these defaults say what overriding methods get */
/**
 * What every tree of files offers: inodes. Names are byte strings: one character per byte (ISO 8859-1), because Linux
 * takes any bytes but `/` and NUL for a name.
 */
import { Errno } from '../kernel/contracts.js';
import type { Credentials } from '../kernel/contracts.js';

/** The type bits of `st_mode`, inode(7). */
export const FileType = {
  MASK: 0o170000,
  SOCKET: 0o140000,
  SYMLINK: 0o120000,
  REGULAR: 0o100000,
  BLOCK: 0o060000,
  DIRECTORY: 0o040000,
  CHARACTER: 0o020000,
  FIFO: 0o010000,
} as const;

/** Permission bits as access(2) asks for them. */
export const Access = { EXECUTE: 1, WRITE: 2, READ: 4 } as const;

export interface Attributes {
  readonly device: bigint;
  readonly inode: bigint;
  /** Type and permissions. */
  readonly mode: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  /** Device number of a device node. */
  readonly specialDevice: bigint;
  /** Bytes. */
  readonly size: number;
  readonly blockSize: number;
  /** Units of 512 bytes. */
  readonly blocks: number;
  readonly accessedNs: bigint;
  readonly modifiedNs: bigint;
  readonly changedNs: bigint;
}

export interface AttributeChange {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly accessedNs?: bigint;
  readonly modifiedNs?: bigint;
}

/** What a new inode starts with. */
export interface Creation {
  /** Permissions, the umask already applied. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly inode: bigint;
  /** Type bits of {@link FileType}. */
  readonly type: number;
}

/** statfs(2). */
export interface TreeStatistics {
  /** Magic number of the file system type. */
  readonly type: number;
  readonly blockSize: number;
  readonly blocks: number;
  readonly freeBlocks: number;
  readonly availableBlocks: number;
  readonly files: number;
  readonly freeFiles: number;
}

/** A file system: one device number, one root. */
export interface Tree {
  /** As /proc/mounts names the type. */
  readonly type: string;
  readonly root: Inode;
  statistics(): TreeStatistics;
  close(): void;
}

/** The bytes of a regular file, open. It stays valid when the last name is removed. */
export interface FileContent {
  /** @returns bytes read; fewer than asked for only at the end */
  read(offset: number, target: Uint8Array): number;
  /** @throws Errno ENOSPC, EFBIG… */
  write(offset: number, source: Uint8Array): number;
  size(): number;
  truncate(size: number): void;
  attributes(): Attributes;
  change(change: AttributeChange): void;
  /** SEEK_DATA and SEEK_HOLE. @returns undefined where there is none (ENXIO) */
  seek(offset: number, what: 'data' | 'hole'): number | undefined;
  /** fallocate(2) modes: room for `[offset, offset + length)`, or a hole there. @throws Errno EOPNOTSUPP */
  allocate(offset: number, length: number, what: 'reserve' | 'punch'): void;
  sync(): void;
  close(): void;
}

export interface ContentAccess {
  readonly read: boolean;
  readonly write: boolean;
}

/**
 * One file of a tree. Directories are one object each as long as anyone holds them, because working directories and
 * mounts refer to them; other inodes may be made anew at each lookup, `device` and `inode` tell which file they are.
 */
export abstract class Inode {
  /** Type bits of {@link FileType}. */
  abstract readonly type: number;
  abstract readonly tree: Tree;

  abstract attributes(): Attributes;
  abstract change(change: AttributeChange): void;

  /** Whether `credentials` may do all of `access` (bits of {@link Access}); uid 0 may everything but execute what nobody may. */
  permits(credentials: Credentials, access: number): boolean {
    const { mode, uid, gid } = this.attributes();
    if (credentials.euid === 0) {
      return (access & Access.EXECUTE) === 0 || this.type === FileType.DIRECTORY || (mode & 0o111) !== 0;
    }
    const shift = credentials.euid === uid ? 6 : credentials.egid === gid ? 3 : 0;
    return ((mode >> shift) & access) === access;
  }

  get isDirectory(): boolean {
    return this.type === FileType.DIRECTORY;
  }

  // ── regular files ──
  open(access: ContentAccess): FileContent {
    throw new Errno(this.isDirectory ? 'EISDIR' : access.write ? 'EINVAL' : 'ENXIO');
  }

  // ── symbolic links ──
  readLink(): string {
    throw new Errno('EINVAL');
  }

  // ── directories ──
  /** The directory that holds this one; a tree's root is its own parent. Only of directories. */
  get parent(): Inode {
    throw new Errno('ENOTDIR');
  }

  /** The name in {@link parent}; undefined when the directory was removed. Only of directories. */
  get nameInParent(): string | undefined {
    throw new Errno('ENOTDIR');
  }

  /** @returns undefined where no such name is */
  lookup(_name: string): Inode | undefined {
    throw new Errno('ENOTDIR');
  }

  /** Without `.` and `..`, in a fixed order. */
  entries(): DirectoryEntry[] {
    throw new Errno('ENOTDIR');
  }

  /** Creates a regular file and opens it; the name is free. */
  createFile(_name: string, _creation: Creation, _access: ContentAccess): { inode: Inode; content: FileContent } {
    throw new Errno(this.isDirectory ? 'EACCES' : 'ENOTDIR');
  }

  createDirectory(_name: string, _creation: Creation): void {
    throw new Errno(this.isDirectory ? 'EACCES' : 'ENOTDIR');
  }

  createLink(_name: string, _target: string, _creation: Creation): void {
    throw new Errno(this.isDirectory ? 'EACCES' : 'ENOTDIR');
  }

  /** A FIFO, a socket or an empty regular file. */
  createNode(_name: string, _type: number, _creation: Creation): Inode {
    throw new Errno(this.isDirectory ? 'EACCES' : 'ENOTDIR');
  }

  /** A second name for a file of the same tree. */
  linkTo(_name: string, _file: Inode): void {
    throw new Errno(this.isDirectory ? 'EPERM' : 'ENOTDIR');
  }

  /** Removes a name that is no directory. */
  unlink(_name: string): void {
    throw new Errno(this.isDirectory ? 'EPERM' : 'ENOTDIR');
  }

  removeDirectory(_name: string): void {
    throw new Errno(this.isDirectory ? 'EPERM' : 'ENOTDIR');
  }

  /** Within one tree. The caller has checked that types agree and that no directory moves into itself. */
  rename(_name: string, _target: Inode, _targetName: string, _how: 'replace' | 'exchange'): void {
    throw new Errno(this.isDirectory ? 'EPERM' : 'ENOTDIR');
  }
}

/** Number of a device with Linux's `makedev`. */
export function deviceNumber(major: number, minor: number): bigint {
  return (BigInt(major & 0xfff) << 8n) | BigInt(minor & 0xff) | (BigInt(minor & ~0xff) << 12n);
}

export const majorOf = (device: bigint): number => Number((device >> 8n) & 0xfffn);
export const minorOf = (device: bigint): number => Number((device & 0xffn) | ((device >> 12n) & 0xfff00n));

/** Which file an inode is, among all trees. */
export const identityOf = ({ device, inode }: { device: bigint; inode: bigint }): string => `${device}:${inode}`;

/** Device numbers for trees without a device, beyond those that hosts use; counted per guest, so that runs repeat. */
export class AnonymousDevices {
  #next = 0x800;

  allocate(): bigint {
    return deviceNumber(0, this.#next++);
  }
}
