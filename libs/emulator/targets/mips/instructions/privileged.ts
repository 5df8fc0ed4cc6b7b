/**
 * Coprocessor 0 instructions of MIPS32 release 2. Sources: MD00086 (instruction descriptions), MD00090 (registers).
 */
import type { InstructionTable, Value } from '../../../jit/ir/index.js';
import type { MipsBuilder } from '../builder.js';
import { Cp0, ExceptionCode, Status } from '../cp0.js';
import { CP0, CP0_USABLE } from '../state.js';

/** Number of the hardware register UserLocal. */
const USER_LOCAL = 29;

export function definePrivileged(table: InstructionTable<MipsBuilder>): void {
  table.define('mfc0', '010000 00000 rt:5 rd:5 ----- --- sel:3', '{rt}, {rd:cp0}, {sel}', (b, { rt, rd, sel }) => {
    b.requireCp0();
    b.setGpr(rt, readCp0(b, b.or(b.shl(rd, b.i32(3)), sel)));
  });
  table.define('mtc0', '010000 00100 rt:5 rd:5 ----- --- sel:3', '{rt}, {rd:cp0}, {sel}', (b, { rt, rd, sel }) => {
    b.requireCp0();
    const index = b.or(b.shl(rd, b.i32(3)), sel);
    // Every exception handler that returns elsewhere writes EPC, which has no effect by itself.
    b.ifElse(
      b.eq(index, b.i32(Cp0.Epc)),
      () => b.storeState(CP0, b.gpr(rt), b.i32(Cp0.Epc)),
      () => b.call('writeCp0', index, b.gpr(rt)),
    );
  });
  table.define('rdpgpr', '010000 01010 rt:5 rd:5 ----- ------', '{rd}, {rt}', (b, { rt, rd }) => {
    b.requireCp0();
    b.setGpr(rd, b.gpr(rt)); // SRSCtl.HSS = 0: the only register set is the current one
  });
  table.define('wrpgpr', '010000 01110 rt:5 rd:5 ----- ------', '{rd}, {rt}', (b, { rt, rd }) => {
    b.requireCp0();
    b.setGpr(rd, b.gpr(rt));
  });
  table.define('di', '010000 01011 rt:5 01100 ----- 0 -- ---', '{rt}', (b, { rt }) => {
    b.requireCp0();
    // Nothing can follow from it: no interrupt becomes possible, the mode stays.
    const status = b.loadState(CP0, b.i32(Cp0.Status));
    b.storeState(CP0, b.and(status, b.i32(~Status.IE)), b.i32(Cp0.Status));
    b.setGpr(rt, status);
  });
  table.define('ei', '010000 01011 rt:5 01100 ----- 1 -- ---', '{rt}', (b, { rt }) => {
    b.requireCp0();
    b.setGpr(rt, b.call('enableInterrupts'));
  });

  const cp0Operation = (name: string, funct: string, helper: string): void =>
    table.define(name, `010000 1 ------------------- ${funct}` as '010000 1 ------------------- 000000', '', (b) => {
      b.requireCp0();
      b.call(helper);
    });
  cp0Operation('tlbr', '000001', 'tlbRead');
  cp0Operation('tlbwi', '000010', 'tlbWriteIndexed');
  cp0Operation('tlbwr', '000110', 'tlbWriteRandom');
  cp0Operation('tlbp', '001000', 'tlbProbe');
  cp0Operation('eret', '011000', 'exceptionReturn');
  cp0Operation('wait', '100000', 'waitForInterrupt');

  // Programs find their thread's data through UserLocal all the time, so that where permitted needs no help.
  table.define('rdhwr', '011111 00000 rt:5 rd:5 ----- 111011', '{rt}, {rd:hwr}', (b, { rt, rd }) => {
    const enabled = b.and(b.shrU(b.loadState(CP0, b.i32(Cp0.HwrEna)), rd), b.i32(1));
    b.raiseIf(b.eq(b.or(b.loadState(CP0_USABLE), enabled), b.i32(0)), ExceptionCode.ReservedInstruction);
    const value = b.ifValue(
      b.eq(rd, b.i32(USER_LOCAL)),
      () => b.loadState(CP0, b.i32(Cp0.UserLocal)),
      () => b.call('readHardwareRegister', rd),
    );
    b.setGpr(rt, value);
  });

  // Multi-threading extension, for cores with one thread context: the controls read and write back their register, and
  // the only context that mftr and mttr can reach is the one that runs.
  // Source: MIPS32 Architecture for Programmers Volume IV-f: The MIPS MT Module (MD00378).
  for (const [name, selector, sc, enable] of [
    ['dmt', '00001 01111', '0', 0],
    ['emt', '00001 01111', '1', 1],
    ['dvpe', '00000 00000', '0', 0],
    ['evpe', '00000 00000', '1', 1],
  ] as const) {
    table.define(
      name,
      `010000 01011 rt:5 ${selector} ${sc} 00 001` as '010000 01011 rt:5 00000 00000 0 00 001',
      '{rt}',
      (b, { rt }) => {
        b.requireCp0();
        const isThread = name.endsWith('mt') ? 1 : 0;
        b.setGpr(rt, b.call('setMultithreading', b.i32(isThread), b.i32(enable)));
      },
    );
  }
  const threadMove = (
    name: string,
    encoding: string,
    syntax: string,
    move: (b: MipsBuilder, f: ThreadMove) => void,
  ): void =>
    table.define(name, `010000 ${encoding}` as '010000 01000 rt:5 rd:5 00000 0 - 0 sel:3', syntax, (b, fields) => {
      b.requireCp0();
      move(b, fields);
    });
  threadMove('mftc0', '01000 rt:5 rd:5 00000 0 - 0 sel:3', '{rd}, {rt:cp0}, {sel}', (b, { rt, rd, sel }) =>
    b.setGpr(rd, readCp0(b, b.or(b.shl(rt, b.i32(3)), sel))),
  );
  threadMove('mttc0', '01100 rt:5 rd:5 00000 0 - 0 sel:3', '{rt}, {rd:cp0}, {sel}', (b, { rt, rd, sel }) =>
    b.call('writeCp0', b.or(b.shl(rd, b.i32(3)), sel), b.gpr(rt)),
  );
}

/** Registers that are more than a place in memory: they are computed when they are read. */
function readCp0(b: MipsBuilder, index: Value): Value {
  const computed = [Cp0.Count, Cp0.Random, Cp0.LlAddr].map((each) => b.eq(index, b.i32(each)));
  return b.ifValue(
    computed.reduce((any, each) => b.or(any, each)),
    () => b.call('readCp0', index),
    () => b.loadState(CP0, index),
  );
}

interface ThreadMove {
  readonly rt: Value;
  readonly rd: Value;
  readonly sel: Value;
}
