/** Accesses to words at any address, by pairs of instructions. Source: MD00086 revision 2.62, LWL, LWR, SWL, SWR. */
import type { ByteOrder } from '../../core/index.js';
import type { PartialAccess, UnalignedAccesses } from '../../jit/ir/index.js';
import { Type, Width } from '../../jit/ir/index.js';
import type { MipsBuilder } from './builder.js';
import { gprNumber, gprOffset } from './state.js';

/** By opcode: what is accessed, and whether the half has the most significant byte. */
const HALVES: ReadonlyMap<number, { readonly kind: 'load' | 'store'; readonly left: boolean }> = new Map([
  [0x22, { kind: 'load', left: true }],
  [0x26, { kind: 'load', left: false }],
  [0x2a, { kind: 'store', left: true }],
  [0x2e, { kind: 'store', left: false }],
]);
/** Bytes from the first of a word to the last. */
const LAST_BYTE = 3;

export function mipsUnalignedAccesses(byteOrder: ByteOrder): UnalignedAccesses<MipsBuilder> {
  const half = (word: number): PartialAccess | undefined => {
    const found = HALVES.get(word >>> 26);
    const [base, rt] = [(word >>> 21) & 0x1f, (word >>> 16) & 0x1f];
    // A register that is always zero is neither loaded nor an address.
    if (!found || base === 0 || rt === 0) return undefined;
    const { kind, left } = found;
    const side = left === (byteOrder === 'little') ? 'last' : 'first';
    const offset = (word << 16) >> 16;
    const distance = side === 'last' ? offset - LAST_BYTE : offset;
    return { kind, side, register: gprOffset(rt), base: gprOffset(base), distance };
  };
  return {
    half,
    whole(b, { kind, register, base, distance }) {
      const state = (offset: number) => b.i32(gprNumber(offset));
      const address = b.address(state(base), b.i32(distance));
      if (kind === 'load') b.setGpr(state(register), b.loadGuest(Width.Unaligned32, Type.I32, address));
      else b.storeGuest(Width.Unaligned32, address, b.gpr(state(register)));
    },
  };
}
