import { getOrInsertComputed } from '../../core/index.js';
/**
 * The guest's whole tree: mounts, and the resolution of paths in it, component by component (path_resolution(7)). The
 * guest's root is the only root there is; `..` stops there, absolute links start there.
 */
import { Errno } from '../kernel/contracts.js';
import type { Credentials } from '../kernel/contracts.js';
import { Access, FileType, Inode } from './inode.js';
import type { DirectoryEntry, Tree } from './inode.js';

/** Limits of limits.h and namei: bytes of a path and a name, symbolic links on one way. */
export const PATH_MAX = 4096;
export const NAME_MAX = 255;
const MAX_LINKS = 40;

export interface Mount {
  readonly tree: Tree;
  readonly readOnly: boolean;
  /** What /proc/mounts shows as device. */
  readonly source: string;
  /** Where it is mounted; undefined for the root. */
  readonly on: { readonly directory: Place; readonly name: string } | undefined;
}

/** An inode and the mount through which it was reached. */
export interface Place {
  readonly mount: Mount;
  readonly inode: Inode;
  /** The name that it has there, where a link of /proc led to it and no name of the path did. */
  readonly foundAt?: { readonly directory: Place; readonly name: string | undefined } | undefined;
}

/** What a path led to. */
export interface Resolution {
  /** The directory that holds, or would hold, the last component. */
  readonly directory: Place;
  /** The last component; undefined where the path ends in a directory itself: `/`, `.`, `..`, a link of /proc. */
  readonly name: string | undefined;
  /** Undefined where there is no such name. */
  readonly place: Place | undefined;
  /** The path ends with `/`: it must name a directory. */
  readonly slash: boolean;
}

/** Symbolic links of /proc lead to a place, not to a path. */
export abstract class MagicLink extends Inode {
  readonly type = FileType.SYMLINK;
  /** @throws Errno ENOENT where there is nothing (any more) */
  abstract follow(caller: PathCaller): Place;
}

/** An inode whose content depends on who looks: /proc/self. */
export interface CallerLookup {
  lookupFor(name: string, caller: PathCaller): Inode | undefined;
}

/** Who resolves a path. */
export interface PathCaller {
  readonly credentials: Credentials;
  readonly pid: number;
}

export interface ResolveOptions {
  /** Follow a symbolic link in the last component. */
  readonly follow: boolean;
  /** openat2(2): RESOLVE_NO_SYMLINKS, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_XDEV, RESOLVE_BENEATH, RESOLVE_IN_ROOT. */
  readonly restrict?: {
    readonly noLinks?: boolean;
    readonly noMagicLinks?: boolean;
    readonly noCrossing?: boolean;
    readonly beneath?: boolean;
    readonly inRoot?: boolean;
  };
}

export class MountTable {
  readonly #root: Mount;
  readonly #on = new Map<Inode, Map<string, Mount>>();
  readonly #list: Mount[];

  constructor(root: { tree: Tree; readOnly: boolean; source: string }) {
    this.#root = { ...root, on: undefined };
    this.#list = [this.#root];
  }

  get root(): Place {
    return { mount: this.#root, inode: this.#root.tree.root };
  }

  get mounts(): readonly Mount[] {
    return this.#list;
  }

  /** Mounts over a name of a directory; the name itself need not exist below. */
  mount(
    directory: Place,
    name: string,
    { tree, readOnly, source }: { tree: Tree; readOnly: boolean; source: string },
  ): Place {
    const mount: Mount = { tree, readOnly, source, on: { directory, name } };
    getOrInsertComputed(this.#on, directory.inode, () => new Map()).set(name, mount);
    this.#list.push(mount);
    return { mount, inode: tree.root };
  }

  isMountPoint(directory: Place, name: string): boolean {
    return this.#on.get(directory.inode)?.has(name) ?? false;
  }

  /** One step down. */
  child(directory: Place, name: string, caller: PathCaller): Place | undefined {
    const mounted = this.#on.get(directory.inode)?.get(name);
    if (mounted) return { mount: mounted, inode: mounted.tree.root };
    const inode = looksAtCaller(directory.inode)
      ? directory.inode.lookupFor(name, caller)
      : directory.inode.lookup(name);
    return inode && { mount: directory.mount, inode };
  }

  /** One step up. */
  parent(place: Place): Place {
    let { mount, inode } = place;
    while (inode === mount.tree.root) {
      if (!mount.on) return this.root;
      ({ mount, inode } = mount.on.directory);
      return { mount, inode };
    }
    return { mount, inode: inode.parent };
  }

  /** A directory's entries with what is mounted there, `.` and `..` first. */
  entries(directory: Place): DirectoryEntry[] {
    const mounted = this.#on.get(directory.inode);
    const result: DirectoryEntry[] = [
      { name: '.', inode: directory.inode.attributes().inode, type: FileType.DIRECTORY },
      { name: '..', inode: this.parent(directory).inode.attributes().inode, type: FileType.DIRECTORY },
    ];
    for (const entry of directory.inode.entries()) {
      if (!mounted?.has(entry.name)) result.push(entry);
    }
    for (const [name, { tree }] of mounted ?? []) {
      result.push({ name, inode: tree.root.attributes().inode, type: tree.root.type });
    }
    return result;
  }

  /** Absolute path of a directory; undefined when it was removed. */
  pathOf(directory: Place): string | undefined {
    const names: string[] = [];
    let { mount, inode } = directory;
    for (;;) {
      if (inode === mount.tree.root) {
        if (!mount.on) return `/${names.reverse().join('/')}`;
        names.push(mount.on.name);
        ({ mount, inode } = mount.on.directory);
        continue;
      }
      const name = inode.nameInParent;
      if (name === undefined) return undefined;
      names.push(name);
      inode = inode.parent;
    }
  }

  /**
   * Follows a path.
   * @throws Errno ENOENT (a component but the last does not exist, an empty path), ENOTDIR, EACCES, ELOOP, ENAMETOOLONG
   */
  resolve(start: Place, path: string, caller: PathCaller, { follow, restrict = {} }: ResolveOptions): Resolution {
    if (path === '') throw new Errno('ENOENT');
    if (path.length >= PATH_MAX) throw new Errno('ENAMETOOLONG');
    const top = restrict.inRoot || restrict.beneath ? start : this.root;
    let slash = path.endsWith('/');
    let directory = start;
    let last: Resolution = { directory, name: undefined, place: directory, slash };
    let links = 0;

    const goTo = (place: Place): void => {
      if (restrict.noCrossing && place.mount !== start.mount) throw new Errno('EXDEV');
      directory = place;
      last = { directory, name: undefined, place: directory, slash };
    };
    const enterRoot = (absolute: string): void => {
      if (!absolute.startsWith('/')) return;
      if (restrict.beneath) throw new Errno('EXDEV');
      goTo(top);
    };

    enterRoot(path);
    // Components that are still to come, the next one last.
    const pending = componentsOf(path);
    while (pending.length > 0) {
      const name = pending.pop()!;
      // What is not a directory has nothing below it, not even `.`
      if (!last.place) throw new Errno('ENOENT');
      if (!last.place.inode.isDirectory) throw new Errno('ENOTDIR');
      directory = last.place;
      if (!directory.inode.permits(caller.credentials, Access.EXECUTE)) throw new Errno('EACCES');

      if (name === '.') {
        goTo(directory);
        continue;
      }
      if (name === '..') {
        if (isSame(directory, top)) {
          if (restrict.beneath) throw new Errno('EXDEV');
          goTo(directory);
        } else {
          goTo(this.parent(directory));
        }
        continue;
      }
      if (name.length > NAME_MAX) throw new Errno('ENAMETOOLONG');

      const place = this.child(directory, name, caller);
      if (place && restrict.noCrossing && place.mount !== start.mount) throw new Errno('EXDEV');
      const isLast = pending.length === 0;
      if (place?.inode.type === FileType.SYMLINK && (!isLast || follow || slash)) {
        if (restrict.noLinks || ++links > MAX_LINKS) throw new Errno('ELOOP');
        if (place.inode instanceof MagicLink) {
          if (restrict.noMagicLinks) throw new Errno('ELOOP');
          if (restrict.beneath || restrict.inRoot) throw new Errno('EXDEV');
          const target = place.inode.follow(caller);
          if (restrict.noCrossing && target.mount !== start.mount) throw new Errno('EXDEV');
          last = { directory: target, name: undefined, place: target, slash };
          continue;
        }
        const target = place.inode.readLink();
        if (target === '') throw new Errno('ENOENT');
        if (isLast && target.endsWith('/')) slash = true;
        // A relative target continues from this directory.
        last = { directory, name: undefined, place: directory, slash };
        enterRoot(target);
        pending.push(...componentsOf(target));
        continue;
      }
      last = { directory, name, place, slash };
    }
    if (last.place && slash && !last.place.inode.isDirectory) throw new Errno('ENOTDIR');
    return { ...last, slash };
  }
}

/** Components in reverse order. */
function componentsOf(path: string): string[] {
  return path
    .split('/')
    .filter((name) => name !== '')
    .reverse();
}

export const isSame = (a: Place, b: Place): boolean => a.mount === b.mount && a.inode === b.inode;

function looksAtCaller(inode: Inode): inode is Inode & CallerLookup {
  return 'lookupFor' in inode;
}
