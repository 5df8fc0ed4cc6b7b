import type { ByteOrder } from '../core/index.js';
import { Scheduler } from '../core/index.js';
import { InterpreterVcpu } from '../accel/index.js';
import { DelayState, EngineEvent, type StateField, wordOf } from '../jit/ir/index.js';
import { AddressSpace, LinearMemory, type RamBlock } from '../memory/index.js';
import type { CpuCore, HelperFunction, MipsModel } from '../targets/index.js';
import { MipsCpu, mipsDisassembler, mipsModel } from '../targets/index.js';
import { Cause, Cp0, ENTRY_LO, Status } from '../targets/mips/cp0.js';
import { FCSR as FCSR_BITS } from '../targets/mips/fcsr.js';
import * as S from '../targets/mips/state.js';
import { SeededRandom } from './random.js';
import type { FieldChooser } from './random-instructions.js';
import { RandomInstructions } from './random-instructions.js';
import { ReferenceVcpu } from './reference-vcpu.js';

/**
 * The generated interpreter and the reference vCPU side by side: the same random state, the same instructions, and
 * afterwards the same state in every register and every byte of memory.
 */

const RAM_BYTES = 0x40000;
const BOOT_VECTORS = 0x1fc00000;
const BOOT_BYTES = 0x1000;
const CODE = 0x1000;
const CODE_BYTES = 0x2000;
const DATA = 0x10000;
const KSEG0 = 0x80000000;
const KSEG1 = 0xa0000000;
/** Mapped addresses of the user segment: code in the first two pages, data behind. */
const USER = 0x00400000;
const MAPPED_KERNEL = 0xc0000000;
const ASID = 0x2a;
const NS_PER_INSTRUCTION = 10;
const COUNT_HZ = 50_000_000;
const PAGE = 0x1000;

export interface LockstepOptions {
  readonly model: string;
  readonly byteOrder: ByteOrder;
  readonly seed: number;
}

interface Side {
  readonly words: Int32Array;
  readonly view: DataView;
  readonly core: CpuCore;
  readonly bus: AddressSpace;
  readonly blocks: readonly RamBlock[];
}

const hex = (value: number | bigint): string => `0x${(typeof value === 'bigint' ? value : value >>> 0).toString(16)}`;

/** State that belongs to the engines and not to the architecture, or that means nothing outside a delay slot. */
const ENGINE_FIELDS: ReadonlySet<StateField> = new Set(
  Object.values<StateField>({ ...S.engine }).filter((field) => field !== S.engine.pc && field !== S.engine.delay),
);

export class MipsLockstep {
  /** Instructions that both sides executed. */
  instructions = 0;
  readonly model: MipsModel;
  readonly table;
  readonly #random: SeededRandom;
  readonly #words;
  #cases = 0;

  static async create(options: LockstepOptions): Promise<MipsLockstep> {
    const memory = new LinearMemory(
      InterpreterVcpu.linearBytes + LinearMemory.ramFootprint(RAM_BYTES) + LinearMemory.ramFootprint(BOOT_BYTES),
    );
    const bus = new AddressSpace('lockstep');
    const blocks = mapMemory(memory, bus);
    const scheduler = new Scheduler();
    let core: CpuCore | undefined;
    const vcpu = await InterpreterVcpu.create({
      memory,
      bus,
      scheduler,
      byteOrder: options.byteOrder,
      nsPerInstruction: NS_PER_INSTRUCTION,
      deviceAccessNs: 0,
      createCore: (host) =>
        (core = new MipsCpu(host, {
          model: mipsModel(options.model),
          byteOrder: options.byteOrder,
          scheduler,
          countHz: COUNT_HZ,
        })),
    });
    if (!core) throw new Error('the vCPU made no core');
    return new MipsLockstep(options, vcpu, scheduler, { words: vcpu.words, view: vcpu.view, core, bus, blocks });
  }

  readonly #reference: ReferenceVcpu;
  readonly #oracle: Side;

  private constructor(
    private readonly options: LockstepOptions,
    private readonly vcpu: InterpreterVcpu,
    private readonly scheduler: Scheduler,
    private readonly engine: Side,
  ) {
    this.model = mipsModel(options.model);
    const memory = new LinearMemory(LinearMemory.ramFootprint(RAM_BYTES) + LinearMemory.ramFootprint(BOOT_BYTES));
    const bus = new AddressSpace('reference');
    const blocks = mapMemory(memory, bus);
    this.#reference = new ReferenceVcpu({
      bus,
      byteOrder: options.byteOrder,
      nsPerInstruction: NS_PER_INSTRUCTION,
      createCore: (host, scheduler) =>
        new MipsCpu(host, { model: this.model, byteOrder: options.byteOrder, scheduler, countHz: COUNT_HZ }),
    });
    const { words, view, core } = this.#reference;
    this.#oracle = { words, view, core, bus, blocks };
    this.table = core.description.table;
    this.#random = new SeededRandom(options.seed);
    this.#words = new RandomInstructions(this.table.instructions, this.#random, {
      chooseField: chooseMipsField,
      openBits: 'random',
    });
    this.#fillMemory();
  }

  /**
   * One word of the named instruction, after and before random others.
   * @throws Error with the first difference
   */
  runInstruction(name: string): void {
    const instruction = this.table.instructions.find((candidate) => candidate.name === name);
    if (!instruction) throw new RangeError(`there is no instruction '${name}'`);
    this.#runCase([this.#words.of(instruction), this.#harmless()], 1 + this.#random.below(2));
  }

  /** A random sequence of instructions. @throws Error with the first difference */
  runSequence(): void {
    const length = 2 + this.#random.below(10);
    const words: number[] = [];
    let slot = false;
    while (words.length < length) {
      // A branch in a delay slot is undefined; the reference would stop there.
      const word: number = slot
        ? this.#harmless()
        : this.#random.chance(0.02)
          ? this.#random.word()
          : this.#words.any();
      words.push(word);
      slot = isBranch(word);
    }
    this.#runCase(words, length);
  }

  /** A word that is no branch. */
  #harmless(): number {
    for (;;) {
      const word = this.#words.any();
      if (!isBranch(word)) return word;
    }
  }

  #runCase(words: readonly number[], steps: number): void {
    this.#cases++;
    if (this.#cases % 256 === 0) this.#fillMemory();
    const pc = this.#placeCode(words);
    const setUp = this.#randomState(pc);
    setUp(this.engine);
    setUp(this.#oracle);
    const before = this.engine.words.slice();
    let executed = 0;
    let halted = false;
    while (executed < steps && !halted) {
      const result = this.#reference.step();
      if (result === 'unpredictable') break;
      if (result === 'executed') executed++;
      halted = this.#oracle.core.halted;
    }
    this.instructions += executed;
    // In one go or in pieces: how a budget is cut must not show. The engine may also leave by itself.
    const end = this.vcpu.stats.instructions + executed;
    for (let left = executed; left > 0; left = end - this.vcpu.stats.instructions) {
      const exit = this.vcpu.run(this.#random.chance(0.7) ? left : 1 + this.#random.below(left));
      if (exit.kind === 'halted') break;
    }
    this.#compare(words, pc, before);
  }

  #compare(words: readonly number[], pc: number, before: Int32Array): void {
    const differences: string[] = [];
    const check = (what: string, actual: number | bigint, expected: number | bigint): void => {
      if (actual !== expected) differences.push(`${what}: interpreter ${hex(actual)}, oracle ${hex(expected)}`);
    };
    const [engine, oracle] = [this.engine, this.#oracle];
    check('instructions', this.vcpu.stats.instructions, this.#reference.instructions);
    check('virtual time', this.scheduler.nowNs, this.#reference.scheduler.nowNs);
    check('next deadline', this.scheduler.nextDeadlineNs, this.#reference.scheduler.nextDeadlineNs);
    check('halted', Number(engine.core.halted), Number(oracle.core.halted));
    if (oracle.words[wordOf(S.engine.delay)] !== DelayState.None)
      check(
        'branch target',
        engine.words[wordOf(S.engine.branchTarget)] ?? 0,
        oracle.words[wordOf(S.engine.branchTarget)] ?? 0,
      );
    for (const field of S.layout.fields) {
      if (ENGINE_FIELDS.has(field)) continue;
      for (let i = 0; i < field.count; i++) {
        const offset = field.offset + (i << field.strideShift);
        if (field.strideShift === 3)
          check(`${field.name}[${i}]`, engine.view.getBigUint64(offset, true), oracle.view.getBigUint64(offset, true));
        else check(`${field.name}[${i}]`, engine.words[offset >> 2] as number, oracle.words[offset >> 2] as number);
      }
    }
    if (this.model.fpu) check('FCSR as read', settledFcsr(engine), settledFcsr(oracle));
    engine.blocks.forEach((block, i) => {
      const other = oracle.blocks[i] as RamBlock; // both sides map the same blocks
      if (Buffer.compare(block.bytes, other.bytes) === 0) return;
      const offset = block.bytes.findIndex((byte, j) => byte !== other.bytes[j]);
      check(`byte ${hex(offset)} of ${block.name}`, block.bytes[offset] ?? 0, other.bytes[offset] ?? 0);
    });
    if (differences.length === 0) return;
    const { model, byteOrder, seed } = this.options;
    const disassembler = mipsDisassembler(this.model);
    const registers = Array.from({ length: 32 }, (_, i) => `$${i}=${hex(before[S.gprWord(i)] as number)}`);
    throw new Error(
      [
        `${model}, ${byteOrder}-endian, seed ${seed}, case ${this.#cases}: interpreter and oracle differ`,
        ...differences,
        `after, at physical ${hex(pc)}:`,
        ...words.map((word, i) => `  ${hex(word)}  ${disassembler.disassemble(word, KSEG0 + pc + 4 * i)}`),
        `with Status=${hex(before[wordOf(S.CP0) + Cp0.Status] as number)} FCSR=${hex(before[wordOf(S.FCSR)] as number)}`,
        registers.join(' '),
      ].join('\n'),
    );
  }

  /** Writes the words to both memories. @returns their physical address, often so that they reach a page's end */
  #placeCode(words: readonly number[]): number {
    const span = (CODE_BYTES - 4 * words.length) / 4;
    const nearPageEnd = CODE + PAGE - 4 * (1 + this.#random.below(words.length));
    const start = this.#random.chance(0.3) ? nearPageEnd : CODE + 4 * this.#random.below(span);
    for (const { bus } of [this.engine, this.#oracle])
      words.forEach((word, i) => bus.write(start + 4 * i, 4, word, this.options.byteOrder));
    return start;
  }

  #fillMemory(): void {
    const [ram] = this.#oracle.blocks;
    if (!ram) return;
    for (let offset = DATA; offset < RAM_BYTES; offset += 4)
      ram.write(offset, 4, this.#random.chance(0.5) ? this.#random.integer() : this.#random.single(), 'little');
    ram.bytes.fill(0, 0, DATA);
    this.engine.blocks[0]?.bytes.set(ram.bytes);
    this.engine.blocks[0]?.markWritten(0, RAM_BYTES);
  }

  /** Draws a state; the returned function puts it into a side. */
  #randomState(physicalPc: number): (side: Side) => void {
    const random = this.#random;
    const space = random.pick(['kseg0', 'kseg0', 'kseg1', 'erl', 'user', 'user', 'supervisor'] as const);
    const mapped = space === 'user' || space === 'supervisor';
    const pc = { kseg0: KSEG0, kseg1: KSEG1, erl: 0, user: USER - CODE, supervisor: USER - CODE }[space] + physicalPc;
    const pointer = (): number => {
      const base = mapped && random.chance(0.7) ? USER + 2 * PAGE : random.pick([KSEG0, KSEG0, KSEG1]) + DATA;
      const unaligned = random.chance(0.25) ? random.below(4) : 0;
      const offset = 8 * random.below(mapped ? 0x600 : (RAM_BYTES - DATA - PAGE) / 8);
      return base + offset + unaligned;
    };
    const gprs = Array.from({ length: 32 }, (_, i) => {
      if (i === 0) return 0;
      if (random.chance(0.4)) return pointer();
      if (random.chance(0.1)) return pc + 4 * (random.below(32) - 16);
      if (random.chance(0.05)) return MAPPED_KERNEL + random.below(4 * PAGE);
      return random.integer();
    });
    const fprs = Array.from({ length: 32 }, () =>
      random.chance(0.5) ? random.double() : { high: random.single(), low: random.single() },
    );
    const enables = random.chance(0.2) ? random.below(32) << FCSR_BITS.ENABLES_SHIFT : 0;
    const rounding = random.chance(0.6) ? 0 : random.below(4);
    const flags = (random.chance(0.6) ? 1 : random.below(32)) << FCSR_BITS.FLAGS_SHIFT;
    const codes = random.word() & (FCSR_BITS.FCC0 | FCSR_BITS.FCC1_7);
    const fcsr = codes | enables | rounding | flags | (random.chance(0.1) ? FCSR_BITS.FS : 0);
    const status =
      (random.chance(0.3) ? Status.BEV : 0) |
      (random.chance(0.3) ? Status.IE : 0) |
      (random.chance(0.3) ? random.word() & Status.IM : 0) |
      (random.chance(0.2) ? Status.CU0 : 0) |
      (random.chance(0.9) ? Status.CU1 : 0) |
      (random.chance(0.5) ? Status.FR : 0) |
      (!mapped && random.chance(0.3) ? Status.EXL : 0) |
      { kseg0: 0, kseg1: 0, erl: Status.ERL, user: 2 << Status.KSU_SHIFT, supervisor: 1 << Status.KSU_SHIFT }[space];
    const scalars: readonly (readonly [StateField, number])[] = [
      [S.HI, random.integer()],
      [S.LO, random.integer()],
      [S.LL_BIT, random.below(2)],
      [S.FCSR, this.model.fpu ? fcsr : 0],
      [S.engine.pc, pc],
      [S.engine.runStart, pc],
    ];
    const returnAddress = KSEG0 + CODE + 4 * random.below(CODE_BYTES / 4);
    const cp0: readonly (readonly [number, number])[] = [
      [Cp0.Epc, random.chance(0.9) ? returnAddress : random.integer()],
      [Cp0.ErrorEpc, returnAddress],
      [Cp0.HwrEna, random.chance(0.5) ? 0x2000000f : 0],
      [Cp0.UserLocal, random.word()],
      [Cp0.Index, random.below(this.model.tlbEntries)],
      [Cp0.Wired, random.below(4)],
      [Cp0.EntryHi, (random.chance(0.5) ? USER + 2 * PAGE * random.below(8) : random.word() & ~0x1fff) | ASID],
      [Cp0.EntryLo0, random.word() & 0x3fffff],
      [Cp0.EntryLo1, random.word() & 0x3fffff],
      [Cp0.Compare, random.word()],
      [Cp0.Cause, random.chance(0.2) ? (random.word() & Cause.IP_SOFTWARE) | Cause.IV : 0],
    ];
    const tlb = this.#randomTlb();
    return (side) => {
      side.core.reset();
      for (const [field, value] of scalars) side.words[wordOf(field)] = value;
      gprs.forEach((value, i) => (side.words[S.gprWord(i)] = value));
      fprs.forEach(({ high, low }, i) => {
        side.words[wordOf(S.FPR) + 2 * i] = low;
        side.words[wordOf(S.FPR) + 2 * i + 1] = high;
      });
      tlb.forEach(({ hi, lo0, lo1 }, i) => {
        side.words[wordOf(S.TLB_ENTRY_HI) + i] = hi;
        side.words[wordOf(S.TLB_ENTRY_LO0) + i] = lo0;
        side.words[wordOf(S.TLB_ENTRY_LO1) + i] = lo1;
      });
      for (const [register, value] of cp0) helper(side, 'writeCp0')(register, value, 0);
      helper(side, 'writeCp0')(Cp0.Status, status, 0);
      side.words[wordOf(S.engine.event)] = EngineEvent.None;
    };
  }

  /**
   * Maps {@link USER} to the code and then to data pages, some of them invalid, read-only, of another address space or
   * absent; a few pages of the mapped kernel segment likewise.
   */
  #randomTlb(): readonly { readonly hi: number; readonly lo0: number; readonly lo1: number }[] {
    const random = this.#random;
    const half = (physical: number, global: number): number =>
      ((physical >>> 12) << ENTRY_LO.PFN_SHIFT) |
      (random.chance(0.85) ? ENTRY_LO.V : 0) |
      (random.chance(0.7) ? ENTRY_LO.D : 0) |
      global;
    return Array.from({ length: this.model.tlbEntries }, (_, i) => {
      const global = random.chance(0.3) ? ENTRY_LO.G : 0;
      const asid = random.chance(0.9) ? ASID : 1;
      const page = (): number => DATA + PAGE * random.below((RAM_BYTES - DATA) / PAGE);
      if (i === 0) return { hi: USER | ASID, lo0: half(CODE, 0) | ENTRY_LO.V, lo1: half(CODE + PAGE, 0) };
      if (i < 8) return { hi: (USER + 2 * PAGE * i) | asid, lo0: half(page(), global), lo1: half(page(), global) };
      if (i < 10)
        return { hi: (MAPPED_KERNEL + 2 * PAGE * i) | asid | 0, lo0: half(page(), global), lo1: half(page(), global) };
      // Unmapped segments never match: the rest is out of the way there.
      return { hi: (KSEG0 + 2 * PAGE * i) | 0, lo0: 0, lo1: 0 };
    });
  }
}

function mapMemory(memory: LinearMemory, bus: AddressSpace): RamBlock[] {
  const ram = memory.allocateRam('RAM', RAM_BYTES);
  const boot = memory.allocateRam('boot vectors', BOOT_BYTES);
  bus.mapRam('ram', 0, ram);
  bus.mapRam('boot', BOOT_VECTORS, boot);
  return [ram, boot];
}

function helper(side: Side, name: string): HelperFunction {
  const run = side.core.helpers[name];
  if (!run) throw new Error(`there is no helper '${name}'`);
  return run;
}

/** FCSR with its Cause field computed. */
const settledFcsr = (side: Side): number => helper(side, 'readFpControl')(31, 0, 0) ?? 0;

/** Any jump or branch, conservatively: coprocessor 1 branches with it. */
export function isBranch(word: number): boolean {
  const opcode = word >>> 26;
  if (opcode === 0) return (word & 0x3e) === 0x08;
  if (opcode === 1) return ((word >>> 19) & 1) === 0;
  if (opcode === 0x11) return ((word >>> 21) & 0x1f) === 8;
  return (opcode >= 2 && opcode <= 7) || (opcode >= 0x14 && opcode <= 0x17);
}

/** Few registers, so that instructions depend on each other; offsets that stay near; jumps to the code. */
export const chooseMipsField: FieldChooser = (random, { name, bits, signed }, { operands }) => {
  if (bits === 5 && /^(r[std]|base|index)$/.test(name) && random.chance(0.7)) return 2 + random.below(10);
  if (bits === 5 && /^f[dstr]$|^fpr$/.test(name) && random.chance(0.7)) return 2 * random.below(8);
  if (bits === 26) return ((CODE >>> 2) + random.below(CODE_BYTES / 4)) & 0x3ffffff;
  if (!signed) return undefined;
  if (operands.includes(':branch') && random.chance(0.9)) return random.below(16) - 4;
  if (random.chance(0.6)) return 4 * (random.below(32) - 16);
  return random.chance(0.5) ? random.below(256) - 128 : undefined;
};
