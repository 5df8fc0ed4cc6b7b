import type { Access, CpuCore } from '../cpu-core.js';

/** Why memory could not be accessed, as the signal that a program gets. */
export interface MemoryFault {
  /** `SIGSEGV`, `SIGBUS`, or `SIGKILL` when the machine has no page left. */
  readonly signal: string;
  /** si_code, in Linux's generic values. */
  readonly code: number;
}

/** Address translation in user mode: what the kernel's page tables say, pages materialised on the way. */
export interface UserMmu {
  /** On success {@link physical} and {@link writable} hold the translation, on failure {@link fault} the reason. */
  translate(address: number, access: Access): boolean;
  /** The same for a page that may be read without more ado; nothing changes where there is none. */
  find(address: number): boolean;
  readonly physical: number;
  /** Stores to the page need no further check. */
  readonly writable: boolean;
  /** Size of the aligned block whose pages have appeared together with this one, in bytes, 0 where they have not. */
  readonly blockBytes: number;
  readonly fault: MemoryFault;
  /** Single bytes of physical memory, for accesses that the CPU cannot do itself. */
  loadByte(physical: number): number;
  storeByte(physical: number, value: number): void;
}

/** Why a user-mode CPU gave control to its kernel. */
export type UserTrap =
  | { readonly kind: 'syscall' }
  /** A synchronous signal; `code` is si_code, `address` si_addr. */
  | { readonly kind: 'signal'; readonly signal: string; readonly code: number; readonly address: number };

/** What the kernel knows of one signal, in terms that do not depend on the layout of siginfo_t. */
export interface SignalInfo {
  readonly signal: number;
  /** si_code. Positive: the kernel raised it; 0 kill; -1 sigqueue; -2 or -3 timer by ABI; -6 tgkill. */
  readonly code: number;
  readonly detail:
    | { readonly kind: 'sender'; readonly pid: number; readonly uid: number; readonly value?: number }
    | { readonly kind: 'fault'; readonly address: number }
    | {
        readonly kind: 'child';
        readonly pid: number;
        readonly uid: number;
        readonly status: number;
        readonly userTicks: number;
        readonly systemTicks: number;
      }
    | { readonly kind: 'timer'; readonly id: number; readonly overrun: number; readonly value: number }
    | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
    | { readonly kind: 'none' };
}

/** An alternate signal stack, as sigaltstack(2) sets it. */
export interface SignalStack {
  readonly address: number;
  readonly size: number;
  readonly flags: number;
}

/** A handler is about to be called. */
export interface SignalDelivery {
  readonly info: SignalInfo;
  readonly handler: number;
  /** SA_SIGINFO: the handler takes siginfo_t and ucontext_t. */
  readonly withInfo: boolean;
  /** SA_RESTORER's address where the ABI has one. */
  readonly restorer: number;
  /** Stack pointer below which the frame goes; the interrupted one, or the end of the alternate stack. */
  readonly stackPointer: number;
  /** Mask that sigreturn restores: bit n-1 is signal n. */
  readonly mask: bigint;
  readonly alternateStack: SignalStack;
}

export interface TrappedSyscall {
  readonly number: number;
  readonly args: readonly number[];
  /** Lets the thread execute the call again; to be called while its registers are loaded. */
  readonly restart: () => void;
}

/** Registers of the thread that is loaded, in the layouts of ptrace(2) on the ABI. */
export interface DebugRegisters {
  /** Size and content of what PTRACE_GETREGS gives. */
  readonly generalBytes: number;
  general(): Uint8Array;
  setGeneral(bytes: Uint8Array): void;
  /** Of what PTRACE_GETFPREGS gives. */
  readonly floatingPointBytes: number;
  floatingPoint(): Uint8Array;
  setFloatingPoint(bytes: Uint8Array): void;
  /** PTRACE_GETREGSET, by the type of note in core files; undefined for types that do not exist here. */
  registerSet(type: number): Uint8Array | undefined;
  /** @returns whether there is such a set */
  setRegisterSet(type: number, bytes: Uint8Array): boolean;
  /** PTRACE_PEEKUSR: a register by its number; undefined for none. */
  user(index: number): number | undefined;
  /** @returns whether it may be set */
  setUser(index: number, value: number): boolean;
}

/** Guest memory as the ABI's code reads and writes it. Throws what the kernel's system calls throw (`EFAULT`). */
export interface AbiMemory {
  read(address: number, length: number): Uint8Array;
  write(address: number, bytes: Uint8Array): void;
  u32(address: number): number;
  setU32(address: number, value: number): void;
}

/**
 * A CPU without privileged state, whose kernel is the host: system calls and exceptions end the engine's run, and the
 * kernel reads registers in the Linux ABI's terms.
 */
export interface UserCpu extends CpuCore {
  /** Why the engine returned before its budget was spent, once. */
  takeTrap(): UserTrap | undefined;

  /** Registers of the thread that runs, as bytes; loading breaks atomic sequences, as a context switch does. */
  saveState(): Uint8Array;
  loadState(state: Uint8Array): void;

  /** Where the thread continues; between a branch and its delay slot the branch. */
  programCounter: number;
  stackPointer: number;
  threadPointer: number;
  readonly debugRegisters: DebugRegisters;
  /** Of the call that has just ended: its value, or its error number. */
  readonly syscallResult: { readonly value: number; readonly isError: boolean };
  /** What prctl(PR_GET_FP_MODE) shows. */
  readonly fpMode: number;

  /** Clean registers for a program's first instruction. @param wideFpRegisters the program wants 64-bit FPU registers */
  startProgram(entry: number, stackPointer: number, wideFpRegisters: boolean): void;

  /** Number and argument words of the call that trapped. @throws what memory throws, when stack words cannot be read */
  readSyscall(memory: AbiMemory): TrappedSyscall;
  /** @param second value of the second result register, where the ABI uses one (pipe) */
  setResult(value: number, second?: number): void;
  setError(errno: number): void;

  /** Builds the frame and redirects the thread to the handler. @throws what memory throws: the stack is not writable */
  enterHandler(memory: AbiMemory, delivery: SignalDelivery): void;
  /** Undoes {@link enterHandler}. @returns the mask to restore, and the alternate stack where the frame has one */
  leaveHandler(memory: AbiMemory, withInfo: boolean): { readonly mask: bigint; readonly alternateStack?: SignalStack };
}
