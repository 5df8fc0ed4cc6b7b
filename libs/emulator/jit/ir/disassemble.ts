import type { Instruction } from './encoding.js';
import { extractField } from './encoding.js';

type Described = Pick<Instruction<never>, 'name' | 'encoding' | 'operands'>;

/** Field values of one instruction word by name, sign-extended where the field is signed. */
export type FieldValues = Readonly<Record<string, number>>;

/** A placeholder `{field}`, `{field:format}` or `{sum of fields and numbers}` of an instruction's operands. */
export interface Operand {
  /** The field's name, or the whole sum. */
  readonly name: string;
  readonly value: number;
  /** Whether the value was read as a signed number. */
  readonly signed: boolean;
  /** What stands behind the colon, or undefined. */
  readonly format: string | undefined;
  /** Address of the instruction. */
  readonly address: number;
}

/** How an instruction set is written. */
export interface AssemblySyntax {
  /** Text of an operand; undefined leaves it out, because the mnemonic shows it for example. */
  operand(operand: Operand): string | undefined;
  /** Mnemonic where that depends on fields; the instruction's name otherwise. */
  mnemonic?(name: string, fields: FieldValues): string;
}

/** Turns instruction words into assembly text; everything it knows comes from the encoding tables. */
export class Disassembler {
  readonly #specificFirst: readonly Described[];

  constructor(
    instructions: readonly Described[],
    private readonly syntax: AssemblySyntax,
  ) {
    this.#specificFirst = [...instructions].sort((a, b) => ones(b.encoding.mask) - ones(a.encoding.mask));
  }

  /** @returns for example `addiu sp, sp, -32`; `.word 0x…` for a word that is no instruction */
  disassemble(word: number, address: number): string {
    const instruction = this.#specificFirst.find(({ encoding }) => (word & encoding.mask) >>> 0 === encoding.match);
    if (!instruction) return `.word 0x${(word >>> 0).toString(16).padStart(8, '0')}`;
    const { name, encoding, operands } = instruction;
    const fields: FieldValues = Object.fromEntries(
      encoding.fields.map((field) => [field.name, extractField(field, word)]),
    );
    const signed = new Set(encoding.fields.filter((field) => field.signed).map((field) => field.name));
    const text = operands
      .split(', ')
      .map((part) => this.#operand(part, fields, signed, address))
      .filter((part) => part !== undefined && part !== '')
      .join(', ');
    return `${this.syntax.mnemonic?.(name, fields) ?? name} ${text}`.trimEnd();
  }

  /** One part between commas, in which there may be several placeholders: `{offset}({base})`. */
  #operand(part: string, fields: FieldValues, signed: ReadonlySet<string>, address: number): string | undefined {
    let omitted = false;
    const text = part.replace(/\{([^:}]+)(?::(\w+))?\}/g, (_, name: string, format: string | undefined) => {
      const shown = this.syntax.operand({ name, value: sum(name, fields), signed: signed.has(name), format, address });
      omitted ||= shown === undefined;
      return shown ?? '';
    });
    return omitted ? undefined : text;
  }
}

/** `msb-lsb+1` and the like. */
function sum(expression: string, fields: FieldValues): number {
  let total = 0;
  for (const [, sign, term] of expression.matchAll(/([+-]?)(\w+)/g)) {
    const value = fields[term as string] ?? Number(term); // the expression has a term for each match
    if (Number.isNaN(value)) throw new Error(`operand '{${expression}}' names no field of its instruction`);
    total += sign === '-' ? -value : value;
  }
  return total;
}

function ones(mask: number): number {
  let count = 0;
  for (let rest = mask >>> 0; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++;
  return count;
}
