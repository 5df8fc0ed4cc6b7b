import type { AssemblySyntax, Operand } from '../../jit/ir/index.js';
import { Disassembler } from '../../jit/ir/index.js';
import type { MipsModel } from './models.js';
import { mipsInstructions } from './target.js';

/** Names of the o32 calling convention (System V ABI, MIPS RISC Processor Supplement, 3rd edition, figure 3-18). */
export const GPR_NAMES = [
  ...['zero', 'at', 'v0', 'v1', 'a0', 'a1', 'a2', 'a3'],
  ...['t0', 't1', 't2', 't3', 't4', 't5', 't6', 't7'],
  ...['s0', 's1', 's2', 's3', 's4', 's5', 's6', 's7'],
  ...['t8', 't9', 'k0', 'k1', 'gp', 'sp', 's8', 'ra'],
] as const;

/** Conditions of c.cond.fmt by their number (MD00086, table 3.22). */
const CONDITIONS = [
  ...['f', 'un', 'eq', 'ueq', 'olt', 'ult', 'ole', 'ule'],
  ...['sf', 'ngle', 'seq', 'ngl', 'lt', 'nge', 'le', 'ngt'],
] as const;

/** Fields that hold the number of a general register; the manual names them alike everywhere. */
const GENERAL = new Set(['rs', 'rt', 'rd', 'base', 'index']);
/** Fields that are bit patterns rather than amounts. */
const PATTERNS = new Set(['code', 'hint', 'op', 'stype']);

const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`;

const syntax: AssemblySyntax = {
  operand({ name, value, signed, format, address }: Operand): string | undefined {
    switch (format) {
      case 'fpr':
        return `$f${value}`;
      case 'cp0':
      case 'fcr':
      case 'hwr':
        return `$${value}`;
      case 'branch':
        return hex(address + 4 + value * 4);
      case 'jump':
        return hex(((address + 4) & 0xf0000000) | (value * 4));
      default:
        break; // the field's name says it
    }
    if (GENERAL.has(name)) return GPR_NAMES[value];
    if (name === 'tf' || name === 'cond') return undefined; // part of the mnemonic
    if (name === 'cc') return `$fcc${value}`;
    return PATTERNS.has(name) || (name === 'imm' && !signed) ? hex(value) : String(value);
  },

  mnemonic(name, { tf, cond }): string {
    const condition = tf ? 't' : 'f';
    if (cond !== undefined) return name.replace('c.', `c.${CONDITIONS[cond]}.`);
    if (tf === undefined) return name;
    if (name.startsWith('bc1')) return name.replace('bc1', `bc1${condition}`);
    return name.replace(/^movc[if]/, `mov${condition}`);
  },
};

/** A disassembler for the instructions of a CPU model, in the notation of the manuals with o32 register names. */
export function mipsDisassembler(model: MipsModel): Disassembler {
  return new Disassembler(mipsInstructions(model, 'little').instructions, syntax); // encodings know no byte order
}
