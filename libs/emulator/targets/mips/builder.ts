import type { Value } from '../../jit/ir/index.js';
import { BranchKind, IrBuilder, SoftTlb, Type, Width } from '../../jit/ir/index.js';
import { ExceptionCode } from './cp0.js';
import * as S from './state.js';

/** The builder with MIPS's registers and rules on top; what the semantic functions are written in. */
export class MipsBuilder extends IrBuilder {
  /** Low 32 bits of a general register. */
  gpr(index: Value): Value {
    return this.constantOf(index) === 0 ? this.i32(0) : this.loadState(S.GPR, index);
  }

  /** Register 0 stays zero: for a run-time index it is simply cleared again. */
  setGpr(index: Value, value: Value): void {
    const known = this.constantOf(index);
    if (known === 0) return;
    this.storeState(S.GPR, value, index);
    if (known === undefined) this.storeState(S.GPR, this.i32(0), this.i32(0));
  }

  // ---- exceptions --------------------------------------------------------------------------------------------------

  /** Raises an exception at this instruction. @param coprocessor unit number for coprocessor-unusable */
  raise(code: ExceptionCode, coprocessor = 0): void {
    this.call('raise', this.i32(code), this.i32(coprocessor));
  }

  raiseIf(condition: Value, code: ExceptionCode): void {
    this.ifElse(condition, () => this.raise(code));
  }

  requireCp0(): void {
    this.ifElse(this.eq(this.loadState(S.CP0_USABLE), this.i32(0)), () =>
      this.raise(ExceptionCode.CoprocessorUnusable, 0),
    );
  }

  requireCp1(): void {
    this.ifElse(this.eq(this.loadState(S.CP1_USABLE), this.i32(0)), () =>
      this.raise(ExceptionCode.CoprocessorUnusable, 1),
    );
  }

  /** Continues in another mode, as `EngineHost.selectMode` does. */
  selectMode(mode: Value): void {
    const { engine } = S;
    const old = this.loadState(engine.mode);
    this.ifElse(this.ne(old, mode), () => {
      this.storeState(engine.mode, mode);
      const distance = this.mul(this.sub(mode, old), this.i32(SoftTlb.modeStride));
      this.storeState(engine.tlbBase, this.add(this.loadState(engine.tlbBase), distance));
      // Only the kernel may use the directly mapped segment.
      const direct = this.select(mode, this.i32(0), this.loadState(engine.directBytes));
      for (let shift = 0; shift < engine.directLimits.count; shift++)
        this.storeState(engine.directLimits, this.shrU(direct, this.i32(shift)), this.i32(shift));
      this.storeState(engine.fetchTag, this.i32(SoftTlb.invalidTag));
    });
  }

  // ---- branches ----------------------------------------------------------------------------------------------------

  /** Target of a PC-relative branch: the delay slot's address plus the offset in instructions. */
  #relative(offset: Value): Value {
    return this.add(this.add(this.pc(), this.i32(4)), this.shl(offset, this.i32(2)));
  }

  branchIf(condition: Value, offset: Value): void {
    this.branch(BranchKind.Delayed, this.#relative(offset), condition);
  }

  branchLikelyIf(condition: Value, offset: Value): void {
    this.branch(BranchKind.Likely, this.#relative(offset), condition);
  }

  jump(target: Value): void {
    this.branch(BranchKind.Delayed, target);
  }

  /** Address of the instruction after the delay slot, for link registers. */
  returnAddress(): Value {
    return this.add(this.pc(), this.i32(8));
  }

  // ---- memory ------------------------------------------------------------------------------------------------------

  address(base: Value, offset: Value): Value {
    return this.add(this.gpr(base), offset);
  }

  load(width: Width, address: Value): Value {
    return this.loadGuest(width, Type.I32, address);
  }

  // ---- floating-point registers --------------------------------------------------------------------------------------

  /** 32-bit register: with FR=0 an odd register is the high half of the even slot before it. */
  #fpr32Offset(index: Value): Value {
    const odd = this.and(index, this.i32(1));
    return this.sub(this.shl(index, this.i32(3)), this.mul(odd, this.loadState(S.FPR_ODD_DELTA)));
  }

  fpr32(index: Value): Value {
    return this.loadState(FPR_LOW, this.#fpr32Offset(index));
  }

  setFpr32(index: Value, value: Value): void {
    this.storeState(FPR_LOW, value, this.#fpr32Offset(index));
  }

  /** High word of a 64-bit register: register 2n+1 with FR=0, the slot's own high half with FR=1. The same place. */
  fprHigh(index: Value): Value {
    return this.loadState(FPR_HIGH, this.#evenSlot(index));
  }

  setFprHigh(index: Value, value: Value): void {
    this.storeState(FPR_HIGH, value, this.#evenSlot(index));
  }

  #evenSlot(index: Value): Value {
    const wide = this.loadState(S.FR);
    return this.select(wide, this.shl(index, this.i32(3)), this.shl(this.and(index, this.i32(-2)), this.i32(3)));
  }

  fpr64(index: Value): Value {
    return this.loadState(S.FPR, index);
  }

  setFpr64(index: Value, value: Value): void {
    this.storeState(S.FPR, value, index);
  }

  /** A 64-bit operand with FR=0 must name an even register; an odd one is a reserved instruction here. */
  requireEven(...indices: Value[]): void {
    const odd = indices.reduce((bits, index) => this.or(bits, index));
    const narrow = this.eq(this.loadState(S.FR), this.i32(0));
    this.raiseIf(this.and(odd, narrow), ExceptionCode.ReservedInstruction);
  }
}

/** The FPR file as bytes, so that a 32-bit half can be addressed by its byte offset. */
const FPR_LOW = {
  name: 'fprLow',
  offset: S.FPR.offset,
  width: Width.W32,
  type: Type.I32,
  count: 64,
  strideShift: 0,
} as const;
const FPR_HIGH = { ...FPR_LOW, name: 'fprHigh', offset: S.FPR.offset + 4 } as const;
