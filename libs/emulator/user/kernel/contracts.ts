/**
 * What the parts of Linux user mode agree on: system calls, waiting, guest memory, open files. The kernel's half
 * (processes, threads, signals, memory, time) and the file half (`vfs/`, `files/`) meet here and nowhere else.
 */
import type { ByteOrder } from '../../core/index.js';

/** Error numbers by name; each ABI maps the names to its own numbers. */
export class Errno extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

/** Who executes a directory or a device is told EACCES, as programs; people are told what it is that they named. */
export class NotRegularFile extends Errno {
  constructor(readonly isDirectory: boolean) {
    super('EACCES');
  }
}

/**
 * A list of threads that wait for something to change. Waking is a hint: whoever is woken looks again. Order of waking is
 * order of arrival, so that runs repeat exactly.
 */
export class WaitQueue {
  readonly #waiters = new Set<() => void>();

  /**
   * @param external the host wakes it (standard input, a socket), not the guest: while a thread waits for such a queue,
   *   virtual time passes with the host's and never jumps ahead
   */
  constructor(readonly external: boolean = false) {}

  /** @returns a function that takes the waiter off the queue */
  add(waiter: () => void): () => void {
    const entry = (): void => waiter();
    this.#waiters.add(entry);
    return () => this.#waiters.delete(entry);
  }

  wake(limit = Infinity): number {
    let woken = 0;
    for (const waiter of [...this.#waiters]) {
      if (woken === limit) break;
      this.#waiters.delete(waiter);
      waiter();
      woken++;
    }
    return woken;
  }
}

/** A system call that cannot complete yet. The thread sleeps until one of the queues is woken or the deadline passes. */
export interface Blocked {
  readonly queues: readonly WaitQueue[];
  /** Guest monotonic time, ns. */
  readonly deadlineNs?: number;
  /** Called after a wake-up: the result, or blocked again. May throw {@link Errno}. */
  readonly retry: () => SyscallResult;
  /** Called when the deadline passed. */
  readonly timeout?: () => SyscallResult;
  /**
   * What a signal handler's interruption gives. `restart`: the call runs again where SA_RESTART says so, else EINTR (the
   * default). `eintr`: always EINTR, as poll, select, nanosleep do. `always`: it runs again whatever SA_RESTART says.
   */
  readonly interrupted?: 'restart' | 'eintr' | 'always';
  /** Signals wait until the call has ended, as the parent in vfork does. */
  readonly uninterruptible?: boolean;
  /**
   * What the call did already, for example bytes of a long write to a pipe. Asked at an interruption: a number is the call's result
   * then, and neither restart nor EINTR happens.
   */
  readonly partial?: () => number | undefined;
  /** The wait ended by a signal handler or with its thread: takes back what the call left behind. */
  readonly cancel?: () => void;
}

/** A value for the ABI's result register (negative numbers are ordinary values; errors are thrown), or blocked. */
export type SyscallResult = number | Blocked;

/** A process's memory as system calls see it. Every access checks the guest's permissions and throws `EFAULT`. */
export interface UserMemory {
  readonly byteOrder: ByteOrder;
  readonly pointerBytes: 4 | 8;
  read(address: number, length: number): Uint8Array;
  write(address: number, bytes: Uint8Array): void;
  /**
   * Has bytes written where they lie.
   * @param write is given them, and returns how many it wrote, from the first on
   * @returns the same; undefined, and nothing is written, where they lie apart or are not all there to be written
   */
  fill(address: number, length: number, write: (bytes: Uint8Array) => number): number | undefined;
  u8(address: number): number;
  u32(address: number): number;
  i32(address: number): number;
  u64(address: number): bigint;
  setU8(address: number, value: number): void;
  setU32(address: number, value: number): void;
  setU64(address: number, value: bigint): void;
  /** NUL-terminated bytes without the NUL. @throws Errno ENAMETOOLONG beyond `limit` */
  cString(address: number, limit?: number): Uint8Array;
}

/** What poll(2) reports, in the generic bit values of Linux, which all ABIs share. */
export const Poll = { IN: 1, PRI: 2, OUT: 4, ERR: 8, HUP: 16, NVAL: 32, RDHUP: 0x2000 } as const;

/** Clocks and entropy that guests see: virtual by default. */
export interface GuestClock {
  /** ns since the machine started; the basis of every deadline. */
  monotonicNs(): number;
  /** ns since 1970. */
  realtimeNs(): bigint;
  /** Calls back at a monotonic time. @returns a function that cancels it */
  at(deadlineNs: number, callback: () => void): () => void;
}

export interface Credentials {
  uid: number;
  gid: number;
  euid: number;
  egid: number;
}

/** What system calls of the file half may ask of the thread that calls. Implemented by the kernel half. */
export interface SyscallContext {
  readonly memory: UserMemory;
  readonly clock: GuestClock;
  readonly process: {
    readonly pid: number;
    readonly parentPid: number;
    readonly credentials: Credentials;
    /** What /proc/self shows. */
    readonly executable: string;
    readonly argv: readonly Uint8Array[];
    readonly environment: readonly Uint8Array[];
    /** Text of /proc/self/maps. */
    maps(): string;
    /** Soft limit of RLIMIT_NOFILE. */
    readonly maxFiles: number;
    readonly umask: number;
    setUmask(mask: number): void;
    /** The file half's own per-process state (descriptor table, working directory); see `files/process-files.ts`. */
    readonly files: unknown;
  };
  readonly tid: number;
  /** Raises a signal on the calling thread, for example SIGPIPE. */
  raiseSignal(name: string): void;
  /** Signals that are pending for the calling thread and in `mask` (bit n-1 = signal n): for signalfd. */
  takePendingSignal(mask: bigint): { readonly signal: number; readonly code: number; readonly pid: number } | undefined;
  /** Whether {@link takePendingSignal} would give one: for polling a signalfd. */
  hasPendingSignal(mask: bigint): boolean;
  /** A second result register, where the ABI has calls that use one: MIPS's pipe(2) and its $v1. */
  setSecondResult(value: number): void;
  /** Woken when a signal becomes pending for this process. */
  readonly signalArrival: WaitQueue;
  /** Temporarily replaces the thread's signal mask (ppoll, pselect, epoll_pwait) until the call ends. */
  withSignalMask(mask: bigint | undefined, call: () => SyscallResult): SyscallResult;
}

/**
 * A system call by its generic name (`openat`, `mmap2`, …). Arguments are the ABI's argument words as unsigned 32-bit numbers
 * (64-bit ABIs later: numbers beyond 2^32 arrive as they are); 64-bit offsets of 32-bit ABIs are joined by the ABI's own
 * table entry, see `targets/<isa>/linux-abi`.
 */
export type SyscallHandler = (context: SyscallContext, ...args: number[]) => SyscallResult;
export type SyscallTable = Readonly<Record<string, SyscallHandler>>;
