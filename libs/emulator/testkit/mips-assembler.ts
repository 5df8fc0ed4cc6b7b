import type { ByteOrder } from '../core/index.js';
import { mipsInstructions, mipsModel } from '../targets/index.js';
import { encodeInstruction } from './random-instructions.js';

// Encodings know no byte order.
const { instructions } = mipsInstructions(mipsModel('24Kf'), 'little');
const byName = new Map(instructions.map((instruction) => [instruction.name, instruction]));

export type MipsInstruction = (typeof instructions)[number];
export const MIPS_INSTRUCTIONS: readonly MipsInstruction[] = instructions;

export function mipsInstruction(name: string): MipsInstruction {
  const instruction = byName.get(name);
  if (!instruction) throw new RangeError(`there is no instruction '${name}'`);
  return instruction;
}

/** The word of an instruction; fields that are not named are zero. */
export const asm = (name: string, fields: Readonly<Record<string, number>> = {}): number =>
  encodeInstruction(mipsInstruction(name), fields);

export const NOP = 0;

type Fixup = {
  readonly at: number;
  readonly kind: 'branch' | 'jump' | 'high' | 'low' | 'word';
  readonly label: string;
};

/** Collects instruction words at a virtual address; labels may be used before they are placed. */
export class MipsAssembler {
  readonly words: number[] = [];
  readonly #labels = new Map<string, number>();
  readonly #fixups: Fixup[] = [];

  constructor(readonly origin: number) {}

  /** Address of the next word. */
  get here(): number {
    return (this.origin + 4 * this.words.length) >>> 0;
  }

  label(name: string): this {
    if (this.#labels.has(name)) throw new RangeError(`label '${name}' is placed twice`);
    this.#labels.set(name, this.here);
    return this;
  }

  /** Address of a label that has been placed. */
  addressOf(name: string): number {
    const address = this.#labels.get(name);
    if (address === undefined) throw new RangeError(`label '${name}' is not placed`);
    return address;
  }

  emit(...words: readonly number[]): this {
    this.words.push(...words);
    return this;
  }

  op(name: string, fields: Readonly<Record<string, number>> = {}): this {
    return this.emit(asm(name, fields));
  }

  /** A conditional branch; its delay slot is for the caller to add. */
  branch(name: string, fields: Readonly<Record<string, number>>, label: string): this {
    return this.#fix('branch', label).op(name, fields);
  }

  /** `j` or `jal`. */
  jump(name: 'j' | 'jal', label: string): this {
    return this.#fix('jump', label).op(name);
  }

  li(rt: number, value: number): this {
    return this.op('lui', { rt, imm: value >>> 16 }).op('ori', { rt, rs: rt, imm: value & 0xffff });
  }

  /** Address of a label, plus an offset between virtual addresses. */
  la(rt: number, label: string): this {
    this.#fix('high', label).op('lui', { rt });
    return this.#fix('low', label).op('ori', { rt, rs: rt });
  }

  /** A data word with a label's address. */
  wordOf(label: string): this {
    return this.#fix('word', label).emit(0);
  }

  #fix(kind: Fixup['kind'], label: string): this {
    this.#fixups.push({ at: this.words.length, kind, label });
    return this;
  }

  /** The words with all labels filled in. */
  finish(): number[] {
    const words = [...this.words];
    for (const { at, kind, label } of this.#fixups) {
      const target = this.addressOf(label);
      const next = this.origin + 4 * at + 4;
      const value = {
        branch: ((target - next) >> 2) & 0xffff,
        jump: (target >>> 2) & 0x3ffffff,
        high: target >>> 16,
        low: target & 0xffff,
        word: target,
      }[kind];
      words[at] = ((words[at] as number) | value) >>> 0;
    }
    return words;
  }
}

/** Writes words as a CPU of this byte order reads them. */
export function wordsToBytes(words: readonly number[], byteOrder: ByteOrder): Uint8Array {
  const bytes = new Uint8Array(4 * words.length);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => view.setUint32(4 * i, word, byteOrder === 'little'));
  return bytes;
}
