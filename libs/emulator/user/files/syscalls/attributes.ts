/** System calls on what is known of files: stat, chmod, chown, utimes, truncate, statfs, extended attributes. */
import type { LinuxFileAbi, StatField, StatfsField } from '../../../targets/linux-abi/file-abi.js';
import type { IntegerStruct } from '../../../targets/linux-abi/file-abi.js';
import { STATX, TIMESPEC64 } from '../../../targets/linux-abi/common.js';
import { fits, readStruct, writeStruct } from '../../abi/struct.js';
import { Errno } from '../../kernel/contracts.js';
import type { SyscallContext, SyscallHandler, SyscallTable } from '../../kernel/contracts.js';
import { Access, FileType, majorOf, minorOf } from '../../vfs/inode.js';
import type { AttributeChange, Attributes, Inode } from '../../vfs/inode.js';
import type { Mount } from '../../vfs/mounts.js';
import { FileEvent } from '../change-notices.js';
import { isRegular } from '../open-file.js';
import type { FoundAt } from '../open-file.js';
import { AT_FDCWD, filesOf } from '../process-files.js';
import { int, long, pathAt } from './arguments.js';
import { At, existingAt, placeAt } from './paths.js';
import type { FoundPlace } from './paths.js';

const NS_PER_S = 1_000_000_000n;
const UTIME_NOW = 0x3fffffff;
const UTIME_OMIT = 0x3ffffffe;
const STATX_BASIC_STATS = 0x7ff;
const STATX_MNT_ID = 0x1000;
const STATX_RESERVED = 0x80000000;
const MAX_FILE_BYTES = Number.MAX_SAFE_INTEGER;

/** statfs(2), f_flags: ST_VALID, ST_RDONLY, ST_RELATIME. */
const ST_RDONLY = 1;
const ST_VALID = 0x20;
const ST_RELATIME = 0x1000;

const seconds = (ns: bigint): bigint => (ns - nanoseconds(ns)) / NS_PER_S;
const nanoseconds = (ns: bigint): bigint => ((ns % NS_PER_S) + NS_PER_S) % NS_PER_S;

/** What chmod, chown and utimes act on: a place, or an open file whose name may be gone. */
interface Changeable {
  readonly inode: Inode;
  readonly foundAt: FoundAt | undefined;
  readonly mount: Mount;
  attributes(): Attributes;
  change(change: AttributeChange): void;
}

const changeable = ({ inode, mount, foundAt }: FoundPlace): Changeable => ({
  inode,
  foundAt,
  mount,
  attributes: () => inode.attributes(),
  change: (change) => inode.change(change),
});

export function attributeSyscalls(abi: LinuxFileAbi): SyscallTable {
  const { structs } = abi;

  const storeStat = (
    context: SyscallContext,
    address: number,
    layout: IntegerStruct<StatField>,
    attributes: Attributes,
  ): number => {
    if (!fits(layout, 'st_size', attributes.size) || !fits(layout, 'st_ino', attributes.inode)) {
      throw new Errno('EOVERFLOW');
    }
    writeStruct(context.memory, address, layout, {
      st_dev: attributes.device,
      st_ino: attributes.inode,
      st_mode: attributes.mode,
      st_nlink: attributes.links,
      st_uid: attributes.uid,
      st_gid: attributes.gid,
      st_rdev: attributes.specialDevice,
      st_size: attributes.size,
      st_atime: seconds(attributes.accessedNs),
      st_atime_nsec: nanoseconds(attributes.accessedNs),
      st_mtime: seconds(attributes.modifiedNs),
      st_mtime_nsec: nanoseconds(attributes.modifiedNs),
      st_ctime: seconds(attributes.changedNs),
      st_ctime_nsec: nanoseconds(attributes.changedNs),
      st_blksize: attributes.blockSize,
      st_blocks: attributes.blocks,
    });
    return 0;
  };

  const path = (context: SyscallContext, address: number): string => pathAt(context.memory, address);
  const attributesAt = (context: SyscallContext, fd: number, name: string, flags: number): Attributes =>
    name === '' && (flags & At.EMPTY_PATH) !== 0 && int(fd) !== AT_FDCWD
      ? filesOf(context).file(fd).attributes()
      : placeAt(context, fd, name, flags).inode.attributes();

  /** stat, lstat, fstat and fstatat with one layout. */
  const statCalls = (
    layout: IntegerStruct<StatField>,
  ): Record<'stat' | 'lstat' | 'fstat' | 'fstatat', SyscallHandler> => ({
    stat: (c, p = 0, to = 0) => storeStat(c, to, layout, existingAt(c, AT_FDCWD, path(c, p), true).inode.attributes()),
    lstat: (c, p = 0, to = 0) =>
      storeStat(c, to, layout, existingAt(c, AT_FDCWD, path(c, p), false).inode.attributes()),
    fstat: (c, fd = 0, to = 0) => storeStat(c, to, layout, filesOf(c).file(fd).attributes()),
    fstatat: (c, fd = 0, p = 0, to = 0, flags = 0) => {
      if ((flags & ~(At.SYMLINK_NOFOLLOW | At.NO_AUTOMOUNT | At.EMPTY_PATH)) !== 0) throw new Errno('EINVAL');
      return storeStat(c, to, layout, attributesAt(c, fd, path(c, p), flags));
    },
  });
  const old = statCalls(structs.stat);
  const wide = statCalls(structs.stat64 ?? structs.stat);

  const statx: SyscallHandler = (c, fd = 0, p = 0, flags = 0, mask = 0, to = 0) => {
    const SYNC_TYPE = 0x6000;
    const known = At.SYMLINK_NOFOLLOW | At.NO_AUTOMOUNT | At.EMPTY_PATH | SYNC_TYPE;
    if ((flags & ~known) !== 0 || (flags & SYNC_TYPE) === SYNC_TYPE || (mask & STATX_RESERVED) !== 0) {
      throw new Errno('EINVAL');
    }
    const a = attributesAt(c, fd, path(c, p), flags);
    writeStruct(c.memory, to, STATX, {
      stx_mask: STATX_BASIC_STATS | STATX_MNT_ID,
      stx_blksize: a.blockSize,
      stx_attributes: 0,
      stx_nlink: a.links,
      stx_uid: a.uid,
      stx_gid: a.gid,
      stx_mode: a.mode,
      stx_ino: a.inode,
      stx_size: a.size,
      stx_blocks: a.blocks,
      stx_attributes_mask: 0,
      stx_atime_sec: seconds(a.accessedNs),
      stx_atime_nsec: nanoseconds(a.accessedNs),
      stx_btime_sec: 0,
      stx_btime_nsec: 0,
      stx_ctime_sec: seconds(a.changedNs),
      stx_ctime_nsec: nanoseconds(a.changedNs),
      stx_mtime_sec: seconds(a.modifiedNs),
      stx_mtime_nsec: nanoseconds(a.modifiedNs),
      stx_rdev_major: majorOf(a.specialDevice),
      stx_rdev_minor: minorOf(a.specialDevice),
      stx_dev_major: majorOf(a.device),
      stx_dev_minor: minorOf(a.device),
      stx_mnt_id: 1,
    });
    return 0;
  };

  const storeStatfs = (
    c: SyscallContext,
    to: number,
    layout: IntegerStruct<StatfsField>,
    { tree, readOnly }: Mount,
  ): number => {
    const s = tree.statistics();
    const largest = Math.max(s.blocks, s.files);
    if (!fits(layout, 'f_blocks', largest) || !fits(layout, 'f_files', s.files)) throw new Errno('EOVERFLOW');
    writeStruct(c.memory, to, layout, {
      f_type: s.type,
      f_bsize: s.blockSize,
      f_frsize: s.blockSize,
      f_blocks: s.blocks,
      f_bfree: s.freeBlocks,
      f_files: s.files,
      f_ffree: s.freeFiles,
      f_bavail: s.availableBlocks,
      f_namelen: 255,
      f_flags: ST_VALID | ST_RELATIME | (readOnly ? ST_RDONLY : 0),
    });
    return 0;
  };
  const statfs64 = structs.statfs64 ?? structs.statfs;
  const withSize = (size: number, layout: IntegerStruct<StatfsField>): void => {
    // The last words may be missing: the C library's idea of the structure's alignment differs on some machines.
    if (size !== layout.size && size !== layout.size - 4) throw new Errno('EINVAL');
  };

  const chmod = (c: SyscallContext, target: Changeable, mode: number): number => {
    mayOwn(c, target);
    target.change({ mode: mode & 0o7777 });
    tell(c, target, FileEvent.ATTRIB);
    return 0;
  };
  const chown = (c: SyscallContext, target: Changeable, uidWord: number, gidWord: number): number => {
    if (target.mount.readOnly) throw new Errno('EROFS');
    const [uid, gid] = [int(uidWord) === -1 ? undefined : uidWord, int(gidWord) === -1 ? undefined : gidWord];
    const { credentials } = c.process;
    const now = target.attributes();
    if (credentials.euid !== 0) {
      const keepsOwner = uid === undefined || uid === now.uid;
      const ownGroup = gid === undefined || gid === now.gid || gid === credentials.egid;
      if (now.uid !== credentials.euid || !keepsOwner || !ownGroup) throw new Errno('EPERM');
    }
    // chown(2): the set-user-ID and set-group-ID bits of programs are cleared.
    const isProgram = (now.mode & FileType.MASK) === FileType.REGULAR && (now.mode & 0o6000) !== 0;
    target.change({
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
    });
    if (isProgram) target.change({ mode: now.mode & 0o1777 });
    if (isProgram || uid !== undefined || gid !== undefined) tell(c, target, FileEvent.ATTRIB);
    return 0;
  };

  const setTimes = (
    c: SyscallContext,
    target: Changeable,
    times: { accessedNs?: bigint; modifiedNs?: bigint } | 'now',
  ): number => {
    if (target.mount.readOnly) throw new Errno('EROFS');
    const now = c.clock.realtimeNs();
    const { credentials } = c.process;
    const owns = credentials.euid === 0 || credentials.euid === target.attributes().uid;
    if (times === 'now') {
      if (!owns && (target.attributes().mode & 0o222) === 0) throw new Errno('EACCES');
      target.change({ accessedNs: now, modifiedNs: now });
      tell(c, target, FileEvent.ATTRIB);
      return 0;
    }
    if (times.accessedNs === undefined && times.modifiedNs === undefined) return 0;
    if (!owns) throw new Errno('EPERM');
    target.change(times);
    const both = times.accessedNs !== undefined && times.modifiedNs !== undefined;
    tell(c, target, both ? FileEvent.ATTRIB : times.modifiedNs === undefined ? FileEvent.ACCESS : FileEvent.MODIFY);
    return 0;
  };

  const utimensat = (
    c: SyscallContext,
    fd: number,
    p: number,
    times: number,
    flags: number,
    wide64: boolean,
  ): number => {
    if ((flags & ~(At.SYMLINK_NOFOLLOW | At.EMPTY_PATH)) !== 0) throw new Errno('EINVAL');
    const value = times === 0 ? 'now' : readTimes(c, times, wide64);
    // A null path is the descriptor itself: futimens(3).
    const target = p === 0 ? filesOf(c).file(fd) : changeable(placeAt(c, fd, path(c, p), flags));
    if (p === 0 && int(fd) === AT_FDCWD) throw new Errno('EFAULT');
    return setTimes(c, target, value);
  };

  const readTimes = (
    c: SyscallContext,
    address: number,
    wide64: boolean,
  ): { accessedNs?: bigint; modifiedNs?: bigint } => {
    const layout = wide64 ? TIMESPEC64 : structs.timespec;
    const now = c.clock.realtimeNs();
    const one = (at: number): bigint | undefined => {
      const { tv_sec, tv_nsec } = readStruct(c.memory, at, layout);
      const nsec = Number(BigInt.asIntN(abi.dataModel.longBytes * 8, BigInt(tv_nsec)));
      if (nsec === UTIME_NOW) return now;
      if (nsec === UTIME_OMIT) return undefined;
      if (nsec < 0 || nsec > 999_999_999) throw new Errno('EINVAL');
      return BigInt(tv_sec) * NS_PER_S + BigInt(nsec);
    };
    const [accessedNs, modifiedNs] = [one(address), one(address + layout.size)];
    return {
      ...(accessedNs === undefined ? {} : { accessedNs }),
      ...(modifiedNs === undefined ? {} : { modifiedNs }),
    };
  };

  /** utimes and futimesat: two timevals. */
  const timevals = (c: SyscallContext, address: number): { accessedNs: bigint; modifiedNs: bigint } | 'now' => {
    if (address === 0) return 'now';
    const layout = structs.timeval;
    const one = (at: number): bigint => {
      const { tv_sec, tv_usec } = readStruct(c.memory, at, layout);
      if (Number(tv_usec) < 0 || Number(tv_usec) > 999_999) throw new Errno('EINVAL');
      return BigInt(tv_sec) * NS_PER_S + BigInt(tv_usec) * 1000n;
    };
    return { accessedNs: one(address), modifiedNs: one(address + layout.size) };
  };

  const truncate = (c: SyscallContext, name: string, size: number): number => {
    if (size < 0) throw new Errno('EINVAL');
    if (size > MAX_FILE_BYTES) throw new Errno('EFBIG');
    const place = existingAt(c, AT_FDCWD, name, true);
    const { inode, mount } = place;
    if (inode.isDirectory) throw new Errno('EISDIR');
    if (inode.type !== FileType.REGULAR) throw new Errno('EINVAL');
    if (mount.readOnly) throw new Errno('EROFS');
    if (!inode.permits(c.process.credentials, Access.WRITE)) throw new Errno('EACCES');
    const content = filesOf(c).fileSystem.openContent(inode, { read: false, write: true });
    try {
      content.truncate(size);
    } finally {
      content.close();
    }
    tell(c, changeable(place), FileEvent.MODIFY);
    return 0;
  };

  const ftruncate = (c: SyscallContext, fd: number, size: number): number => {
    if (size < 0) throw new Errno('EINVAL');
    if (size > MAX_FILE_BYTES) throw new Errno('EFBIG');
    const file = filesOf(c).file(fd);
    if (file.flags.pathOnly) throw new Errno('EBADF');
    if (!isRegular(file) || !file.flags.write) throw new Errno('EINVAL');
    file.truncate(size);
    return 0;
  };

  const at = (c: SyscallContext, fd: number, p: number, follow: boolean): Changeable =>
    changeable(existingAt(c, fd, path(c, p), follow));
  const open = (c: SyscallContext, fd: number): Changeable => {
    const file = filesOf(c).file(fd);
    if (file.flags.pathOnly) throw new Errno('EBADF');
    return file;
  };
  /** Extended attributes: no tree has any. The file must exist all the same. */
  const noAttributes = (find: (c: SyscallContext, first: number) => unknown): SyscallHandler => {
    return (c, first = 0) => {
      find(c, first);
      throw new Errno('EOPNOTSUPP');
    };
  };
  const followed = (c: SyscallContext, p: number): Inode => existingAt(c, AT_FDCWD, path(c, p), true).inode;
  const unfollowed = (c: SyscallContext, p: number): Inode => existingAt(c, AT_FDCWD, path(c, p), false).inode;
  const byDescriptor = (c: SyscallContext, fd: number): unknown => filesOf(c).file(fd);

  return {
    stat: old.stat,
    lstat: old.lstat,
    fstat: old.fstat,
    newfstatat: old.fstatat,
    stat64: wide.stat,
    lstat64: wide.lstat,
    fstat64: wide.fstat,
    fstatat64: wide.fstatat,
    statx,

    statfs: (c, p = 0, to = 0) => storeStatfs(c, to, structs.statfs, existingAt(c, AT_FDCWD, path(c, p), true).mount),
    fstatfs: (c, fd = 0, to = 0) => storeStatfs(c, to, structs.statfs, filesOf(c).file(fd).mount),
    statfs64: (c, p = 0, size = 0, to = 0) => {
      withSize(size, statfs64);
      return storeStatfs(c, to, statfs64, existingAt(c, AT_FDCWD, path(c, p), true).mount);
    },
    fstatfs64: (c, fd = 0, size = 0, to = 0) => {
      withSize(size, statfs64);
      return storeStatfs(c, to, statfs64, filesOf(c).file(fd).mount);
    },

    chmod: (c, p = 0, mode = 0) => chmod(c, at(c, AT_FDCWD, p, true), mode),
    fchmod: (c, fd = 0, mode = 0) => chmod(c, open(c, fd), mode),
    fchmodat: (c, fd = 0, p = 0, mode = 0) => chmod(c, at(c, fd, p, true), mode),
    chown: (c, p = 0, uid = 0, gid = 0) => chown(c, at(c, AT_FDCWD, p, true), uid, gid),
    lchown: (c, p = 0, uid = 0, gid = 0) => chown(c, at(c, AT_FDCWD, p, false), uid, gid),
    fchown: (c, fd = 0, uid = 0, gid = 0) => chown(c, open(c, fd), uid, gid),
    fchownat: (c, fd = 0, p = 0, uid = 0, gid = 0, flags = 0) => {
      if ((flags & ~(At.SYMLINK_NOFOLLOW | At.EMPTY_PATH)) !== 0) throw new Errno('EINVAL');
      return chown(c, changeable(placeAt(c, fd, path(c, p), flags)), uid, gid);
    },

    utime: (c, p = 0, times = 0) => {
      const word = abi.dataModel.longBytes;
      const longAt = (address: number): bigint =>
        word === 8 ? BigInt.asIntN(64, c.memory.u64(address)) : BigInt(c.memory.i32(address));
      const target = at(c, AT_FDCWD, p, true);
      if (times === 0) return setTimes(c, target, 'now');
      return setTimes(c, target, { accessedNs: longAt(times) * NS_PER_S, modifiedNs: longAt(times + word) * NS_PER_S });
    },
    utimes: (c, p = 0, times = 0) => setTimes(c, at(c, AT_FDCWD, p, true), timevals(c, times)),
    futimesat: (c, fd = 0, p = 0, times = 0) =>
      setTimes(c, p === 0 ? open(c, fd) : at(c, fd, p, true), timevals(c, times)),
    utimensat: (c, fd = 0, p = 0, times = 0, flags = 0) =>
      utimensat(c, fd, p, times, flags, abi.dataModel.longBytes === 8),
    utimensat_time64: (c, fd = 0, p = 0, times = 0, flags = 0) => utimensat(c, fd, p, times, flags, true),

    truncate: (c, p = 0, size = 0) => truncate(c, path(c, p), long(abi, size)),
    ftruncate: (c, fd = 0, size = 0) => ftruncate(c, fd, long(abi, size)),
    truncate64: (c, p = 0, size = 0) => truncate(c, path(c, p), size),
    ftruncate64: (c, fd = 0, size = 0) => ftruncate(c, fd, size),

    getxattr: noAttributes(followed),
    setxattr: noAttributes(followed),
    removexattr: noAttributes(followed),
    lgetxattr: noAttributes(unfollowed),
    lsetxattr: noAttributes(unfollowed),
    lremovexattr: noAttributes(unfollowed),
    fgetxattr: noAttributes(byDescriptor),
    fsetxattr: noAttributes(byDescriptor),
    fremovexattr: noAttributes(byDescriptor),
    // listxattr(2): a file without any has an empty list.
    listxattr: (c, p = 0) => (followed(c, p), 0),
    llistxattr: (c, p = 0) => (unfollowed(c, p), 0),
    flistxattr: (c, fd = 0) => (byDescriptor(c, fd), 0),
  };
}

function tell(context: SyscallContext, target: Changeable, event: number): void {
  filesOf(context).fileSystem.notices.file(target, target.foundAt, event);
}

/** Only owners change permissions. @throws Errno EROFS, EPERM */
function mayOwn(context: SyscallContext, target: Changeable): void {
  if (target.mount.readOnly) throw new Errno('EROFS');
  const { euid } = context.process.credentials;
  if (euid !== 0 && euid !== target.attributes().uid) throw new Errno('EPERM');
}
