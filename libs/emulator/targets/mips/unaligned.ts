import type { FloatRegisters } from './float-registers.js';
import * as S from './state.js';

/** A load or store whose address is not a multiple of its size, taken apart. */
export interface UnalignedAccess {
  readonly bytes: 2 | 4 | 8;
  readonly store: boolean;
  readonly signed: boolean;
  /** Register number in {@link file}. */
  readonly register: number;
  readonly file: 'general' | 'float';
}

const GENERAL: Readonly<Record<number, Pick<UnalignedAccess, 'bytes' | 'store' | 'signed'>>> = {
  0x21: { bytes: 2, store: false, signed: true }, // lh
  0x23: { bytes: 4, store: false, signed: true }, // lw
  0x25: { bytes: 2, store: false, signed: false }, // lhu
  0x29: { bytes: 2, store: true, signed: false }, // sh
  0x2b: { bytes: 4, store: true, signed: false }, // sw
};
const FLOAT: Readonly<Record<number, Pick<UnalignedAccess, 'bytes' | 'store'>>> = {
  0x31: { bytes: 4, store: false }, // lwc1
  0x35: { bytes: 8, store: false }, // ldc1
  0x39: { bytes: 4, store: true }, // swc1
  0x3d: { bytes: 8, store: true }, // sdc1
};
/** COP1X by its function code; the register is fd for loads and fs for stores. */
const INDEXED: Readonly<Record<number, Pick<UnalignedAccess, 'bytes' | 'store'>>> = {
  0x00: { bytes: 4, store: false }, // lwxc1
  0x01: { bytes: 8, store: false }, // ldxc1
  0x08: { bytes: 4, store: true }, // swxc1
  0x09: { bytes: 8, store: true }, // sdxc1
};

/**
 * Which accesses the kernel completes on behalf of a program when their address is unaligned (the default of
 * sysmips(MIPS_FIXADE)). ll and sc are none of them: they cannot be made atomic. Encodings: MD00086, tables A.2 and A.20.
 */
export function decodeUnaligned(word: number): UnalignedAccess | undefined {
  const opcode = word >>> 26;
  const rt = (word >>> 16) & 31;
  const general = GENERAL[opcode];
  if (general) return { ...general, register: rt, file: 'general' };
  const float = FLOAT[opcode];
  if (float) return { ...float, signed: false, register: rt, file: 'float' };
  const indexed = opcode === 0x13 ? INDEXED[word & 0x3f] : undefined;
  if (!indexed) return undefined;
  return { ...indexed, signed: false, register: (word >>> (indexed.store ? 11 : 6)) & 31, file: 'float' };
}

/** Value of the register that a store writes, as bytes in memory order. */
export function storedBytes(
  access: UnalignedAccess,
  state: DataView,
  floats: FloatRegisters,
  little: boolean,
): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  if (access.file === 'general') {
    const value = state.getUint32(S.gprOffset(access.register), true);
    if (access.bytes === 2) view.setUint16(0, value & 0xffff, little);
    else view.setUint32(0, value, little);
  } else if (access.bytes === 4) view.setUint32(0, floats.word(access.register), little);
  else view.setBigUint64(0, floats.double(access.register), little);
  return bytes.subarray(0, access.bytes);
}

/** Puts what a load read into its register. */
export function takeLoaded(
  access: UnalignedAccess,
  bytes: Uint8Array,
  state: DataView,
  floats: FloatRegisters,
  little: boolean,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (access.file === 'general') {
    const half = access.signed ? view.getInt16(0, little) : view.getUint16(0, little);
    const value = access.bytes === 2 ? half : view.getInt32(0, little);
    if (access.register !== 0) state.setInt32(S.gprOffset(access.register), value, true);
  } else if (access.bytes === 4) floats.setWord(access.register, view.getUint32(0, little));
  else floats.setDouble(access.register, view.getBigUint64(0, little));
}
