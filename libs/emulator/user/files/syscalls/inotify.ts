/** Watching files for changes: inotify(7). */
import type { LinuxFileAbi } from '../../../targets/linux-abi/file-abi.js';
import { Errno } from '../../kernel/contracts.js';
import type { SyscallContext, SyscallTable } from '../../kernel/contracts.js';
import { Access, FileType } from '../../vfs/inode.js';
import { InotifyFile, WatchFlag } from '../inotify.js';
import { plainFlags } from '../open-file.js';
import { AT_FDCWD, filesOf } from '../process-files.js';
import { pathAt } from './arguments.js';
import { existingAt } from './paths.js';

export function inotifySyscalls(abi: LinuxFileAbi): SyscallTable {
  const { O_NONBLOCK, O_CLOEXEC } = abi.openFlags;

  const create = (c: SyscallContext, flags: number): number => {
    if ((flags & ~(O_NONBLOCK | O_CLOEXEC)) !== 0) throw new Errno('EINVAL');
    const { fileSystem, descriptorTable } = filesOf(c);
    const { anonymousMount, notices } = fileSystem;
    const fileFlags = plainFlags({ read: true, nonblocking: (flags & O_NONBLOCK) !== 0 });
    const file = new InotifyFile(fileSystem.anonymousInode(FileType.REGULAR), anonymousMount, fileFlags, notices);
    return descriptorTable.add(file, { limit: c.process.maxFiles, closeOnExec: (flags & O_CLOEXEC) !== 0 });
  };

  const inotifyAt = (c: SyscallContext, fd: number): InotifyFile => {
    const file = filesOf(c).file(fd);
    if (!(file instanceof InotifyFile)) throw new Errno('EINVAL');
    return file;
  };

  return {
    inotify_init: (c) => create(c, 0),
    inotify_init1: (c, flags = 0) => create(c, flags),
    inotify_add_watch: (c, fd = 0, path = 0, mask = 0) => {
      const file = inotifyAt(c, fd);
      const { inode } = existingAt(c, AT_FDCWD, pathAt(c.memory, path), (mask & WatchFlag.DONT_FOLLOW) === 0);
      if (mask & WatchFlag.ONLYDIR && !inode.isDirectory) throw new Errno('ENOTDIR');
      if (!inode.permits(c.process.credentials, Access.READ)) throw new Errno('EACCES');
      return file.watch(inode, mask);
    },
    inotify_rm_watch: (c, fd = 0, watch = 0) => {
      inotifyAt(c, fd).remove(watch | 0);
      return 0;
    },
  };
}
