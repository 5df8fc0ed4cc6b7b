/** What the kernel half of user mode sees of the file half. */
import type { GuestClock, SyscallContext } from '../kernel/contracts.js';
import type { HostNetwork } from './sockets/host-network.js';
import type { TreeEntry } from './tree-content.js';
import type { HostInput, HostOutput, HostTerminal } from './host-stream.js';

/** A process, as the file half needs it; {@link SyscallContext.process} satisfies it. */
export type FileProcess = SyscallContext['process'];

/** What /proc shows of a process beyond {@link FileProcess}; all optional, with the values of a fresh process. */
export interface ProcessStatus {
  /** The command's name, at most 15 bytes (PR_SET_NAME); by default the executable's last component. */
  readonly name?: string;
  /** R running, S sleeping, T stopped, t stopped by its tracer, Z zombie. */
  readonly state?: 'R' | 'S' | 'T' | 't' | 'Z';
  readonly tracerPid?: number;
  readonly tids?: readonly number[];
  readonly processGroup?: number;
  readonly session?: number;
  readonly userNs?: number;
  readonly systemNs?: number;
  readonly startNs?: number;
  readonly virtualBytes?: number;
  readonly residentBytes?: number;
  /** Its memory, for debuggers: bytes from an address on, as many as are there; how many were written. */
  readonly memory?: {
    peek(address: number, length: number): Uint8Array;
    poke(address: number, bytes: Uint8Array): number;
  };
  /** Bytes of /proc/self/auxv, as the loader put them on the stack. */
  readonly auxv?: Uint8Array;
}

/** The processes that /proc lists. The kernel half adds every process at its creation and removes it when it is reaped. */
export interface ProcessDirectory {
  add(process: FileProcess, status?: () => ProcessStatus): void;
  remove(pid: number): void;
}

export interface BindMount {
  /** A host directory or file. */
  readonly host: string;
  /** Absolute guest path; created as an empty directory or file where the tree allows it. */
  readonly guest: string;
  readonly readOnly?: boolean;
}

/** What the system says of itself in /proc; must agree with uname(2) and sysinfo(2). */
export interface SystemIdentity {
  readonly hostname: string;
  /** As `uname -r`. */
  readonly release: string;
  /** As `uname -v`. */
  readonly version: string;
  /** Text of /proc/cpuinfo. */
  readonly cpuinfo: string;
  readonly memoryBytes: number;
}

/** Where the first process's descriptors 0, 1 and 2 lead. Without input the guest reads an empty file. */
export interface HostStreams {
  readonly stdin?: HostInput | Uint8Array;
  readonly stdout?: HostOutput;
  readonly stderr?: HostOutput;
}

export interface FileSystemOptions extends HostStreams {
  /** Host directory that the guest sees as `/`; without it an empty tree in memory. */
  readonly root?: string;
  /** What the tree in memory has from the start; only without `root`. */
  readonly content?: Iterable<TreeEntry>;
  /** Every write to the root gives EROFS. */
  readonly readOnly?: boolean;
  /** Writes to the root stay in memory and are gone at the end. */
  readonly overlay?: boolean;
  readonly binds?: readonly BindMount[];
  /** Mount /dev, /proc, /sys and /dev/shm (default true). */
  readonly kernelTrees?: boolean;
  readonly terminal?: HostTerminal;
  /** What internet sockets reach: nothing, each other inside the guest (the default), or the host's network, too. */
  readonly network?: 'none' | 'loopback' | HostNetwork;
  readonly clock: GuestClock;
  /** Seeds /dev/urandom, /dev/random and boot ids. */
  readonly seed: number;
  readonly system?: SystemIdentity;
  /** Limit for all trees in memory together (default 1 GiB); beyond it writes give ENOSPC. */
  readonly memoryLimitBytes?: number;
}

/**
 * Pages of files in memory, which the kernel half keeps. It is told of what happens to a file other than through them, so that
 * mappings, reads and writes of one file agree, as mmap(2) has it on Linux. `file` is `device:inode`.
 */
export interface FilePages {
  /** Bytes of the file are about to be read: what shared mappings wrote must be in it. `end` is exclusive. */
  beforeRead(file: string, start: number, end: number): void;
  /** Bytes were written at an offset. */
  written(file: string, offset: number, bytes: Uint8Array): void;
  /** The file has this size now; what was beyond is gone. */
  resized(file: string, size: number): void;
}

/** What identifies a file's content for a page cache: changes when another file, or changed content, stands at a path. */
export interface FileIdentity {
  readonly device: bigint;
  readonly inode: bigint;
  readonly modifiedNs: bigint;
}

/** A file that execve maps. Close it when it is no longer needed. */
export interface ExecutableFile {
  /** Absolute guest path with symbolic links resolved: what /proc/self/exe shows. */
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly identity: FileIdentity;
  /** Fewer bytes than asked for only at the end of the file. */
  read(offset: number, length: number): Uint8Array;
  /** Keeps the file open for a mapping; close it too. */
  mapping(): MappedFile;
  close(): void;
}

/** A file behind memory: outlives the descriptor it was made from. */
export interface MappedFile {
  readonly path: string;
  readonly identity: FileIdentity;
  /** Current size in bytes: pages wholly beyond it are SIGBUS. */
  size(): number;
  /** @returns how many bytes there were; fewer than there is room for only at the end of the file */
  read(offset: number, target: Uint8Array): number;
  /** Writes pages of a MAP_SHARED mapping back; never makes the file longer. */
  writeBack(offset: number, bytes: Uint8Array): void;
  /** `/dev/zero`: mapped as anonymous memory. */
  readonly anonymous: boolean;
  /** Another holder of the same file, as fork needs. */
  duplicate(): MappedFile;
  close(): void;
}
