import type { Value } from './fragment.js';
import type { IrBuilder, StateField } from './builder.js';
import { Width, Type } from './ops.js';

/** Bit field of an instruction word. */
export interface EncodingField {
  readonly name: string;
  /** Lowest bit, 0 is the least significant. */
  readonly low: number;
  readonly bits: number;
  readonly signed: boolean;
}

/** A fixed-width instruction encoding: which bits are fixed and where the fields lie. */
export interface Encoding {
  readonly bits: 16 | 32;
  /** Ones where the pattern fixes the bit. */
  readonly mask: number;
  readonly match: number;
  readonly fields: readonly EncodingField[];
}

/**
 * Parses a pattern, most significant bit first, as manuals draw them: runs of `0`, `1` and `-` (any), and fields
 * `name:bits` or `name:sbits` (sign-extended), separated by blanks, for example `001001 rs:5 rt:5 imm:s16`.
 * @throws SyntaxError when the bits do not add up to the width
 */
export function parsePattern(pattern: string, bits: 16 | 32 = 32): Encoding {
  let position: number = bits;
  let mask = 0;
  let match = 0;
  const fields: EncodingField[] = [];
  for (const part of pattern.trim().split(/\s+/)) {
    const field = /^([a-z]\w*):(s?)(\d+)$/i.exec(part);
    if (field) {
      const width = Number(field[3]);
      position -= width;
      fields.push({ name: field[1] as string, low: position, bits: width, signed: field[2] === 's' });
      continue;
    }
    if (!/^[01-]+$/.test(part)) throw new SyntaxError(`pattern '${pattern}': cannot read '${part}'`);
    for (const bit of part) {
      position--;
      if (bit === '-') continue;
      mask |= 1 << position;
      if (bit === '1') match |= 1 << position;
    }
  }
  if (position !== 0)
    throw new SyntaxError(`pattern '${pattern}' describes ${bits - position} bits instead of ${bits}`);
  return { bits, mask: mask >>> 0, match: match >>> 0, fields };
}

/** The field's value in a given instruction word. */
export function extractField(field: EncodingField, word: number): number {
  const value = field.bits === 32 ? word | 0 : (word >>> field.low) & (2 ** field.bits - 1);
  return field.signed ? (value << (32 - field.bits)) >> (32 - field.bits) : value;
}

/** IR that extracts the field from a run-time instruction word. */
export function emitField(b: IrBuilder, field: EncodingField, word: Value): Value {
  if (field.signed) {
    if (field.low === 0 && field.bits === 16) return b.ext16S(word);
    return b.shrS(b.shl(word, b.i32(32 - field.low - field.bits)), b.i32(32 - field.bits));
  }
  if (field.low + field.bits === 32) return b.shrU(word, b.i32(field.low));
  return b.and(b.shrU(word, b.i32(field.low)), b.i32(2 ** field.bits - 1));
}

/** An instruction's fields as values, by name. */
export type Fields<Names extends string = string> = { readonly [name in Names]: Value };

/**
 * One instruction: encoding, assembly text and meaning side by side.
 *
 * The semantic function never branches in TypeScript on a field: a field is a run-time value in the interpreter and a
 * constant in a translation, and only the builder knows which.
 */
export interface Instruction<B> {
  /** Mnemonic in lower case, unique within its table. */
  readonly name: string;
  readonly pattern: string;
  readonly encoding: Encoding;
  /** Operands as `{field}` placeholders, `''` for none; a placeholder may name a format: `{rs:gpr}`. */
  readonly operands: string;
  semantics(b: B, fields: Fields): void;
}

type FieldNames<P extends string> = P extends `${infer Head} ${infer Tail}`
  ? FieldName<Head> | FieldNames<Tail>
  : FieldName<P>;
type FieldName<P extends string> = P extends `${infer Name}:${string}` ? Name : never;

/** Collects the instructions of one instruction set. Later entries may refine earlier ones only by declaring it. */
export class InstructionTable<B> {
  readonly instructions: Instruction<B>[] = [];
  readonly #names = new Set<string>();

  /** @param has which instructions this CPU model implements; the others are left out. Default: all */
  constructor(private readonly has: (name: string) => boolean = () => true) {}

  /** Adds an instruction; the fields that `semantics` may use are those that the pattern names. */
  define<const P extends string>(
    name: string,
    pattern: P,
    operands: string,
    semantics: (b: B, fields: Fields<FieldNames<P>>) => void,
  ): void {
    if (this.#names.has(name)) throw new Error(`instruction '${name}' is defined twice`);
    this.#names.add(name);
    if (!this.has(name)) return;
    this.instructions.push({
      name,
      pattern,
      encoding: parsePattern(pattern),
      operands,
      semantics: semantics, // the pattern provides every name it uses
    });
  }
}

/** Fields as run-time values of an instruction word: each access emits its extraction. */
export function runtimeFields(b: IrBuilder, encoding: Encoding, word: Value): Fields {
  const fields = {};
  for (const field of encoding.fields)
    Object.defineProperty(fields, field.name, { get: () => emitField(b, field, word) });
  return fields;
}

/** Fields as constants of a known instruction word. */
export function constantFields(b: IrBuilder, encoding: Encoding, word: number): Fields {
  const fields: Record<string, Value> = {};
  for (const field of encoding.fields) fields[field.name] = b.i32(extractField(field, word));
  return fields;
}

/** Index of a field's first 32-bit word in the CPU's area. */
export const wordOf = ({ offset }: Pick<StateField, 'offset'>): number => offset >> 2;

/** Storage of a CPU's state: hands out offsets, in order of declaration. */
export class StateLayout {
  readonly fields: StateField[] = [];
  #end = 0;

  get sizeBytes(): number {
    return Math.ceil(this.#end / 64) * 64;
  }

  i32(name: string, count = 1): StateField {
    return this.#add({ name, width: Width.W32, type: Type.I32, count, strideShift: 2 });
  }

  i64(name: string, count = 1): StateField {
    return this.#add({ name, width: Width.W64, type: Type.I64, count, strideShift: 3 });
  }

  /** The low and the high half of an `i64` as fields of their own, for those who want one of them. */
  halves({ offset, type }: StateField, low: string, high: string): readonly [low: StateField, high: StateField] {
    if (type !== Type.I64) throw new TypeError('only 64-bit fields have halves');
    const half = (name: string, from: number): StateField => {
      return { name, offset: from, width: Width.W32, type: Type.I32, count: 1, strideShift: 2 };
    };
    return [half(low, offset), half(high, offset + 4)];
  }

  #add(shape: Omit<StateField, 'offset'>): StateField {
    const stride = 1 << shape.strideShift;
    const offset = Math.ceil(this.#end / stride) * stride;
    this.#end = offset + shape.count * stride;
    const field = { ...shape, offset };
    this.fields.push(field);
    return field;
  }
}
