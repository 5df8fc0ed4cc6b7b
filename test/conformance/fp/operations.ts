import { readFileSync } from 'node:fs';

export type Format = 'S' | 'D' | 'W' | 'L' | 'C';

/** One line of operations.h. */
export interface Operation {
  readonly number: number;
  readonly name: string;
  readonly from: Format;
  readonly to: Format;
  readonly operands: 1 | 2 | 3;
  /** Whether it is two instructions. */
  readonly pair: boolean;
  /** Whether it exists with 64-bit registers (FR = 1) only. */
  readonly needs64BitRegisters: boolean;
}

export const sourceFile = (name: string): string => new URL(name, import.meta.url).pathname;

const LINE = /^OPERATION\((\w+), (\w), "([^"]*)", (\w)\)$/gm;

export const OPERATIONS: readonly Operation[] = [
  ...readFileSync(sourceFile('operations.h'), 'utf8').matchAll(LINE),
].map(([, name = '', from = '', instruction = '', to = ''], number) => ({
  number,
  name,
  from: from as Format, // the C compiler accepts no other letters: each names a macro
  to: to as Format,
  operands: instruction.includes('$f6') ? 3 : instruction.includes('$f4') ? 2 : 1,
  pair: instruction.includes('\\n'),
  needs64BitRegisters: from === 'L' || to === 'L',
}));

export const is64Bit = (format: Format): boolean => format === 'D' || format === 'L';
