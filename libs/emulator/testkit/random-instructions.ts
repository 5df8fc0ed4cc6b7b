import type { EncodingField, Instruction } from '../jit/ir/index.js';
import type { SeededRandom } from './random.js';

/** The value of a field in a random instruction; undefined: any value that fits. */
export type FieldChooser = (
  random: SeededRandom,
  field: EncodingField,
  instruction: Pick<Instruction<never>, 'name' | 'operands'>,
) => number | undefined;

export interface RandomInstructionOptions {
  readonly chooseField?: FieldChooser;
  /** Bits that the pattern leaves open, zero unless told. */
  readonly openBits?: 'zero' | 'random';
}

/** The instruction word with the given field values; fields that are not named, and open bits, are zero. */
export function encodeInstruction(
  { name, encoding }: Pick<Instruction<never>, 'name' | 'encoding'>,
  values: Readonly<Record<string, number>>,
): number {
  let word = encoding.match;
  for (const [field, value] of Object.entries(values)) {
    const found = encoding.fields.find((candidate) => candidate.name === field);
    if (!found) throw new RangeError(`'${name}' has no field '${field}'`);
    const limit = 2 ** found.bits;
    if (found.signed ? value < -limit / 2 || value >= limit / 2 : value < 0 || value >= limit)
      throw new RangeError(`${value} does not fit field '${field}' of '${name}'`);
    word |= (value & (limit - 1)) << found.low;
  }
  return word >>> 0;
}

/** Which of the instructions a word is: the one with most fixed bits that matches. The plain meaning of a table. */
export function matchInstruction<T extends Pick<Instruction<never>, 'encoding'>>(
  instructions: readonly T[],
  word: number,
): T | undefined {
  let best: T | undefined;
  for (const candidate of instructions) {
    const { mask, match } = candidate.encoding;
    if ((word & mask) >>> 0 !== match) continue;
    if (!best || countOnes(mask) > countOnes(best.encoding.mask)) best = candidate;
  }
  return best;
}

/** Makes instruction words from the encodings of a table. */
export class RandomInstructions<T extends Pick<Instruction<never>, 'name' | 'encoding' | 'operands'>> {
  constructor(
    private readonly instructions: readonly T[],
    private readonly random: SeededRandom,
    private readonly options: RandomInstructionOptions = {},
  ) {}

  /** A word of any instruction, each as likely as the other. */
  any(): number {
    return this.of(this.random.pick(this.instructions));
  }

  /** A word of one instruction, never one that a more specific pattern claims. */
  of(instruction: T): number {
    for (let attempt = 0; attempt < 1000; attempt++) {
      const word = this.#attempt(instruction);
      if (matchInstruction(this.instructions, word) === instruction) return word;
    }
    throw new Error(`other patterns claim every word of '${instruction.name}'`);
  }

  #attempt(instruction: T): number {
    const { chooseField, openBits } = this.options;
    const { encoding } = instruction;
    let word = encoding.match;
    let free = ~encoding.mask;
    for (const field of encoding.fields) {
      const mask = ((2 ** field.bits - 1) << field.low) >>> 0;
      const chosen = chooseField?.(this.random, field, instruction) ?? this.random.word() >>> (32 - field.bits);
      word |= (chosen << field.low) & mask;
      free &= ~mask;
    }
    if (openBits === 'random') word |= this.random.word() & free;
    return word >>> 0;
  }
}

function countOnes(mask: number): number {
  return mask.toString(2).replaceAll('0', '').length;
}
