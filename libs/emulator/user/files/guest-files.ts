/** A guest's files as whoever runs it reads them after the end: from outside, with nobody's rights asked for. */
import { Errno } from '../kernel/contracts.js';
import { FileType } from '../vfs/inode.js';
import type { FileContent, Inode } from '../vfs/inode.js';
import type { MountTable, PathCaller, Place } from '../vfs/mounts.js';

/** A file, a directory or a symbolic link of the guest's tree. */
export type GuestFile = {
  /** From what was asked for, without a slash in front; empty for that itself. A byte string: one character per byte. */
  readonly path: string;
  /** Permissions. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Guest time, ns since 1970. */
  readonly modifiedNs: bigint;
} & (
  | { readonly kind: 'directory' }
  | { readonly kind: 'symlink'; readonly target: string }
  | {
      readonly kind: 'file';
      readonly sizeBytes: number;
      /** Reads from an offset. @returns bytes read; fewer than asked for only at the end */
      read(offset: number, target: Uint8Array): number;
    }
);

const ROOT_CALLER: PathCaller = { pid: 1, credentials: { uid: 0, gid: 0, euid: 0, egid: 0 } };

/**
 * What is at a path, and of a directory all that is below it on the same mount, names in the order of their bytes. Links on
 * the way and at the end of `path` are followed as the guest would, within its root; those further down are told of, not
 * followed. FIFOs, sockets and device nodes are left out. A file can be read until the next one is asked for.
 * @param path absolute
 * @returns nothing where there is no such file
 */
export function* filesAt(
  mounts: MountTable,
  path: string,
  open: (inode: Inode) => FileContent,
): Generator<GuestFile, void, undefined> {
  const start = placeOf(mounts, Buffer.from(path).toString('latin1'));
  // Still to come, the next one last: guests may nest directories deeper than functions can call each other.
  const pending = start ? [{ place: start, path: '' }] : [];
  for (let next = pending.pop(); next; next = pending.pop()) {
    yield* one(next.place.inode, next.path, open);
    pending.push(...entriesOf(mounts, next.place, next.path).reverse());
  }
}

function placeOf(mounts: MountTable, path: string): Place | undefined {
  try {
    return mounts.resolve(mounts.root, path, ROOT_CALLER, { follow: true }).place;
  } catch (error) {
    if (error instanceof Errno) return undefined;
    throw error;
  }
}

function* one(inode: Inode, path: string, open: (inode: Inode) => FileContent): Generator<GuestFile, void, undefined> {
  const { mode, uid, gid, modifiedNs } = inode.attributes();
  const common = { path, mode: mode & 0o7777, uid, gid, modifiedNs };
  if (inode.isDirectory) yield { ...common, kind: 'directory' };
  else if (inode.type === FileType.SYMLINK) yield { ...common, kind: 'symlink', target: inode.readLink() };
  else if (inode.type === FileType.REGULAR) {
    const content = open(inode);
    try {
      const read = (offset: number, target: Uint8Array): number => content.read(offset, target);
      yield { ...common, kind: 'file', sizeBytes: content.size(), read };
    } finally {
      content.close();
    }
  }
}

/** What a directory holds, in the order of their names' bytes; nothing of other mounts. */
function entriesOf(mounts: MountTable, directory: Place, path: string): { place: Place; path: string }[] {
  if (!directory.inode.isDirectory) return [];
  const names = mounts.entries(directory).map(({ name }) => name);
  return names
    .filter((name) => name !== '.' && name !== '..')
    .sort()
    .flatMap((name) => {
      const place = mounts.child(directory, name, ROOT_CALLER);
      return place?.mount === directory.mount ? [{ place, path: path === '' ? name : `${path}/${name}` }] : [];
    });
}
