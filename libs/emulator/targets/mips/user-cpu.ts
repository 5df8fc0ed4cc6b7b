import type { ByteOrder } from '../../core/index.js';
import { EmulatorError } from '../../core/index.js';
import type { TargetDescription } from '../../jit/ir/index.js';
import { DelayState, EngineEvent, wordOf } from '../../jit/ir/index.js';
import type { Access, EngineHost, HelperFunction } from '../cpu-core.js';
import { Access as AccessKind } from '../cpu-core.js';
import type {
  AbiMemory,
  DebugRegisters,
  SignalDelivery,
  SignalStack,
  TrappedSyscall,
  UserCpu,
  UserMmu,
  UserTrap,
} from '../linux-abi/user-cpu.js';
import { Cp0, ExceptionCode, Mode } from './cp0.js';
import { FCSR } from './fcsr.js';
import { FloatRegisters } from './float-registers.js';
import { MipsFpu } from './fpu.js';
import { mipsDebugRegisters } from './linux-abi/debug-registers.js';
import { readSignalFrame, writeSignalFrame } from './linux-abi/signal-frame.js';
import { FaultCode } from './linux-abi/signals.js';
import { O32 } from './linux-abi/syscalls.js';
import type { MipsModel } from './models.js';
import * as S from './state.js';
import { hasDelaySlot, mipsDescription } from './target.js';
import { decodeUnaligned, storedBytes, takeLoaded } from './unaligned.js';

const PC = wordOf(S.engine.pc);
const DELAY = wordOf(S.engine.delay);
const BRANCH_TARGET = wordOf(S.engine.branchTarget);
const REMAINING = wordOf(S.engine.remaining);
const RUN_START = wordOf(S.engine.runStart);
const EVENT = wordOf(S.engine.event);
/** What stays the engine's when a thread's state is put in place. */
const KEPT = [wordOf(S.engine.mode), wordOf(S.engine.tlbBase)];
const USER_LOCAL = wordOf(S.CP0) + Cp0.UserLocal;
const HWR_ENA = wordOf(S.CP0) + Cp0.HwrEna;
/** rdhwr may read CPUNum, SYNCI_Step, CC, CCRes and UserLocal. */
const HWR_ENA_ALL = 0x2000000f;
/** Registers of a thread: everything before the TLB, which only a kernel's CPU has. */
const STATE_BYTES = S.TLB_ENTRY_HI.offset;

const [V0, V1, A0, A3, T9, SP] = [2, 3, 4, 7, 25, 29];

/** First address that user mode may not use: the CPU itself refuses it (MD00090, section 4.3). */
const USER_LIMIT = 0x80000000;
/** Break codes that compilers and assemblers use for arithmetic (MIPS ABI supplement; asm/break.h). */
const BREAK_OVERFLOW = 6;
const BREAK_DIVIDE_BY_ZERO = 7;

export interface MipsUserCpuOptions {
  readonly model: MipsModel;
  readonly byteOrder: ByteOrder;
  readonly mmu: UserMmu;
  /** What rdhwr shows as the cycle counter. */
  readonly cycles: () => number;
}

/**
 * A MIPS32 CPU in user mode as Linux sets it up: coprocessor 1 usable, coprocessor 0 not, all hardware registers
 * readable with rdhwr. System calls and exceptions end the run; unaligned accesses are completed as the kernel does.
 */
export class MipsUserCpu implements UserCpu {
  readonly description: TargetDescription;
  readonly helpers: Readonly<Record<string, HelperFunction>>;
  readonly halted = false;
  readonly wakeupPending = false;
  readonly canWake = true;
  translatedAddress = 0;
  translatedWritable = false;
  translatedBlockBytes = 0;

  readonly #words: Int32Array;
  readonly #floats: FloatRegisters;
  readonly #mmu: UserMmu;
  readonly #little: boolean;
  #trap: UserTrap | undefined;
  /** Address of the system call instruction that trapped last. */
  #syscallPc = 0;

  constructor(
    private readonly host: EngineHost,
    private readonly options: MipsUserCpuOptions,
  ) {
    this.#words = host.words;
    this.#floats = new FloatRegisters(host.view);
    this.#mmu = options.mmu;
    this.#little = options.byteOrder === 'little';
    this.description = mipsDescription(options.model, options.byteOrder);
    const fpu = new MipsFpu(host, options.model.fir, (code) => this.#raise(code, 0));
    const privileged =
      (name: string): HelperFunction =>
      () => {
        throw new EmulatorError(`${name} was called in user mode`); // semantics test coprocessor 0's usability first
      };
    this.helpers = {
      ...Object.fromEntries(this.description.helpers.map(({ name }) => [name, privileged(name)])),
      raise: (code, unit) => this.#raise(code as ExceptionCode, unit),
      undefinedInstruction: () => this.#raise(ExceptionCode.ReservedInstruction, 0),
      readHardwareRegister: (register) => this.#readHardwareRegister(register),
      ...fpu.helpers,
    };
  }

  reset(): void {
    this.#words.fill(0, 0, STATE_BYTES >> 2);
    this.#words[wordOf(S.CP1_USABLE)] = 1;
    this.#words[HWR_ENA] = HWR_ENA_ALL;
    this.#floats.wide = false;
    this.#trap = undefined;
    this.host.flushTranslations();
    this.host.selectAddressSpace(0);
    this.host.selectMode(Mode.User);
  }

  boot(entry: { readonly pc: number; readonly gpr: Readonly<Record<number, number>> }): void {
    this.programCounter = entry.pc;
    for (const [register, value] of Object.entries(entry.gpr)) this.#words[S.gprWord(Number(register))] = value | 0;
  }

  // There are no interrupts: the kernel runs between two runs of the engine.
  wake(): void {
    throw new EmulatorError('a CPU in user mode never waits for interrupts');
  }

  takeInterrupt(): boolean {
    return false;
  }

  setIrqLine(): void {
    throw new EmulatorError('a CPU in user mode has no interrupt lines');
  }

  // ---- exceptions --------------------------------------------------------------------------------------------------

  takeTrap(): UserTrap | undefined {
    const trap = this.#trap;
    this.#trap = undefined;
    return trap;
  }

  /** Address to which the kernel would return: the branch when the current instruction is its delay slot. */
  #exceptionPc(): number {
    const w = this.#words;
    const pc = w[PC] as number;
    if (w[DELAY] !== DelayState.None) return pc - 4;
    const previous = this.host.previousInstruction();
    return previous !== undefined && hasDelaySlot(previous) ? pc - 4 : pc;
  }

  /** Where execution goes after the current instruction. */
  #nextPc(): number {
    const w = this.#words;
    return w[DELAY] === DelayState.None ? (w[PC] as number) + 4 : (w[BRANCH_TARGET] as number);
  }

  /** Completes the current instruction for the budget's purposes and continues at an address. */
  #redirect(pc: number, event: number): void {
    const w = this.#words;
    const end = (w[PC] as number) + 4;
    w[REMAINING] = (w[REMAINING] as number) - ((end - (w[RUN_START] as number)) >>> 2);
    w[PC] = pc | 0;
    w[RUN_START] = pc | 0;
    w[DELAY] = DelayState.None;
    w[EVENT] = event;
  }

  #signal(signal: string, code: number, address: number): void {
    const pc = this.#exceptionPc();
    this.#trap = { kind: 'signal', signal, code, address: address >>> 0 };
    this.#redirect(pc, EngineEvent.Leave);
  }

  #raise(code: ExceptionCode, unit: number): void {
    const pc = this.#exceptionPc() >>> 0;
    switch (code) {
      case ExceptionCode.Syscall: {
        const w = this.#words;
        this.#syscallPc = pc;
        this.#trap = { kind: 'syscall' };
        w[wordOf(S.LL_BIT)] = 0; // the kernel's eret breaks the link
        return this.#redirect(this.#nextPc(), EngineEvent.Leave);
      }
      case ExceptionCode.Breakpoint:
        return this.#breakpoint(pc);
      case ExceptionCode.Trap:
        return this.#conditionalTrap(pc);
      case ExceptionCode.Overflow:
        return this.#signal('SIGFPE', FaultCode.FPE_INTOVF, pc);
      case ExceptionCode.FloatingPoint:
        return this.#floatingPoint(pc);
      case ExceptionCode.ReservedInstruction:
      case ExceptionCode.CoprocessorUnusable:
        return this.#signal('SIGILL', FaultCode.SI_KERNEL, 0);
      default:
        throw new EmulatorError(`exception ${code} of unit ${unit} cannot happen in user mode`);
    }
  }

  #instruction(): number {
    const pc = this.#words[PC] as number;
    if (!this.#mmu.translate(pc, AccessKind.Fetch)) return 0;
    const bytes = Uint8Array.from({ length: 4 }, (_, i) => this.#mmu.loadByte(this.#mmu.physical + i));
    return new DataView(bytes.buffer).getUint32(0, this.#little);
  }

  /**
   * The code of `break` has 20 bits, of which assemblers fill the upper ten; older ones the lower.
   * What becomes of the codes: arch/mips documentation of Linux, asm/break.h.
   */
  #breakpoint(pc: number): void {
    const code = (this.#instruction() >>> 6) & 0xfffff;
    const number = code >= 1 << 10 ? code >>> 10 : code;
    if (number === BREAK_OVERFLOW) return this.#signal('SIGFPE', FaultCode.FPE_INTOVF, pc);
    if (number === BREAK_DIVIDE_BY_ZERO) return this.#signal('SIGFPE', FaultCode.FPE_INTDIV, pc);
    this.#signal('SIGTRAP', FaultCode.TRAP_BRKPT, pc);
  }

  /** teq and its like carry a ten-bit code; the forms with an immediate none. */
  #conditionalTrap(pc: number): void {
    const instruction = this.#instruction();
    const code = instruction >>> 26 === 0 ? (instruction >>> 6) & 0x3ff : 0;
    if (code === BREAK_OVERFLOW) return this.#signal('SIGFPE', FaultCode.FPE_INTOVF, pc);
    if (code === BREAK_DIVIDE_BY_ZERO) return this.#signal('SIGFPE', FaultCode.FPE_INTDIV, pc);
    this.#signal('SIGTRAP', FaultCode.SI_KERNEL, 0);
  }

  /** The most severe enabled cause names the signal's code; the causes that trapped are cleared for the handler. */
  #floatingPoint(pc: number): void {
    const index = wordOf(S.FCSR);
    const fcsr = this.#words[index] as number;
    const enabled = (fcsr >>> FCSR.ENABLES_SHIFT) & 0x1f & ((fcsr >>> FCSR.CAUSE_SHIFT) & 0x1f);
    const [, code] = [
      [1 << 4, FaultCode.FPE_FLTINV],
      [1 << 3, FaultCode.FPE_FLTDIV],
      [1 << 2, FaultCode.FPE_FLTOVF],
      [1 << 1, FaultCode.FPE_FLTUND],
      [1 << 0, FaultCode.FPE_FLTRES],
    ].find(([bit]) => enabled & (bit as number)) ?? [0, FaultCode.SI_KERNEL];
    this.#words[index] = fcsr & ~(enabled << FCSR.CAUSE_SHIFT) & ~FCSR.CAUSE_E;
    this.#signal('SIGFPE', code as number, pc);
  }

  #readHardwareRegister(register: number): number {
    switch (register) {
      case 0: // CPUNum
        return 0;
      case 1: // SYNCI_Step: bytes of a cache line
        return 2 << this.options.model.icache.l;
      case 2: // CC
        this.host.syncTime();
        return this.options.cycles() | 0;
      case 3: // CCRes
        return 2;
      case 29: // UserLocal
        return this.#words[USER_LOCAL] as number;
      default:
        this.#raise(ExceptionCode.ReservedInstruction, 0);
        return 0;
    }
  }

  // ---- memory --------------------------------------------------------------------------------------------------------

  translate(address: number, access: Access): boolean {
    const va = address >>> 0;
    if (va >= USER_LIMIT) {
      this.#signal('SIGBUS', FaultCode.SI_KERNEL, 0); // an address error, as the kernel answers it
      return false;
    }
    if (!this.#mmu.translate(va, access)) {
      const { signal, code } = this.#mmu.fault;
      this.#signal(signal, code, va);
      return false;
    }
    this.translatedAddress = this.#mmu.physical;
    this.translatedWritable = this.#mmu.writable;
    this.translatedBlockBytes = this.#mmu.blockBytes;
    return true;
  }

  translateQuietly(address: number): boolean {
    const va = address >>> 0;
    if (va >= USER_LIMIT || !this.#mmu.find(va)) return false;
    this.translatedAddress = this.#mmu.physical;
    this.translatedWritable = this.#mmu.writable;
    return true;
  }

  raiseBusError(address: number): void {
    throw new EmulatorError(`page table entry of ${address.toString(16)} points beyond the page pool`);
  }

  raiseAddressError(address: number, access: Access): void {
    const unaligned = access === AccessKind.Fetch ? undefined : decodeUnaligned(this.#instruction());
    if (!unaligned || address >>> 0 >= USER_LIMIT - 8) return this.#signal('SIGBUS', FaultCode.SI_KERNEL, 0);
    // Every byte is translated before any is moved: a page fault half-way must leave no trace.
    const physical: number[] = [];
    for (let i = 0; i < unaligned.bytes; i++) {
      if (!this.translate(address + i, access)) return;
      physical.push(this.translatedAddress);
    }
    const { view } = this.host;
    if (unaligned.store) {
      const bytes = storedBytes(unaligned, view, this.#floats, this.#little);
      physical.forEach((at, i) => this.#mmu.storeByte(at, bytes[i] as number));
    } else {
      const bytes = Uint8Array.from(physical, (at) => this.#mmu.loadByte(at));
      takeLoaded(unaligned, bytes, view, this.#floats, this.#little);
    }
    this.#redirect(this.#nextPc(), EngineEvent.Reload);
  }

  // ---- what the kernel does with a thread ------------------------------------------------------------------------------

  saveState(): Uint8Array {
    return new Uint8Array(this.host.view.buffer, this.host.view.byteOffset, STATE_BYTES).slice();
  }

  loadState(state: Uint8Array): void {
    this.#replaceState(() => new Uint8Array(this.host.view.buffer, this.host.view.byteOffset, STATE_BYTES).set(state));
    this.#words[wordOf(S.LL_BIT)] = 0;
    this.#trap = undefined;
    this.host.requestAttention();
  }

  /** Rewrites the state but for what is the engine's. */
  #replaceState(rewrite: () => void): void {
    const kept = KEPT.map((index) => this.#words[index] as number);
    rewrite();
    KEPT.forEach((index, i) => (this.#words[index] = kept[i] as number));
  }

  get programCounter(): number {
    const pc = this.#words[PC] as number;
    return (this.#words[DELAY] === DelayState.None ? pc : pc - 4) >>> 0;
  }

  set programCounter(pc: number) {
    this.#words[PC] = pc | 0;
    this.#words[RUN_START] = pc | 0;
    this.#words[DELAY] = DelayState.None;
  }

  get stackPointer(): number {
    return (this.#words[S.gprWord(SP)] as number) >>> 0;
  }

  set stackPointer(value: number) {
    this.#words[S.gprWord(SP)] = value | 0;
  }

  get threadPointer(): number {
    return (this.#words[USER_LOCAL] as number) >>> 0;
  }

  set threadPointer(value: number) {
    this.#words[USER_LOCAL] = value | 0;
  }

  /** PR_FP_MODE_FR */
  get fpMode(): number {
    return this.#floats.wide ? 1 : 0;
  }

  startProgram(entry: number, stackPointer: number, wideFpRegisters: boolean): void {
    this.#replaceState(() => void this.#words.fill(0, 0, STATE_BYTES >> 2));
    this.#words[wordOf(S.CP1_USABLE)] = 1;
    this.#words[HWR_ENA] = HWR_ENA_ALL;
    this.#floats.wide = wideFpRegisters;
    this.programCounter = entry;
    this.stackPointer = stackPointer;
    this.#words[S.gprWord(T9)] = entry | 0;
    this.host.requestAttention();
  }

  /** Number in v0, four words in a0 to a3, more on the stack from its 16th byte; `syscall(n, …)` shifts all by one. */
  readSyscall(memory: AbiMemory): TrappedSyscall {
    const w = this.#words;
    const pc = this.#syscallPc;
    const v0 = w[S.gprWord(V0)] as number;
    const a3 = w[S.gprWord(A3)] as number;
    const restart = (): void => {
      this.programCounter = pc;
      w[S.gprWord(V0)] = v0;
      w[S.gprWord(A3)] = a3;
    };
    const indirect = v0 >>> 0 === O32.indirect;
    const number = (indirect ? (w[S.gprWord(A0)] as number) : v0) >>> 0;
    const words = O32.words(number) + (indirect ? 1 : 0);
    const args: number[] = [];
    for (let i = 0; i < 4; i++) args.push((w[S.gprWord(A0 + i)] as number) >>> 0);
    for (let i = 4; i < words; i++) args.push(memory.u32(this.stackPointer + 4 * i));
    return { number, args: indirect ? args.slice(1) : args, restart };
  }

  setResult(value: number, second?: number): void {
    this.#words[S.gprWord(V0)] = value | 0;
    this.#words[S.gprWord(A3)] = 0;
    if (second !== undefined) this.#words[S.gprWord(V1)] = second | 0;
  }

  setError(errno: number): void {
    this.#words[S.gprWord(V0)] = errno;
    this.#words[S.gprWord(A3)] = 1;
  }

  enterHandler(memory: AbiMemory, delivery: SignalDelivery): void {
    const handlerStack = writeSignalFrame(memory, delivery, {
      state: this.host.view,
      floats: this.#floats,
      fcsr: this.#settledFcsr(),
      pc: this.programCounter,
      little: this.#little,
    });
    const w = this.#words;
    for (const [register, value] of Object.entries(handlerStack)) w[S.gprWord(Number(register))] = value | 0;
    this.programCounter = delivery.handler;
    w[S.gprWord(T9)] = delivery.handler | 0;
  }

  leaveHandler(memory: AbiMemory, withInfo: boolean): { readonly mask: bigint; readonly alternateStack?: SignalStack } {
    const frame = readSignalFrame(memory, this.stackPointer, withInfo, {
      state: this.host.view,
      floats: this.#floats,
      little: this.#little,
    });
    this.#setFcsr(frame.fcsr);
    this.programCounter = frame.pc;
    this.#words[wordOf(S.LL_BIT)] = 0;
    return frame;
  }

  get syscallResult(): { readonly value: number; readonly isError: boolean } {
    return { value: this.#words[S.gprWord(V0)] as number, isError: this.#words[S.gprWord(A3)] !== 0 };
  }

  get debugRegisters(): DebugRegisters {
    const cpu = (): this => this;
    return mipsDebugRegisters({
      state: this.host.view,
      floats: this.#floats,
      little: this.#little,
      fir: this.options.model.fir,
      get pc() {
        return cpu().programCounter;
      },
      set pc(value) {
        cpu().programCounter = value;
      },
      get fcsr() {
        return cpu().#settledFcsr();
      },
      set fcsr(value) {
        cpu().#setFcsr(value);
      },
    });
  }

  /** Without causes, which would trap at once. */
  #setFcsr(value: number): void {
    this.helpers['writeFpControl']?.(31, value & ~FCSR.CAUSE, 0);
  }

  #settledFcsr(): number {
    return this.helpers['readFpControl']?.(31, 0, 0) ?? 0;
  }
}
