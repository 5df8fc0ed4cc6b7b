import * as S from './state.js';
import { mipsModeKey } from './target.js';

/** The FPU's registers as the host reads and writes them, in the register mode that Status.FR selects. */
export class FloatRegisters {
  constructor(private readonly state: DataView) {}

  /** 64-bit registers (FR=1) rather than pairs of 32-bit ones. */
  get wide(): boolean {
    return this.state.getInt32(S.FR.offset, true) !== 0;
  }

  set wide(wide: boolean) {
    this.state.setInt32(S.FR.offset, wide ? 1 : 0, true);
    this.state.setInt32(S.FPR_ODD_DELTA.offset, wide ? 0 : 4, true);
    this.state.setInt32(S.engine.modeKey.offset, mipsModeKey(wide, true), true);
  }

  word(register: number): number {
    return this.state.getUint32(this.#wordOffset(register), true);
  }

  setWord(register: number, value: number): void {
    this.state.setUint32(this.#wordOffset(register), value, true);
  }

  double(register: number): bigint {
    return this.state.getBigUint64(S.FPR.offset + 8 * this.#slot(register), true);
  }

  setDouble(register: number, value: bigint): void {
    this.state.setBigUint64(S.FPR.offset + 8 * this.#slot(register), value, true);
  }

  #slot(register: number): number {
    return this.wide ? register : register & ~1;
  }

  #wordOffset(register: number): number {
    return S.FPR.offset + 8 * this.#slot(register) + (this.wide ? 0 : 4 * (register & 1));
  }
}
