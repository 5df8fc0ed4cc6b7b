/** System calls on descriptors: close, dup, fcntl, ioctl, locks, pipes, directory listings. */
import type { IntegerStruct, LinuxFileAbi } from '../../../targets/linux-abi/file-abi.js';
import { F_OWNER_EX } from '../../../targets/linux-abi/common.js';
import { fits, readStruct, writeStruct } from '../../abi/struct.js';
import { Errno } from '../../kernel/contracts.js';
import type { SyscallContext, SyscallHandler, SyscallResult, SyscallTable } from '../../kernel/contracts.js';
import type { RecordLock } from '../locks.js';
import { DirectoryFile, isRegular, plainFlags, RegularFile } from '../open-file.js';
import type { FileFlags, ListedEntry, OpenFile } from '../open-file.js';
import { PipeEnd } from '../pipe.js';
import { lockKey } from '../proc.js';
import { FileEvent } from '../change-notices.js';
import { bytesOf, filesOf } from '../process-files.js';
import { decodeOpenFlags, encodeStatusFlags, int, pathAt } from './arguments.js';

/** fcntl(2) commands with the same number everywhere, linux/fcntl.h and asm-generic/fcntl.h. */
const Fcntl = {
  DUPFD: 0,
  GETFD: 1,
  SETFD: 2,
  GETFL: 3,
  SETFL: 4,
  SETSIG: 10,
  GETSIG: 11,
  SETOWN_EX: 15,
  GETOWN_EX: 16,
  OFD_GETLK: 36,
  OFD_SETLK: 37,
  OFD_SETLKW: 38,
  SETLEASE: 1024,
  GETLEASE: 1025,
  DUPFD_CLOEXEC: 1030,
  SETPIPE_SZ: 1031,
  GETPIPE_SZ: 1032,
  ADD_SEALS: 1033,
  GET_SEALS: 1034,
} as const;
const LockType = { READ: 0, WRITE: 1, UNLOCK: 2 } as const;
const FD_CLOEXEC = 1;
/** flock(2). */
const Flock = { SHARED: 1, EXCLUSIVE: 2, NONBLOCK: 4, UNLOCK: 8 } as const;
/** memfd_create(2). */
const Memfd = { CLOEXEC: 1, ALLOW_SEALING: 2, KNOWN: 3 } as const;
/** close_range(2). */
const CloseRange = { UNSHARE: 2, CLOEXEC: 4 } as const;

/** `d_type` of an entry, readdir(3): the type bits of the mode. */
const dirType = (type: number): number => type >> 12;

export function descriptorSyscalls(abi: LinuxFileAbi): SyscallTable {
  const dup3 = (c: SyscallContext, from: number, to: number, closeOnExec: boolean): number => {
    const files = filesOf(c);
    const file = files.file(from);
    if (int(to) < 0 || to >= c.process.maxFiles) throw new Errno('EBADF');
    const replaced = files.descriptorTable.has(to) ? files.file(to) : undefined;
    if (replaced instanceof RegularFile) files.fileSystem.locks.release(lockKey(replaced), files.descriptorTable);
    files.descriptorTable.put(to, file, closeOnExec);
    return to;
  };

  const closeOnExecOf = (flags: number): boolean => {
    if ((flags & ~abi.openFlags.O_CLOEXEC) !== 0) throw new Errno('EINVAL');
    return flags !== 0;
  };

  const createPipe = (c: SyscallContext, flags: number): [number, number] => {
    const { O_CLOEXEC, O_NONBLOCK, O_DIRECT } = abi.openFlags;
    if ((flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT)) !== 0) throw new Errno('EINVAL');
    const files = filesOf(c);
    const { reader, writer } = files.fileSystem.createPipe((flags & O_NONBLOCK) !== 0, (flags & O_DIRECT) !== 0);
    return addPair(c, reader, writer, (flags & O_CLOEXEC) !== 0);
  };

  const fcntl = (c: SyscallContext, fd: number, command: number, argument: number, wide: boolean): SyscallResult => {
    const files = filesOf(c);
    const entry = files.descriptorTable.entry(fd);
    const { file } = entry;
    const numbers = abi.fcntl;
    const { flock } = abi.structs;
    const flock64 = abi.structs.flock64 ?? flock;
    const { process } = c;
    switch (command) {
      case Fcntl.DUPFD:
      case Fcntl.DUPFD_CLOEXEC: {
        if (int(argument) < 0 || argument >= process.maxFiles) throw new Errno('EINVAL');
        const closeOnExec = command === Fcntl.DUPFD_CLOEXEC;
        return files.descriptorTable.add(file, { limit: process.maxFiles, closeOnExec, least: argument });
      }
      case Fcntl.GETFD:
        return entry.closeOnExec ? FD_CLOEXEC : 0;
      case Fcntl.SETFD:
        entry.closeOnExec = (argument & FD_CLOEXEC) !== 0;
        return 0;
      case Fcntl.GETFL:
        return encodeStatusFlags(abi, file.flags);
    }
    if (file.flags.pathOnly) throw new Errno('EBADF');
    switch (command) {
      case Fcntl.SETFL: {
        const { flags } = decodeOpenFlags(abi, argument);
        setStatusFlags(file.flags, flags);
        return 0;
      }
      case numbers.F_GETLK:
        return getLock(c, file, argument, flock, false);
      case numbers.F_SETLK:
        return setLock(c, file, argument, flock, false, false);
      case numbers.F_SETLKW:
        return setLock(c, file, argument, flock, true, false);
      case Fcntl.OFD_GETLK:
        return getLock(c, file, argument, wide ? flock64 : flock, true);
      case Fcntl.OFD_SETLK:
        return setLock(c, file, argument, wide ? flock64 : flock, false, true);
      case Fcntl.OFD_SETLKW:
        return setLock(c, file, argument, wide ? flock64 : flock, true, true);
      case numbers.F_SETOWN:
        file.owner = int(argument);
        return 0;
      case numbers.F_GETOWN:
        return file.owner;
      case Fcntl.SETOWN_EX: {
        const { type, pid } = readStruct(c.memory, argument, F_OWNER_EX);
        if (type < 0 || type > 2) throw new Errno('EINVAL');
        file.owner = type === 2 ? -pid : pid;
        return 0;
      }
      case Fcntl.GETOWN_EX:
        writeStruct(c.memory, argument, F_OWNER_EX, { type: file.owner < 0 ? 2 : 1, pid: Math.abs(file.owner) });
        return 0;
      case Fcntl.SETSIG:
      case Fcntl.GETSIG:
        return 0; // the default, SIGIO
      case Fcntl.GETLEASE:
        return LockType.UNLOCK;
      case Fcntl.GETPIPE_SZ:
        if (!(file instanceof PipeEnd)) throw new Errno('EBADF');
        return file.pipe.capacity;
      case Fcntl.SETPIPE_SZ:
        if (!(file instanceof PipeEnd)) throw new Errno('EBADF');
        if (int(argument) < 0) throw new Errno('EINVAL');
        return file.pipe.resize(argument);
    }
    // On 64-bit ABIs these have no numbers of their own.
    if (wide && command === numbers.F_GETLK64) return getLock(c, file, argument, flock64, false);
    if (wide && command === numbers.F_SETLK64) return setLock(c, file, argument, flock64, false, false);
    if (wide && command === numbers.F_SETLKW64) return setLock(c, file, argument, flock64, true, false);
    throw new Errno('EINVAL');
  };

  const ioctl: SyscallHandler = (c, fd = 0, command = 0, argument = 0) => {
    const files = filesOf(c);
    const entry = files.descriptorTable.entry(fd);
    const { file } = entry;
    if (file.flags.pathOnly) throw new Errno('EBADF');
    const numbers = abi.ioctl;
    switch (command) {
      case numbers.FIOCLEX:
        entry.closeOnExec = true;
        return 0;
      case numbers.FIONCLEX:
        entry.closeOnExec = false;
        return 0;
      case numbers.FIONBIO:
        file.flags.nonblocking = c.memory.u32(argument) !== 0;
        return 0;
      case numbers.FIOASYNC:
        file.flags.async = c.memory.u32(argument) !== 0;
        return 0;
      case numbers.FIONREAD:
        c.memory.setU32(argument, Math.min(file.available(c), 0x7fffffff));
        return 0;
    }
    const result = file.ioctl({ abi, command, argument, context: c });
    if (result === undefined) throw new Errno('ENOTTY');
    return result;
  };

  /** getdents and getdents64: entries of variable length. */
  const listing = (
    c: SyscallContext,
    fd: number,
    address: number,
    size: number,
    encode: (entry: ListedEntry, nextOffset: number, order: 'little' | 'big') => Uint8Array,
  ): number => {
    const file = filesOf(c).file(fd);
    if (file.flags.pathOnly) throw new Errno('EBADF');
    if (!(file instanceof DirectoryFile)) throw new Errno('ENOTDIR');
    const records: Uint8Array[] = [];
    let used = 0;
    for (const entry of file.remaining()) {
      const record = encode(entry, file.position + records.length + 1, c.memory.byteOrder);
      if (used + record.length > size) {
        if (records.length === 0) throw new Errno('EINVAL');
        break;
      }
      records.push(record);
      used += record.length;
    }
    let at = address;
    for (const record of records) {
      c.memory.write(at, record);
      at += record.length;
    }
    file.advance(records.length);
    filesOf(c).fileSystem.notices.file(file, file.foundAt, FileEvent.ACCESS);
    return used;
  };

  /** struct linux_dirent64: inode, offset, length, type, name; getdents64(2). */
  const encodeDirent64 = (entry: ListedEntry, nextOffset: number, order: 'little' | 'big'): Uint8Array => {
    const name = bytesOf(entry.name);
    const length = Math.ceil((19 + name.length + 1) / 8) * 8;
    const record = new Uint8Array(length);
    const view = new DataView(record.buffer);
    view.setBigUint64(0, entry.inode, order === 'little');
    view.setBigUint64(8, BigInt(nextOffset), order === 'little');
    view.setUint16(16, length, order === 'little');
    record[18] = dirType(entry.type);
    record.set(name, 19);
    return record;
  };

  /** struct linux_dirent: the same with `long`s, and the type in the last byte; getdents(2). */
  const encodeDirent = (entry: ListedEntry, nextOffset: number, order: 'little' | 'big'): Uint8Array => {
    const word = abi.dataModel.longBytes;
    const name = bytesOf(entry.name);
    const length = Math.ceil((2 * word + 2 + name.length + 2) / word) * word;
    const record = new Uint8Array(length);
    const view = new DataView(record.buffer);
    if (word === 8) {
      view.setBigUint64(0, entry.inode, order === 'little');
      view.setBigUint64(8, BigInt(nextOffset), order === 'little');
    } else {
      if (entry.inode > 0xffffffffn) throw new Errno('EOVERFLOW');
      view.setUint32(0, Number(entry.inode), order === 'little');
      view.setUint32(4, nextOffset, order === 'little');
    }
    view.setUint16(2 * word, length, order === 'little');
    record.set(name, 2 * word + 2);
    record[length - 1] = dirType(entry.type);
    return record;
  };

  return {
    close: (c, fd = 0) => {
      filesOf(c).close(fd);
      return 0;
    },
    close_range: (c, first = 0, last = 0, flags = 0) => {
      if (first > last || (flags & ~(CloseRange.UNSHARE | CloseRange.CLOEXEC)) !== 0) throw new Errno('EINVAL');
      const files = filesOf(c);
      if ((flags & CloseRange.UNSHARE) !== 0) files.unshare();
      for (const number of files.descriptors()) {
        if (number < first || number > last) continue;
        if ((flags & CloseRange.CLOEXEC) !== 0) files.descriptorTable.entry(number).closeOnExec = true;
        else files.close(number);
      }
      return 0;
    },
    dup: (c, fd = 0) => {
      const files = filesOf(c);
      return files.descriptorTable.add(files.file(fd), { limit: c.process.maxFiles, closeOnExec: false });
    },
    dup2: (c, from = 0, to = 0) => {
      if (from === to) {
        filesOf(c).file(from);
        return to;
      }
      return dup3(c, from, to, false);
    },
    dup3: (c, from = 0, to = 0, flags = 0) => {
      const closeOnExec = closeOnExecOf(flags);
      if (from === to) throw new Errno('EINVAL');
      return dup3(c, from, to, closeOnExec);
    },
    fcntl: (c, fd = 0, command = 0, argument = 0) => fcntl(c, fd, command, argument, abi.dataModel.longBytes === 8),
    fcntl64: (c, fd = 0, command = 0, argument = 0) => fcntl(c, fd, command, argument, true),
    ioctl,

    flock: (c, fd = 0, operation = 0) => {
      const file = filesOf(c).file(fd);
      if (file.flags.pathOnly) throw new Errno('EBADF');
      const { locks } = filesOf(c).fileSystem;
      const what = operation & ~Flock.NONBLOCK;
      const wait = (operation & Flock.NONBLOCK) === 0;
      const key = lockKey(file);
      if (what === Flock.UNLOCK) return locks.lockWhole(key, file, 'unlock', false);
      if (what !== Flock.SHARED && what !== Flock.EXCLUSIVE) throw new Errno('EINVAL');
      releaseWithFile(c, file, key);
      return locks.lockWhole(key, file, what === Flock.SHARED ? 'shared' : 'exclusive', wait);
    },

    pipe: (c, address = 0) => {
      const [reader, writer] = createPipe(c, 0);
      if (abi.pipeReturnsPair) {
        c.setSecondResult(writer);
        return reader;
      }
      return storePair(c, address, reader, writer);
    },
    pipe2: (c, address = 0, flags = 0) => {
      const [reader, writer] = createPipe(c, flags);
      return storePair(c, address, reader, writer);
    },

    memfd_create: (c, address = 0, flags = 0) => {
      if ((flags & ~Memfd.KNOWN) !== 0) throw new Errno('EINVAL');
      const name = pathAt(c.memory, address);
      if (name.length > 249) throw new Errno('EINVAL');
      const files = filesOf(c);
      const { fileSystem } = files;
      const { euid, egid } = c.process.credentials;
      const inode = fileSystem.anonymousFile({ mode: 0o777, uid: euid, gid: egid });
      const opened = new MemoryBackedFile(
        inode,
        fileSystem.anonymousMount,
        plainFlags({ read: true, write: true, largeFile: true }),
        undefined,
        fileSystem.watch(inode.open()),
      );
      opened.name = name;
      return files.descriptorTable.add(opened, {
        limit: c.process.maxFiles,
        closeOnExec: (flags & Memfd.CLOEXEC) !== 0,
      });
    },

    getdents: (c, fd = 0, address = 0, size = 0) => listing(c, fd, address, size, encodeDirent),
    getdents64: (c, fd = 0, address = 0, size = 0) => listing(c, fd, address, size, encodeDirent64),
  };
}

class MemoryBackedFile extends RegularFile {
  name = '';

  override get anonymousName(): string {
    return `/memfd:${this.name} (deleted)`;
  }
}

/** Two new descriptors or none. */
export function addPair(c: SyscallContext, first: OpenFile, second: OpenFile, closeOnExec: boolean): [number, number] {
  const { descriptorTable } = filesOf(c);
  const options = { limit: c.process.maxFiles, closeOnExec };
  second.retain();
  try {
    const a = descriptorTable.add(first, options);
    try {
      return [a, descriptorTable.add(second, options)];
    } catch (error) {
      descriptorTable.close(a);
      throw error;
    }
  } finally {
    second.drop();
  }
}

/** Stores two descriptors; where the address is bad they are closed again. */
export function storePair(c: SyscallContext, address: number, first: number, second: number): number {
  try {
    c.memory.setU32(address, first);
    c.memory.setU32(address + 4, second);
  } catch (error) {
    const { descriptorTable } = filesOf(c);
    descriptorTable.close(first);
    descriptorTable.close(second);
    throw error;
  }
  return 0;
}

function setStatusFlags(flags: FileFlags, wanted: FileFlags): void {
  flags.append = wanted.append;
  flags.nonblocking = wanted.nonblocking;
  flags.async = wanted.async;
  flags.direct = wanted.direct;
  flags.noAccessTime = wanted.noAccessTime;
}

type FlockLayout = IntegerStruct<'l_type' | 'l_whence' | 'l_start' | 'l_len' | 'l_pid'>;

/** A `struct flock` as a range. @throws Errno EINVAL, EOVERFLOW */
function readLock(
  c: SyscallContext,
  file: OpenFile,
  address: number,
  layout: FlockLayout,
  ofFile: boolean,
): { type: number; lock: RecordLock } {
  const value = readStruct(c.memory, address, layout);
  const type = Number(value.l_type);
  const [start, length] = [Number(value.l_start), Number(value.l_len)];
  if (ofFile && Number(value.l_pid) !== 0) throw new Errno('EINVAL');
  let origin: number;
  switch (Number(value.l_whence)) {
    case 0:
      origin = 0;
      break;
    case 1:
      origin = isRegular(file) ? file.seek(0, 1) : 0;
      break;
    case 2:
      origin = file.attributes().size;
      break;
    default:
      throw new Errno('EINVAL');
  }
  const from = origin + start;
  // fcntl(2): a negative length is the range before the start, zero reaches to the end of any file.
  const [first, end] = length < 0 ? [from + length, from] : [from, length === 0 ? Infinity : from + length];
  if (first < 0) throw new Errno('EINVAL');
  const { descriptorTable } = filesOf(c);
  const owner = ofFile ? file : descriptorTable;
  const lock = { owner, pid: ofFile ? -1 : c.process.pid, exclusive: type === LockType.WRITE, start: first, end };
  return { type, lock };
}

function getLock(c: SyscallContext, file: OpenFile, address: number, layout: FlockLayout, ofFile: boolean): number {
  const { type, lock } = readLock(c, file, address, layout, ofFile);
  if (type !== LockType.READ && type !== LockType.WRITE) throw new Errno('EINVAL');
  const conflict = filesOf(c).fileSystem.locks.conflict(lockKey(file), lock);
  const value = readStruct(c.memory, address, layout);
  if (!conflict) {
    writeStruct(c.memory, address, layout, { ...value, l_type: LockType.UNLOCK });
    return 0;
  }
  const length = conflict.end === Infinity ? 0 : conflict.end - conflict.start;
  if (!fits(layout, 'l_start', conflict.start) || !fits(layout, 'l_len', length)) throw new Errno('EOVERFLOW');
  writeStruct(c.memory, address, layout, {
    l_type: conflict.exclusive ? LockType.WRITE : LockType.READ,
    l_whence: 0,
    l_start: conflict.start,
    l_len: length,
    l_pid: conflict.pid,
  });
  return 0;
}

function setLock(
  c: SyscallContext,
  file: OpenFile,
  address: number,
  layout: FlockLayout,
  wait: boolean,
  ofFile: boolean,
): SyscallResult {
  const { type, lock } = readLock(c, file, address, layout, ofFile);
  const { locks } = filesOf(c).fileSystem;
  const key = lockKey(file);
  if (type === LockType.UNLOCK) {
    locks.unlockRange(key, lock);
    return 0;
  }
  if (type !== LockType.READ && type !== LockType.WRITE) throw new Errno('EINVAL');
  if (type === LockType.READ ? !file.flags.read : !file.flags.write) throw new Errno('EBADF');
  if (ofFile) releaseWithFile(c, file, key);
  return locks.lockRange(key, lock, wait);
}

/** Locks of an open file description end with it. */
function releaseWithFile(c: SyscallContext, file: OpenFile, key: string): void {
  const { locks } = filesOf(c).fileSystem;
  if (file.holdsLocks) return;
  file.holdsLocks = true;
  file.onRelease(() => locks.release(key, file));
}
