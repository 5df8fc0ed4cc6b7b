// files: open files of Linux user mode — descriptors, pipes, sockets, polling — and the system calls on them.
// The kernel half calls createFileSystem once, createProcessFiles for the first process, forkFiles, execFiles and
// closeAll as processes come and go, and fileSyscalls for its table.
import type { LinuxFileAbi } from '../../targets/linux-abi/file-abi.js';
import type { SyscallTable } from '../kernel/contracts.js';
import type { ExecutableFile, FileProcess, FileSystemOptions, MappedFile, ProcessDirectory } from './api.js';

export * from './api.js';
export * from './host-stream.js';

const pending = (): never => {
  throw new Error('file half: under construction');
};

/** The tree of files that all processes of one guest share. */
export interface FileSystem {
  readonly processes: ProcessDirectory;
  /** Gives host descriptors back; the guest is over. */
  close(): void;
}

/** One process's descriptors, working directory and root: `context.process.files`. */
export interface ProcessFiles {
  readonly fileSystem: FileSystem;
}

/** @throws Error naming the option and the mend: a root that is no directory, a bind whose host path does not exist */
export function createFileSystem(options: FileSystemOptions): FileSystem {
  return pending();
}

/** Files of the first process: 0, 1 and 2 are the host's streams. @throws Error for a working directory that is none */
export function createProcessFiles(fileSystem: FileSystem, options?: { cwd?: string }): ProcessFiles {
  return pending();
}

/** For clone: CLONE_FILES shares the descriptor table, CLONE_FS the working directory; otherwise copies. */
export function forkFiles(files: ProcessFiles, share: { descriptors: boolean; directories: boolean }): ProcessFiles {
  return pending();
}

/** For execve, past the point of no return: stops sharing the descriptor table and closes what is close-on-exec. */
export function execFiles(files: ProcessFiles, pid: number): void {
  pending();
}

/** For exit: gives the process's share of the descriptor table back and releases its record locks. */
export function closeAll(files: ProcessFiles, pid: number): void {
  pending();
}

/**
 * The file that execve(2) or an ELF interpreter's path names; follows links, wants execute permission.
 * @param options.directory as execveat's descriptor; `emptyPath` is AT_EMPTY_PATH, `noFollow` AT_SYMLINK_NOFOLLOW
 * @throws Errno ENOENT, EACCES, ENOTDIR, ELOOP, …
 */
export function lookupExecutable(
  files: ProcessFiles,
  process: FileProcess,
  path: Uint8Array | string,
  options?: { directory?: number; emptyPath?: boolean; noFollow?: boolean },
): ExecutableFile {
  return pending();
}

/**
 * The file behind a descriptor, for mmap. @throws Errno EBADF, ENODEV for what cannot be mapped, EACCES where the
 * descriptor was not opened for reading, or for MAP_SHARED with PROT_WRITE not for writing
 */
export function mappedFile(files: ProcessFiles, fd: number, access: { sharedWrite: boolean }): MappedFile {
  return pending();
}

/**
 * The file system calls of an ABI by generic name. Words of 64-bit arguments are joined as `abi.arguments` says; handlers
 * take what the ABI's table passes (on o32 up to seven words, those beyond the fourth from the stack).
 */
export function fileSyscalls(abi: LinuxFileAbi): SyscallTable {
  return pending();
}

/** The path a descriptor was opened with, for `--strace -y` and messages; undefined for a free number. */
export function descriptorPath(files: ProcessFiles, fd: number): string | undefined {
  return pending();
}
