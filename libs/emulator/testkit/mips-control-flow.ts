import { InterpreterVcpu } from '../accel/index.js';
import type { ByteOrder } from '../core/index.js';
import { EngineEvent, wordOf } from '../jit/ir/index.js';
import { mipsDisassembler, mipsModel } from '../targets/index.js';
import { Cp0, Status } from '../targets/mips/cp0.js';
import * as S from '../targets/mips/state.js';
import { asm, MIPS_INSTRUCTIONS, MipsAssembler, mipsInstruction, NOP, wordsToBytes } from './mips-assembler.js';
import type { BenchEngine, MipsSide } from './mips-bench.js';
import {
  advance,
  BENCH_MODEL,
  BENCH_RAM_BYTES,
  createMipsSide,
  differences,
  hex,
  NS_PER_INSTRUCTION,
} from './mips-bench.js';
import { SeededRandom } from './random.js';
import type { FieldChooser } from './random-instructions.js';
import { RandomInstructions } from './random-instructions.js';
import type { ReferenceVcpu } from './reference-vcpu.js';

/**
 * Random programs with every kind of control flow, run by engines side by side. A program never ends: it runs for a number
 * of instructions, after which the engines must agree on every register, on memory, and on time. Exceptions are part of
 * it: the handler mixes what it sees into memory and skips what raised them, refills the TLB (ever differently), and
 * on some timer interrupts starts the program anew, so that none is caught in a loop for long.
 */

const KSEG0 = 0x80000000;
const KSEG1 = 0xa0000000;
const PAGE = 0x1000;

// Physical memory.
/** What the handlers keep, away from their code: at kseg0 address {@link KSEG0} + this. */
const KEPT = 0x2000;
const KERNEL_DATA = 0x10000;
const FRAMES = 0x20000;
const FRAMES_BYTES = 0x10000;
const DATA_END = FRAMES + FRAMES_BYTES;
const PROGRAMS = 0x40000;
/** Room for one program. */
const PROGRAM_BYTES = 0x4000;
/** Programs that one set of machines runs before their memory is used up. */
const PROGRAMS_PER_MACHINE = (BENCH_RAM_BYTES - PROGRAMS) / PROGRAM_BYTES;

// Virtual addresses.
const USER_CODE = 0x00400000;
const KERNEL_CODE = 0xc0400000;
const MAPPED_DATA = 0x00500000;

// Offsets from KEPT.
const K = {
  at: 0,
  hash: 4,
  refills: 8,
  ticks: 12,
  start: 16,
  codeVirtual: 20,
  codePhysical: 24,
  period: 28,
  exceptions: 32,
  v0: 36,
  v1: 40,
} as const;

// Registers.
const AT = 1;
const [V0, V1] = [2, 3];
/** Pointers into mapped data that move. */
const POINTERS = [16, 17, 18, 19];
const COUNTERS = [20, 21, 22];
/** Base of data that a masked offset is added to. */
const DATA = 23;
const [K0, K1] = [26, 27];
/** Base of mapped data, constant. */
const GP = 28;
const SP = 29;
const RA = 31;
const FREE = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 30];

const SPACES = ['kseg0', 'kseg1', 'user', 'kernel-user', 'kseg2'] as const;
type Space = (typeof SPACES)[number];

const INTEGER = (
  'addu subu and or xor nor slt sltu addiu slti sltiu andi ori xori lui sll srl rotr sra sllv srlv rotrv srav ' +
  'ext ins wsbh seb seh mul mult multu madd msub mfhi mthi mflo mtlo movz movn clz'
).split(' ');
const RARE = 'add sub addi div divu teq tne tltu syscall break sync pref ll sc rdhwr movci mfc1 mtc1 cfc1'.split(' ');
const FLOATING = 'add.s mul.s add.d mul.d sub.d mov.d mov.s neg.d cvt.d.s cvt.s.d cvt.w.s c.s c.d mfc1 mtc1';
const LOADS = 'lb lbu lh lhu lw lw lw lwl lwr ll lwc1 ldc1'.split(' ');
const STORES = 'sb sh sw sw sw swl swr sc swc1 sdc1'.split(' ');
const ACCESS_BYTES: Readonly<Record<string, number>> = {
  ...{ lh: 2, lhu: 2, sh: 2, lw: 4, ll: 4, sw: 4, sc: 4, lwc1: 4, swc1: 4, ldc1: 8, sdc1: 8 },
};
const ONE_REGISTER = ['blez', 'bgtz', 'bltz', 'bgez', 'blezl', 'bgtzl', 'bltzl', 'bgezl'];
const LINKING = ['bltzal', 'bgezal', 'bltzall', 'bgezall'];
const TWO_REGISTERS = ['beq', 'bne', 'bne', 'beql', 'bnel'];

/** A program as words, and where it runs. */
export interface MipsProgram {
  readonly space: Space;
  readonly words: readonly number[];
  readonly origin: number;
  readonly seed: number;
  /** Words that {@link MipsControlFlow.shrink} must leave alone: jump tables. */
  readonly data: ReadonlySet<number>;
}

// ---- programs ----------------------------------------------------------------------------------------------------------

export class MipsProgramGenerator {
  readonly #random: SeededRandom;
  readonly #words: RandomInstructions<(typeof MIPS_INSTRUCTIONS)[number]>;
  readonly #data = new Set<number>();
  readonly #floating: boolean;
  readonly #rewrites: boolean;
  readonly #space: Space;
  readonly #asm: MipsAssembler;
  readonly #blocks: number;
  readonly #sites: string[] = [];
  #labels = 0;

  constructor(private readonly seed: number) {
    const random = (this.#random = new SeededRandom(seed));
    this.#words = new RandomInstructions(MIPS_INSTRUCTIONS, random, { chooseField });
    this.#floating = random.chance(0.3);
    this.#rewrites = random.chance(0.2);
    this.#space = random.pick(SPACES);
    this.#blocks = random.chance(0.1) ? 60 + random.below(60) : 3 + random.below(25);
    const base = { kseg0: KSEG0, kseg1: KSEG1, user: USER_CODE, 'kernel-user': USER_CODE, kseg2: KERNEL_CODE };
    // Mostly so that the program lies across the border of two pages.
    // Pages come in pairs: at the second border the TLB may know one side only.
    const border = PAGE * (this.#blocks < 40 ? 1 + random.below(2) : 1);
    const offset = random.chance(0.8) ? border - 4 * (8 + random.below(150)) : 4 * random.below(64);
    this.#asm = new MipsAssembler((base[this.#space] + offset) >>> 0);
  }

  /** Addresses in kseg0 and kseg1 depend on where in memory the program is put. */
  generate(physical: number): MipsProgram {
    const isDirect = this.#space === 'kseg0' || this.#space === 'kseg1';
    const a = isDirect ? new MipsAssembler((this.#asm.origin + physical) >>> 0) : this.#asm;
    a.label('start');
    for (const counter of COUNTERS) a.op('addiu', { rt: counter, imm: this.#random.below(20) });
    for (const pointer of POINTERS)
      a.op('addiu', { rt: pointer, rs: GP, imm: this.#random.below(0x6000) & ~(this.#random.chance(0.9) ? 3 : 0) });
    a.op('addiu', { rt: SP, rs: GP, imm: 0x1ff0 });
    a.la(RA, 'start');
    for (let i = 0; i < this.#blocks; i++) this.#block(a, i);
    a.label(`block ${this.#blocks}`);
    a.jump('j', 'start').emit(this.#slot());
    // What an exception skips at the end must find its way, too.
    for (let i = 0; i < 4; i++) a.branch('beq', {}, 'start').emit(NOP);
    const words = a.finish();
    if (words.length * 4 + (a.origin & (2 * PAGE - 1)) > PROGRAM_BYTES)
      throw new Error(`program ${this.seed} is too large`);
    return { space: this.#space, words, origin: a.origin, seed: this.seed, data: this.#data };
  }

  #block(a: MipsAssembler, index: number): void {
    const random = this.#random;
    a.label(`block ${index}`);
    const body = random.chance(0.05) ? 20 + random.below(20) : random.below(6);
    for (let i = 0; i < body; i++) this.#statement(a);
    const other = (): string => this.#target(index);
    switch (random.below(16)) {
      case 0:
        return void a.jump('j', other()).emit(this.#slot());
      case 1:
        return void a.jump('jal', other()).emit(this.#slot());
      case 2:
        return void a.op('jr', { rs: RA }).emit(this.#slot());
      case 3:
        return this.#jumpTable(a, index);
      case 4:
        return this.#selectedTarget(a, index);
      case 5:
        return this.#call(a, other());
      case 6:
      case 7:
        return void a.branch(random.pick(LINKING), { rs: random.pick(FREE) }, other()).emit(this.#slot());
      case 8:
        return; // falls through
      case 9:
      case 10: {
        // A loop that counts.
        const counter = random.pick(COUNTERS);
        a.op('addiu', { rt: counter, rs: counter, imm: -1 });
        a.branch(
          random.pick(['bgtz', 'bgtzl', 'bne']),
          { rs: counter },
          `block ${Math.max(0, index - random.below(3))}`,
        );
        a.emit(this.#slot());
        if (random.chance(0.7)) a.op('addiu', { rt: counter, imm: 1 + random.below(12) });
        return;
      }
      case 11:
        if (this.#floating) {
          const fields = { cc: random.below(8), tf: random.below(2) };
          return void a.branch(random.pick(['bc1', 'bc1l']), fields, other()).emit(this.#slot());
        }
        return;
      case 12:
      case 13:
        return void a.branch(random.pick(ONE_REGISTER), { rs: random.pick(FREE) }, other()).emit(this.#slot());
      default: {
        const rt = random.chance(0.3) ? 0 : random.pick(FREE);
        return void a.branch(random.pick(TWO_REGISTERS), { rs: random.pick(FREE), rt }, other()).emit(this.#slot());
      }
    }
  }

  /** Near or far, forwards more often than backwards. */
  #target(index: number): string {
    const random = this.#random;
    const target = random.chance(0.3)
      ? random.below(this.#blocks + 1)
      : index + random.pick([-6, -3, -2, -1, 0, 1, 1, 2, 2, 3, 4, 6]);
    return `block ${Math.min(this.#blocks, Math.max(0, target))}`;
  }

  #jumpTable(a: MipsAssembler, index: number): void {
    const random = this.#random;
    const table = `label ${this.#labels++}`;
    const [register, choice] = [V0, V1];
    a.op('andi', { rt: choice, rs: random.pick(FREE), imm: 0xc });
    a.la(register, table);
    a.op('addu', { rd: register, rs: register, rt: choice });
    a.op('lw', { base: register, rt: register });
    a.op(random.chance(0.8) ? 'jr' : 'jalr', { rs: register }).emit(this.#slot([register]));
    a.branch('beq', {}, this.#target(index)).emit(NOP); // where the load was skipped
    a.label(table);
    for (let i = 0; i < 4; i++) {
      this.#data.add(a.words.length);
      a.wordOf(this.#target(index));
    }
  }

  /** Sets one of a few words of memory to a block's address, or calls where it points. */
  #functionPointer(a: MipsAssembler): void {
    const random = this.#random;
    if (this.#space === 'user') return; // the words lie before the data, where a user sees other pages
    const pointer = { base: DATA, offset: -4 * (1 + random.below(3)) };
    if (random.chance(0.4)) {
      a.la(V0, this.#target(random.below(this.#blocks)));
      return void a.op('sw', { rt: V0, ...pointer });
    }
    const after = `label ${this.#labels++}`;
    const register = random.pick([25, V0]);
    a.op('lw', { rt: register, ...pointer });
    a.branch('beq', { rs: register }, after).emit(NOP);
    a.op('jalr', { rs: register, rd: RA }).emit(this.#slot([register]));
    a.label(after);
  }

  #selectedTarget(a: MipsAssembler, index: number): void {
    const random = this.#random;
    a.la(V0, this.#target(index)).la(V1, this.#target(index));
    a.op(random.pick(['movz', 'movn']), { rd: V0, rs: V1, rt: random.pick(FREE.slice(3)) });
    const link = random.pick([0, RA, RA, V0]);
    if (link === 0) a.op('jr', { rs: V0 });
    else a.op('jalr', { rs: V0, rd: link });
    a.emit(this.#slot());
  }

  /** A call that keeps the return address on the stack. */
  #call(a: MipsAssembler, target: string): void {
    a.op('addiu', { rt: SP, rs: SP, imm: -16 });
    a.op('sw', { base: SP, rt: RA, offset: 12 });
    a.jump('jal', target).emit(this.#slot());
    a.op('lw', { base: SP, rt: RA, offset: 12 });
    a.op('addiu', { rt: SP, rs: SP, imm: 16 });
    if (this.#random.chance(0.3)) a.op('jr', { rs: RA }).emit(this.#slot());
  }

  #statement(a: MipsAssembler): void {
    const random = this.#random;
    const kind = random.below(42);
    if (kind < 18) a.emit(this.#plain());
    else if (kind < 30) a.emit(this.#access());
    else if (kind < 33) this.#masked(a);
    else if (kind < 35) {
      const pointer = random.pick(POINTERS);
      a.op('addiu', { rt: pointer, rs: pointer, imm: random.pick([4, -4, 8, 64, -64, 0x400, 1]) });
    } else if (kind < 37) a.emit(this.#words.of(mipsInstruction(random.pick(RARE))));
    else if (kind === 37) this.#privileged(a);
    else if (kind >= 40) this.#functionPointer(a);
    else if (kind === 38 && this.#rewrites) this.#rewrite(a);
    else if (this.#rewrites && random.chance(0.5)) {
      const site = `site ${this.#sites.length}`;
      this.#sites.push(site);
      a.label(site).emit(this.#plain());
    }
  }

  #plain(): number {
    const names = this.#floating && this.#random.chance(0.3) ? FLOATING.split(' ') : INTEGER;
    return this.#words.of(mipsInstruction(this.#random.pick(names)));
  }

  /** A load or store at an address that mostly exists. */
  #access(): number {
    const random = this.#random;
    const store = random.chance(0.4);
    const name = random.pick(store ? STORES : LOADS);
    const base = random.chance(0.85) ? random.pick([...POINTERS, GP, SP]) : store ? SP : random.pick(FREE);
    const bytes = random.chance(0.98) ? (ACCESS_BYTES[name] ?? 1) : 1;
    const offset = bytes * (random.below(64) - 20) + (random.chance(0.1) ? PAGE * random.below(4) : 0);
    const register = random.pick(FREE);
    if (name.endsWith('c1')) return asm(name, { base, offset, ft: register });
    return asm(name, { base, offset, rt: register });
  }

  /** An access to a random word of the data. */
  #masked(a: MipsAssembler): void {
    const random = this.#random;
    a.op('andi', { rt: V1, rs: random.pick(FREE), imm: random.pick([0x3ffc, 0x0ffc, 0x7ffc]) });
    a.op('addu', { rd: V1, rs: V1, rt: DATA });
    for (let i = random.below(3); i >= 0; i--)
      a.op(random.pick(['lw', 'sw']), { base: V1, rt: random.pick(FREE.slice(3)), offset: 4 * random.below(8) });
  }

  #privileged(a: MipsAssembler): void {
    const random = this.#random;
    switch (random.below(6)) {
      case 0: // what time is it?
      case 1:
        return void a.op('mfc0', { rt: random.pick(FREE), rd: 9 });
      case 2: // the other width of floating-point registers, or none
      case 3:
        a.op('lui', { rt: V1, imm: random.pick([0x0400, 0x0400, 0x2000]) });
        a.op('mfc0', { rt: V0, rd: 12 }).op('xor', { rd: V0, rs: V0, rt: V1 });
        return void a.op('mtc0', { rt: V0, rd: 12 });
      case 4: // another address space
        a.op('addiu', { rt: V0, imm: 1 + random.below(6) });
        return void a.op('mtc0', { rt: V0, rd: 10 });
      default:
        a.op('addiu', { rt: V0, imm: random.below(16) });
        a.op('mtc0', { rt: V0, rd: 0 });
        return void a.emit(asm('tlbr'));
    }
  }

  /** Stores another instruction into one of the places for it, through any of its addresses. */
  #rewrite(a: MipsAssembler): void {
    const random = this.#random;
    if (this.#sites.length === 0) return;
    a.li(V0, this.#plain());
    a.la(V1, random.pick(this.#sites));
    if (this.#space === 'kseg0' && random.chance(0.5)) {
      a.op('lui', { rt: AT, imm: 0x2000 }).op('or', { rd: V1, rs: V1, rt: AT });
    }
    a.op('sw', { base: V1, rt: V0 });
  }

  /** A delay slot: never a branch. */
  #slot(avoid: readonly number[] = []): number {
    const random = this.#random;
    if (random.chance(0.25)) return NOP;
    if (random.chance(0.35)) return this.#access();
    if (random.chance(0.05)) return this.#words.of(mipsInstruction(random.pick(RARE)));
    if (random.chance(0.2)) {
      const pointer = random.pick([...POINTERS, ...COUNTERS, ...FREE].filter((each) => !avoid.includes(each)));
      return asm('addiu', { rt: pointer, rs: pointer, imm: random.pick([-1, 4, -4]) });
    }
    return this.#plain();
  }
}

/** Registers that the program may change freely. */
const chooseField: FieldChooser = (random, { name, bits }, instruction) => {
  if (instruction.operands.includes('({base})')) {
    if (name === 'base') return random.pick([...POINTERS, GP]);
    if (name === 'offset') return 4 * random.below(64);
  }
  if (bits === 5 && /^(rt|rd)$/.test(name)) {
    if (instruction.name === 'rdhwr' && name === 'rd') return random.pick([0, 1, 2, 3, 29]);
    return random.pick(FREE);
  }
  if (bits === 5 && name === 'rs') return random.pick([...FREE, 0, ...COUNTERS]);
  if (instruction.name === 'ins' && name === 'msb') return 16 + random.below(16);
  if (instruction.name === 'ins' && name === 'lsb') return random.below(17);
  if (name === 'code') return 0;
  return undefined;
};

// ---- handlers ----------------------------------------------------------------------------------------------------------

/** The TLB refill handler, at offset 0: what it maps depends on how often it ran. */
function refillHandler(): number[] {
  const a = new MipsAssembler(KSEG0);
  const [k0, k1, at] = [K0, K1, AT];
  a.op('lui', { rt: k0, imm: KSEG0 >>> 16 }); // kept data: offsets from here
  const load = (rt: number, field: number): void => void a.op('lw', { base: k0, rt, offset: KEPT + field });
  const save = (rt: number, field: number): void => void a.op('sw', { base: k0, rt, offset: KEPT + field });
  save(at, K.at);
  save(V0, K.v0);
  load(at, K.refills);
  a.op('addiu', { rt: at, rs: at, imm: 1 });
  save(at, K.refills);
  a.op('andi', { rt: k1, rs: at, imm: 15 }).op('mtc0', { rt: k1, rd: 0 }); // Index
  a.op('mfc0', { rt: k1, rd: 10 }).op('srl', { rd: k1, rt: k1, sa: 13 }); // page pair
  load(V0, K.codeVirtual);
  a.op('srl', { rd: V0, rt: V0, sa: 13 }).op('subu', { rd: V0, rs: k1, rt: V0 });
  a.op('sltiu', { rt: V0, rs: V0, imm: PROGRAM_BYTES / PAGE / 2 });
  a.branch('bne', { rs: V0 }, 'code').emit(NOP);
  // Data: one of the frames, sometimes invalid or read-only.
  a.op('sll', { rd: V0, rt: k1, sa: 2 }).op('addu', { rd: V0, rs: V0, rt: k1 }).op('addu', { rd: V0, rs: V0, rt: at });
  a.op('andi', { rt: V0, rs: V0, imm: FRAMES_BYTES / PAGE / 2 - 1 }).op('sll', { rd: V0, rt: V0, sa: 7 });
  a.op('addiu', { rt: V0, rs: V0, imm: (FRAMES >>> 6) | 0x1e }); // C = 3, dirty, valid
  a.op('andi', { rt: k1, rs: k1, imm: 1 }).op('or', { rd: V0, rs: V0, rt: k1 }); // global, ever the same for a page
  a.op('mtc0', { rt: V0, rd: 2 });
  a.op('addiu', { rt: V0, rs: V0, imm: PAGE >>> 6 });
  for (const [mask, bit] of [
    [0x3c, 1],
    [0x03, 2],
  ] as const) {
    a.op('andi', { rt: k1, rs: at, imm: mask }).op('sltiu', { rt: k1, rs: k1, imm: 1 });
    a.op('sll', { rd: k1, rt: k1, sa: bit }).op('xor', { rd: V0, rs: V0, rt: k1 });
  }
  a.branch('beq', {}, 'write').op('mtc0', { rt: V0, rd: 3 });
  a.label('code');
  load(V0, K.codeVirtual);
  a.op('srl', { rd: V0, rt: V0, sa: 13 }).op('subu', { rd: V0, rs: k1, rt: V0 }).op('sll', { rd: V0, rt: V0, sa: 7 });
  load(k1, K.codePhysical);
  a.op('srl', { rd: k1, rt: k1, sa: 6 })
    .op('addu', { rd: V0, rs: V0, rt: k1 })
    .op('ori', { rt: V0, rs: V0, imm: 0x1e });
  a.op('mtc0', { rt: V0, rd: 2 });
  a.op('addiu', { rt: V0, rs: V0, imm: PAGE >>> 6 }).op('mtc0', { rt: V0, rd: 3 });
  a.label('write').op('tlbwi');
  load(V0, K.v0);
  load(at, K.at);
  a.op('eret');
  if (a.words.length * 4 > 0x180) throw new Error('the refill handler reaches the general one');
  return a.finish();
}

/** All other exceptions, at offset 0x180. */
function generalHandler(): number[] {
  const a = new MipsAssembler(KSEG0 + 0x180);
  const [k0, k1, at] = [K0, K1, AT];
  a.op('lui', { rt: k0, imm: KSEG0 >>> 16 });
  const load = (rt: number, field: number): void => void a.op('lw', { base: k0, rt, offset: KEPT + field });
  const save = (rt: number, field: number): void => void a.op('sw', { base: k0, rt, offset: KEPT + field });
  save(at, K.at);
  save(V0, K.v0);
  save(V1, K.v1);
  load(at, K.exceptions);
  a.op('addiu', { rt: at, rs: at, imm: 1 });
  save(at, K.exceptions);
  load(at, K.hash);
  a.op('rotr', { rd: at, rt: at, sa: 5 });
  for (const register of [13, 14, 8]) a.op('mfc0', { rt: k1, rd: register }).op('addu', { rd: at, rs: at, rt: k1 });
  save(at, K.hash);
  a.op('mfc0', { rt: k1, rd: 13 }).op('andi', { rt: V0, rs: k1, imm: 0x7c });
  a.branch('beq', { rs: V0 }, 'interrupt').op('mfc0', { rt: V1, rd: 14 });
  // A fetch that failed cannot be skipped.
  a.op('addiu', { rt: V0, rs: V0, imm: -6 << 2 });
  a.branch('beq', { rs: V0 }, 'restart').op('mfc0', { rt: V0, rd: 8 });
  a.branch('beq', { rs: V0, rt: V1 }, 'restart').emit(NOP);
  a.branch('bgez', { rs: k1 }, 'skip').op('addiu', { rt: V1, rs: V1, imm: 4 });
  a.op('addiu', { rt: V1, rs: V1, imm: 4 });
  a.label('skip').branch('beq', {}, 'done').op('mtc0', { rt: V1, rd: 14 });
  a.label('interrupt');
  load(V0, K.period);
  a.op('andi', { rt: V1, rs: at, imm: 0xff }).op('addu', { rd: V0, rs: V0, rt: V1 });
  a.op('mfc0', { rt: V1, rd: 9 }).op('addu', { rd: V0, rs: V0, rt: V1 }).op('mtc0', { rt: V0, rd: 11 });
  load(V0, K.ticks);
  a.op('addiu', { rt: V0, rs: V0, imm: 1 });
  save(V0, K.ticks);
  a.op('andi', { rt: V0, rs: V0, imm: 1 });
  a.branch('bne', { rs: V0 }, 'done').emit(NOP);
  a.label('restart');
  load(V0, K.start);
  a.op('mtc0', { rt: V0, rd: 14 });
  a.label('done');
  load(V1, K.v1);
  load(V0, K.v0);
  load(at, K.at);
  a.op('eret');
  if (0x180 + a.words.length * 4 > PAGE) throw new Error('the handler is too large');
  return a.finish();
}

const REFILL_HANDLER = refillHandler();
const GENERAL_HANDLER = generalHandler();

// ---- running -----------------------------------------------------------------------------------------------------------

interface EngineSide {
  readonly engine: BenchEngine;
  readonly side: MipsSide;
}

export interface ControlFlowOptions {
  readonly byteOrder: ByteOrder;
  /** What runs besides the interpreter. */
  readonly engines: readonly BenchEngine[];
  /** Instructions that each program runs for. The reference, slow as it is, follows the first of them only. */
  readonly instructions: number;
  readonly referenceInstructions?: number;
}

/** Runs programs on several engines and compares. */
export class MipsControlFlow {
  programs = 0;
  /** Programs that the reference could follow for as long as it was asked to. */
  followed = 0;
  #sides: readonly EngineSide[] = [];
  #slot = PROGRAMS_PER_MACHINE;

  constructor(private readonly options: ControlFlowOptions) {}

  /** Share of instructions that translations executed, for each threshold. */
  readonly translated = new Map<BenchEngine, { translations: number; all: number }>();

  /** @throws Error with the first difference and a shortened program */
  async run(seed: number): Promise<void> {
    if (this.#slot >= PROGRAMS_PER_MACHINE) await this.#start();
    const physical = PROGRAMS + PROGRAM_BYTES * this.#slot++;
    const program = new MipsProgramGenerator(seed).generate(physical);
    this.programs++;
    const found = this.#compare(this.#sides, program, physical);
    this.#account();
    if (!found) return;
    this.#slot = PROGRAMS_PER_MACHINE; // the machines went different ways
    throw new Error(await this.#describe(program, physical, found));
  }

  async #start(): Promise<void> {
    this.#slot = 0;
    this.#sides = await this.#createSides();
  }

  #createSides(): Promise<EngineSide[]> {
    const engines: BenchEngine[] = ['interp', ...this.options.engines];
    return Promise.all(
      engines.map(async (engine) => ({ engine, side: await createMipsSide(engine, this.options.byteOrder) })),
    );
  }

  #account(): void {
    for (const { engine, side } of this.#sides) {
      if (!(side.vcpu instanceof InterpreterVcpu)) continue;
      const { instructions, translation } = side.vcpu.stats;
      if (translation) this.translated.set(engine, { translations: translation.instructions, all: instructions });
    }
  }

  #compare(sides: readonly EngineSide[], program: MipsProgram, physical: number): string[] | undefined {
    const { byteOrder, instructions, referenceInstructions = 0 } = this.options;
    for (const { side } of sides) load(side, program, physical, byteOrder);
    const [first, ...others] = sides;
    if (!first) return undefined;
    const ranges = [
      [0, DATA_END],
      [physical, physical + PROGRAM_BYTES],
    ] as const;
    const random = new SeededRandom(program.seed);
    const slice = (): number => (random.chance(0.6) ? Infinity : 1025 + random.below(8000));
    const reference = others.find(({ engine }) => engine === 'reference');
    if (reference) {
      if (advance(reference.side, referenceInstructions, slice)) {
        advance(first.side, referenceInstructions, slice);
        this.followed++;
        const found = differences(first.side, reference.side, ranges);
        if (found.length > 0) return ['interpreter and reference differ:', ...found];
        advance(first.side, instructions - referenceInstructions, slice);
      } else {
        advance(first.side, instructions, slice);
      }
      this.#align(reference.side, first.side);
    } else {
      advance(first.side, instructions, slice);
    }
    for (const { engine, side } of others) {
      if (engine === 'reference') continue;
      advance(side, instructions, slice);
      const found = differences(first.side, side, ranges);
      if (found.length > 0) return [`interpreter and JIT with threshold ${engine} differ:`, ...found];
    }
    return undefined;
  }

  /** The reference goes on with the next program where and when the others do. */
  #align(reference: MipsSide, other: MipsSide): void {
    const vcpu = reference.vcpu as ReferenceVcpu;
    reference.core.reset();
    reference.scheduler.setTime(other.scheduler.nowNs);
    vcpu.instructions = other.scheduler.nowNs / NS_PER_INSTRUCTION;
  }

  async #describe(program: MipsProgram, physical: number, found: string[]): Promise<string> {
    const small = await this.#shrink(program, physical);
    const disassembler = mipsDisassembler(mipsModel(BENCH_MODEL));
    const shown = small ?? program;
    return [
      `program ${program.seed}, ${this.options.byteOrder}-endian, ${program.space}`,
      ...found,
      small ? 'shortened (what it does not need is nop):' : 'on fresh machines the program does not show it:',
      ...shown.words
        .map((word, i) => ({ word, i }))
        .filter(({ word }) => word !== NOP)
        .map(({ word, i }) => {
          const address = program.origin + 4 * i;
          return `  ${hex(address)}  ${program.data.has(i) ? hex(word) : disassembler.disassemble(word, address)}`;
        }),
    ].join('\n');
  }

  /** Replaces by nops what is not needed for a difference. */
  async #shrink(program: MipsProgram, physical: number): Promise<MipsProgram | undefined> {
    const fails = async (words: readonly number[]): Promise<boolean> =>
      this.#compare(await this.#createSides(), { ...program, words }, physical) !== undefined;
    if (!(await fails(program.words))) return undefined;
    const deadline = performance.now() + 15_000;
    let words = [...program.words];
    for (let size = 32; size >= 1; size >>= 1) {
      for (let from = 0; from < words.length && performance.now() < deadline; from += size) {
        const attempt = words.map((word, i) => (i >= from && i < from + size && !program.data.has(i) ? NOP : word));
        if (attempt.every((word, i) => word === words[i])) continue;
        if (await fails(attempt)) words = attempt;
      }
    }
    return { ...program, words };
  }
}

/** Puts a program and fresh data into a machine, and a state at its start into the CPU. */
function load(side: MipsSide, program: MipsProgram, physical: number, byteOrder: ByteOrder): void {
  const random = new SeededRandom(program.seed ^ 0x55555555);
  const { ram, bus, core, words } = side;
  const data = Array.from({ length: (DATA_END - KERNEL_DATA) / 4 / 16 }, () => random.integer());
  for (let from = KERNEL_DATA; from < DATA_END; from += 4 * data.length)
    ram.bytes.set(wordsToBytes(data, byteOrder), from);
  // Garbage that earlier programs executed may have stored anywhere, and the reference did not follow them so far.
  ram.bytes.fill(0, PAGE, KERNEL_DATA);
  ram.markWritten(PAGE, DATA_END - PAGE);
  ram.bytes.fill(0, physical, physical + PROGRAM_BYTES);
  ram.markWritten(physical, PROGRAM_BYTES);
  const mapped = program.space !== 'kseg0' && program.space !== 'kseg1';
  const write = (address: number, list: readonly number[]): void =>
    void bus.writeBytes(address, wordsToBytes(list, byteOrder));
  const window = mapped ? program.origin & ~(2 * PAGE - 1) : 0;
  const offset = mapped ? program.origin - window : (program.origin & 0x1fffffff) - physical;
  const vectors = new Uint8Array(PAGE);
  vectors.set(wordsToBytes(REFILL_HANDLER, byteOrder), 0);
  vectors.set(wordsToBytes(GENERAL_HANDLER, byteOrder), 0x180);
  if (Buffer.compare(vectors, ram.bytes.subarray(0, PAGE)) !== 0) bus.writeBytes(0, vectors);
  write(physical + offset, program.words);
  const kept = new Array<number>(11).fill(0);
  kept[K.hash >> 2] = random.word();
  kept[K.refills >> 2] = random.below(1000);
  kept[K.start >> 2] = program.origin >>> 0;
  kept[K.codeVirtual >> 2] = window >>> 0;
  kept[K.codePhysical >> 2] = physical;
  const period = 600 + random.below(8000);
  kept[K.period >> 2] = period;
  write(KEPT, kept);

  core.reset();
  for (let i = 1; i < 32; i++) words[S.gprWord(i)] = random.integer();
  for (let i = 0; i < 64; i++) words[wordOf(S.FPR) + i] = random.single();
  words[wordOf(S.HI)] = random.integer();
  words[wordOf(S.LO)] = random.integer();
  words[S.gprWord(GP)] = MAPPED_DATA;
  words[S.gprWord(DATA)] =
    program.space === 'user' ? MAPPED_DATA : (random.pick([KSEG0, KSEG0, KSEG1]) + KERNEL_DATA) | 0;
  const writeCp0 = (register: number, value: number): void => void core.helpers['writeCp0']?.(register, value, 0);
  for (let i = 0; i < 64; i++) words[wordOf(S.TLB_ENTRY_HI) + i] = (KSEG0 + 2 * PAGE * i) | 0; // never matches
  writeCp0(Cp0.EntryHi, 1);
  writeCp0(Cp0.HwrEna, 0xf);
  writeCp0(Cp0.Count, 0);
  writeCp0(Cp0.Compare, period);
  words[wordOf(S.engine.pc)] = program.origin | 0;
  words[wordOf(S.engine.runStart)] = program.origin | 0;
  const floating = random.chance(0.9) ? Status.CU1 | (random.chance(0.5) ? Status.FR : 0) : 0;
  writeCp0(Cp0.Status, Status.IE | (0x80 << 8) | floating | (program.space === 'user' ? 2 << Status.KSU_SHIFT : 0));
  words[wordOf(S.engine.event)] = EngineEvent.None;
}
