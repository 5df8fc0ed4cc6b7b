// files: open files of Linux user mode — descriptors, pipes, sockets, polling — and the system calls on them.
// The kernel half calls createFileSystem once, createProcessFiles for the first process, forkFiles, execFiles and
// closeAll as processes come and go, and fileSyscalls for its tables.
import { ConfigError } from '../../core/index.js';
import type { LinuxFileAbi } from '../../targets/linux-abi/file-abi.js';
import type { SyscallTable } from '../kernel/contracts.js';
import type { ExecutableFile, FileProcess, FileSystemOptions, MappedFile } from './api.js';
import { DescriptorTable } from './descriptor-table.js';
import { FileSystem } from './file-system.js';
import { ProcessFiles } from './process-files.js';
import { withJoinedArguments } from './syscalls/arguments.js';
import { attributeSyscalls } from './syscalls/attributes.js';
import { descriptorSyscalls } from './syscalls/descriptors.js';
import { inotifySyscalls } from './syscalls/inotify.js';
import { pathSyscalls } from './syscalls/paths.js';
import { socketSyscalls } from './syscalls/sockets.js';
import { transferSyscalls } from './syscalls/transfer.js';
import { waitingSyscalls } from './syscalls/waiting.js';

export * from './api.js';
export * from './guest-files.js';
export * from './host-stream.js';
export type { TreeEntry } from './tree-content.js';
export type { FileSystem } from './file-system.js';
export type { ProcessFiles } from './process-files.js';

/** @throws Error naming the option and the mend: a root that is no directory, a bind whose host path does not exist */
export function createFileSystem(options: FileSystemOptions): FileSystem {
  return new FileSystem(options);
}

/** Files of the first process: 0, 1 and 2 are the host's streams. @throws Error for a working directory that is none */
export function createProcessFiles(fileSystem: FileSystem, { cwd = '/' }: { cwd?: string } = {}): ProcessFiles {
  const { mounts } = fileSystem;
  const table = new DescriptorTable();
  const files = new ProcessFiles(fileSystem, table, { working: mounts.root });
  if (cwd !== '/') {
    const working = fileSystem.directoryAt(cwd);
    if (!working) throw new ConfigError('cwd', `${cwd} is no directory in the guest's root`, 'Name one that is');
    files.workingDirectory = working;
  }
  for (const [number, file] of fileSystem.standardStreams().entries()) table.put(number, file, false);
  return files;
}

/** For clone: CLONE_FILES shares the descriptor table, CLONE_FS the working directory; otherwise copies. */
export function forkFiles(files: ProcessFiles, share: { descriptors: boolean; directories: boolean }): ProcessFiles {
  return files.fork(share);
}

/** For execve, past the point of no return: stops sharing the descriptor table and closes what is close-on-exec. */
export const execFiles: (files: ProcessFiles, pid: number) => void = (files) => files.exec();

/** For exit: gives the process's share of the descriptor table back and releases its record locks. */
export const closeAll: (files: ProcessFiles, pid: number) => void = (files) => files.exit();

/**
 * The file that execve(2) or an ELF interpreter's path names; follows links, wants execute permission.
 * @param options.directory as execveat's descriptor; `emptyPath` is AT_EMPTY_PATH, `noFollow` AT_SYMLINK_NOFOLLOW
 * @throws Errno ENOENT, EACCES, ENOTDIR, ELOOP, …
 */
export function lookupExecutable(
  files: ProcessFiles,
  process: FileProcess,
  path: Uint8Array | string,
  options: { directory?: number; emptyPath?: boolean; noFollow?: boolean } = {},
): ExecutableFile {
  return files.lookupExecutable(process, path, options);
}

/**
 * The file behind a descriptor, for mmap. @throws Errno EBADF, ENODEV for what cannot be mapped, EACCES where the
 * descriptor was not opened for reading, or for MAP_SHARED with PROT_WRITE not for writing
 */
export function mappedFile(files: ProcessFiles, fd: number, access: { sharedWrite: boolean }): MappedFile {
  return files.mapped(fd, access);
}

/**
 * The file system calls of an ABI by generic name, in tables of which those come last that few programs use. Words of 64-bit arguments are
 * joined as `abi.arguments` says; handlers take what the ABI's table passes (on o32 up to seven words, those beyond the
 * fourth from the stack).
 */
export const fileSyscalls = (abi: LinuxFileAbi): readonly (() => SyscallTable)[] =>
  [
    () => transferSyscalls(abi),
    () => pathSyscalls(abi),
    () => attributeSyscalls(abi),
    () => descriptorSyscalls(abi),
    () => waitingSyscalls(abi),
    () => socketSyscalls(abi),
    () => inotifySyscalls(abi),
  ].map((table) => {
    let made: SyscallTable | undefined;
    return () => (made ??= withJoinedArguments(abi, table()));
  });

/** The path a descriptor was opened with, for `--strace -y` and messages; undefined for a free number. */
export function descriptorPath(files: ProcessFiles, fd: number): string | undefined {
  return files.descriptorTable.has(fd) ? files.pathOf(files.file(fd)) : undefined;
}
