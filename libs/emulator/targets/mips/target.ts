import type { ByteOrder } from '../../core/index.js';
import type { HelperEffect, HelperSignature, StateField, TargetDescription } from '../../jit/ir/index.js';
import { InstructionTable, Type } from '../../jit/ir/index.js';
import { MipsBuilder } from './builder.js';
import { ExceptionCode, Mode } from './cp0.js';
import { MIPS_FOLLOWERS } from './followers.js';
import { FPU_HELPERS } from './fpu.js';
import { defineBranches } from './instructions/branch.js';
import { defineFpu } from './instructions/fpu.js';
import { defineInteger } from './instructions/integer.js';
import { defineMemory } from './instructions/memory.js';
import { definePrivileged } from './instructions/privileged.js';
import type { MipsModel } from './models.js';
import { mipsUnalignedAccesses } from './partial-accesses.js';
import { ACCUMULATOR, CP1_USABLE, engine, FPR_ODD_DELTA, FR, GPR, gprOffset } from './state.js';

const helper = (name: string, params: number, result: 'value' | 'none', effect: HelperEffect): HelperSignature => ({
  name,
  params,
  result: result === 'value' ? Type.I32 : Type.Void,
  effect,
});

/** Host functions of MIPS semantics; implemented by {@link MipsCpu} and {@link MipsFpu}. */
export const MIPS_HELPERS: readonly HelperSignature[] = [
  helper('raise', 2, 'none', 'leave'),
  helper('undefinedInstruction', 1, 'none', 'leave'),
  helper('readCp0', 1, 'value', 'trap'),
  helper('writeCp0', 2, 'none', 'sync'),
  helper('enableInterrupts', 0, 'value', 'sync'),
  helper('setMultithreading', 2, 'value', 'sync'),
  helper('tlbRead', 0, 'none', 'sync'),
  helper('tlbWriteIndexed', 0, 'none', 'sync'),
  helper('tlbWriteRandom', 0, 'none', 'sync'),
  helper('tlbProbe', 0, 'none', 'state'),
  helper('exceptionReturn', 0, 'none', 'leave'),
  helper('waitForInterrupt', 0, 'none', 'leave'),
  helper('readHardwareRegister', 1, 'value', 'trap'),
  ...FPU_HELPERS,
];

/** Instructions that release 2 brought; a release 1 core reserves them. */
const RELEASE_2 = new Set([
  'rotr',
  'rotrv',
  'ext',
  'ins',
  'wsbh',
  'seb',
  'seh',
  'di',
  'ei',
  'rdhwr',
  'rdpgpr',
  'wrpgpr',
  'synci',
  'mfhc1',
  'mthc1',
]);
const MULTITHREADING = new Set(['dmt', 'emt', 'dvpe', 'evpe', 'mftc0', 'mttc0']);

export function mipsInstructions(model: MipsModel, byteOrder: ByteOrder): InstructionTable<MipsBuilder> {
  const table = new InstructionTable<MipsBuilder>((name) => {
    if (RELEASE_2.has(name)) return model.release === 2;
    return !MULTITHREADING.has(name) || model.multithreaded;
  });
  defineInteger(table);
  defineBranches(table);
  defineMemory(table, byteOrder);
  definePrivileged(table);
  defineFpu(table);
  // There is no coprocessor 2.
  for (const [name, opcode] of [
    ['cop2', '010010'],
    ['lwc2', '110010'],
    ['ldc2', '110110'],
    ['swc2', '111010'],
    ['sdc2', '111110'],
  ] as const) {
    table.define(name, `${opcode} --------------------------` as '010010 --------------------------', '', (b) =>
      b.raise(ExceptionCode.CoprocessorUnusable, 2),
    );
  }
  return table;
}

export const MIPS32 = 'mips32';

export function mipsDescription(model: MipsModel, byteOrder: ByteOrder): TargetDescription<MipsBuilder> {
  let table: InstructionTable<MipsBuilder> | undefined;
  return {
    name: MIPS32,
    model: model.id,
    byteOrder,
    instructionSet: `release ${model.release}${model.multithreaded ? ' MT' : ''}`,
    get table() {
      return (table ??= mipsInstructions(model, byteOrder));
    },
    get followers() {
      return MIPS_FOLLOWERS;
    },
    helpers: MIPS_HELPERS,
    expansions: new Map(), // of a CPU that runs a kernel: see exceptions.ts
    unaligned: mipsUnalignedAccesses(byteOrder),
    engine,
    registers: [GPR, ACCUMULATOR],
    linkRegister: gprOffset(31),
    callRegister: gprOffset(25),
    modeConstants: mipsModeConstants,
    directSegment: { virtualBase: 0x80000000, sizeBytes: 0x20000000, modes: [Mode.Kernel] }, // kseg0
    isDirectlyMapped: (address) => address >>> 30 === 2, // kseg0 and kseg1
    createBuilder: (fragment) => new MipsBuilder(fragment),
    undefinedInstruction: (b, word) => void b.call('undefinedInstruction', word),
  };
}

/** Mode key: width of the floating-point registers, and whether there are any to use. */
export const mipsModeKey = (fr: boolean, cp1Usable: boolean): number => (fr ? 1 : 0) | (cp1Usable ? 2 : 0);

export function mipsModeConstants(modeKey: number): ReadonlyMap<StateField, number> {
  const fr = modeKey & 1;
  return new Map([
    [FR, fr],
    [FPR_ODD_DELTA, fr ? 0 : 4],
    [CP1_USABLE, modeKey >> 1],
  ]);
}

/** Is this word a branch or jump whose delay slot executes even when it is not taken? */
export function hasDelaySlot(word: number): boolean {
  const opcode = word >>> 26;
  if (opcode === 0) return (word & 0x3e) === 0x08; // jr, jalr
  if (opcode === 1) return ((word >>> 16) & 0x0e) === 0; // bltz, bgez, bltzal, bgezal
  if (opcode === 0x11) return ((word >>> 21) & 0x1f) === 8 && ((word >>> 17) & 1) === 0; // bc1f, bc1t
  return opcode >= 2 && opcode <= 7;
}
