/**
 * Integer arithmetic, logic, shifts, multiply and divide, conditional moves and traps of MIPS32 release 2.
 * Source: MIPS Architecture For Programmers Volume II: The MIPS32 Instruction Set (MD00086, revision 2.62).
 * Fields that the manual wants zero are not checked, as the cores do not check them.
 */
import type { InstructionTable, Value } from '../../../jit/ir/index.js';
import type { MipsBuilder } from '../builder.js';
import { ExceptionCode } from '../cp0.js';
import { ACCUMULATOR } from '../state.js';

type Binary = (b: MipsBuilder, x: Value, y: Value) => Value;

export function defineInteger(table: InstructionTable<MipsBuilder>): void {
  const register = (name: string, funct: string, compute: Binary): void =>
    table.define(
      name,
      `000000 rs:5 rt:5 rd:5 ----- ${funct}` as '000000 rs:5 rt:5 rd:5 ----- 000000',
      '{rd}, {rs}, {rt}',
      (b, { rs, rt, rd }) => b.setGpr(rd, compute(b, b.gpr(rs), b.gpr(rt))),
    );

  // ---- register forms ----------------------------------------------------------------------------------------------
  register('addu', '100001', (b, x, y) => b.add(x, y));
  register('subu', '100011', (b, x, y) => b.sub(x, y));
  register('and', '100100', (b, x, y) => b.and(x, y));
  register('or', '100101', (b, x, y) => b.or(x, y));
  register('xor', '100110', (b, x, y) => b.xor(x, y));
  register('nor', '100111', (b, x, y) => b.not(b.or(x, y)));
  register('slt', '101010', (b, x, y) => b.ltS(x, y));
  register('sltu', '101011', (b, x, y) => b.ltU(x, y));
  register('add', '100000', (b, x, y) => {
    const sum = b.add(x, y);
    // Overflow: the operands agree in sign and the sum does not.
    b.raiseIf(b.ltS(b.and(b.xor(x, sum), b.xor(y, sum)), b.i32(0)), ExceptionCode.Overflow);
    return sum;
  });
  register('sub', '100010', (b, x, y) => {
    const difference = b.sub(x, y);
    b.raiseIf(b.ltS(b.and(b.xor(x, y), b.xor(x, difference)), b.i32(0)), ExceptionCode.Overflow);
    return difference;
  });
  table.define('mul', '011100 rs:5 rt:5 rd:5 ----- 000010', '{rd}, {rs}, {rt}', (b, { rs, rt, rd }) =>
    b.setGpr(rd, b.mul(b.gpr(rs), b.gpr(rt))),
  );
  table.define('clz', '011100 rs:5 rt:5 rd:5 ----- 100000', '{rd}, {rs}', (b, { rs, rd }) =>
    b.setGpr(rd, b.clz(b.gpr(rs))),
  );
  table.define('clo', '011100 rs:5 rt:5 rd:5 ----- 100001', '{rd}, {rs}', (b, { rs, rd }) =>
    b.setGpr(rd, b.clz(b.not(b.gpr(rs)))),
  );

  // ---- immediate forms ---------------------------------------------------------------------------------------------
  table.define('addi', '001000 rs:5 rt:5 imm:s16', '{rt}, {rs}, {imm}', (b, { rs, rt, imm }) => {
    const x = b.gpr(rs);
    const sum = b.add(x, imm);
    b.raiseIf(b.ltS(b.and(b.xor(x, sum), b.xor(imm, sum)), b.i32(0)), ExceptionCode.Overflow);
    b.setGpr(rt, sum);
  });
  table.define('addiu', '001001 rs:5 rt:5 imm:s16', '{rt}, {rs}, {imm}', (b, { rs, rt, imm }) =>
    b.setGpr(rt, b.add(b.gpr(rs), imm)),
  );
  table.define('slti', '001010 rs:5 rt:5 imm:s16', '{rt}, {rs}, {imm}', (b, { rs, rt, imm }) =>
    b.setGpr(rt, b.ltS(b.gpr(rs), imm)),
  );
  table.define('sltiu', '001011 rs:5 rt:5 imm:s16', '{rt}, {rs}, {imm}', (b, { rs, rt, imm }) =>
    b.setGpr(rt, b.ltU(b.gpr(rs), imm)),
  );
  table.define('andi', '001100 rs:5 rt:5 imm:16', '{rt}, {rs}, {imm}', (b, { rs, rt, imm }) =>
    b.setGpr(rt, b.and(b.gpr(rs), imm)),
  );
  table.define('ori', '001101 rs:5 rt:5 imm:16', '{rt}, {rs}, {imm}', (b, { rs, rt, imm }) =>
    b.setGpr(rt, b.or(b.gpr(rs), imm)),
  );
  table.define('xori', '001110 rs:5 rt:5 imm:16', '{rt}, {rs}, {imm}', (b, { rs, rt, imm }) =>
    b.setGpr(rt, b.xor(b.gpr(rs), imm)),
  );
  table.define('lui', '001111 ----- rt:5 imm:16', '{rt}, {imm}', (b, { rt, imm }) =>
    b.setGpr(rt, b.shl(imm, b.i32(16))),
  );

  // ---- shifts ------------------------------------------------------------------------------------------------------
  const shift = (name: string, selector: string, compute: Binary): void =>
    table.define(
      name,
      `000000 ${selector.slice(0, 5)} rt:5 rd:5 sa:5 ${selector.slice(5)}` as '000000 00000 rt:5 rd:5 sa:5 000000',
      '{rd}, {rt}, {sa}',
      (b, { rt, rd, sa }) => b.setGpr(rd, compute(b, b.gpr(rt), sa)),
    );
  const shiftVariable = (name: string, selector: string, compute: Binary): void =>
    table.define(
      name,
      `000000 rs:5 rt:5 rd:5 ${selector.slice(0, 5)} ${selector.slice(5)}` as '000000 rs:5 rt:5 rd:5 00000 000000',
      '{rd}, {rt}, {rs}',
      // Shift counts are taken modulo 32 by the operation itself.
      (b, { rs, rt, rd }) => b.setGpr(rd, compute(b, b.gpr(rt), b.gpr(rs))),
    );
  shift('sll', '-----000000', (b, x, n) => b.shl(x, n)); // also nop, ssnop, ehb, pause: shifts of register 0
  shift('srl', '----0000010', (b, x, n) => b.shrU(x, n));
  shift('rotr', '----1000010', (b, x, n) => b.rotr(x, n));
  shift('sra', '-----000011', (b, x, n) => b.shrS(x, n));
  shiftVariable('sllv', '-----000100', (b, x, n) => b.shl(x, n));
  shiftVariable('srlv', '----0000110', (b, x, n) => b.shrU(x, n));
  shiftVariable('rotrv', '----1000110', (b, x, n) => b.rotr(x, n));
  shiftVariable('srav', '-----000111', (b, x, n) => b.shrS(x, n));

  // ---- bit fields (release 2) --------------------------------------------------------------------------------------
  table.define(
    'ext',
    '011111 rs:5 rt:5 msbd:5 lsb:5 000000',
    '{rt}, {rs}, {lsb}, {msbd+1}',
    (b, { rs, rt, msbd, lsb }) => {
      // A mask of msbd + 1 ones: 31 - msbd shifted out of all ones, which works for 32 bits too.
      const mask = b.shrU(b.i32(-1), b.sub(b.i32(31), msbd));
      b.setGpr(rt, b.and(b.shrU(b.gpr(rs), lsb), mask));
    },
  );
  table.define(
    'ins',
    '011111 rs:5 rt:5 msb:5 lsb:5 000100',
    '{rt}, {rs}, {lsb}, {msb-lsb+1}',
    (b, { rs, rt, msb, lsb }) => {
      // msb < lsb is unpredictable; the count is taken modulo 32 then.
      const mask = b.shl(b.shrU(b.i32(-1), b.sub(b.i32(31), b.sub(msb, lsb))), lsb);
      const inserted = b.and(b.shl(b.gpr(rs), lsb), mask);
      b.setGpr(rt, b.or(b.and(b.gpr(rt), b.not(mask)), inserted));
    },
  );
  table.define('wsbh', '011111 ----- rt:5 rd:5 00010 100000', '{rd}, {rt}', (b, { rt, rd }) => {
    const x = b.gpr(rt);
    const up = b.and(b.shl(x, b.i32(8)), b.i32(0xff00ff00));
    b.setGpr(rd, b.or(up, b.and(b.shrU(x, b.i32(8)), b.i32(0x00ff00ff))));
  });
  table.define('seb', '011111 ----- rt:5 rd:5 10000 100000', '{rd}, {rt}', (b, { rt, rd }) =>
    b.setGpr(rd, b.ext8S(b.gpr(rt))),
  );
  table.define('seh', '011111 ----- rt:5 rd:5 11000 100000', '{rd}, {rt}', (b, { rt, rd }) =>
    b.setGpr(rd, b.ext16S(b.gpr(rt))),
  );

  // ---- multiply, divide, HI and LO ---------------------------------------------------------------------------------
  const hiLo = (b: MipsBuilder): Value => b.loadState(ACCUMULATOR);
  const setHiLo = (b: MipsBuilder, value: Value): void => b.storeState(ACCUMULATOR, value);
  /** HI as the upper half of a 64-bit value. */
  const asHi = (b: MipsBuilder, value: Value): Value => b.shl(b.extendU(value), b.i64(32));
  const product = (b: MipsBuilder, rs: Value, rt: Value, signed: boolean): Value => {
    const extend = signed ? b.extendS : b.extendU;
    return b.mul(extend(b.gpr(rs)), extend(b.gpr(rt)));
  };
  table.define('mult', '000000 rs:5 rt:5 ----- ----- 011000', '{rs}, {rt}', (b, { rs, rt }) =>
    setHiLo(b, product(b, rs, rt, true)),
  );
  table.define('multu', '000000 rs:5 rt:5 ----- ----- 011001', '{rs}, {rt}', (b, { rs, rt }) =>
    setHiLo(b, product(b, rs, rt, false)),
  );
  table.define('madd', '011100 rs:5 rt:5 ----- ----- 000000', '{rs}, {rt}', (b, { rs, rt }) =>
    setHiLo(b, b.add(hiLo(b), product(b, rs, rt, true))),
  );
  table.define('maddu', '011100 rs:5 rt:5 ----- ----- 000001', '{rs}, {rt}', (b, { rs, rt }) =>
    setHiLo(b, b.add(hiLo(b), product(b, rs, rt, false))),
  );
  table.define('msub', '011100 rs:5 rt:5 ----- ----- 000100', '{rs}, {rt}', (b, { rs, rt }) =>
    setHiLo(b, b.sub(hiLo(b), product(b, rs, rt, true))),
  );
  table.define('msubu', '011100 rs:5 rt:5 ----- ----- 000101', '{rs}, {rt}', (b, { rs, rt }) =>
    setHiLo(b, b.sub(hiLo(b), product(b, rs, rt, false))),
  );
  // Division by zero and -2^31 / -1 are unpredictable in the manual; a divisor of 1 stands in, as QEMU's results show.
  table.define('div', '000000 rs:5 rt:5 ----- ----- 011010', '{rs}, {rt}', (b, { rs, rt }) => {
    const x = b.gpr(rs);
    const y = b.gpr(rt);
    const overflows = b.and(b.eq(x, b.i32(-0x80000000)), b.eq(y, b.i32(-1)));
    const divisor = b.select(b.or(b.eq(y, b.i32(0)), overflows), b.i32(1), y);
    setHiLo(b, b.or(asHi(b, b.remS(x, divisor)), b.extendU(b.divS(x, divisor))));
  });
  table.define('divu', '000000 rs:5 rt:5 ----- ----- 011011', '{rs}, {rt}', (b, { rs, rt }) => {
    const x = b.gpr(rs);
    const y = b.gpr(rt);
    const divisor = b.select(y, y, b.i32(1));
    setHiLo(b, b.or(asHi(b, b.remU(x, divisor)), b.extendU(b.divU(x, divisor))));
  });
  table.define('mfhi', '000000 ----- ----- rd:5 ----- 010000', '{rd}', (b, { rd }) =>
    b.setGpr(rd, b.wrap(b.shrU(hiLo(b), b.i64(32)))),
  );
  table.define('mthi', '000000 rs:5 ----- ----- ----- 010001', '{rs}', (b, { rs }) =>
    setHiLo(b, b.or(asHi(b, b.gpr(rs)), b.and(hiLo(b), b.i64(-1, 0)))),
  );
  table.define('mflo', '000000 ----- ----- rd:5 ----- 010010', '{rd}', (b, { rd }) => b.setGpr(rd, b.wrap(hiLo(b))));
  table.define('mtlo', '000000 rs:5 ----- ----- ----- 010011', '{rs}', (b, { rs }) =>
    setHiLo(b, b.or(b.and(hiLo(b), b.i64(0, -1)), b.extendU(b.gpr(rs)))),
  );

  // ---- conditional moves -------------------------------------------------------------------------------------------
  table.define('movz', '000000 rs:5 rt:5 rd:5 ----- 001010', '{rd}, {rs}, {rt}', (b, { rs, rt, rd }) =>
    b.setGpr(rd, b.select(b.gpr(rt), b.gpr(rd), b.gpr(rs))),
  );
  table.define('movn', '000000 rs:5 rt:5 rd:5 ----- 001011', '{rd}, {rs}, {rt}', (b, { rs, rt, rd }) =>
    b.setGpr(rd, b.select(b.gpr(rt), b.gpr(rs), b.gpr(rd))),
  );

  // ---- traps -------------------------------------------------------------------------------------------------------
  const conditions: readonly [name: string, register: string, immediate: string | undefined, test: Binary][] = [
    ['tge', '110000', '01000', (b, x, y) => b.leS(y, x)],
    ['tgeu', '110001', '01001', (b, x, y) => b.leU(y, x)],
    ['tlt', '110010', '01010', (b, x, y) => b.ltS(x, y)],
    ['tltu', '110011', '01011', (b, x, y) => b.ltU(x, y)],
    ['teq', '110100', '01100', (b, x, y) => b.eq(x, y)],
    ['tne', '110110', '01110', (b, x, y) => b.ne(x, y)],
  ];
  for (const [name, funct, rtCode, test] of conditions) {
    table.define(
      name,
      `000000 rs:5 rt:5 code:10 ${funct}` as '000000 rs:5 rt:5 code:10 000000',
      '{rs}, {rt}',
      (b, { rs, rt }) => b.raiseIf(test(b, b.gpr(rs), b.gpr(rt)), ExceptionCode.Trap),
    );
    const immediateName = name.endsWith('u') ? `${name.slice(0, -1)}iu` : `${name}i`;
    table.define(
      immediateName,
      `000001 rs:5 ${rtCode} imm:s16` as '000001 rs:5 00000 imm:s16',
      '{rs}, {imm}',
      (b, { rs, imm }) => b.raiseIf(test(b, b.gpr(rs), imm), ExceptionCode.Trap),
    );
  }
  table.define('syscall', '000000 code:20 001100', '{code}', (b) => b.raise(ExceptionCode.Syscall));
  table.define('break', '000000 code:20 001101', '{code}', (b) => b.raise(ExceptionCode.Breakpoint));
  table.define('sync', '000000 ----- ----- ----- stype:5 001111', '{stype}', () => {
    // One CPU, in order: every access is already ordered.
  });
}
