/**
 * Exceptions and the return from them as generated code, in their usual case; {@link MipsCpu} does the rest.
 * Source: MIPS32 Privileged Resource Architecture (MD00090, revision 2.62), chapter 5.
 */
import type { HelperExpansion, Value } from '../../jit/ir/index.js';
import { BranchKind, DelayState } from '../../jit/ir/index.js';
import type { MipsBuilder } from './builder.js';
import { Cause, Cp0, KSEG0, Mode, Status, VECTOR_GENERAL } from './cp0.js';
import type { MipsModel } from './models.js';
import { CP0, CP0_USABLE, engine, LL_BIT } from './state.js';

/** Expansions of the helpers `raise` and `exceptionReturn`, for a CPU that runs a kernel. */
export function mipsExpansions(model: MipsModel): ReadonlyMap<string, HelperExpansion<MipsBuilder>> {
  return new Map<string, HelperExpansion<MipsBuilder>>([
    [
      'raise',
      { emit: (b, [code, unit], previousWord) => raise(b, model, code as Value, unit as Value, previousWord) }, // its two parameters
    ],
    ['exceptionReturn', { emit: exceptionReturn }],
  ]);
}

const cp0 = (b: MipsBuilder, register: number): Value => b.loadState(CP0, b.i32(register));
const setCp0 = (b: MipsBuilder, register: number, value: Value): void => b.storeState(CP0, value, b.i32(register));

/** Usual: not at exception or error level, ordinary vectors, not in a delay slot. */
function raise(b: MipsBuilder, model: MipsModel, code: Value, unit: Value, previousWord: Value): void {
  const status = cp0(b, Cp0.Status);
  const special = b.and(status, b.i32(Status.EXL | Status.ERL | Status.BEV));
  const inSlot = b.or(b.ne(b.loadState(engine.delay), b.i32(DelayState.None)), isBranchWithSlot(b, previousWord));
  b.ifElse(b.or(special, inSlot), () => void b.call('raise', code, unit));
  setCp0(b, Cp0.Epc, b.pc());
  const cause = b.and(cp0(b, Cp0.Cause), b.i32(~(Cause.CODE | Cause.CE | Cause.BD)));
  setCp0(b, Cp0.Cause, b.or(cause, b.or(b.shl(code, b.i32(2)), b.shl(unit, b.i32(28)))));
  setCp0(b, Cp0.Status, b.or(status, b.i32(Status.EXL)));
  b.storeState(CP0_USABLE, b.i32(1));
  b.selectMode(b.i32(Mode.Kernel));
  const base = model.release === 2 ? b.or(b.and(cp0(b, Cp0.EBase), b.i32(0x3ffff000)), b.i32(KSEG0)) : b.i32(KSEG0);
  b.branch(BranchKind.Immediate, b.add(base, b.i32(VECTOR_GENERAL)));
}

/** Usual: from exception level. */
function exceptionReturn(b: MipsBuilder): void {
  const old = cp0(b, Cp0.Status);
  b.ifElse(b.and(old, b.i32(Status.ERL)), () => void b.call('exceptionReturn'));
  const status = b.and(old, b.i32(~Status.EXL));
  setCp0(b, Cp0.Status, status);
  b.storeState(LL_BIT, b.i32(0));
  // KSU = 3 is reserved and counts as kernel mode, as everywhere here.
  const ksu = b.and(b.shrU(status, b.i32(Status.KSU_SHIFT)), b.i32(3));
  const mode = b.select(b.eq(ksu, b.i32(3)), b.i32(Mode.Kernel), ksu);
  const cu0 = b.ne(b.and(status, b.i32(Status.CU0)), b.i32(0));
  b.storeState(CP0_USABLE, b.or(b.eq(mode, b.i32(Mode.Kernel)), cu0));
  b.selectMode(mode);
  const pending = b.and(b.and(status, cp0(b, Cp0.Cause)), b.i32(Cause.IP));
  b.ifElse(b.and(b.ne(pending, b.i32(0)), b.and(status, b.i32(Status.IE))), () =>
    b.storeState(engine.attention, b.i32(1)),
  );
  b.branch(BranchKind.Immediate, cp0(b, Cp0.Epc));
}

/** As `hasDelaySlot`, of a word that is known at run time only. */
export function isBranchWithSlot(b: MipsBuilder, word: Value): Value {
  const opcode = b.shrU(word, b.i32(26));
  const field = (low: number, mask: number): Value => b.and(b.shrU(word, b.i32(low)), b.i32(mask));
  const both = (a: Value, ...conditions: Value[]): Value => conditions.reduce((x, y) => b.and(x, y), a);
  const register = both(b.eq(opcode, b.i32(0)), b.eq(field(0, 0x3e), b.i32(0x08)));
  const sign = both(b.eq(opcode, b.i32(1)), b.eq(field(16, 0x0e), b.i32(0)));
  const float = both(b.eq(opcode, b.i32(0x11)), b.eq(field(21, 0x1f), b.i32(8)), b.eq(field(17, 1), b.i32(0)));
  const plain = b.leU(b.sub(opcode, b.i32(2)), b.i32(5)); // 2..7
  return b.or(b.or(register, sign), b.or(float, plain));
}
