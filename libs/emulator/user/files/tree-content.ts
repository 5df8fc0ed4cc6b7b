/** Files that a guest's tree in memory has from the start. */
import { ConfigError } from '../../core/index.js';
import { Errno } from '../kernel/contracts.js';
import { errorText } from '../kernel/error-text.js';
import type { Inode } from '../vfs/inode.js';

/** One entry of the tree. Paths are byte strings (one character per byte), with or without a slash in front. */
export type TreeEntry = {
  readonly path: string;
  /** Permissions; default 0o755. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
} & (
  | { readonly kind: 'directory' }
  | { readonly kind: 'file'; readonly bytes: Uint8Array }
  /** `target` is stored as it is, and never followed here. */
  | { readonly kind: 'symlink'; readonly target: string }
  /** A second name of an entry that came before. */
  | { readonly kind: 'hardlink'; readonly target: string }
);

/**
 * Puts entries into a tree, later ones in place of earlier ones. Directories on the way are made; a symbolic link on the way
 * is refused, whatever it points to.
 * @throws ConfigError about `field` for a path that leaves the tree, goes through something else than directories, or finds
 *   no room
 */
export function populate(root: Inode, entries: Iterable<TreeEntry>, field: string): void {
  for (const entry of entries) {
    const refuse = (problem: string): never => {
      throw new ConfigError(field, `${JSON.stringify(entry.path)}: ${problem}`, 'Make the archive anew without it');
    };
    try {
      put(root, entry, refuse);
    } catch (error) {
      if (error instanceof Errno) refuse(errorText(error.code));
      throw error;
    }
  }
}

function put(root: Inode, entry: TreeEntry, refuse: (problem: string) => never): void {
  const { mode = 0o755, uid = 0, gid = 0 } = entry;
  const creation = { mode: mode & 0o7777, uid, gid };
  const names = componentsOf(entry.path, refuse);
  const name = names.pop();
  if (name === undefined) {
    if (entry.kind !== 'directory') refuse('the root is a directory');
    return root.change(creation);
  }
  const directory = walk(root, names, refuse);
  const existing = directory.lookup(name);
  if (entry.kind === 'directory') {
    if (existing?.isDirectory) return existing.change(creation);
    if (existing) directory.unlink(name);
    return directory.createDirectory(name, creation);
  }
  if (existing?.isDirectory) refuse('there is a directory of this name');
  const linked = entry.kind === 'hardlink' ? find(root, componentsOf(entry.target, refuse), refuse) : undefined;
  if (existing && existing === linked) return;
  if (existing) directory.unlink(name);
  if (linked) return directory.linkTo(name, linked);
  if (entry.kind === 'symlink') return directory.createLink(name, entry.target, creation);
  if (entry.kind !== 'file') return;
  const { content } = directory.createFile(name, creation, { read: false, write: true });
  try {
    if (entry.bytes.length > 0) content.write(0, entry.bytes);
  } finally {
    content.close();
  }
}

/** @returns names without empty ones and `.` */
function componentsOf(path: string, refuse: (problem: string) => never): string[] {
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  if (names.includes('..')) refuse('a path with ".." may lead out of the tree');
  if (path.includes('\0')) refuse('the path has a NUL in it');
  if (names.some((name) => name.length > 255)) refuse('a name is longer than 255 bytes');
  return names;
}

function walk(root: Inode, names: readonly string[], refuse: (problem: string) => never): Inode {
  let directory = root;
  for (const name of names) {
    if (!directory.lookup(name)) directory.createDirectory(name, { mode: 0o755, uid: 0, gid: 0 });
    const next = directory.lookup(name);
    if (!next?.isDirectory) return refuse(`${JSON.stringify(name)} is no directory`);
    directory = next;
  }
  return directory;
}

function find(root: Inode, names: string[], refuse: (problem: string) => never): Inode {
  const name = names.pop() ?? '';
  const found = walk(root, names, refuse).lookup(name);
  if (!found || found.isDirectory) return refuse('the file that it is a link to has not come before it');
  return found;
}
