/**
 * Loads, stores, unaligned pairs, LL/SC and cache instructions of MIPS32 release 2. Source: MD00086 revision 2.62.
 */
import type { ByteOrder } from '../../../core/index.js';
import type { InstructionTable, Value } from '../../../jit/ir/index.js';
import { Width } from '../../../jit/ir/index.js';
import type { MipsBuilder } from '../builder.js';
import { LL_ADDRESS, LL_BIT, LL_PENDING } from '../state.js';

export function defineMemory(table: InstructionTable<MipsBuilder>, byteOrder: ByteOrder): void {
  const load = (name: string, opcode: string, width: Width): void =>
    table.define(
      name,
      `${opcode} base:5 rt:5 offset:s16` as '000000 base:5 rt:5 offset:s16',
      '{rt}, {offset}({base})',
      (b, { base, rt, offset }) => b.setGpr(rt, b.load(width, b.address(base, offset))),
    );
  const store = (name: string, opcode: string, width: Width): void =>
    table.define(
      name,
      `${opcode} base:5 rt:5 offset:s16` as '000000 base:5 rt:5 offset:s16',
      '{rt}, {offset}({base})',
      (b, { base, rt, offset }) => b.storeGuest(width, b.address(base, offset), b.gpr(rt)),
    );
  load('lb', '100000', Width.S8);
  load('lh', '100001', Width.S16);
  load('lw', '100011', Width.W32);
  load('lbu', '100100', Width.U8);
  load('lhu', '100101', Width.U16);
  store('sb', '101000', Width.U8);
  store('sh', '101001', Width.U16);
  store('sw', '101011', Width.W32);

  // ---- unaligned words ---------------------------------------------------------------------------------------------
  // Each touches the aligned word around its address: lwl and swl the part from the addressed byte towards the less
  // significant bytes of the word in memory, lwr and swr the part towards the more significant ones.
  const aligned = (b: MipsBuilder, address: Value): Value => b.and(address, b.i32(-4));
  /** Bits from the most significant end of the aligned word to the addressed byte. */
  const shiftFromTop = (b: MipsBuilder, address: Value): Value => {
    const byte = b.and(address, b.i32(3));
    return b.shl(byteOrder === 'big' ? byte : b.xor(byte, b.i32(3)), b.i32(3));
  };
  table.define('lwl', '100010 base:5 rt:5 offset:s16', '{rt}, {offset}({base})', (b, { base, rt, offset }) => {
    const address = b.address(base, offset);
    const shift = shiftFromTop(b, address);
    const word = b.load(Width.W32, aligned(b, address));
    const kept = b.and(b.gpr(rt), b.not(b.shl(b.i32(-1), shift)));
    b.setGpr(rt, b.or(b.shl(word, shift), kept));
  });
  table.define('lwr', '100110 base:5 rt:5 offset:s16', '{rt}, {offset}({base})', (b, { base, rt, offset }) => {
    const address = b.address(base, offset);
    const shift = b.xor(shiftFromTop(b, address), b.i32(24));
    const word = b.load(Width.W32, aligned(b, address));
    const kept = b.and(b.gpr(rt), b.not(b.shrU(b.i32(-1), shift)));
    b.setGpr(rt, b.or(b.shrU(word, shift), kept));
  });
  // Stores go byte by byte, the addressed byte first, so that a page that may not be written faults as a store there.
  const storeBytes = (b: MipsBuilder, address: Value, value: Value, from: 'top' | 'bottom'): void => {
    const byte = b.and(address, b.i32(3));
    /** Bytes of the aligned word beyond the addressed one, in the direction of the store. */
    const towardsLow = (from === 'top') === (byteOrder === 'little');
    const more = towardsLow ? byte : b.xor(byte, b.i32(3));
    for (let i = 0; i < 4; i++) {
      const part = b.shrU(value, b.i32(from === 'top' ? 24 - 8 * i : 8 * i));
      const write = (): void => b.storeGuest(Width.U8, b.add(address, b.i32(towardsLow ? -i : i)), part);
      if (i === 0) write();
      else b.ifElse(b.leU(b.i32(i), more), write);
    }
  };
  table.define('swl', '101010 base:5 rt:5 offset:s16', '{rt}, {offset}({base})', (b, { base, rt, offset }) =>
    storeBytes(b, b.address(base, offset), b.gpr(rt), 'top'),
  );
  table.define('swr', '101110 base:5 rt:5 offset:s16', '{rt}, {offset}({base})', (b, { base, rt, offset }) =>
    storeBytes(b, b.address(base, offset), b.gpr(rt), 'bottom'),
  );

  // ---- atomic sequences --------------------------------------------------------------------------------------------
  table.define('ll', '110000 base:5 rt:5 offset:s16', '{rt}, {offset}({base})', (b, { base, rt, offset }) => {
    const address = b.address(base, offset);
    const value = b.load(Width.W32, address);
    b.storeState(LL_ADDRESS, address);
    b.storeState(LL_PENDING, b.i32(1));
    b.storeState(LL_BIT, b.i32(1));
    b.setGpr(rt, value);
  });
  // With one CPU the link is broken by exception returns alone; the store still checks alignment and permission.
  table.define('sc', '111000 base:5 rt:5 offset:s16', '{rt}, {offset}({base})', (b, { base, rt, offset }) => {
    const linked = b.loadState(LL_BIT);
    const address = b.address(base, offset);
    const value = b.gpr(rt);
    b.ifElse(linked, () => b.storeGuest(Width.W32, address, value));
    b.setGpr(rt, linked);
    b.storeState(LL_BIT, b.i32(0));
  });

  // ---- caches ------------------------------------------------------------------------------------------------------
  // Caches are not modelled: memory is always coherent. The instructions keep their privileges and their tag registers.
  table.define('cache', '101111 base:5 op:5 offset:s16', '{op}, {offset}({base})', (b) => b.requireCp0());
  table.define('pref', '110011 base:5 hint:5 offset:s16', '{hint}, {offset}({base})', () => {
    // A hint never faults and changes nothing that a program can see.
  });
  table.define('synci', '000001 base:5 11111 offset:s16', '{offset}({base})', () => {
    // Instructions are fetched from memory itself; translations watch their pages.
  });
}
