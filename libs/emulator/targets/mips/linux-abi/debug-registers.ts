/**
 * Registers as ptrace(2) shows them on MIPS o32: PTRACE_GETREGS and its like, the register sets of core files, and single
 * registers by number. Source: asm/ptrace.h and asm/reg.h of Linux 6.1's user-space headers; elf.h for the register sets.
 */
import type { DebugRegisters } from '../../linux-abi/user-cpu.js';
import type { FloatRegisters } from '../float-registers.js';
import * as S from '../state.js';

/** struct pt_regs: 32 registers, then these, in 64-bit words. */
const PtRegs = { lo: 32, hi: 33, epc: 34, badVirtualAddress: 35, status: 36, cause: 37, words: 38 } as const;
/** elf_gregset_t of o32: six words of padding, 32 registers, then these, in 32-bit words. */
const ElfRegs = {
  registers: 6,
  lo: 38,
  hi: 39,
  epc: 40,
  badVirtualAddress: 41,
  status: 42,
  cause: 43,
  words: 45,
} as const;
/** Numbers for PTRACE_PEEKUSR. */
const User = { floats: 32, pc: 64, cause: 65, badVirtualAddress: 66, hi: 67, lo: 68, fcsr: 69, fir: 70 } as const;
/** NT_PRSTATUS and NT_PRFPREG of elf.h. */
const NT_PRSTATUS = 1;
const NT_PRFPREG = 2;
/** Status of a program: user mode, interrupts on, coprocessor 1 usable; FR where registers are wide. */
const STATUS = 0x2000_0013;
const STATUS_FR = 0x0400_0000;

export interface MipsRegisters {
  readonly state: DataView;
  readonly floats: FloatRegisters;
  readonly little: boolean;
  readonly fir: number;
  pc: number;
  fcsr: number;
}

/** @param registers of the thread that is loaded in the CPU */
export function mipsDebugRegisters(registers: MipsRegisters): DebugRegisters {
  const { state, floats, little, fir } = registers;
  const gpr = (index: number): number => state.getInt32(S.gprOffset(index), true);
  const setGpr = (index: number, value: number): void => {
    if (index > 0) state.setInt32(S.gprOffset(index), value, true);
  };
  const special = {
    lo: () => state.getInt32(S.LO.offset, true),
    hi: () => state.getInt32(S.HI.offset, true),
    status: () => STATUS | (floats.wide ? STATUS_FR : 0),
  };
  const setPc = (pc: number): void => {
    if (pc >>> 0 !== registers.pc) registers.pc = pc >>> 0; // within a delay slot it stays there
  };
  const setLoHi = (lo: number, hi: number): void => {
    state.setInt32(S.LO.offset, lo, true);
    state.setInt32(S.HI.offset, hi, true);
  };

  const floatingPoint = (): Uint8Array => {
    const view = new DataView(new ArrayBuffer(33 * 8));
    for (let i = 0; i < 32; i++) if (floats.wide || i % 2 === 0) view.setBigUint64(8 * i, floats.double(i), little);
    view.setUint32(256, registers.fcsr, little);
    view.setUint32(260, fir, little);
    return new Uint8Array(view.buffer);
  };
  const setFloatingPoint = (bytes: Uint8Array): void => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let i = 0; i < 32 && 8 * i + 8 <= bytes.length; i++)
      if (floats.wide || i % 2 === 0) floats.setDouble(i, view.getBigUint64(8 * i, little));
    if (bytes.length >= 260) registers.fcsr = view.getUint32(256, little);
  };

  return {
    generalBytes: PtRegs.words * 8,
    general() {
      const view = new DataView(new ArrayBuffer(PtRegs.words * 8));
      const set = (index: number, value: number): void => view.setBigInt64(8 * index, BigInt(value | 0), little);
      for (let i = 0; i < 32; i++) set(i, gpr(i));
      set(PtRegs.lo, special.lo());
      set(PtRegs.hi, special.hi());
      set(PtRegs.epc, registers.pc);
      set(PtRegs.status, special.status());
      return new Uint8Array(view.buffer);
    },
    setGeneral(bytes) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const get = (index: number): number => Number(BigInt.asIntN(32, view.getBigInt64(8 * index, little)));
      for (let i = 1; i < 32; i++) setGpr(i, get(i));
      setLoHi(get(PtRegs.lo), get(PtRegs.hi));
      setPc(get(PtRegs.epc));
    },
    floatingPointBytes: 33 * 8,
    floatingPoint,
    setFloatingPoint,

    registerSet(type) {
      if (type === NT_PRFPREG) return floatingPoint();
      if (type !== NT_PRSTATUS) return undefined;
      const view = new DataView(new ArrayBuffer(ElfRegs.words * 4));
      const set = (index: number, value: number): void => view.setInt32(4 * index, value, little);
      for (let i = 0; i < 32; i++) set(ElfRegs.registers + i, gpr(i));
      set(ElfRegs.lo, special.lo());
      set(ElfRegs.hi, special.hi());
      set(ElfRegs.epc, registers.pc);
      set(ElfRegs.status, special.status());
      return new Uint8Array(view.buffer);
    },
    setRegisterSet(type, bytes) {
      if (type === NT_PRFPREG) setFloatingPoint(bytes);
      if (type !== NT_PRSTATUS) return type === NT_PRFPREG;
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const given = (index: number): boolean => 4 * index + 4 <= bytes.length;
      const get = (index: number): number => view.getInt32(4 * index, little);
      for (let i = 1; i < 32; i++) if (given(ElfRegs.registers + i)) setGpr(i, get(ElfRegs.registers + i));
      if (given(ElfRegs.hi)) setLoHi(get(ElfRegs.lo), get(ElfRegs.hi));
      if (given(ElfRegs.epc)) setPc(get(ElfRegs.epc));
      return true;
    },

    user(index) {
      if (index < User.floats) return gpr(index) >>> 0;
      if (index < User.pc) return floats.word(index - User.floats);
      switch (index) {
        case User.pc:
          return registers.pc;
        case User.hi:
          return special.hi() >>> 0;
        case User.lo:
          return special.lo() >>> 0;
        case User.fcsr:
          return registers.fcsr;
        case User.fir:
          return fir;
        case User.cause:
        case User.badVirtualAddress:
          return 0; // of exceptions that the kernel has dealt with
        default:
          return undefined;
      }
    },
    setUser(index, value) {
      if (index < User.floats) setGpr(index, value);
      else if (index < User.pc) floats.setWord(index - User.floats, value);
      else if (index === User.pc) setPc(value);
      else if (index === User.hi) setLoHi(special.lo(), value);
      else if (index === User.lo) setLoHi(value, special.hi());
      else if (index === User.fcsr) registers.fcsr = value;
      else return false;
      return true;
    },
  };
}
