import type { ByteOrder, Scheduler } from '../../core/index.js';
import { Timer } from '../../core/index.js';
import type { TargetDescription } from '../../jit/ir/index.js';
import { DelayState, EngineEvent, wordOf } from '../../jit/ir/index.js';
import type { Access, CpuCore, EngineHost, HelperFunction, StackSource } from '../cpu-core.js';
import { Access as AccessKind } from '../cpu-core.js';
import {
  Cause,
  Cp0,
  ENTRY_HI,
  ENTRY_LO,
  ExceptionCode,
  INT_CTL,
  KSEG0,
  Mode,
  MT_RESET,
  MT_WRITABLE,
  Status,
  VECTOR_GENERAL,
} from './cp0.js';
import { mipsExpansions } from './exceptions.js';
import { MipsFpu } from './fpu.js';
import type { MipsModel } from './models.js';
import * as S from './state.js';
import { hasDelaySlot, mipsDescription, mipsModeKey } from './target.js';
import { unwind } from './unwind.js';

const PC = wordOf(S.engine.pc);
const DELAY = wordOf(S.engine.delay);
const REMAINING = wordOf(S.engine.remaining);
const RUN_START = wordOf(S.engine.runStart);
const EVENT = wordOf(S.engine.event);
const CP0 = wordOf(S.CP0);
const LL_ADDRESS = wordOf(S.LL_ADDRESS);
const LL_PENDING = wordOf(S.LL_PENDING);
const ENTRY_HIS = wordOf(S.TLB_ENTRY_HI);
const MASKS = wordOf(S.TLB_PAGE_MASK);
const LO0S = wordOf(S.TLB_ENTRY_LO0);
const LO1S = wordOf(S.TLB_ENTRY_LO1);

const KSEG1 = 0xa0000000;
const KSEG2 = 0xc0000000;
const KSEG3 = 0xe0000000;
/** Reset, and exceptions while Status.BEV is set (MD00090 table 5.4). */
const RESET_VECTOR = 0xbfc00000;
const BEV_BASE = 0xbfc00200;
const VECTOR_REFILL = 0;
const VECTOR_INTERRUPT = 0x200;
const TIMER_LINE = 7;
const [SP, RA] = [29, 31];
const PAGE_MASK_BITS = 0x1fffe000;

export interface MipsCpuOptions {
  readonly model: MipsModel;
  readonly byteOrder: ByteOrder;
  readonly scheduler: Scheduler;
  /** Rate of CP0 Count in virtual time; divides 10^9. */
  readonly countHz: number;
}

/**
 * Privileged part of a MIPS32 CPU: coprocessor 0, TLB, exceptions, the Count/Compare timer.
 * Source: MIPS32 Privileged Resource Architecture (MD00090, revision 2.62); chapter and section numbers refer to it.
 */
export class MipsCpu implements CpuCore {
  readonly description: TargetDescription;
  readonly helpers: Readonly<Record<string, HelperFunction>>;
  halted = false;
  translatedAddress = 0;
  translatedWritable = false;

  readonly #words: Int32Array;
  readonly #timer: Timer;
  readonly #nsPerCount: number;
  readonly #fpu: MipsFpu;
  /** Count was `#countBase` at `#countBaseNs`. */
  #countBase = 0;
  #countBaseNs = 0;
  /** Levels of the hardware interrupt pins as Cause.IP bits. */
  #pins = 0;
  readonly #statusWritable: number;

  constructor(
    private readonly host: EngineHost,
    private readonly options: MipsCpuOptions,
  ) {
    const { model, scheduler } = options;
    this.#words = host.words;
    this.description = { ...mipsDescription(model, options.byteOrder), expansions: mipsExpansions(model) };
    this.#nsPerCount = 1e9 / options.countHz;
    this.#timer = new Timer(scheduler, 'mips-count', () => this.#countReachedCompare());
    this.#fpu = new MipsFpu(host, model.fir, (code) => this.raise(code, 0));
    this.#statusWritable = model.fpu ? 0x3678ff1f : model.release === 1 ? 0x1278ff17 : 0x1278ff1f;
    this.helpers = {
      raise: (code, unit) => this.raise(code as ExceptionCode, unit),
      undefinedInstruction: (insn) => this.#undefinedInstruction(insn),
      readCp0: (index) => this.#readCp0(index),
      writeCp0: (index, value) => this.#writeCp0(index, value),
      enableInterrupts: () => this.#enableInterrupts(),
      setMultithreading: (thread, enable) => this.#setMultithreading(thread, enable),
      tlbRead: () => this.#tlbRead(),
      tlbWriteIndexed: () => this.#tlbWrite(this.#get(Cp0.Index) & 0x3f),
      tlbWriteRandom: () => this.#tlbWrite(this.#nextRandom()),
      tlbProbe: () => this.#tlbProbe(),
      exceptionReturn: () => this.#exceptionReturn(),
      waitForInterrupt: () => this.#waitForInterrupt(),
      readHardwareRegister: (register) => this.#readHardwareRegister(register),
      ...this.#fpu.helpers,
    };
  }

  // ---- reset (section 5.6 and the reset states of chapter 9) ---------------------------------------------------------

  reset(): void {
    const { model, byteOrder } = this.options;
    this.#words.fill(0, 0, S.layout.sizeBytes >> 2);
    this.halted = false;
    this.#pins = 0;
    this.#timer.disarm();
    this.#countBase = 0;
    this.#countBaseNs = this.options.scheduler.nowNs;
    const last = model.tlbEntries - 1;
    this.#set(Cp0.Random, last);
    this.#set(Cp0.Status, Status.BEV | Status.ERL);
    this.#set(Cp0.PrId, model.prId);
    this.#set(
      Cp0.Config,
      -0x80000000 | (byteOrder === 'big' ? 1 << 15 : 0) | (model.release === 2 ? 1 << 10 : 0) | (1 << 7) | 2,
    );
    const { icache: i, dcache: d } = model;
    const geometry = (i.s << 22) | (i.l << 19) | (i.a << 16) | (d.s << 13) | (d.l << 10) | (d.a << 7);
    this.#set(Cp0.Config1, (model.release === 2 ? -0x80000000 : 0) | (last << 25) | geometry | (model.fpu ? 1 : 0));
    if (model.release === 2) {
      this.#set(Cp0.Config2, -0x80000000);
      this.#set(Cp0.Config3, model.config3);
      this.#set(Cp0.Config7, model.config7);
      this.#set(Cp0.EBase, KSEG0 | 0);
      this.#set(Cp0.IntCtl, (TIMER_LINE << INT_CTL.IPTI_SHIFT) | (TIMER_LINE << INT_CTL.IPPCI_SHIFT));
    }
    if (model.multithreaded) {
      this.#set(Cp0.MvpConf0, model.tlbEntries << MT_RESET.PTLBE_SHIFT);
      this.#set(Cp0.VpeConf0, MT_RESET.VPE_CONF0);
      this.#set(Cp0.TcStatus, MT_RESET.TC_STATUS);
    }
    this.#words[PC] = RESET_VECTOR | 0;
    this.#words[RUN_START] = RESET_VECTOR | 0;
    this.host.flushTranslations();
    this.host.selectAddressSpace(0); // EntryHi.ASID
    this.#modeChanged();
    this.#armTimer();
  }

  boot(entry: { readonly pc: number; readonly gpr: Readonly<Record<number, number>> }): void {
    this.#words[PC] = entry.pc | 0;
    this.#words[RUN_START] = entry.pc | 0;
    for (const [register, value] of Object.entries(entry.gpr)) this.#words[S.gprWord(Number(register))] = value | 0;
    // A boot monitor hands over with ERL cleared, so that kuseg is mapped again.
    this.#set(Cp0.Status, this.#get(Cp0.Status) & ~Status.ERL);
    this.#modeChanged();
  }

  // ---- exceptions (chapter 5) ---------------------------------------------------------------------------------------

  /** Raises an exception at the current instruction. */
  raise(code: ExceptionCode, coprocessor: number): void {
    this.#enter(code, VECTOR_GENERAL, coprocessor);
  }

  raiseAddressError(address: number, access: Access): void {
    this.#set(Cp0.BadVAddr, address);
    this.raise(access === AccessKind.Write ? ExceptionCode.AddressErrorStore : ExceptionCode.AddressErrorLoad, 0);
  }

  raiseBusError(_address: number, access: Access): void {
    this.raise(access === AccessKind.Fetch ? ExceptionCode.BusErrorFetch : ExceptionCode.BusErrorData, 0);
  }

  #enter(code: ExceptionCode, vector: number, coprocessor: number): void {
    const w = this.#words;
    const status = this.#get(Cp0.Status);
    const pc = w[PC] as number;
    const inSlot = this.#inDelaySlot(); // before the run ends here, because it looks back within the run
    this.#commit(code === ExceptionCode.Interrupt ? pc : pc + 4);
    let cause = this.#get(Cp0.Cause) & ~(Cause.CODE | Cause.CE);
    let offset = vector;
    if (status & Status.EXL) {
      if (vector === VECTOR_REFILL) offset = VECTOR_GENERAL;
    } else {
      this.#set(Cp0.Epc, inSlot ? (pc - 4) | 0 : pc);
      cause = inSlot ? cause | Cause.BD : cause & ~Cause.BD;
    }
    this.#set(Cp0.Cause, cause | (code << 2) | (coprocessor << 28));
    this.#set(Cp0.Status, status | Status.EXL);
    const ebase = this.options.model.release === 2 ? (this.#get(Cp0.EBase) & 0x3ffff000) | KSEG0 : KSEG0;
    this.#redirect((status & Status.BEV ? BEV_BASE : ebase) + offset);
  }

  /**
   * Taken branches leave a mark; a branch that was not taken does not, because its slot is the next instruction
   * anyway. There the instruction before tells.
   */
  #inDelaySlot(): boolean {
    // Pending: the slot's own fetch failed.
    if (this.#words[DELAY] !== DelayState.None) return true;
    const previous = this.host.previousInstruction();
    return previous !== undefined && hasDelaySlot(previous);
  }

  /** Charges the instructions up to `next` (exclusive) to the budget. */
  #commit(next: number): void {
    const w = this.#words;
    w[REMAINING] = (w[REMAINING] as number) - ((next - (w[RUN_START] as number)) >>> 2);
    w[RUN_START] = next;
  }

  /** Continues at an address, in whatever mode Status now says. */
  #redirect(pc: number): void {
    const w = this.#words;
    w[PC] = pc | 0;
    w[RUN_START] = pc | 0;
    w[DELAY] = DelayState.None;
    w[EVENT] = EngineEvent.Reload;
    this.#modeChanged();
  }

  #exceptionReturn(): void {
    const status = this.#get(Cp0.Status);
    this.#commit((this.#words[PC] as number) + 4);
    const error = (status & Status.ERL) !== 0;
    if (error) this.#noteLinkedAddress();
    this.#set(Cp0.Status, status & ~(error ? Status.ERL : Status.EXL));
    if (error) this.host.flushTranslations(); // kuseg was unmapped while ERL was set
    this.#words[wordOf(S.LL_BIT)] = 0;
    this.#redirect(this.#get(error ? Cp0.ErrorEpc : Cp0.Epc));
  }

  #undefinedInstruction(insn: number): void {
    const opcode = insn >>> 26;
    if (opcode === 0x10 && !this.#words[wordOf(S.CP0_USABLE)]) return this.raise(ExceptionCode.CoprocessorUnusable, 0);
    if ((opcode === 0x11 || opcode === 0x13) && !this.#words[wordOf(S.CP1_USABLE)])
      return this.raise(ExceptionCode.CoprocessorUnusable, 1);
    this.raise(ExceptionCode.ReservedInstruction, 0);
  }

  // ---- interrupts (chapter 5.2) -------------------------------------------------------------------------------------

  get canWake(): boolean {
    return (this.#get(Cp0.Status) & Status.IM) !== 0;
  }

  wake(): void {
    this.halted = false;
  }

  setIrqLine(line: number, level: boolean): void {
    const bit = 1 << (8 + line);
    this.#pins = level ? this.#pins | bit : this.#pins & ~bit;
    this.#updateCauseIp();
  }

  #updateCauseIp(): void {
    const cause = this.#get(Cp0.Cause);
    const timer = cause & Cause.TI ? 1 << (8 + TIMER_LINE) : 0;
    this.#set(Cp0.Cause, (cause & ~(Cause.IP & ~Cause.IP_SOFTWARE)) | this.#pins | timer);
    this.#checkInterrupts();
  }

  get #pendingUnmasked(): number {
    return this.#get(Cp0.Cause) & this.#get(Cp0.Status) & Cause.IP;
  }

  get wakeupPending(): boolean {
    return this.#pendingUnmasked !== 0;
  }

  get #interruptsEnabled(): boolean {
    return (this.#get(Cp0.Status) & (Status.IE | Status.EXL | Status.ERL)) === Status.IE;
  }

  #checkInterrupts(): void {
    if (this.#pendingUnmasked !== 0 && this.#interruptsEnabled) this.host.requestAttention();
  }

  takeInterrupt(): boolean {
    const pending = this.#pendingUnmasked;
    if (pending === 0 || !this.#interruptsEnabled) return false;
    let vector = VECTOR_GENERAL;
    if (this.#get(Cp0.Cause) & Cause.IV) {
      // Vectored: the highest pending line selects the handler, IntCtl.VS the spacing (sections 5.2.2 and 9.21).
      const spacing = this.#get(Cp0.IntCtl) & INT_CTL.VS;
      const bev = this.#get(Cp0.Status) & Status.BEV;
      const line = 31 - Math.clz32(pending >>> 8);
      vector = VECTOR_INTERRUPT + (bev ? 0 : line * spacing);
    }
    this.#enter(ExceptionCode.Interrupt, vector, 0);
    return true;
  }

  #waitForInterrupt(): void {
    const w = this.#words;
    const next = (w[PC] as number) + 4;
    this.#commit(next);
    // In a delay slot the result is unpredictable (section on WAIT): it completes like any other instruction there.
    if (w[DELAY] === DelayState.InSlot) this.#redirect(w[wordOf(S.engine.branchTarget)] as number);
    else this.#redirect(next);
    this.halted = true;
    w[EVENT] = EngineEvent.Leave;
  }

  #enableInterrupts(): number {
    const old = this.#get(Cp0.Status);
    this.#set(Cp0.Status, old | Status.IE);
    this.#checkInterrupts();
    return old;
  }

  // ---- coprocessor 0 registers (chapter 9) ----------------------------------------------------------------------------

  #get(register: number): number {
    return this.#words[CP0 + register] as number;
  }

  #set(register: number, value: number): void {
    this.#words[CP0 + register] = value;
  }

  /** Semantics read the other registers in their place. */
  #readCp0(index: number): number {
    if (index === Cp0.Random) return this.#nextRandom();
    if (index === Cp0.Count) return this.#count();
    this.#noteLinkedAddress();
    return this.#get(index);
  }

  #writeCp0(index: number, value: number): void {
    const { model } = this.options;
    switch (index) {
      case Cp0.Index:
        return this.#set(index, value & 0x3f & (model.tlbEntries - 1));
      case Cp0.EntryLo0:
      case Cp0.EntryLo1:
        return this.#set(index, value & ENTRY_LO.WRITABLE);
      case Cp0.Context:
        return this.#set(index, (this.#get(index) & 0x007fffff) | (value & 0xff800000));
      case Cp0.UserLocal:
      case Cp0.Epc:
      case Cp0.ErrorEpc:
      case Cp0.TagLo:
      case Cp0.TagHi:
      case Cp0.DTagLo:
        return this.#set(index, value);
      case Cp0.PageMask:
        return this.#set(index, value & PAGE_MASK_BITS);
      case Cp0.Wired:
        this.#set(Cp0.Random, model.tlbEntries - 1);
        return this.#set(index, value & (model.tlbEntries - 1));
      case Cp0.HwrEna:
        return this.#set(index, value & 0x2000000f);
      case Cp0.Count:
        this.host.syncTime();
        this.#countBase = value >>> 0;
        this.#countBaseNs = this.options.scheduler.nowNs;
        return this.#armTimer();
      case Cp0.EntryHi: {
        this.#noteLinkedAddress();
        const asid = this.#get(index) & ENTRY_HI.ASID;
        this.#set(index, value & (ENTRY_HI.VPN2 | ENTRY_HI.ASID));
        if (asid !== (value & ENTRY_HI.ASID)) this.host.selectAddressSpace(value & ENTRY_HI.ASID);
        return;
      }
      case Cp0.Compare:
        this.#set(index, value);
        this.#set(Cp0.Cause, this.#get(Cp0.Cause) & ~Cause.TI);
        this.#updateCauseIp();
        this.host.syncTime();
        return this.#armTimer();
      case Cp0.Status: {
        const old = this.#get(index);
        const status = (old & ~this.#statusWritable) | (value & this.#statusWritable);
        if ((old ^ status) & Status.ERL) this.#noteLinkedAddress();
        this.#set(index, status);
        if ((old ^ status) & Status.ERL) this.host.flushTranslations();
        return this.#modeChanged();
      }
      case Cp0.IntCtl:
        if (model.release === 2) this.#set(index, (this.#get(index) & ~INT_CTL.VS) | (value & INT_CTL.VS));
        return;
      case Cp0.Cause: {
        const stops = model.release === 2 ? Cause.DC : 0;
        const writable = Cause.IP_SOFTWARE | Cause.IV | Cause.WP | stops;
        const old = this.#get(index);
        if ((old ^ value) & stops) {
          this.#countBase = this.#count() >>> 0;
          this.#countBaseNs = this.options.scheduler.nowNs;
        }
        this.#set(index, (old & ~writable) | (value & writable));
        if ((old ^ value) & stops) this.#armTimer();
        return this.#checkInterrupts();
      }
      case Cp0.EBase:
        if (model.release === 2) this.#set(index, KSEG0 | (value & 0x3ffff000) | 0);
        return;
      case Cp0.Config:
        return this.#set(index, (this.#get(index) & ~7) | (value & 7));
      default: {
        // Read-only and absent registers ignore writes.
        const writable = model.multithreaded ? MT_WRITABLE.get(index) : undefined;
        if (writable !== undefined) this.#set(index, (this.#get(index) & ~writable) | (value & writable));
      }
    }
  }

  /** Any that the current mode may read, but for UserLocal. */
  #readHardwareRegister(register: number): number {
    switch (register) {
      case 0:
        return this.#get(Cp0.EBase) & 0x3ff; // CPUNum
      case 1:
        return 2 << this.options.model.icache.l; // SYNCI_Step: bytes of a cache line
      case 2:
        return this.#count();
      case 3:
        return 2; // CCRes: Count advances every second cycle
    }
    this.raise(ExceptionCode.ReservedInstruction, 0);
    return 0;
  }

  /** dmt, emt, dvpe, evpe on a core with one thread context: the enable bit of the register changes, its old value returns. */
  #setMultithreading(thread: number, enable: number): number {
    const register = thread ? Cp0.VpeControl : Cp0.MvpControl;
    const bit = thread ? 1 << 15 : 1;
    const old = this.#get(register);
    this.#set(register, enable ? old | bit : old & ~bit);
    return old;
  }

  /** Recomputes what follows from Status: the mode's translations, coprocessor usability, register width, interrupts. */
  #modeChanged(): void {
    const w = this.#words;
    const status = this.#get(Cp0.Status);
    const mode = this.#mode(status);
    w[wordOf(S.CP0_USABLE)] = mode === Mode.Kernel || status & Status.CU0 ? 1 : 0;
    w[wordOf(S.CP1_USABLE)] = status & Status.CU1 ? 1 : 0;
    const wide = status & Status.FR ? 1 : 0;
    w[wordOf(S.FR)] = wide;
    w[wordOf(S.FPR_ODD_DELTA)] = wide ? 0 : 4;
    w[wordOf(S.engine.modeKey)] = mipsModeKey(wide === 1, (status & Status.CU1) !== 0);
    this.host.selectMode(mode);
    this.#checkInterrupts();
  }

  #mode(status: number): Mode {
    if (status & (Status.EXL | Status.ERL)) return Mode.Kernel;
    const ksu = (status & Status.KSU) >>> Status.KSU_SHIFT;
    return ksu === Mode.User ? Mode.User : ksu === Mode.Supervisor ? Mode.Supervisor : Mode.Kernel;
  }

  // ---- Count and Compare (sections 9.15 and 9.18) -----------------------------------------------------------------------

  #count(): number {
    this.host.syncTime();
    if (this.#get(Cp0.Cause) & Cause.DC) return this.#countBase | 0;
    const ticks = Math.floor((this.options.scheduler.nowNs - this.#countBaseNs) / this.#nsPerCount);
    return (this.#countBase + (ticks % 2 ** 32)) | 0;
  }

  #armTimer(): void {
    if (this.#get(Cp0.Cause) & Cause.DC) return this.#timer.disarm();
    const ticks = Math.floor((this.options.scheduler.nowNs - this.#countBaseNs) / this.#nsPerCount);
    const count = (this.#countBase + (ticks % 2 ** 32)) >>> 0;
    const distance = (this.#get(Cp0.Compare) - count) >>> 0 || 2 ** 32;
    this.#timer.arm(this.#countBaseNs + (ticks + distance) * this.#nsPerCount);
    this.host.requestAttention(); // the engine must not run past it
  }

  #countReachedCompare(): void {
    this.#set(Cp0.Cause, this.#get(Cp0.Cause) | Cause.TI);
    this.#updateCauseIp();
    this.#armTimer();
  }

  // ---- address translation (chapter 4) -----------------------------------------------------------------------------------

  translate(address: number, access: Access): boolean {
    const va = address >>> 0;
    const status = this.#get(Cp0.Status);
    const mode = this.#mode(status);
    if (va < KSEG0) {
      if (status & Status.ERL) return this.#unmapped(va);
      return this.#lookup(va, access);
    }
    if (mode === Mode.Kernel) {
      if (va < KSEG1) return this.#unmapped(va - KSEG0);
      if (va < KSEG2) return this.#unmapped(va - KSEG1);
      return this.#lookup(va, access);
    }
    if (mode === Mode.Supervisor && va >= KSEG2 && va < KSEG3) return this.#lookup(va, access);
    this.raiseAddressError(address, access);
    return false;
  }

  #unmapped(physical: number): boolean {
    this.translatedAddress = physical;
    this.translatedWritable = true;
    return true;
  }

  #lookup(va: number, access: Access): boolean {
    const index = this.#find(va, this.#get(Cp0.EntryHi) & ENTRY_HI.ASID);
    if (index < 0)
      return this.#tlbException(va, access === AccessKind.Write ? ExceptionCode.TlbStore : ExceptionCode.TlbLoad, true);
    const { lo, offsetMask } = this.#half(index, va);
    if (!(lo & ENTRY_LO.V))
      return this.#tlbException(
        va,
        access === AccessKind.Write ? ExceptionCode.TlbStore : ExceptionCode.TlbLoad,
        false,
      );
    if (access === AccessKind.Write && !(lo & ENTRY_LO.D))
      return this.#tlbException(va, ExceptionCode.TlbModified, false);
    this.translatedAddress = frameAddress(lo, offsetMask, va);
    this.translatedWritable = (lo & ENTRY_LO.D) !== 0;
    return true;
  }

  probe(address: number): number | undefined {
    const va = address >>> 0;
    if (va >= KSEG0 && va < KSEG2) return va - (va < KSEG1 ? KSEG0 : KSEG1);
    if (va < KSEG0 && this.#get(Cp0.Status) & Status.ERL) return va;
    const index = this.#find(va, this.#get(Cp0.EntryHi) & ENTRY_HI.ASID);
    if (index < 0) return undefined;
    const { lo, offsetMask } = this.#half(index, va);
    return lo & ENTRY_LO.V ? frameAddress(lo, offsetMask, va) : undefined;
  }

  callers(source: StackSource): number[] {
    const gpr = (register: number): number => this.#words[S.gprWord(register)] as number;
    return unwind({ pc: this.#words[wordOf(S.engine.pc)] as number, sp: gpr(SP), ra: gpr(RA) }, source);
  }

  /** The half of a TLB entry's pair of pages that an address lies in. */
  #half(index: number, va: number): { lo: number; offsetMask: number } {
    const w = this.#words;
    const offsetMask = ((w[MASKS + index] as number) | 0x1fff) >>> 1;
    return { lo: (va & (offsetMask + 1) ? w[LO1S + index] : w[LO0S + index]) as number, offsetMask };
  }

  #find(va: number, asid: number): number {
    const w = this.#words;
    const entries = this.options.model.tlbEntries;
    for (let i = 0; i < entries; i++) {
      const hi = w[ENTRY_HIS + i] as number;
      const compared = ~((w[MASKS + i] as number) | 0x1fff);
      if (((hi ^ va) & compared) !== 0) continue;
      if ((hi & ENTRY_HI.ASID) === asid || (w[LO0S + i] as number) & (w[LO1S + i] as number) & ENTRY_LO.G) return i;
    }
    return -1;
  }

  #tlbException(va: number, code: ExceptionCode, refill: boolean): false {
    this.#set(Cp0.BadVAddr, va | 0);
    this.#set(Cp0.Context, (this.#get(Cp0.Context) & (0xff800000 | 0)) | ((va >>> 9) & 0x007ffff0));
    this.#set(Cp0.EntryHi, (va & ENTRY_HI.VPN2) | (this.#get(Cp0.EntryHi) & ENTRY_HI.ASID));
    this.#enter(code, refill ? VECTOR_REFILL : VECTOR_GENERAL, 0);
    return false;
  }

  // ---- TLB instructions ----------------------------------------------------------------------------------------------------

  /** A value for Random between Wired and the last entry; any sequence is allowed (section 9.5), this one counts down. */
  #nextRandom(): number {
    const wired = this.#get(Cp0.Wired);
    const current = this.#get(Cp0.Random);
    this.#set(Cp0.Random, current <= wired ? this.options.model.tlbEntries - 1 : current - 1);
    return current;
  }

  #tlbRead(): void {
    const index = this.#get(Cp0.Index) & 0x3f;
    const w = this.#words;
    const asid = this.#get(Cp0.EntryHi) & ENTRY_HI.ASID;
    const hi = w[ENTRY_HIS + index] as number;
    const global = (w[LO0S + index] as number) & (w[LO1S + index] as number) & ENTRY_LO.G;
    this.#set(Cp0.PageMask, w[MASKS + index] as number);
    this.#set(Cp0.EntryHi, hi);
    this.#set(Cp0.EntryLo0, ((w[LO0S + index] as number) & ~ENTRY_LO.G) | global);
    this.#set(Cp0.EntryLo1, ((w[LO1S + index] as number) & ~ENTRY_LO.G) | global);
    if (asid !== (hi & ENTRY_HI.ASID)) this.host.selectAddressSpace(hi & ENTRY_HI.ASID);
  }

  #tlbWrite(index: number): void {
    const w = this.#words;
    this.#noteLinkedAddress();
    this.#flushEntry(index);
    const mask = this.#get(Cp0.PageMask);
    // The G bit of an entry is the conjunction of both halves' (section 9.7).
    const global = this.#get(Cp0.EntryLo0) & this.#get(Cp0.EntryLo1) & ENTRY_LO.G;
    w[MASKS + index] = mask;
    w[ENTRY_HIS + index] = this.#get(Cp0.EntryHi) & ~mask;
    w[LO0S + index] = (this.#get(Cp0.EntryLo0) & ~ENTRY_LO.G) | global;
    w[LO1S + index] = (this.#get(Cp0.EntryLo1) & ~ENTRY_LO.G) | global;
    this.#flushEntry(index);
  }

  #flushEntry(index: number): void {
    const w = this.#words;
    if (w[MASKS + index] !== 0) return this.host.flushTranslations();
    const base = (w[ENTRY_HIS + index] as number) & ENTRY_HI.VPN2;
    this.host.flushPage(base);
    this.host.flushPage(base + 0x1000);
  }

  #tlbProbe(): void {
    const hi = this.#get(Cp0.EntryHi);
    const index = this.#find(hi & ENTRY_HI.VPN2, hi & ENTRY_HI.ASID);
    this.#set(Cp0.Index, index < 0 ? -0x80000000 : index);
  }

  /** LLAddr is to show the physical address that LL read: to be called before anything that changes what it was. */
  #noteLinkedAddress(): void {
    if (!this.#words[LL_PENDING]) return;
    this.#words[LL_PENDING] = 0;
    const physical = this.probe(this.#words[LL_ADDRESS] as number);
    if (physical !== undefined) this.#set(Cp0.LlAddr, physical >>> 4);
  }
}

/** Physical address that the half of a TLB entry gives to a virtual one. */
const frameAddress = (lo: number, offsetMask: number, va: number): number =>
  ((((lo >>> ENTRY_LO.PFN_SHIFT) << 12) & ~offsetMask) | (va & offsetMask)) >>> 0;
