/** System calls on names: open, mkdir, link, rename, unlink… */
import type { LinuxFileAbi } from '../../../targets/linux-abi/file-abi.js';
import { OPEN_HOW } from '../../../targets/linux-abi/common.js';
import { decodeStruct } from '../../abi/struct.js';
import { Errno } from '../../kernel/contracts.js';
import type { SyscallContext, SyscallHandler, SyscallResult, SyscallTable } from '../../kernel/contracts.js';
import { Access, FileType, identityOf } from '../../vfs/inode.js';
import type { Inode } from '../../vfs/inode.js';
import { PATH_MAX } from '../../vfs/mounts.js';
import type { PathCaller, Place, ResolveOptions, Resolution } from '../../vfs/mounts.js';
import { FileEvent } from '../change-notices.js';
import type { ChangeNotices } from '../change-notices.js';
import { callerOf, creationFor, mayChange } from '../file-system.js';
import type { FoundAt } from '../open-file.js';
import { AT_FDCWD, bytesOf, filesOf } from '../process-files.js';
import { decodeOpenFlags, int, pathAt } from './arguments.js';
import type { OpenWord } from './arguments.js';

/** linux/fcntl.h, the same on all architectures. */
export const At = {
  SYMLINK_NOFOLLOW: 0x100,
  EACCESS: 0x200,
  REMOVEDIR: 0x200,
  SYMLINK_FOLLOW: 0x400,
  NO_AUTOMOUNT: 0x800,
  EMPTY_PATH: 0x1000,
} as const;

const RENAME_NOREPLACE = 1;
const RENAME_EXCHANGE = 2;

const Resolve = { NO_XDEV: 1, NO_MAGICLINKS: 2, NO_SYMLINKS: 4, BENEATH: 8, IN_ROOT: 0x10, CACHED: 0x20 } as const;

/** @throws Errno those of path_resolution(7) */
export function resolveAt(
  context: SyscallContext,
  directory: number,
  path: string,
  options: ResolveOptions,
): Resolution {
  return filesOf(context).resolve(path, callerOf(context), { ...options, directory });
}

/** A place with the name under which it was found. */
export interface FoundPlace extends Place {
  readonly foundAt: FoundAt | undefined;
}

/** What a path leads to. @throws Errno ENOENT */
export function existingAt(context: SyscallContext, directory: number, path: string, follow: boolean): FoundPlace {
  const { place, name, directory: holder } = resolveAt(context, directory, path, { follow });
  if (!place) throw new Errno('ENOENT');
  return { ...place, foundAt: { directory: name === undefined ? place : holder, name } };
}

/** With AT_EMPTY_PATH an empty path is the descriptor's own file. */
export function placeAt(context: SyscallContext, directory: number, path: string, flags: number): FoundPlace {
  if (path === '' && (flags & At.EMPTY_PATH) !== 0) {
    if (int(directory) === AT_FDCWD) {
      const { workingDirectory } = filesOf(context);
      return { ...workingDirectory, foundAt: { directory: workingDirectory, name: undefined } };
    }
    const { inode, mount, foundAt } = filesOf(context).file(directory);
    return { inode, mount, foundAt };
  }
  return existingAt(context, directory, path, (flags & At.SYMLINK_NOFOLLOW) === 0);
}

interface FreeName {
  readonly directory: Place;
  readonly name: string;
}

/** A name that is to be created. @throws Errno EEXIST */
function freeName(context: SyscallContext, directory: number, path: string, isDirectory = false): FreeName {
  const resolution = resolveAt(context, directory, path, { follow: false });
  if (resolution.place || resolution.name === undefined) throw new Errno('EEXIST');
  if (resolution.slash && !isDirectory) throw new Errno('ENOENT');
  mayChange(resolution.directory, callerOf(context));
  return { directory: resolution.directory, name: resolution.name };
}

/** inode(7), the sticky bit: only owners remove names from such a directory. */
function mayRemove({ inode: directory }: Place, { inode }: Place, { credentials }: PathCaller): void {
  const { mode, uid } = directory.attributes();
  if ((mode & 0o1000) === 0 || credentials.euid === 0 || credentials.euid === uid) return;
  if (inode.attributes().uid !== credentials.euid) throw new Errno('EPERM');
}

function removableAt(context: SyscallContext, directory: number, path: string): Resolution & { place: Place } {
  const resolution = resolveAt(context, directory, path, { follow: false });
  const { place } = resolution;
  if (!place) throw new Errno('ENOENT');
  return { ...resolution, place };
}

const noticesOf = (context: SyscallContext): ChangeNotices => filesOf(context).fileSystem.notices;

/** What is to be known of a file that is about to lose a name. */
function goingAway(inode: Inode): { readonly inode: Inode; readonly identity: string; readonly linksLeft: number } {
  const attributes = inode.attributes();
  return { inode, identity: identityOf(attributes), linksLeft: inode.isDirectory ? 0 : attributes.links - 1 };
}

export function pathSyscalls(abi: LinuxFileAbi): SyscallTable {
  const open = (
    context: SyscallContext,
    directory: number,
    path: string,
    word: OpenWord,
    mode: number,
    restrict: ResolveOptions['restrict'] = {},
  ): SyscallResult => {
    const files = filesOf(context);
    const { flags, create, exclusive, truncate, temporary, closeOnExec } = word;
    const follow = !flags.noFollow && !(create && exclusive);
    const resolution = resolveAt(context, directory, path, { follow, restrict });
    // Room for the descriptor first: a file must not be created and then not opened.
    const limit = context.process.maxFiles;
    if (!files.descriptorTable.hasRoom(limit)) throw new Errno('EMFILE');
    return files.fileSystem.open(
      resolution,
      { flags, create, exclusive, truncate, temporary, mode: mode & 0o7777 & ~context.process.umask },
      callerOf(context),
      (file) => files.descriptorTable.add(file, { limit, closeOnExec }),
    );
  };

  const unlink = (context: SyscallContext, directory: number, path: string): number => {
    const found = removableAt(context, directory, path);
    if (found.name === undefined) throw new Errno('EISDIR');
    if (found.place.inode.isDirectory) throw new Errno('EISDIR');
    mayChange(found.directory, callerOf(context));
    mayRemove(found.directory, found.place, callerOf(context));
    if (filesOf(context).fileSystem.mounts.isMountPoint(found.directory, found.name)) throw new Errno('EBUSY');
    const gone = goingAway(found.place.inode);
    found.directory.inode.unlink(found.name);
    noticesOf(context).unlinked(found.directory, found.name, gone.inode, gone.identity, gone.linksLeft);
    return 0;
  };

  const rmdir = (context: SyscallContext, directory: number, path: string): number => {
    const { mounts } = filesOf(context).fileSystem;
    const last = path.replace(/\/+$/, '').split('/').at(-1);
    if (last === '.') throw new Errno('EINVAL');
    if (last === '..') throw new Errno('ENOTEMPTY');
    const found = removableAt(context, directory, path);
    if (found.name === undefined) throw new Errno('EBUSY'); // the root
    if (!found.place.inode.isDirectory) throw new Errno('ENOTDIR');
    if (mounts.isMountPoint(found.directory, found.name)) throw new Errno('EBUSY');
    mayChange(found.directory, callerOf(context));
    mayRemove(found.directory, found.place, callerOf(context));
    const gone = goingAway(found.place.inode);
    found.directory.inode.removeDirectory(found.name);
    noticesOf(context).unlinked(found.directory, found.name, gone.inode, gone.identity, gone.linksLeft);
    return 0;
  };

  const rename = (
    context: SyscallContext,
    fromDirectory: number,
    fromPath: string,
    toDirectory: number,
    toPath: string,
    flags: number,
  ): number => {
    if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) !== 0 || flags === (RENAME_NOREPLACE | RENAME_EXCHANGE)) {
      throw new Errno('EINVAL');
    }
    const caller = callerOf(context);
    const { mounts } = filesOf(context).fileSystem;
    const from = removableAt(context, fromDirectory, fromPath);
    const to = resolveAt(context, toDirectory, toPath, { follow: false });
    if (from.name === undefined || to.name === undefined) throw new Errno('EBUSY');
    if (from.directory.mount !== to.directory.mount) throw new Errno('EXDEV');
    if (mounts.isMountPoint(from.directory, from.name) || mounts.isMountPoint(to.directory, to.name)) {
      throw new Errno('EBUSY');
    }
    mayChange(from.directory, caller);
    mayChange(to.directory, caller);
    mayRemove(from.directory, from.place, caller);
    const moved = from.place.inode;
    const replaced = to.place?.inode;
    if (replaced && flags === RENAME_NOREPLACE) throw new Errno('EEXIST');
    if (!replaced && flags === RENAME_EXCHANGE) throw new Errno('ENOENT');
    if (to.slash && !moved.isDirectory && !replaced) throw new Errno('ENOTDIR');
    // A directory cannot become its own descendant.
    if (moved.isDirectory && isWithin(to.directory.inode, moved)) throw new Errno('EINVAL');
    if (replaced) {
      if (to.place) mayRemove(to.directory, to.place, caller);
      if (flags === RENAME_EXCHANGE) {
        if (replaced.isDirectory && isWithin(from.directory.inode, replaced)) throw new Errno('EINVAL');
      } else {
        if (isWithin(from.directory.inode, replaced)) throw new Errno('ENOTEMPTY');
        if (moved.isDirectory && !replaced.isDirectory) throw new Errno('ENOTDIR');
        if (!moved.isDirectory && replaced.isDirectory) throw new Errno('EISDIR');
        if (identityOf(moved.attributes()) === identityOf(replaced.attributes())) return 0; // names of one file
      }
    }
    const [source, target] = [
      { directory: from.directory, name: from.name },
      { directory: to.directory, name: to.name },
    ];
    const gone = replaced && flags !== RENAME_EXCHANGE ? goingAway(replaced) : undefined;
    from.directory.inode.rename(
      from.name,
      to.directory.inode,
      to.name,
      flags === RENAME_EXCHANGE ? 'exchange' : 'replace',
    );
    noticesOf(context).renamed(source, target, moved, gone);
    if (replaced && !gone) noticesOf(context).renamed(target, source, replaced, undefined);
    return 0;
  };

  const link = (
    context: SyscallContext,
    fromDirectory: number,
    fromPath: string,
    toDirectory: number,
    toPath: string,
    flags: number,
  ): number => {
    if ((flags & ~(At.SYMLINK_FOLLOW | At.EMPTY_PATH)) !== 0) throw new Errno('EINVAL');
    const follow = (flags & At.SYMLINK_FOLLOW) !== 0;
    const from = placeAt(
      context,
      fromDirectory,
      fromPath,
      (flags & At.EMPTY_PATH) | (follow ? 0 : At.SYMLINK_NOFOLLOW),
    );
    if (from.inode.isDirectory) throw new Errno('EPERM');
    const { directory, name } = freeName(context, toDirectory, toPath);
    if (directory.mount !== from.mount) throw new Errno('EXDEV');
    directory.inode.linkTo(name, from.inode);
    noticesOf(context).file(
      { inode: from.inode, attributes: () => from.inode.attributes() },
      undefined,
      FileEvent.ATTRIB,
    );
    noticesOf(context).entry(directory, name, FileEvent.CREATE);
    return 0;
  };

  const symlink = (context: SyscallContext, target: string, directory: number, path: string): number => {
    if (target === '') throw new Errno('ENOENT');
    const free = freeName(context, directory, path);
    free.directory.inode.createLink(free.name, target, creationFor(free.directory, 0o777, callerOf(context)));
    noticesOf(context).entry(free.directory, free.name, FileEvent.CREATE);
    return 0;
  };

  const mkdir = (context: SyscallContext, directory: number, path: string, mode: number): number => {
    const free = freeName(context, directory, path, true);
    // mkdir(2): of the special bits only the sticky one, and set-group-ID from the parent.
    const inherited = free.directory.inode.attributes().mode & 0o2000;
    const permissions = (mode & 0o1777 & ~context.process.umask) | inherited;
    free.directory.inode.createDirectory(free.name, creationFor(free.directory, permissions, callerOf(context)));
    noticesOf(context).entry(free.directory, free.name, FileEvent.CREATE, true);
    return 0;
  };

  const mknod = (context: SyscallContext, directory: number, path: string, mode: number): number => {
    const type = mode & FileType.MASK || FileType.REGULAR;
    if (type === FileType.CHARACTER || type === FileType.BLOCK) throw new Errno('EPERM');
    if (type !== FileType.REGULAR && type !== FileType.FIFO && type !== FileType.SOCKET) throw new Errno('EINVAL');
    const free = freeName(context, directory, path);
    const permissions = mode & 0o7777 & ~context.process.umask;
    free.directory.inode.createNode(free.name, type, creationFor(free.directory, permissions, callerOf(context)));
    noticesOf(context).entry(free.directory, free.name, FileEvent.CREATE);
    return 0;
  };

  const readlink = (
    context: SyscallContext,
    directory: number,
    path: string,
    address: number,
    size: number,
  ): number => {
    if (int(size) <= 0) throw new Errno('EINVAL');
    const { inode } =
      path === '' ? placeAt(context, directory, path, At.EMPTY_PATH) : existingAt(context, directory, path, false);
    if (inode.type !== FileType.SYMLINK) throw new Errno(path === '' ? 'ENOENT' : 'EINVAL');
    const target = bytesOf(inode.readLink()).subarray(0, size);
    context.memory.write(address, target);
    return target.length;
  };

  const access = (context: SyscallContext, directory: number, path: string, mode: number, flags: number): number => {
    if ((mode & ~7) !== 0) throw new Errno('EINVAL');
    if ((flags & ~(At.EACCESS | At.SYMLINK_NOFOLLOW | At.EMPTY_PATH)) !== 0) throw new Errno('EINVAL');
    const { credentials, pid } = context.process;
    // access(2) asks for the real user, faccessat's AT_EACCESS for the effective one.
    const { uid, gid } = credentials;
    const asked = (flags & At.EACCESS) !== 0 ? credentials : { uid, gid, euid: uid, egid: gid };
    const { inode, mount } = placeAtAs(context, { pid, credentials: asked }, directory, path, flags);
    if (!inode.permits(asked, mode)) throw new Errno('EACCES');
    if ((mode & Access.WRITE) !== 0 && mount.readOnly && isStored(inode)) throw new Errno('EROFS');
    return 0;
  };

  const changeDirectory = (context: SyscallContext, place: Place): number => {
    if (!place.inode.isDirectory) throw new Errno('ENOTDIR');
    if (!place.inode.permits(context.process.credentials, Access.EXECUTE)) throw new Errno('EACCES');
    const { inode, mount } = place;
    filesOf(context).workingDirectory = { inode, mount };
    return 0;
  };

  const refused: SyscallHandler = () => {
    throw new Errno('EPERM');
  };
  const path = (context: SyscallContext, address: number): string => pathAt(context.memory, address);
  const word = (flags: number): OpenWord => decodeOpenFlags(abi, flags);
  const CREAT = abi.openFlags.O_CREAT | abi.openFlags.O_TRUNC | 1;

  return {
    open: (c, p = 0, flags = 0, mode = 0) => open(c, AT_FDCWD, path(c, p), word(flags), mode),
    openat: (c, fd = 0, p = 0, flags = 0, mode = 0) => open(c, fd, path(c, p), word(flags), mode),
    creat: (c, p = 0, mode = 0) => open(c, AT_FDCWD, path(c, p), word(CREAT), mode),
    openat2: (c, fd = 0, p = 0, how = 0, size = 0) => {
      if (size < OPEN_HOW.size) throw new Errno('EINVAL');
      if (size > 4096) throw new Errno('E2BIG');
      const bytes = c.memory.read(how, size);
      if (bytes.subarray(OPEN_HOW.size).some((byte) => byte !== 0)) throw new Errno('E2BIG');
      const { flags, mode, resolve } = decodeStruct(OPEN_HOW, bytes, c.memory.byteOrder);
      if (resolve > 0x3fn || flags > 0xffffffffn || mode > 0o7777n) throw new Errno('EINVAL');
      const bits = Number(resolve);
      if ((bits & Resolve.CACHED) !== 0) throw new Errno('EAGAIN');
      const both = Resolve.BENEATH | Resolve.IN_ROOT;
      if ((bits & both) === both) throw new Errno('EINVAL');
      return open(c, fd, path(c, p), word(Number(flags)), Number(mode), {
        noLinks: (bits & Resolve.NO_SYMLINKS) !== 0,
        noMagicLinks: (bits & Resolve.NO_MAGICLINKS) !== 0,
        noCrossing: (bits & Resolve.NO_XDEV) !== 0,
        beneath: (bits & Resolve.BENEATH) !== 0,
        inRoot: (bits & Resolve.IN_ROOT) !== 0,
      });
    },

    mkdir: (c, p = 0, mode = 0) => mkdir(c, AT_FDCWD, path(c, p), mode),
    mkdirat: (c, fd = 0, p = 0, mode = 0) => mkdir(c, fd, path(c, p), mode),
    mknod: (c, p = 0, mode = 0) => mknod(c, AT_FDCWD, path(c, p), mode),
    mknodat: (c, fd = 0, p = 0, mode = 0) => mknod(c, fd, path(c, p), mode),
    rmdir: (c, p = 0) => rmdir(c, AT_FDCWD, path(c, p)),
    unlink: (c, p = 0) => unlink(c, AT_FDCWD, path(c, p)),
    unlinkat: (c, fd = 0, p = 0, flags = 0) => {
      if ((flags & ~At.REMOVEDIR) !== 0) throw new Errno('EINVAL');
      return flags === 0 ? unlink(c, fd, path(c, p)) : rmdir(c, fd, path(c, p));
    },
    rename: (c, from = 0, to = 0) => rename(c, AT_FDCWD, path(c, from), AT_FDCWD, path(c, to), 0),
    renameat: (c, fromFd = 0, from = 0, toFd = 0, to = 0) => rename(c, fromFd, path(c, from), toFd, path(c, to), 0),
    renameat2: (c, fromFd = 0, from = 0, toFd = 0, to = 0, flags = 0) =>
      rename(c, fromFd, path(c, from), toFd, path(c, to), flags),
    link: (c, from = 0, to = 0) => link(c, AT_FDCWD, path(c, from), AT_FDCWD, path(c, to), 0),
    linkat: (c, fromFd = 0, from = 0, toFd = 0, to = 0, flags = 0) =>
      link(c, fromFd, path(c, from), toFd, path(c, to), flags),
    symlink: (c, target = 0, p = 0) => symlink(c, path(c, target), AT_FDCWD, path(c, p)),
    symlinkat: (c, target = 0, fd = 0, p = 0) => symlink(c, path(c, target), fd, path(c, p)),
    readlink: (c, p = 0, buffer = 0, size = 0) => {
      const name = path(c, p);
      if (name === '') throw new Errno('ENOENT');
      return readlink(c, AT_FDCWD, name, buffer, size);
    },
    readlinkat: (c, fd = 0, p = 0, buffer = 0, size = 0) => readlink(c, fd, path(c, p), buffer, size),
    access: (c, p = 0, mode = 0) => access(c, AT_FDCWD, path(c, p), mode, 0),
    faccessat: (c, fd = 0, p = 0, mode = 0) => access(c, fd, path(c, p), mode, 0),
    faccessat2: (c, fd = 0, p = 0, mode = 0, flags = 0) => access(c, fd, path(c, p), mode, flags),

    chdir: (c, p = 0) => changeDirectory(c, existingAt(c, AT_FDCWD, path(c, p), true)),
    fchdir: (c, fd = 0) => {
      const { inode, mount } = filesOf(c).file(fd);
      return changeDirectory(c, { inode, mount });
    },
    getcwd: (c, address = 0, size = 0) => {
      const { workingDirectory, fileSystem } = filesOf(c);
      const directory = fileSystem.mounts.pathOf(workingDirectory);
      if (directory === undefined) throw new Errno('ENOENT');
      const bytes = bytesOf(`${directory}\0`);
      if (bytes.length > PATH_MAX) throw new Errno('ENAMETOOLONG');
      if (bytes.length > size) throw new Errno('ERANGE');
      c.memory.write(address, bytes);
      return bytes.length;
    },
    umask: (c, mask = 0) => {
      const previous = c.process.umask;
      c.process.setUmask(mask & 0o777);
      return previous;
    },

    chroot: refused,
    pivot_root: refused,
    mount: refused,
    umount: refused,
    umount2: refused,
    swapon: refused,
    swapoff: refused,
    open_by_handle_at: refused,
    name_to_handle_at: () => {
      throw new Errno('EOPNOTSUPP');
    },
  };
}

/** With other credentials than the caller's own. */
function placeAtAs(context: SyscallContext, caller: PathCaller, directory: number, path: string, flags: number): Place {
  if (path === '') return placeAt(context, directory, path, flags);
  const follow = (flags & At.SYMLINK_NOFOLLOW) === 0;
  const { place } = filesOf(context).resolve(path, caller, { follow, directory });
  if (!place) throw new Errno('ENOENT');
  return place;
}

/** Whether writing a file of this type writes to its file system. */
const isStored = ({ type }: Inode): boolean =>
  type === FileType.REGULAR || type === FileType.DIRECTORY || type === FileType.SYMLINK;

/** Whether a directory is another, or lies below it. */
function isWithin(directory: Inode, ancestor: Inode): boolean {
  for (let at = directory; ; at = at.parent) {
    if (at === ancestor) return true;
    if (at.parent === at) return false;
  }
}
