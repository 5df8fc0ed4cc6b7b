/** What the kernel half of user mode sees of the file half. */
import type { LinuxFileAbi } from '../../targets/linux-abi/file-abi.js';
import type { FileSystemService, GuestClock, SyscallContext } from '../kernel/contracts.js';
import type { HostInput, HostOutput, HostTerminal } from './host-stream.js';

/** A process, as the file half needs it; {@link SyscallContext.process} satisfies it. */
export type FileProcess = SyscallContext['process'];

/** What /proc shows of a process beyond {@link FileProcess}; all optional, with the values of a fresh process. */
export interface ProcessStatus {
  /** The command's name, at most 15 bytes (PR_SET_NAME); by default the executable's last component. */
  readonly name?: string;
  /** R running, S sleeping, T stopped, Z zombie. */
  readonly state?: 'R' | 'S' | 'T' | 'Z';
  readonly tids?: readonly number[];
  readonly processGroup?: number;
  readonly session?: number;
  readonly userNs?: number;
  readonly systemNs?: number;
  readonly startNs?: number;
  readonly virtualBytes?: number;
  readonly residentBytes?: number;
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

export interface FileSystemOptions {
  /** The architecture's numbers and layouts. */
  readonly abi: LinuxFileAbi;
  /** Host directory that the guest sees as `/`; without it an empty tree in memory. */
  readonly root?: string;
  /** Every write to the root gives EROFS. */
  readonly readOnly?: boolean;
  /** Writes to the root stay in memory and are gone at the end. */
  readonly overlay?: boolean;
  readonly binds?: readonly BindMount[];
  /** Mount /dev, /proc, /sys and /dev/shm (default true). */
  readonly kernelTrees?: boolean;
  readonly stdin?: HostInput;
  readonly stdout?: HostOutput;
  readonly stderr?: HostOutput;
  readonly terminal?: HostTerminal;
  /** Working directory of the first process, an absolute guest path; by default `/`. */
  readonly cwd?: string;
  readonly clock: GuestClock;
  /** Seeds /dev/urandom, /dev/random and boot ids. */
  readonly seed: number;
  readonly system?: SystemIdentity;
  /** Limit for all trees in memory together (default 1 GiB); beyond it writes give ENOSPC. */
  readonly memoryLimitBytes?: number;
}

/** Everything the kernel half needs, made once for a system of processes. */
export interface FileSystem extends FileSystemService {
  readonly processes: ProcessDirectory;
  /** Gives host descriptors back; the guest is over. */
  close(): void;
}
