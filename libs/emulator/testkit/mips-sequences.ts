import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TranslationOptions } from '../accel/index.js';
import { createMipsVcpu, InterpreterVcpu } from '../accel/index.js';
import type { ByteOrder } from '../core/index.js';
import { Scheduler } from '../core/index.js';
import { AddressSpace, LinearMemory } from '../memory/index.js';
import { mipsDisassembler, mipsModel } from '../targets/index.js';
import type { MipsInstruction } from './mips-assembler.js';
import { asm, MIPS_INSTRUCTIONS, mipsInstruction, wordsToBytes } from './mips-assembler.js';
import { mipsElf } from './mips-elf.js';
import { qemuUserMips } from './qemu.js';
import { SeededRandom } from './random.js';
import type { FieldChooser } from './random-instructions.js';
import { matchInstruction, RandomInstructions } from './random-instructions.js';

/**
 * Random sequences of unprivileged instructions as a program that QEMU's user-mode emulation and our bare CPU both run.
 * Each sequence starts from registers of its own and leaves its registers in memory; the program ends by writing all of
 * that memory to its standard output. Whatever the architecture leaves undefined is avoided.
 */
export interface SequenceOptions {
  readonly byteOrder: ByteOrder;
  /** Size of the floating-point registers: 64 is Status.FR = 1. */
  readonly registers: 32 | 64;
  readonly seed: number;
  readonly sequences: number;
}

const MODEL = '24Kf';
const TEXT = 0x00400000;
/** Words of code per sequence: registers in, the sequence, registers out. */
const BLOCK_WORDS = 256;
const SEQUENCE_WORDS = 48;
/** What one sequence starts from and leaves: 32 GPRs, HI, LO, FCSR, a word of padding, 32 64-bit FPRs. */
const STATE_BYTES = 36 * 4 + 32 * 8;
const HI_AT = 128;
const LO_AT = 132;
const FCSR_AT = 136;
const FPR_AT = 144;
/** Memory that a sequence loads from and stores to. */
const DATA_BYTES = 64;
/** k0 points to the data, k1 to the register file; sequences leave both alone. */
const DATA_POINTER = 26;
const FILE_POINTER = 27;
const GENERAL = Array.from({ length: 32 }, (_, i) => i).filter((i) => i !== DATA_POINTER && i !== FILE_POINTER);
const RA = 31;

const model = mipsModel(MODEL);

/** Instructions that depend on nothing but their operands, whatever those are. */
const SIMPLE = new Set(
  [
    'addu subu and or xor nor slt sltu mul clz clo addiu slti sltiu andi ori xori lui sll srl rotr sra sllv srlv rotrv',
    'srav ext ins wsbh seb seh mult multu madd maddu msub msubu mfhi mthi mflo mtlo movz movn movci sync pref',
    'lb lh lw lbu lhu sb sh sw lwl lwr swl swr mfc1 mtc1 mfhc1 mthc1 cfc1 lwc1 swc1 ldc1 sdc1',
  ]
    .join(' ')
    .split(' '),
);
const NEEDS_64_BIT_REGISTERS = /\.l\b|^[ls]uxc1$/;
const FPU_ARITHMETIC =
  /^(add|sub|mul|div|sqrt|abs|mov|neg|recip|rsqrt|madd|msub|nmadd|nmsub|movcf|movz|movn|c|round|trunc|ceil|floor|cvt)\./;
/** Instructions whose registers hold 32-bit values, so that odd ones exist with 32-bit registers too. */
const ONLY_SINGLES = /^(\w+\.s|(cvt|round|trunc|ceil|floor)\.[ws]\.[ws]|m[ft]c1|[ls]wc1)$/;
const TRAPS = ['tlt', 'tltu', 'tne', 'tge', 'tgeu', 'teq', 'tlti', 'tltiu', 'tnei', 'tgei', 'tgeiu', 'teqi'] as const;
/** CPUNum, SYNCI_Step, CCRes, UserLocal; the counter CC is different in every run. */
const HARDWARE_REGISTERS = [0, 1, 3, 29];
/** FCCR, FEXR, FENR and FCSR, with the bits that neither trap nor flush. */
const FPU_CONTROLS = [
  { fs: 25, mask: 0xff },
  { fs: 26, mask: 0x7c },
  { fs: 28, mask: 3 },
  { fs: 31, mask: 0x7f },
];
/** Branches that skip their delay slot where they are not taken. */
const LIKELY = /^b(eq|ne|lez|gtz|ltz|gez|ltzal|gezal|c1)l$/;
const CONDITIONAL =
  'beq beql bne bnel blez blezl bgtz bgtzl bltz bltzl bgez bgezl bltzal bltzall bgezal bgezall bc1 bc1l';

export class MipsSequences {
  readonly #random: SeededRandom;
  readonly #words: RandomInstructions<MipsInstruction>;
  readonly #simple: readonly MipsInstruction[];
  readonly #arithmetic: readonly MipsInstruction[];
  readonly #text: number[] = [];
  readonly #executed = new Map<string, number>();
  /** Words at the end of the last group that a branch may skip. */
  #skippable = 0;
  /** Address and words of each sequence, for reports. */
  readonly #sequences: { readonly address: number; readonly words: readonly number[] }[] = [];
  readonly #inputs: Uint8Array;

  constructor(private readonly options: SequenceOptions) {
    const { registers, sequences } = options;
    this.#random = new SeededRandom(options.seed);
    this.#words = new RandomInstructions(MIPS_INSTRUCTIONS, this.#random, { chooseField: this.#chooseField });
    const available = MIPS_INSTRUCTIONS.filter(({ name }) => registers === 64 || !NEEDS_64_BIT_REGISTERS.test(name));
    this.#simple = available.filter(({ name }) => SIMPLE.has(name));
    this.#arithmetic = available.filter(({ name }) => FPU_ARITHMETIC.test(name));
    this.#inputs = new Uint8Array(sequences * STATE_BYTES);
    for (let i = 0; i < sequences; i++) this.#addSequence(i);
    this.#finish();
  }

  // ---- where things are ----------------------------------------------------------------------------------------------

  get #inputsAt(): number {
    return TEXT + 4 * (BLOCK_WORDS * this.options.sequences + 32);
  }

  get #resultsAt(): number {
    return this.#inputsAt + this.#inputs.length;
  }

  get #dataAt(): number {
    return this.#resultsAt + this.options.sequences * STATE_BYTES;
  }

  get #end(): number {
    return this.#dataAt + this.options.sequences * DATA_BYTES;
  }

  /**
   * How often the sequences execute each instruction, by its name. What a branch may skip does not count, nor does what
   * loads and stores the registers around a sequence.
   */
  get executed(): ReadonlyMap<string, number> {
    return this.#executed;
  }

  #count(word: number): void {
    const name = matchInstruction(MIPS_INSTRUCTIONS, word)?.name ?? '';
    this.#executed.set(name, (this.#executed.get(name) ?? 0) + 1);
  }

  // ---- running -------------------------------------------------------------------------------------------------------

  /** What the program writes under QEMU. @throws MissingPrerequisite without QEMU */
  async runOnQemu(): Promise<Uint8Array> {
    const qemu = qemuUserMips(this.options.byteOrder);
    const folder = mkdtempSync(join(tmpdir(), 'bootlab-sequences-'));
    try {
      const program = join(folder, 'program');
      writeFileSync(program, this.elf(), { mode: 0o755 });
      const run = promisify(execFile);
      const limits = { maxBuffer: 2 * (this.#end - this.#resultsAt), timeout: 120_000 };
      const { stdout } = await run(qemu, ['-cpu', MODEL, program], { encoding: 'buffer', ...limits });
      return stdout;
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  /** What the program would write, on our CPU without an operating system. */
  async runOnInterpreter(): Promise<Uint8Array> {
    const [results] = await this.#runOnVcpu(1);
    return results as Uint8Array;
  }

  /**
   * The same with translations, several times over: a program that runs once is never translated.
   * @returns what each pass would write, and the share of instructions that translations executed in the last
   */
  async runTranslated(
    translation: TranslationOptions,
    passes: number,
  ): Promise<{ readonly results: readonly Uint8Array[]; readonly translated: number }> {
    const [...results] = await this.#runOnVcpu(passes, translation);
    return { results, translated: this.#translated };
  }

  #translated = 0;

  async #runOnVcpu(passes: number, translation?: TranslationOptions): Promise<Uint8Array[]> {
    const { byteOrder } = this.options;
    const ramBytes = Math.ceil(this.#end / 0x10000) * 0x10000;
    const memory = new LinearMemory(LinearMemory.ramFootprint(ramBytes) + InterpreterVcpu.linearBytes);
    const bus = new AddressSpace('sequences');
    const ram = memory.allocateRam('RAM', ramBytes);
    bus.mapRam('ram', 0, ram);
    bus.writeBytes(TEXT, this.#image());
    const vcpu = await createMipsVcpu({
      ...{ model: MODEL, byteOrder, bus, memory, scheduler: new Scheduler() },
      ...{ nsPerInstruction: 10, countHz: 50_000_000, deviceAccessNs: 0, translation },
    });
    // A start in the boot vectors: coprocessor 1 on, then into the program with ERL still set, so that its addresses
    // are physical ones. Its first system call ends at the exception vector.
    const start = 0x1000;
    const vector = 0x180;
    const setUp = [
      asm('lui', { rt: 8, imm: 0x2000 | (this.options.registers === 64 ? 0x0400 : 0) }),
      asm('ori', { rs: 8, rt: 8, imm: 4 }),
      asm('mtc0', { rt: 8, rd: 12 }),
      asm('lui', { rt: 8, imm: TEXT >>> 16 }),
      asm('jr', { rs: 8 }),
      asm('sll'),
    ];
    setUp.forEach((word, i) => bus.write(start + 4 * i, 4, word, byteOrder));
    [asm('beq', { offset: -1 }), asm('sll')].forEach((word, i) => bus.write(vector + 4 * i, 4, word, byteOrder));
    const results: Uint8Array[] = [];
    for (let pass = 0; pass < passes; pass++) {
      ram.bytes.fill(0, this.#resultsAt, this.#end);
      ram.markWritten(this.#resultsAt, this.#end - this.#resultsAt);
      vcpu.reset();
      vcpu.boot({ pc: 0x80000000 + start, gpr: {} });
      const { instructions, translation: before } = vcpu.stats;
      const translatedBefore = before?.instructions ?? 0;
      const limit = setUp.length + this.#text.length;
      // No sequence goes backwards. The last instructions spin at the vector.
      for (let left = limit; left > 0; left = limit - (vcpu.stats.instructions - instructions)) vcpu.run(left + 1024);
      this.#translated = ((vcpu.stats.translation?.instructions ?? 0) - translatedBefore) / limit;
      results.push(ram.bytes.slice(this.#resultsAt, this.#end));
    }
    return results;
  }

  /** One line for each register and byte range that differs; at most a few sequences. */
  describeDifferences(actual: Uint8Array, expected: Uint8Array): string[] {
    if (actual.length !== expected.length) return [`${actual.length} bytes of results instead of ${expected.length}`];
    const little = this.options.byteOrder === 'little';
    const views = [actual, expected].map(({ buffer, byteOffset, length }) => new DataView(buffer, byteOffset, length));
    const disassembler = mipsDisassembler(model);
    const lines: string[] = [];
    for (const [i, { address, words }] of this.#sequences.entries()) {
      const differences: string[] = [];
      const compare = (from: number, bytes: number, name: (offset: number) => string): void => {
        for (let at = from; at < from + bytes; at += 4) {
          const [ours, theirs] = views.map((view) => view.getUint32(at, little)) as [number, number];
          if (ours !== theirs)
            differences.push(`  ${name(at - from)}: ${ours.toString(16)}, QEMU ${theirs.toString(16)}`);
        }
      };
      compare(i * STATE_BYTES, STATE_BYTES, nameOfState);
      const data = this.options.sequences * STATE_BYTES + i * DATA_BYTES;
      compare(data, DATA_BYTES, (offset) => `data + ${offset}`);
      if (differences.length === 0) continue;
      lines.push(`sequence ${i}:`, ...differences);
      words.forEach((word, j) => lines.push(`    ${disassembler.disassemble(word, address + 4 * j)}`));
      if (lines.length > 200) break;
    }
    return lines;
  }

  // ---- the program ---------------------------------------------------------------------------------------------------

  #addSequence(number: number): void {
    this.#drawInput(number);
    const block = this.#text.length;
    const emit = (...words: number[]): void => void this.#text.push(...words);
    this.#pointTo(FILE_POINTER, this.#inputsAt + number * STATE_BYTES);
    for (const fpr of this.#doubles()) emit(asm('ldc1', { base: FILE_POINTER, ft: fpr, offset: FPR_AT + 8 * fpr }));
    for (const [offset, name, field] of [
      [HI_AT, 'mthi', 'rs'],
      [LO_AT, 'mtlo', 'rs'],
      [FCSR_AT, 'ctc1', 'rt'],
    ] as const) {
      emit(asm('lw', { base: FILE_POINTER, rt: 2, offset }));
      emit(asm(name, { [field]: 2, ...(name === 'ctc1' && { fs: 31 }) }));
    }
    for (const gpr of GENERAL) if (gpr > 0) emit(asm('lw', { base: FILE_POINTER, rt: gpr, offset: 4 * gpr }));
    this.#pointTo(DATA_POINTER, this.#dataAt + number * DATA_BYTES);

    const first = this.#text.length;
    while (this.#text.length - first < SEQUENCE_WORDS - 12) {
      this.#skippable = 0;
      const words = this.#group(TEXT + 4 * this.#text.length);
      emit(...words);
      for (const word of words.slice(0, words.length - this.#skippable)) this.#count(word);
    }
    this.#sequences.push({ address: TEXT + 4 * first, words: this.#text.slice(first) });

    this.#pointTo(FILE_POINTER, this.#resultsAt + number * STATE_BYTES);
    for (const gpr of GENERAL) emit(asm('sw', { base: FILE_POINTER, rt: gpr, offset: 4 * gpr }));
    for (const [offset, name] of [
      [HI_AT, 'mfhi'],
      [LO_AT, 'mflo'],
    ] as const)
      emit(asm(name, { rd: 2 }), asm('sw', { base: FILE_POINTER, rt: 2, offset }));
    emit(asm('cfc1', { rt: 2, fs: 31 }), asm('sw', { base: FILE_POINTER, rt: 2, offset: FCSR_AT }));
    for (const fpr of this.#doubles()) emit(asm('sdc1', { base: FILE_POINTER, ft: fpr, offset: FPR_AT + 8 * fpr }));
    if (this.#text.length - block > BLOCK_WORDS) throw new Error('a sequence does not fit its block');
    while (this.#text.length - block < BLOCK_WORDS) emit(asm('sll'));
  }

  /** write(1, results, bytes), exit(0): system call numbers of the o32 ABI. */
  #finish(): void {
    this.#pointTo(5, this.#resultsAt);
    this.#pointTo(6, this.#end - this.#resultsAt);
    this.#text.push(asm('addiu', { rt: 4, imm: 1 }), asm('addiu', { rt: 2, imm: 4004 }), asm('syscall'));
    this.#text.push(asm('addiu', { rt: 4, imm: 0 }), asm('addiu', { rt: 2, imm: 4001 }), asm('syscall'));
  }

  #pointTo(register: number, address: number): void {
    this.#text.push(
      asm('lui', { rt: register, imm: address >>> 16 }),
      asm('ori', { rs: register, rt: register, imm: address & 0xffff }),
    );
  }

  /** Registers that hold 64-bit values. */
  #doubles(): readonly number[] {
    return Array.from({ length: 32 }, (_, i) => i).filter((i) => this.options.registers === 64 || i % 2 === 0);
  }

  #drawInput(number: number): void {
    const random = this.#random;
    const view = new DataView(this.#inputs.buffer, number * STATE_BYTES, STATE_BYTES);
    const little = this.options.byteOrder === 'little';
    for (let at = 0; at < HI_AT + 8; at += 4) view.setUint32(at, random.integer(), little);
    const accumulated = random.chance(0.5) ? 1 << 2 : random.below(32) << 2;
    view.setUint32(FCSR_AT, (random.below(4) | accumulated | (random.word() & 0xfe80_0000)) >>> 0, little);
    const rounding = random.chance(0.6) ? 0 : random.below(4);
    view.setUint32(FCSR_AT, (view.getUint32(FCSR_AT, little) & 0xfe80_007c) | rounding, little); // no trap, no flushing
    for (let fpr = 0; fpr < 32; fpr++) {
      const at = FPR_AT + 8 * fpr;
      const { high, low } = random.chance(0.5) ? random.double() : { high: random.single(), low: random.single() };
      view.setUint32(at + (little ? 4 : 0), high, little);
      view.setUint32(at + (little ? 0 : 4), low, little);
    }
  }

  /** A few words that belong together. */
  #group(address: number): number[] {
    const random = this.#random;
    switch (random.below(13)) {
      case 12:
        return this.#harmless();
      case 0:
        return this.#division();
      case 1:
        return this.#noOverflow();
      case 2:
        return this.#linked();
      case 3:
        return this.#indexed();
      case 4:
        return this.#noTrap();
      case 5:
      case 6:
        return this.#branch(address);
      case 7:
      case 8:
      case 9:
        return [this.#words.of(random.pick(this.#arithmetic))];
      default:
        return [this.#plain()];
    }
  }

  /** One instruction that needs nothing around it. */
  #plain(): number {
    return this.#words.of(this.#random.pick(this.#random.chance(0.7) ? this.#simple : this.#arithmetic));
  }

  /** A general register other than 0. */
  #register(): number {
    return this.#random.pick(GENERAL.slice(1));
  }

  /** A divisor from 1 to 0x7fff, and a division. */
  #division(): number[] {
    const [divisor, source, dividend] = [this.#register(), this.#register(), this.#register()];
    return [
      asm('andi', { rt: divisor, rs: source, imm: 0x7ffe }),
      asm('ori', { rt: divisor, rs: divisor, imm: 1 }),
      asm(this.#random.pick(['div', 'divu']), { rs: dividend, rt: divisor }),
    ];
  }

  /** Operands small enough for an addition that would trap on overflow. */
  #noOverflow(): number[] {
    const [a, b, target] = [this.#register(), this.#register(), this.#register()];
    const halve = [
      asm('sra', { rt: this.#register(), rd: a, sa: 2 }),
      asm('sra', { rt: this.#register(), rd: b, sa: 2 }),
    ];
    const imm = this.#random.below(0x10000) - 0x8000;
    const operation = this.#random.pick(['add', 'sub', 'addi']);
    return [
      ...halve,
      operation === 'addi' ? asm('addi', { rs: a, rt: target, imm }) : asm(operation, { rs: a, rt: b, rd: target }),
    ];
  }

  /** An atomic sequence that nothing disturbs. */
  #linked(): number[] {
    const offset = 4 * this.#random.below(DATA_BYTES / 4);
    const [old, fresh] = [this.#register(), this.#register()];
    return [
      asm('ll', { base: DATA_POINTER, rt: old, offset }),
      asm('addiu', { rs: old, rt: fresh, imm: 1 }),
      asm('sc', { base: DATA_POINTER, rt: fresh, offset }),
    ];
  }

  #indexed(): number[] {
    const index = this.#register();
    const wide = this.options.registers === 64 ? ['luxc1', 'suxc1'] : [];
    const name = this.#random.pick(['lwxc1', 'ldxc1', 'swxc1', 'sdxc1', ...wide]);
    const mask = name.startsWith('lw') || name.startsWith('sw') ? 0x3c : name.includes('ux') ? 0x3f : 0x38;
    return [
      asm('andi', { rt: index, rs: this.#register(), imm: mask }),
      asm(name, { base: DATA_POINTER, index, fpr: this.#random.pick(this.#doubles()) }),
    ];
  }

  /** A trap whose condition the registers do not meet. */
  #noTrap(): number[] {
    const random = this.#random;
    const register = this.#register();
    const name = random.pick(TRAPS);
    const small = asm('andi', { rt: register, rs: this.#register(), imm: 0xff });
    switch (name) {
      case 'tlt':
      case 'tltu':
      case 'tne':
        return [asm(name, { rs: register, rt: register })];
      case 'tlti':
        return [small, asm(name, { rs: register, imm: -random.below(0x8000) })];
      case 'tltiu': // sign-extended, then compared without sign
        return [small, asm(name, { rs: register, imm: 0 })];
      case 'tnei': {
        const imm = random.below(0x8000);
        return [asm('ori', { rt: register, rs: 0, imm }), asm(name, { rs: register, imm })];
      }
      case 'tgei':
      case 'tgeiu':
      case 'teqi':
        return [small, asm(name, { rs: register, imm: 0x100 + random.below(0x7000) })];
      default: {
        const larger = random.pick(GENERAL.slice(1).filter((other) => other !== register));
        const imm = 0x100 + random.below(0x8000);
        return [small, asm('ori', { rt: larger, rs: 0, imm }), asm(name, { rs: register, rt: larger })];
      }
    }
  }

  /** What changes caches at most, hardware registers that always say the same, and control of the FPU. */
  #harmless(): number[] {
    const random = this.#random;
    const index = this.#register();
    switch (random.below(4)) {
      case 3: {
        const { fs, mask } = random.pick(FPU_CONTROLS);
        return [asm('andi', { rt: index, rs: this.#register(), imm: mask }), asm('ctc1', { rt: index, fs })];
      }
      case 0:
        return [asm('synci', { base: DATA_POINTER, offset: random.below(DATA_BYTES) })];
      case 1:
        return [
          asm('andi', { rt: index, rs: this.#register(), imm: DATA_BYTES - 1 }),
          asm('prefx', { base: DATA_POINTER, index, hint: random.pick([0, 1, 4, 5, 6, 7]) }),
        ];
      default:
        return [asm('rdhwr', { rt: this.#register(), rd: random.pick(HARDWARE_REGISTERS) })];
    }
  }

  /** A branch or jump forward over a few instructions; its delay slot may also be skipped. */
  #branch(address: number): number[] {
    const random = this.#random;
    const skipped = Array.from({ length: random.below(4) }, () => this.#plain());
    const rest = [this.#plain(), ...skipped];
    const register = this.#register();
    this.#skippable = skipped.length;
    switch (random.below(6)) {
      case 0:
        return [asm(random.pick(['j', 'jal']), { index: (address + 8 + 4 * skipped.length) >>> 2 }), ...rest];
      case 1: {
        const target = address + 16 + 4 * skipped.length;
        const link = random.pick([RA, this.#register()]);
        return [
          asm('lui', { rt: register, imm: target >>> 16 }),
          asm('ori', { rt: register, rs: register, imm: target & 0xffff }),
          // The link register must not be the one that holds the target.
          link === register || random.chance(0.5)
            ? asm('jr', { rs: register })
            : asm('jalr', { rs: register, rd: link }),
          ...rest,
        ];
      }
      default: {
        const branch = random.pick(CONDITIONAL.split(' '));
        const word = this.#words.of(mipsInstruction(branch));
        if (LIKELY.test(branch)) this.#skippable++;
        return [(word & 0xffff0000) | (skipped.length + 1), ...rest].map((each) => each >>> 0);
      }
    }
  }

  /** Operands for which the architecture defines the result. */
  readonly #chooseField: FieldChooser = (random, { name, bits }, instruction) => {
    if (instruction.operands.includes('({base})')) {
      if (name === 'base') return DATA_POINTER;
      const bytes = ACCESS_BYTES[instruction.name] ?? 1;
      if (name === 'offset') return bytes * random.below(DATA_BYTES / bytes);
    }
    // clz and clo name their target twice.
    if (/^cl[oz]$/.test(instruction.name) && (name === 'rt' || name === 'rd')) return this.#twice(name);
    if (instruction.name === 'cfc1' && name === 'fs') return random.pick([25, 26, 28, 31]);
    if (instruction.name === 'ins' && name === 'msb') return 16 + random.below(16);
    if (instruction.name === 'ins' && name === 'lsb') return random.below(17);
    if (instruction.name === 'ext' && (name === 'msbd' || name === 'lsb')) return random.below(16);
    // A linking branch must not test the register that it links.
    if (/^b.*al/.test(instruction.name) && name === 'rs') return random.pick(GENERAL.slice(0, -1));
    if (bits === 5 && /^(rs|rt|rd)$/.test(name)) return random.pick(GENERAL);
    if (bits === 5 && /^f[rstd]$/.test(name))
      return ONLY_SINGLES.test(instruction.name) ? random.below(32) : random.pick(this.#doubles());
    return undefined;
  };

  #target = 0;
  #twice(name: string): number {
    if (name === 'rt') this.#target = this.#register();
    return this.#target;
  }

  // ---- the file ------------------------------------------------------------------------------------------------------

  /** Text and inputs, from {@link TEXT} on. */
  #image(): Uint8Array {
    const bytes = new Uint8Array(this.#resultsAt - TEXT);
    bytes.set(wordsToBytes(this.#text, this.options.byteOrder));
    bytes.set(this.#inputs, this.#inputsAt - TEXT);
    return bytes;
  }

  /** What QEMU runs. */
  elf(): Uint8Array {
    const { byteOrder, registers } = this.options;
    return mipsElf({ byteOrder, registers, address: TEXT, image: this.#image(), memoryBytes: this.#end - TEXT });
  }
}

const ACCESS_BYTES: Readonly<Record<string, number>> = {
  ...{ lh: 2, lhu: 2, sh: 2, lw: 4, sw: 4, lwc1: 4, swc1: 4, ldc1: 8, sdc1: 8 },
};

function nameOfState(offset: number): string {
  if (offset < HI_AT) return `$${offset / 4}`;
  if (offset === HI_AT) return 'HI';
  if (offset === LO_AT) return 'LO';
  if (offset === FCSR_AT) return 'FCSR';
  const half = (offset - FPR_AT) % 8 === 0 ? 'first' : 'second';
  return `$f${Math.floor((offset - FPR_AT) / 8)}, ${half} word`;
}
