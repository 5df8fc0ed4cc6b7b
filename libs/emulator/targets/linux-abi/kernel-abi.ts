import type { ByteOrder } from '../../core/index.js';
import type { EngineHost } from '../cpu-core.js';
import type { LinuxFileAbi } from './file-abi.js';
import type { LinuxIpcAbi } from './ipc-abi.js';
import type { AbiMemory, SignalInfo, SignalStack, UserCpu, UserMmu } from './user-cpu.js';

/** One system call of an ABI's table. */
export interface SyscallEntry {
  /** Generic name, under which handlers are found. */
  readonly name: string;
  /** Argument words: at least as many as there are registers for. */
  readonly words: number;
}

/** What a program's file says of itself, for {@link KernelAbi.checkProgram}. */
export interface ProgramFile {
  /** e_flags of the ELF header. */
  readonly flags: number;
  /** Contents of the architecture's own program header (PT_MIPS_ABIFLAGS), where it has one. */
  readonly architectureSegment: Uint8Array | undefined;
}

export interface SignalAction {
  handler: number;
  flags: number;
  restorer: number;
  mask: bigint;
}

/** The processor-dependent part of a Linux kernel's interface, file system calls aside. */
export interface KernelAbi {
  /** As users say it, for example `mipsel`. */
  readonly name: string;
  readonly byteOrder: ByteOrder;
  readonly pointerBytes: 4 | 8;
  /** `uname -m`. */
  readonly machine: string;
  readonly elfMachine: number;
  /** Type of the program header that {@link ProgramFile.architectureSegment} comes from. */
  readonly architectureSegmentType: number;
  /** AT_BASE_PLATFORM. */
  readonly basePlatform: string;
  /** Text of /proc/cpuinfo. */
  readonly cpuinfo: string;
  /** AT_HWCAP. */
  readonly hardwareCapabilities: number;
  readonly addresses: {
    /** First address that mmap gives out (vm.mmap_min_addr). */
    readonly lowest: number;
    /** First address beyond user space. */
    readonly limit: number;
    /** Where a position-independent program with an interpreter is loaded. */
    readonly programBase: number;
  };
  /** Code that ends signal handlers, mapped at the end of user space; empty where programs bring their own. */
  readonly signalPage: Uint8Array;

  readonly files: LinuxFileAbi;
  readonly ipc: LinuxIpcAbi;
  /** Undefined for a number that no call has. */
  syscall(number: number): SyscallEntry | undefined;
  /** The number of an error by its name. */
  errno(name: string): number | undefined;
  /** Signal numbers by name. */
  readonly signals: ReadonlyMap<string, number>;
  /** Number of the last real-time signal. */
  readonly lastSignal: number;
  /** SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK. */
  readonly maskOperations: { readonly block: number; readonly unblock: number; readonly set: number };
  readonly actionFlags: Readonly<
    Record<'noChildStop' | 'noChildWait' | 'info' | 'onStack' | 'restart' | 'noDefer' | 'resetHandler', number>
  >;
  readonly mapFlags: Readonly<Record<'fixed' | 'anonymous' | 'growsDown' | 'fixedNoReplace' | 'populate', number>>;
  /** Resource limits by name. */
  readonly resources: Readonly<Record<'stack' | 'files' | 'data' | 'addressSpace' | 'cpu', number>>;
  readonly infiniteLimit: number;
  /** Positions of clone's arguments. */
  readonly cloneArguments: Readonly<Record<'parentTid' | 'tls' | 'childTid', number>>;
  /** si_code of a signal that a timer sent. */
  readonly timerSignalCode: number;

  /** Bytes of sigset_t. */
  readonly signalSetBytes: number;
  readSignalSet(memory: AbiMemory, address: number): bigint;
  writeSignalSet(memory: AbiMemory, address: number, mask: bigint): void;
  readSignalAction(memory: AbiMemory, address: number): SignalAction;
  writeSignalAction(memory: AbiMemory, address: number, action: SignalAction): void;
  readSignalStack(memory: AbiMemory, address: number): SignalStack;
  writeSignalStack(memory: AbiMemory, address: number, stack: SignalStack): void;
  /** siginfo_t, 128 bytes. */
  encodeSignalInfo(info: SignalInfo): Uint8Array;

  /**
   * Can this program run here? @throws Error with a sentence that says why not
   * @returns the FPU register mode that it wants
   */
  checkProgram(file: ProgramFile): { readonly wideFpRegisters: boolean };

  createCpu(host: EngineHost, mmu: UserMmu, cycles: () => number): UserCpu;
}
