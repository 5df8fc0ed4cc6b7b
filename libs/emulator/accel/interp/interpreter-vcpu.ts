import type { AccessWidth, ByteOrder, Scheduler } from '../../core/index.js';
import { widthMask } from '../../core/index.js';
import type { Width } from '../../jit/ir/index.js';
import { EngineEvent, JumpCache, SoftTlb, widthBytes, Width as Widths, wordOf } from '../../jit/ir/index.js';
import { DECODE_TABLE_BYTES, generateInterpreter } from '../../jit/interp/index.js';
import type { AddressSpace, FlatRange, LinearMemory, RamBlock } from '../../memory/index.js';
import { PAGE_BYTES, PAGE_MASK, PageFlag } from '../../memory/index.js';
import type { CpuCore, EngineHost, StackSource } from '../../targets/index.js';
import { Access } from '../../targets/index.js';
import type { DirectWindow } from '../../jit/regions/index.js';
import type { TranslationOptions } from '../jit/index.js';
import { Translator } from '../jit/index.js';
import { MirrorTable } from '../mirror-table.js';
import { SoftTlbTables } from '../soft-tlb.js';
import type { Vcpu, VcpuExit, VcpuStats } from '../vcpu.js';
import type { Interpreter, InterpreterStore } from './interpreter-store.js';

/** Largest budget of one entry into generated code; its counter is a signed 32-bit integer. */
const MAX_BUDGET = 2 ** 30;
/** How often, in instructions, it is looked whether the mirror serves, and how many there must be between two misses. */
const MIRROR_CHECK_INTERVAL = 20_000_000;
const MIRROR_MISS_DISTANCE = 200;
/** Room for a target's state at the start of the CPU area. */
const STATE_BYTES = 0x2000;

export interface InterpreterOptions {
  readonly memory: LinearMemory;
  readonly bus: AddressSpace;
  readonly scheduler: Scheduler;
  readonly byteOrder: ByteOrder;
  /** Virtual nanoseconds that one instruction takes. */
  readonly nsPerInstruction: number;
  /**
   * Virtual nanoseconds that the CPU waits for a device register, a multiple of {@link nsPerInstruction}. A bus cycle
   * to an ISA part takes a microsecond or two on the board; a loop that polls for a virtual second then costs half a million
   * device accesses of the host and not ten.
   */
  readonly deviceAccessNs: number;
  /** Translate hot code. Default: everything is interpreted. */
  readonly translation?: TranslationOptions | undefined;
  /**
   * Instructions that are interpreted before the first translation is made, where none are kept from earlier runs. The translator itself
   * starts cold: what ends sooner is faster without. Default 0.
   */
  readonly translateAfter?: number | undefined;
  /** Where the interpreter is looked up before it is generated, and who is told of it. */
  readonly interpreters?: InterpreterStore | undefined;
  /** RAM where physical addresses often equal virtual ones; translations look there first. */
  readonly mirror?: RamBlock | undefined;
  /** Makes the architecture's run-time part on top of this engine. */
  readonly createCore: (host: EngineHost) => CpuCore;
}

/** By key, the one used last comes last: boards of the same kind, one after another too, share an interpreter. */
const known = new Map<string, Interpreter>();
/** More are not held for boards to come. Each takes a megabyte or two with its machine code, and each size of memory has its own. */
const MAX_KNOWN = 4;

/**
 * Runs a CPU on its generated interpreter. Generated code handles what hits the soft TLB; this class is its slow path:
 * translation, device accesses, and the bookkeeping of budgets and virtual time.
 */
export class InterpreterVcpu implements Vcpu, EngineHost {
  /** What {@link InterpreterOptions.mirror} adds to {@link linearBytes}. */
  static readonly mirrorBytes = MirrorTable.bytes;
  /** Bytes of linear memory that one vCPU allocates. */
  static readonly linearBytes = STATE_BYTES + SoftTlbTables.bytes + JumpCache.bytes + DECODE_TABLE_BYTES + 512;

  readonly words: Int32Array;
  readonly view: DataView;
  readonly #core: CpuCore;
  readonly #tlb: SoftTlbTables;
  readonly #decodeTable: number;
  readonly #mirror: MirrorTable | undefined;
  readonly #translator: Translator | undefined;
  readonly #bytes: DataView;
  /** Blocks whose page tracking this vCPU follows: all that it ever cached. */
  readonly #tracked = new Set<RamBlock>();
  readonly #exits = { budget: 0, halted: 0, attention: 0 };
  #run: () => void = () => undefined;
  #tellStore: () => void = () => undefined;
  #running = false;
  #leaveRequested = false;
  /** Virtual time and budget at which the current entry into generated code started. */
  #entryNs = 0;
  #entryBudget = 0;
  /** Part of the used budget that went into waiting for devices, in instructions. */
  #stalled = 0;
  /** The soonest deadline that the current budget respects. */
  #deadlineNs = 0;
  #instructions = 0;
  #tlbMisses = 0;
  #mmio = 0;

  readonly #stallPerAccess: number;

  // Word indices of the engine's fields.
  readonly #pc: number;
  readonly #remaining: number;
  readonly #runStart: number;
  readonly #attention: number;
  readonly #event: number;
  readonly #mode: number;
  readonly #tlbBase: number;
  readonly #directBytes: number;
  readonly #scratch: number;
  readonly #directLimits: number;
  readonly #fetchTag: number;
  readonly #fetchAddend: number;
  readonly #missCounter: number;
  /** Where translations note which instructions have left that way. */
  readonly #missedAt: Int32Array;

  #mirrorFails = false;
  #mirrorMisses = 0;
  #sinceMirrorCheck = 0;
  /** RAM at the start of the directly mapped segment, where {@link #directRam} lies in linear memory. */
  #ramInSegment = 0;
  #directRam: number | undefined;

  static async create(options: InterpreterOptions): Promise<InterpreterVcpu> {
    const vcpu = new InterpreterVcpu(options);
    await vcpu.#instantiate();
    vcpu.reset();
    return vcpu;
  }

  private constructor(private readonly options: InterpreterOptions) {
    const { memory, bus } = options;
    const base = memory.allocateFirst(STATE_BYTES);
    this.words = new Int32Array(memory.buffer, base, STATE_BYTES >> 2);
    this.view = new DataView(memory.buffer, base, STATE_BYTES);
    this.#decodeTable = memory.allocate(DECODE_TABLE_BYTES);
    this.#bytes = new DataView(memory.buffer);
    this.#mirror = options.mirror && new MirrorTable(memory, options.mirror);
    this.#core = options.createCore(this);
    const { engine } = this.#core.description;
    this.#mode = wordOf(engine.mode);
    this.#tlb = new SoftTlbTables(memory, this.words.subarray(this.#mode, this.#mode + 1));
    this.#pc = wordOf(engine.pc);
    this.#remaining = wordOf(engine.remaining);
    this.#runStart = wordOf(engine.runStart);
    this.#attention = wordOf(engine.attention);
    this.#event = wordOf(engine.event);
    this.#tlbBase = wordOf(engine.tlbBase);
    this.#scratch = engine.scratch.offset;
    this.#directLimits = wordOf(engine.directLimits);
    this.#fetchTag = wordOf(engine.fetchTag);
    this.#fetchAddend = wordOf(engine.fetchAddend);
    this.#missCounter = wordOf(engine.misses);
    const firstMiss = wordOf(engine.missedAt);
    this.#missedAt = this.words.subarray(firstMiss, firstMiss + engine.missedAt.count);
    this.#stallPerAccess = Math.round(options.deviceAccessNs / options.nsPerInstruction);
    this.#directBytes = wordOf(engine.directBytes);
    this.words[this.#tlbBase] = this.#tlb.base;
    this.#translator =
      options.translation &&
      new Translator(
        memory,
        this.words,
        this.#core.description,
        this.#tlb,
        options.translation,
        this.#mirror?.dispatch,
      );
    this.#placeMemory();
    let placement = memoryPlacement(bus);
    bus.onChange(() => {
      this.flushTranslations();
      // Translations rely on where memory answers; devices come and go without touching them.
      const before = placement;
      placement = memoryPlacement(bus);
      if (placement !== before) this.#placeMemory();
    });
  }

  /** RAM is on the bus for the first time, or elsewhere. */
  #placeMemory(): void {
    const window = this.#directWindow();
    this.#translator?.relocate(window);
    // The interpreter is generated for one place in linear memory.
    if (window?.kind === 'segment') this.#directRam ??= window.linear;
    this.#ramInSegment = window?.kind === 'segment' && window.linear === this.#directRam ? window.sizeBytes : 0;
    this.#limitDirectAccess();
  }

  /** Where translations find memory without asking the soft TLB. */
  #directWindow(): DirectWindow | undefined {
    if (this.#mirror && !this.#mirrorFails) {
      const { block, reads, writes, fetches, dispatch } = this.#mirror;
      return {
        ...{ kind: 'mirror', linear: block.linearOffset, reads, writes, fetches },
        ...{ dispatchPages: dispatch.pages, dispatchBlocks: dispatch.blocks },
      };
    }
    const segment = this.#core.description.directSegment;
    const range = this.options.bus.find(0);
    if (!segment || range?.target.kind !== 'ram') return undefined;
    const { block } = range.target;
    this.#track(block);
    return {
      kind: 'segment',
      virtualBase: segment.virtualBase,
      sizeBytes: Math.min(range.end - (range.end % PAGE_BYTES), segment.sizeBytes),
      linear: block.linearOffset + range.delta,
      flags: block.flagsOffset + range.delta / PAGE_BYTES,
    };
  }

  async #instantiate(): Promise<void> {
    const { memory, interpreters } = this.options;
    const { description, helpers } = this.#core;
    const layout = {
      cpuBase: this.words.byteOffset,
      memory: { pages: memory.pages, shared: memory.shared },
      translations: this.#translator?.link,
      directRam: this.#directRam,
      mirror: this.#mirror && {
        ...{ linear: this.#mirror.block.linearOffset, reads: this.#mirror.reads, writes: this.#mirror.writes },
      },
      decodeTable: this.#decodeTable,
    };
    const { name, byteOrder, instructionSet, expansions } = description;
    const key = JSON.stringify([name, byteOrder, instructionSet, [...expansions.keys()], layout]);
    const used = known.get(key) ?? interpreters?.find(key) ?? compiled(generateInterpreter(description, layout));
    remember(key, used);
    if (!used.optimized) this.#tellStore = () => interpreters?.ran?.(key, { ...used, memory: layout.memory });
    const instance = await WebAssembly.instantiate(used.module, {
      env: { memory: memory.memory, ...(this.#translator && { translations: this.#translator.table }) },
      engine: {
        loadSlow: (address: number, width: Width) => this.#loadSlow(address, width),
        storeSlow: (address: number, value: number, width: Width) => this.#storeSlow(address, value, width),
        fetchMiss: (address: number) => this.#fetchMiss(address),
        attention: () => this.#handleAttention(),
        hot: (entry: number) => this.#hot(entry),
      },
      helpers: { ...helpers },
    });
    this.#run = instance.exports['run'] as () => void; // generated with this signature
  }

  // ---- Vcpu ----------------------------------------------------------------------------------------------------------

  run(instructions: number): VcpuExit {
    if (this.waiting) return this.#exit('halted');
    if (this.#core.halted) this.#core.wake();
    const { scheduler, nsPerInstruction } = this.options;
    const budget = Math.min(instructions, MAX_BUDGET);
    this.#entryNs = scheduler.nowNs;
    this.#entryBudget = budget;
    this.#deadlineNs = scheduler.nextDeadlineNs;
    this.words[this.#remaining] = budget;
    this.words[this.#runStart] = this.words[this.#pc] as number;
    this.words[this.#event] = EngineEvent.None;
    this.#leaveRequested = false;
    this.#stalled = 0;
    this.#running = true;
    this.#run();
    this.#running = false;
    this.#translator?.account();
    this.#translator?.collect();
    const used = budget - (this.words[this.#remaining] as number);
    const misses = this.#takeMisses();
    if (this.#mirror && !this.#mirrorFails) this.#watchMirror(used, misses);
    else if (misses > 0) this.#noteStrays(misses);
    this.#instructions += used - this.#stalled;
    scheduler.setTime(this.#entryNs + used * nsPerInstruction);
    return this.#exit(this.#core.halted ? 'halted' : used >= budget ? 'budget' : 'attention');
  }

  get programCounter(): number {
    return (this.words[this.#pc] as number) >>> 0;
  }

  /**
   * The calls that the guest is in, innermost first, as far as they can be told.
   * @param functionStart where the function begins that an address lies in, if that is known
   */
  callers(functionStart: StackSource['functionStart']): number[] {
    return this.#core.callers?.({ word: (address) => this.#peek(address), functionStart }) ?? [];
  }

  /** A word of memory, as a debugger sees it; devices are not disturbed. */
  #peek(address: number): number | undefined {
    const physical = address & 3 ? undefined : this.#core.probe?.(address);
    const range = physical === undefined ? undefined : this.options.bus.find(physical);
    if (physical === undefined || !range || range.target.kind === 'mmio') return undefined;
    return this.#readBus(physical, 4) >>> 0;
  }

  get waiting(): boolean {
    return this.#core.halted && !this.#core.wakeupPending;
  }

  get deaf(): boolean {
    return this.#core.halted && !this.#core.canWake;
  }

  requestLeave(): void {
    this.#leaveRequested = true;
    this.requestAttention();
  }

  get stats(): VcpuStats {
    return {
      instructions: this.#instructions,
      exits: { ...this.#exits },
      tlbMisses: this.#tlbMisses,
      mmio: this.#mmio,
      ...(this.#translator && { translation: this.#translator.stats }),
    };
  }

  close(): void {
    this.#translator?.close();
    this.#tellStore();
  }

  setIrqLine(line: number, level: boolean): void {
    this.#core.setIrqLine(line, level);
  }

  reset(): void {
    this.#core.reset();
    this.#limitDirectAccess(); // the architecture cleared its whole area
  }

  boot(entry: { readonly pc: number; readonly gpr: Readonly<Record<number, number>> }): void {
    this.#core.boot(entry);
  }

  #exit(kind: VcpuExit['kind']): VcpuExit {
    this.#exits[kind]++;
    return { kind };
  }

  // ---- EngineHost ----------------------------------------------------------------------------------------------------

  syncTime(): void {
    if (!this.#running) return;
    const w = this.words;
    const inRun = ((w[this.#pc] as number) - (w[this.#runStart] as number)) >>> 2;
    const used = this.#entryBudget - (w[this.#remaining] as number) + inRun;
    this.options.scheduler.setTime(this.#entryNs + used * this.options.nsPerInstruction);
  }

  flushTranslations(): void {
    this.#tlb.flush();
    this.#mirror?.clear();
    this.#dropFetchPage();
  }

  flushPage(address: number): void {
    this.#tlb.flushPage(address);
    this.#mirror?.clearPage(address);
    this.#dropFetchPage();
  }

  selectAddressSpace(identifier: number): void {
    this.#tlb.selectAddressSpace(identifier);
    this.#mirror?.clear();
    // The interpreter does not ask for pages that the soft TLB still knows.
    if (this.#mirror)
      this.#tlb.forEachPage((address, linear, allowed) => this.#allowMirrored(address, linear, allowed));
    this.#translator?.addressSpaceSelected();
    this.words[this.#tlbBase] = this.#tlb.base;
    this.#dropFetchPage();
  }

  selectMode(mode: number): void {
    if (mode === this.words[this.#mode]) return;
    this.words[this.#mode] = mode;
    this.words[this.#tlbBase] = this.#tlb.base;
    this.#limitDirectAccess();
    this.#dropFetchPage();
  }

  /** Generated code holds the translation of the page that it fetches from: it asks again before the next run. */
  #dropFetchPage(): void {
    this.words[this.#fetchTag] = SoftTlb.invalidTag;
  }

  /** Says how much of the directly mapped segment generated code may read in this mode without a translation. */
  #limitDirectAccess(): void {
    const { directSegment } = this.#core.description;
    const usable = directSegment?.modes.includes(this.words[this.#mode] as number) ? this.#ramInSegment : 0;
    this.words[this.#directBytes] = this.#ramInSegment;
    for (let shift = 0; shift < 4; shift++) this.words[this.#directLimits + shift] = usable >>> shift;
  }

  previousInstruction(): number | undefined {
    const pc = this.words[this.#pc] as number;
    if (pc === this.words[this.#runStart]) return undefined;
    // On the page of the present run. The soft TLB may have forgotten it: data can take an entry from code.
    const offset = (pc - 4 + (this.words[this.#fetchAddend] as number)) >>> 0;
    return this.#bytes.getUint32(offset, this.options.byteOrder === 'little');
  }

  requestAttention(): void {
    this.words[this.#attention] = 1;
  }

  // ---- called by generated code ----------------------------------------------------------------------------------------

  /** At an instruction boundary: hand control to the machine, or take an interrupt, or just go on with fresh state. */
  #handleAttention(): void {
    this.words[this.#attention] = 0;
    // The CPU's own timer may have been armed for a time before the end of this budget.
    if (this.#leaveRequested || this.options.scheduler.nextDeadlineNs < this.#deadlineNs) {
      this.requestAttention(); // an interrupt may be pending too
      this.words[this.#event] = EngineEvent.Leave;
    } else {
      this.#core.takeInterrupt();
      this.words[this.#attention] = 0; // generated code reloads everything after this call
    }
  }

  /** An address was visited often. @param entry its jump cache entry in linear memory */
  #hot(entry: number): void {
    const translator = this.#translator;
    if (!translator) return;
    const { translateAfter = 0 } = this.options;
    if (this.#instructions >= translateAfter || translator.hasKept) translator.translate(entry);
    else this.#bytes.setInt32((entry >>> 0) + JumpCache.target, -translator.link.threshold, true);
  }

  #fetchMiss(address: number): void {
    if (address & 3) return this.#core.raiseAddressError(address, Access.Fetch);
    if (!this.#core.translate(address, Access.Fetch)) return;
    const physical = this.#core.translatedAddress;
    const range = this.options.bus.find(physical);
    if (!range || range.target.kind === 'mmio' || !this.#fill(address, physical, range, true))
      return this.#core.raiseBusError(address, Access.Fetch);
    this.#translator?.fetched(address, this.#tlb.fetchOffset(address));
  }

  #loadSlow(address: number, width: Width): number {
    const bytes = widthBytes(width);
    if (address & (bytes - 1)) {
      this.#core.raiseAddressError(address, Access.Read);
      return 0;
    }
    if (!this.#core.translate(address, Access.Read)) return 0;
    const physical = this.#core.translatedAddress;
    const range = this.options.bus.find(physical);
    if (!range) {
      this.#core.raiseBusError(address, Access.Read);
      return 0;
    }
    if (range.target.kind === 'mmio') this.#beginDevice();
    else this.#fillBlock(address, physical, range, Access.Read);
    let value: number;
    if (bytes === 8) {
      value = this.#readBus(physical, 4);
      const second = this.#readBus(physical + 4, 4);
      const little = this.options.byteOrder === 'little';
      this.view.setInt32(this.#scratch, little ? value : second, true);
      this.view.setInt32(this.#scratch + 4, little ? second : value, true);
    } else {
      value = this.#readBus(physical, bytes);
    }
    if (range.target.kind === 'mmio') this.#endDevice();
    if (width === Widths.S8) return (value << 24) >> 24;
    if (width === Widths.S16) return (value << 16) >> 16;
    return value;
  }

  #storeSlow(address: number, value: number, width: Width): void {
    const bytes = widthBytes(width);
    if (address & (bytes - 1)) return this.#core.raiseAddressError(address, Access.Write);
    if (!this.#core.translate(address, Access.Write)) return;
    const physical = this.#core.translatedAddress;
    const range = this.options.bus.find(physical);
    if (!range) return this.#core.raiseBusError(address, Access.Write);
    const device = range.target.kind !== 'ram';
    if (device) this.#beginDevice();
    if (bytes === 8) {
      const low = this.view.getUint32(this.#scratch, true);
      const high = this.view.getUint32(this.#scratch + 4, true);
      const little = this.options.byteOrder === 'little';
      this.#writeBus(physical, 4, little ? low : high);
      this.#writeBus(physical + 4, 4, little ? high : low);
    } else {
      this.#writeBus(physical, bytes, (value & widthMask(bytes)) >>> 0);
    }
    if (device) this.#endDevice();
    else this.#fillBlock(address, physical, range, Access.Write); // after the store, which made the page dirty
  }

  #readBus(physical: number, width: AccessWidth): number {
    return this.options.bus.read(physical, width, this.options.byteOrder);
  }

  #writeBus(physical: number, width: AccessWidth, value: number): void {
    this.options.bus.write(physical, width, value, this.options.byteOrder);
  }

  /** A device is about to be accessed: it must see the exact time. */
  #beginDevice(): void {
    this.#mmio++;
    this.syncTime();
  }

  /** The access takes its bus time, and the device may have armed an earlier timer than the budget allows for. */
  #endDevice(): void {
    const stall = this.#stallPerAccess;
    this.#stalled += stall;
    this.words[this.#remaining] = (this.words[this.#remaining] as number) - stall;
    if (this.options.scheduler.nextDeadlineNs < this.#deadlineNs) this.requestLeave();
  }

  #track(block: RamBlock): void {
    if (this.#tracked.has(block)) return;
    this.#tracked.add(block);
    block.onTrackingChange((offset) => {
      this.#tlb.flushWriteTags(offset === undefined ? undefined : block.linearOffset + offset);
      if (block === this.#mirror?.block) this.#mirror.clearWrites(offset);
    });
    this.#translator?.follow(block);
  }

  /**
   * Caches a translation to memory, and says of mirrored pages that have appeared with it that they are there, and of the one behind it:
   * checks of several accesses are quicker where that is there, too.
   */
  #fillBlock(address: number, physical: number, range: FlatRange, access: Access): void {
    const { translatedBlockBytes: bytes = 0 } = this.#core;
    this.#fill(address, physical, range, false);
    if (!this.#mirror || range.target.kind !== 'ram') return;
    const { block } = range.target;
    const page = (address & PAGE_MASK) >>> 0;
    const first = page - (page % Math.max(bytes, PAGE_BYTES));
    const end = Math.max(first + bytes, page + 2 * PAGE_BYTES);
    for (let at = first; at < end; at += PAGE_BYTES) {
      if (at === page || this.#mirror.allows(at, access === Access.Write)) continue;
      if (!this.#core.translateQuietly?.(at)) continue;
      const offset = this.#core.translatedAddress - range.start + range.delta;
      const write = this.#core.translatedWritable && block.pageFlags[offset / PAGE_BYTES] === PageFlag.Dirty;
      this.#allowMirrored(at, block.linearOffset + offset, { write, fetch: false });
    }
  }

  /** Caches a translation to memory. @returns false when the memory does not cover the whole page */
  #fill(address: number, physical: number, range: FlatRange, fetch: boolean): boolean {
    const page = physical - (physical % PAGE_BYTES);
    if (range.target.kind === 'mmio' || page < range.start || page + PAGE_BYTES > range.end) return false;
    const { block } = range.target;
    this.#track(block);
    const offset = page - range.start + range.delta;
    const isRam = range.target.kind === 'ram';
    const flags = block.pageFlags[offset / PAGE_BYTES];
    const write = isRam && this.#core.translatedWritable && flags === PageFlag.Dirty;
    this.#tlbMisses++;
    this.#tlb.fill(address, block.linearOffset + offset, { read: true, write, fetch });
    this.#allowMirrored((address & PAGE_MASK) >>> 0, block.linearOffset + offset, { write, fetch });
    return true;
  }

  #allowMirrored(page: number, linearOffset: number, allowed: { write: boolean; fetch: boolean }): void {
    if (this.#mirror && linearOffset === this.#mirror.block.linearOffset + page) this.#mirror.allow(page, allowed);
  }

  /** @returns how often translations have left for accesses outside of their window since this was asked last */
  #takeMisses(): number {
    const misses = (this.words[this.#missCounter] as number) >>> 0;
    this.words[this.#missCounter] = 0;
    return misses;
  }

  /** The last of them are known: they stand for all. */
  #noteStrays(misses: number): void {
    const known = Math.min(misses, this.#missedAt.length);
    const addresses = [...this.#missedAt.subarray(0, known)].map((address) => address >>> 0);
    this.#translator?.strayed(addresses, misses / known);
  }

  /**
   * Gives the mirror up when translations leave too often because of it, which is what programs do that run beside others:
   * somebody else has the pages at their addresses.
   */
  #watchMirror(used: number, misses: number): void {
    this.#mirrorMisses += misses;
    this.#sinceMirrorCheck += used;
    if (this.#sinceMirrorCheck < MIRROR_CHECK_INTERVAL) return;
    this.#mirrorFails = this.#mirrorMisses * MIRROR_MISS_DISTANCE > this.#sinceMirrorCheck;
    this.#mirrorMisses = 0;
    this.#sinceMirrorCheck = 0;
    if (this.#mirrorFails) this.#placeMemory();
  }
}

/** Not in the background: V8 compiles the function when it is first called, and checking the module takes a millisecond. */
const compiled = (bytes: Uint8Array<ArrayBuffer>): Interpreter => ({
  module: new WebAssembly.Module(bytes),
  bytes,
  optimized: false,
});

function remember(key: string, interpreter: Interpreter): void {
  known.delete(key);
  known.set(key, interpreter);
  const [oldest = key] = known.keys();
  if (known.size > MAX_KNOWN) known.delete(oldest);
}

/** Where a bus shows memory, as text to compare. */
function memoryPlacement(bus: AddressSpace): string {
  return bus.ranges
    .filter(({ target }) => target.kind !== 'mmio')
    .map(({ start, end, name, delta }) => `${name} ${start} ${end} ${delta}`)
    .join();
}
