/**
 * Jumps and branches of MIPS32 release 2, with their delay slots; branch-likely nullifies the slot when not taken.
 * Source: MD00086 revision 2.62.
 */
import type { InstructionTable, Value } from '../../../jit/ir/index.js';
import type { MipsBuilder } from '../builder.js';

export function defineBranches(table: InstructionTable<MipsBuilder>): void {
  /** The target of j and jal lies in the 256 MiB region of the delay slot. */
  const regionTarget = (b: MipsBuilder, index: Value): Value =>
    b.or(b.and(b.add(b.pc(), b.i32(4)), b.i32(0xf0000000)), b.shl(index, b.i32(2)));
  const link = (b: MipsBuilder, register: Value): void => b.setGpr(register, b.returnAddress());

  table.define('j', '000010 index:26', '{index:jump}', (b, { index }) => b.jump(regionTarget(b, index)));
  table.define('jal', '000011 index:26', '{index:jump}', (b, { index }) => {
    const target = regionTarget(b, index);
    link(b, b.i32(31));
    b.jump(target);
  });
  // The hint field carries .hb (hazard barrier), which an in-order emulator satisfies anyway.
  table.define('jr', '000000 rs:5 ----- ----- ----- 001000', '{rs}', (b, { rs }) => b.jump(b.gpr(rs)));
  table.define('jalr', '000000 rs:5 ----- rd:5 ----- 001001', '{rd}, {rs}', (b, { rs, rd }) => {
    const target = b.gpr(rs);
    link(b, rd);
    b.jump(target);
  });

  const zero = (b: MipsBuilder): Value => b.i32(0);
  const compares: readonly [
    name: string,
    opcode: string,
    likely: string,
    test: (b: MipsBuilder, x: Value, y: Value) => Value,
  ][] = [
    ['beq', '000100', '010100', (b, x, y) => b.eq(x, y)],
    ['bne', '000101', '010101', (b, x, y) => b.ne(x, y)],
  ];
  for (const [name, opcode, likely, test] of compares) {
    table.define(
      name,
      `${opcode} rs:5 rt:5 offset:s16` as '000000 rs:5 rt:5 offset:s16',
      '{rs}, {rt}, {offset:branch}',
      (b, { rs, rt, offset }) => b.branchIf(test(b, b.gpr(rs), b.gpr(rt)), offset),
    );
    table.define(
      `${name}l`,
      `${likely} rs:5 rt:5 offset:s16` as '000000 rs:5 rt:5 offset:s16',
      '{rs}, {rt}, {offset:branch}',
      (b, { rs, rt, offset }) => b.branchLikelyIf(test(b, b.gpr(rs), b.gpr(rt)), offset),
    );
  }

  const signs: readonly [name: string, selector: string, likely: string, test: (b: MipsBuilder, x: Value) => Value][] =
    [
      ['blez', '000110 rs:5 -----', '010110 rs:5 -----', (b, x) => b.leS(x, zero(b))],
      ['bgtz', '000111 rs:5 -----', '010111 rs:5 -----', (b, x) => b.ltS(zero(b), x)],
      ['bltz', '000001 rs:5 00000', '000001 rs:5 00010', (b, x) => b.ltS(x, zero(b))],
      ['bgez', '000001 rs:5 00001', '000001 rs:5 00011', (b, x) => b.leS(zero(b), x)],
    ];
  for (const [name, selector, likely, test] of signs) {
    table.define(
      name,
      `${selector} offset:s16` as '000001 rs:5 00000 offset:s16',
      '{rs}, {offset:branch}',
      (b, { rs, offset }) => b.branchIf(test(b, b.gpr(rs)), offset),
    );
    table.define(
      `${name}l`,
      `${likely} offset:s16` as '000001 rs:5 00000 offset:s16',
      '{rs}, {offset:branch}',
      (b, { rs, offset }) => b.branchLikelyIf(test(b, b.gpr(rs)), offset),
    );
  }

  // Branch and link writes register 31 whether or not it is taken.
  const linking: readonly [name: string, rt: string, likely: string, test: (b: MipsBuilder, x: Value) => Value][] = [
    ['bltzal', '10000', '10010', (b, x) => b.ltS(x, zero(b))],
    ['bgezal', '10001', '10011', (b, x) => b.leS(zero(b), x)],
  ];
  for (const [name, rt, likely, test] of linking) {
    table.define(
      name,
      `000001 rs:5 ${rt} offset:s16` as '000001 rs:5 00000 offset:s16',
      '{rs}, {offset:branch}',
      (b, { rs, offset }) => {
        const taken = test(b, b.gpr(rs));
        link(b, b.i32(31));
        b.branchIf(taken, offset);
      },
    );
    table.define(
      `${name}l`,
      `000001 rs:5 ${likely} offset:s16` as '000001 rs:5 00000 offset:s16',
      '{rs}, {offset:branch}',
      (b, { rs, offset }) => {
        const taken = test(b, b.gpr(rs));
        link(b, b.i32(31));
        b.branchLikelyIf(taken, offset);
      },
    );
  }
}
