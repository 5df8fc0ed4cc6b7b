/**
 * Coprocessor 1: the floating-point unit of MIPS32 release 2 with 32- or 64-bit registers (Status.FR), formats S, D, W
 * and L; paired single is not implemented and FIR says so. Sources: MD00082 chapter 5 (programming model), MD00086
 * (instruction descriptions).
 *
 * Arithmetic runs natively where that cannot differ from the exact result (see {@link FpuBuilder}) and otherwise in
 * software through helpers. 64-bit operands of helpers travel in `scratch[0..2]`, 64-bit results come back in
 * `scratch[0]`; a helper that raises the floating-point exception leaves the destination as it was.
 */
import type { InstructionTable, Value } from '../../../jit/ir/index.js';
import { Type, Width } from '../../../jit/ir/index.js';
import type { MipsBuilder } from '../builder.js';
import { ExceptionCode } from '../cp0.js';
import { FCSR, INEXACT_FLAGGED, NATIVE_GUARD, PendingOperation, ROUNDING_GUARD } from '../fcsr.js';
import { engine, FCSR as FCSR_FIELD, FP_PENDING, FP_PENDING_A, FP_PENDING_B, FR } from '../state.js';

type Format = 's' | 'd';
type Arithmetic = 'add' | 'sub' | 'mul' | 'div' | 'sqrt';
const FMT = { s: '10000', d: '10001', w: '10100', l: '10101' } as const;
type AnyFormat = keyof typeof FMT;
/** FCSR's number among the control registers. */
const FCSR_NUMBER = 31;

const is64 = (format: AnyFormat): boolean => format === 'd' || format === 'l';

/** Reads an operand register of a format. */
const read = (b: MipsBuilder, format: AnyFormat, index: Value): Value =>
  is64(format) ? b.fpr64(index) : b.fpr32(index);
const write = (b: MipsBuilder, format: AnyFormat, index: Value, value: Value): void =>
  is64(format) ? b.setFpr64(index, value) : b.setFpr32(index, value);

/** Calls a software operation on operands of one format. */
function software(b: MipsBuilder, name: string, from: AnyFormat, to: AnyFormat, operands: readonly Value[]): Value {
  let result: Value;
  if (is64(from)) {
    operands.forEach((operand, i) => b.storeState(engine.scratch, operand, b.i32(i)));
    result = b.call(name);
  } else {
    result = b.call(name, ...operands);
  }
  return is64(to) ? b.loadState(engine.scratch, b.i32(0)) : result;
}

/**
 * Native arithmetic behind guards. It is right when rounding is to nearest even, nothing traps, and the result is finite and
 * clearly normal: then no flag but inexact can be due, which must be set already unless the result is exact, as those of programs
 * that count in floating point are. Whether *this* operation was inexact shows only in FCSR.Cause, which is rarely
 * read: its operands are kept and Cause is computed on demand.
 */
function native(b: MipsBuilder, operation: Arithmetic, format: Format, operands: readonly [Value, ...Value[]]): Value {
  const [x, y = x] = operands;
  const slow = (): Value => software(b, `${operation}_${format}`, format, format, operands);
  const control = b.loadState(FCSR_FIELD);
  return b.ifValue(
    b.eq(b.and(control, b.i32(NATIVE_GUARD)), b.i32(0)),
    () => {
      const bits = b.asBits(compute(b, operation, format, x, y));
      const noFlagIsDue = b.ifValue(
        b.and(control, b.i32(INEXACT_FLAGGED)),
        () => b.i32(1),
        () => isExact(b, operation, format, bits, x, y),
      );
      return b.ifValue(
        b.and(noFlagIsDue, b.or(clearlyNormal(b, format, bits), exactZero(b, operation, format, bits, x, y))),
        () => {
          b.storeState(FP_PENDING, b.i32(PendingOperation[`${operation}_${format}`]));
          b.storeState(FP_PENDING_A, format === 'd' ? x : b.extendU(x));
          b.storeState(FP_PENDING_B, format === 'd' ? y : b.extendU(y));
          return bits;
        },
        slow,
      );
    },
    slow,
  );
}

function compute(b: MipsBuilder, operation: Arithmetic, format: Format, x: Value, y: Value): Value {
  const float = format === 'd' ? b.asF64 : b.asF32;
  switch (operation) {
    case 'add':
      return b.fadd(float(x), float(y));
    case 'sub':
      return b.fsub(float(x), float(y));
    case 'mul':
      return b.fmul(float(x), float(y));
    case 'div':
      return b.fdiv(float(x), float(y));
    case 'sqrt':
      return b.fsqrt(float(x));
  }
}

/** Biased exponent from 2 to the largest finite one: no zero, subnormal, borderline tiny value, infinity or NaN. */
function clearlyNormal(b: MipsBuilder, format: Format, bits: Value): Value {
  if (format === 's') {
    const exponent = b.and(b.shrU(bits, b.i32(23)), b.i32(0xff));
    return b.ltU(b.sub(exponent, b.i32(2)), b.i32(0xff - 2));
  }
  const exponent = b.and(b.wrap(b.shrU(bits, b.i64(52))), b.i32(0x7ff));
  return b.ltU(b.sub(exponent, b.i32(2)), b.i32(0x7ff - 2));
}

/**
 * A zero that is the exact result: every zero sum is, and so is a product or quotient that has a zero where it must be.
 * (A quotient of zero with another divisor is no zero but a NaN, or underflowed.)
 */
function exactZero(b: MipsBuilder, operation: Arithmetic, format: Format, bits: Value, x: Value, y: Value): Value {
  const isZero = (value: Value): Value =>
    format === 's' ? b.eq(b.shl(value, b.i32(1)), b.i32(0)) : b.eq(b.shl(value, b.i64(1)), b.i64(0));
  switch (operation) {
    case 'add':
    case 'sub':
    case 'sqrt':
      return isZero(bits);
    case 'mul':
      return b.and(isZero(bits), b.or(isZero(x), isZero(y)));
    case 'div':
      return b.and(isZero(bits), isZero(x));
  }
}

/**
 * Is a finite result exact? Told of every sum (TwoSum: Knuth, The Art of Computer Programming, volume 2, 4.2.2), and of doubles that are
 * whole numbers of 32 bits; of others the answer is no.
 */
function isExact(b: MipsBuilder, operation: Arithmetic, format: Format, bits: Value, x: Value, y: Value): Value {
  const float = format === 'd' ? b.asF64 : b.asF32;
  const [p, q, result] = [float(x), float(y), float(bits)];
  if (operation === 'add' || operation === 'sub') {
    const added = operation === 'add' ? q : b.fsub(float(zeroOf(b, format)), q);
    const rest = b.fsub(result, p);
    const error = b.fadd(b.fsub(p, b.fsub(result, rest)), b.fsub(added, rest));
    return b.feq(error, float(zeroOf(b, format)));
  }
  if (format === 's') return b.i32(0);
  // A product of two such numbers may have 62 bits: of 53 it is exact.
  const [product, factors] = operation === 'mul' ? [result, [p, q]] : [p, [result, operation === 'div' ? q : result]];
  const limit = b.asF64(b.i64(0, 0x43400000)); // 2^53
  const fits = b.and(b.flt(b.fsub(b.asF64(b.i64(0)), limit), product), b.flt(product, limit));
  const isProduct = operation === 'mul' ? b.i32(1) : b.feq(b.fmul(factors[0] as Value, factors[1] as Value), product);
  return factors.reduce(
    (all, factor) =>
      b.ifValue(
        all,
        () => isWhole(b, factor),
        () => b.i32(0),
      ),
    b.and(fits, isProduct),
  );
}

const zeroOf = (b: MipsBuilder, format: Format): Value => (format === 'd' ? b.i64(0) : b.i32(0));

/** Is a double a whole number that fits into a word? */
function isWhole(b: MipsBuilder, x: Value): Value {
  return b.ifValue(
    fitsWord(b, x),
    () => b.feq(b.convertS(b.truncS(x)), x),
    () => b.i32(0),
  );
}

function fitsWord(b: MipsBuilder, x: Value): Value {
  const limit = b.asF64(b.i64(0, 0x41e00000)); // 2^31
  const negativeLimit = b.asF64(b.i64(0, -0x3e200000)); // -2^31
  return b.and(b.fle(negativeLimit, x), b.flt(x, limit));
}

/**
 * Truncates a double that fits into a word natively: a whole number raises nothing, any other is inexact. MD00082 has what is due
 * then: Cause says inexact, and so does Flags, as nothing traps.
 */
function truncate(b: MipsBuilder, bits: Value, slow: () => Value): Value {
  const x = b.asF64(bits);
  return b.ifValue(
    b.and(fitsWord(b, x), b.eq(b.and(b.loadState(FCSR_FIELD), b.i32(ROUNDING_GUARD)), b.i32(0))),
    () => {
      const word = b.truncS(x);
      b.ifElse(
        b.feq(b.convertS(word), x),
        () => b.storeState(FP_PENDING, b.i32(PendingOperation.exact)),
        () => {
          const kept = b.and(b.loadState(FCSR_FIELD), b.i32(~FCSR.CAUSE));
          b.storeState(FCSR_FIELD, b.or(kept, b.i32(FCSR.CAUSE_INEXACT | INEXACT_FLAGGED)));
          b.storeState(FP_PENDING, b.i32(PendingOperation.none));
        },
      );
      return word;
    },
    slow,
  );
}

/** FCSR is read natively where Cause needs no calculation: it is up to date, or the last operation was exact. */
function readControl(b: MipsBuilder, register: Value): Value {
  const pending = b.loadState(FP_PENDING);
  return b.ifValue(
    b.and(b.eq(register, b.i32(FCSR_NUMBER)), b.ltU(pending, b.i32(PendingOperation.exact + 1))),
    () => {
      const settled = b.select(pending, b.i32(~FCSR.CAUSE), b.i32(-1));
      const control = b.and(b.loadState(FCSR_FIELD), settled);
      b.storeState(FCSR_FIELD, control);
      b.storeState(FP_PENDING, b.i32(PendingOperation.none));
      return control;
    },
    () => b.call('readFpControl', register),
  );
}

/** Position of condition code `cc` in FCSR: bit 23 for 0, bits 25..31 for 1..7. */
const conditionBit = (b: MipsBuilder, cc: Value): Value => b.sub(b.add(cc, b.i32(24)), b.eq(cc, b.i32(0)));
const condition = (b: MipsBuilder, cc: Value): Value =>
  b.and(b.shrU(b.loadState(FCSR_FIELD), conditionBit(b, cc)), b.i32(1));

export function defineFpu(table: InstructionTable<MipsBuilder>): void {
  const require = (b: MipsBuilder, format: AnyFormat, ...registers: Value[]): void => {
    b.requireCp1();
    if (format === 'd') b.requireEven(...registers);
    if (format === 'l') requireWide(b);
  };
  /** Long operands exist only with 64-bit registers. */
  const requireWide = (b: MipsBuilder): void =>
    b.raiseIf(b.eq(b.loadState(FR), b.i32(0)), ExceptionCode.ReservedInstruction);

  // ---- moves to and from the integer unit --------------------------------------------------------------------------
  const transfer = (
    name: string,
    selector: string,
    move: (b: MipsBuilder, rt: Value, fs: Value) => void,
    operands = '{rt}, {fs:fpr}',
  ): void =>
    table.define(
      name,
      `010001 ${selector} rt:5 fs:5 -----------` as '010001 00000 rt:5 fs:5 -----------',
      operands,
      (b, { rt, fs }) => {
        b.requireCp1();
        move(b, rt, fs);
      },
    );
  transfer('mfc1', '00000', (b, rt, fs) => b.setGpr(rt, b.fpr32(fs)));
  transfer('mfhc1', '00011', (b, rt, fs) => b.setGpr(rt, b.fprHigh(fs)));
  transfer('mtc1', '00100', (b, rt, fs) => b.setFpr32(fs, b.gpr(rt)));
  transfer('mthc1', '00111', (b, rt, fs) => b.setFprHigh(fs, b.gpr(rt)));
  transfer('cfc1', '00010', (b, rt, fs) => b.setGpr(rt, readControl(b, fs)), '{rt}, {fs:fcr}');
  transfer('ctc1', '00110', (b, rt, fs) => void b.call('writeFpControl', fs, b.gpr(rt)), '{rt}, {fs:fcr}');

  // ---- loads and stores --------------------------------------------------------------------------------------------
  const memory = (name: string, opcode: string, access: (b: MipsBuilder, address: Value, ft: Value) => void): void =>
    table.define(
      name,
      `${opcode} base:5 ft:5 offset:s16` as '000000 base:5 ft:5 offset:s16',
      '{ft:fpr}, {offset}({base})',
      (b, { base, ft, offset }) => {
        b.requireCp1();
        access(b, b.address(base, offset), ft);
      },
    );
  const indexed = (
    name: string,
    funct: string,
    register: 'fs' | 'fd',
    access: (b: MipsBuilder, address: Value, fpr: Value) => void,
  ): void =>
    table.define(
      name,
      (register === 'fd'
        ? `010011 base:5 index:5 ----- fpr:5 ${funct}`
        : `010011 base:5 index:5 fpr:5 ----- ${funct}`) as '010011 base:5 index:5 ----- fpr:5 000000',
      '{fpr:fpr}, {index}({base})',
      (b, { base, index, fpr }) => {
        b.requireCp1();
        access(b, b.add(b.gpr(base), b.gpr(index)), fpr);
      },
    );
  const loadWord = (b: MipsBuilder, address: Value, f: Value): void => b.setFpr32(f, b.load(Width.W32, address));
  const storeWord = (b: MipsBuilder, address: Value, f: Value): void => b.storeGuest(Width.W32, address, b.fpr32(f));
  const loadDouble = (b: MipsBuilder, address: Value, f: Value): void => {
    b.requireEven(f);
    b.setFpr64(f, b.loadGuest(Width.W64, Type.I64, address));
  };
  const storeDouble = (b: MipsBuilder, address: Value, f: Value): void => {
    b.requireEven(f);
    b.storeGuest(Width.W64, address, b.fpr64(f));
  };
  memory('lwc1', '110001', loadWord);
  memory('swc1', '111001', storeWord);
  memory('ldc1', '110101', loadDouble);
  memory('sdc1', '111101', storeDouble);
  indexed('lwxc1', '000000', 'fd', loadWord);
  indexed('ldxc1', '000001', 'fd', loadDouble);
  indexed('swxc1', '001000', 'fs', storeWord);
  indexed('sdxc1', '001001', 'fs', storeDouble);
  // luxc1 and suxc1 ignore the low three address bits.
  const alignedDown = (b: MipsBuilder, address: Value): Value => b.and(address, b.i32(-8));
  indexed('luxc1', '000101', 'fd', (b, address, f) => {
    requireWide(b);
    b.setFpr64(f, b.loadGuest(Width.W64, Type.I64, alignedDown(b, address)));
  });
  indexed('suxc1', '001101', 'fs', (b, address, f) => {
    requireWide(b);
    b.storeGuest(Width.W64, alignedDown(b, address), b.fpr64(f));
  });
  table.define('prefx', '010011 base:5 index:5 hint:5 00000 001111', '{hint}, {index}({base})', (b) => b.requireCp1());

  // ---- arithmetic --------------------------------------------------------------------------------------------------
  for (const format of ['s', 'd'] as const) {
    const fmt = FMT[format];
    const binary = (operation: 'add' | 'sub' | 'mul' | 'div', funct: string): void =>
      table.define(
        `${operation}.${format}`,
        `010001 ${fmt} ft:5 fs:5 fd:5 ${funct}` as '010001 10000 ft:5 fs:5 fd:5 000000',
        '{fd:fpr}, {fs:fpr}, {ft:fpr}',
        (b, { ft, fs, fd }) => {
          require(b, format, ft, fs, fd);
          write(b, format, fd, native(b, operation, format, [read(b, format, fs), read(b, format, ft)]));
        },
      );
    binary('add', '000000');
    binary('sub', '000001');
    binary('mul', '000010');
    binary('div', '000011');

    const unary = (name: string, funct: string, compute: (b: MipsBuilder, x: Value) => Value): void =>
      table.define(
        `${name}.${format}`,
        `010001 ${fmt} ----- fs:5 fd:5 ${funct}` as '010001 10000 ----- fs:5 fd:5 000000',
        '{fd:fpr}, {fs:fpr}',
        (b, { fs, fd }) => {
          require(b, format, fs, fd);
          write(b, format, fd, compute(b, read(b, format, fs)));
        },
      );
    const magnitude = (b: MipsBuilder): Value => (format === 'd' ? b.i64(-1, 0x7fffffff) : b.i32(0x7fffffff));
    const sign = (b: MipsBuilder): Value => (format === 'd' ? b.i64(0, -0x80000000) : b.i32(-0x80000000));
    unary('sqrt', '000100', (b, x) => native(b, 'sqrt', format, [x]));
    unary('abs', '000101', (b, x) => b.and(x, magnitude(b)));
    unary('mov', '000110', (_b, x) => x);
    unary('neg', '000111', (b, x) => b.xor(x, sign(b)));
    unary('recip', '010101', (b, x) => software(b, `recip_${format}`, format, format, [x]));
    unary('rsqrt', '010110', (b, x) => software(b, `rsqrt_${format}`, format, format, [x]));

    // Multiply-add rounds twice on these cores: after the product and after the sum.
    const fused = (name: string, funct: string): void =>
      table.define(
        `${name}.${format}`,
        `010011 fr:5 ft:5 fs:5 fd:5 ${funct}` as '010011 fr:5 ft:5 fs:5 fd:5 000000',
        '{fd:fpr}, {fr:fpr}, {fs:fpr}, {ft:fpr}',
        (b, { fr, ft, fs, fd }) => {
          require(b, format, fr, ft, fs, fd);
          write(
            b,
            format,
            fd,
            software(b, `${name}_${format}`, format, format, [
              read(b, format, fs),
              read(b, format, ft),
              read(b, format, fr),
            ]),
          );
        },
      );
    const last = format === 's' ? '000' : '001';
    fused('madd', `100${last}`);
    fused('msub', `101${last}`);
    fused('nmadd', `110${last}`);
    fused('nmsub', `111${last}`);

    // ---- conditional moves -----------------------------------------------------------------------------------------
    table.define(
      `movcf.${format}`,
      `010001 ${fmt} cc:3 0 tf:1 fs:5 fd:5 010001` as '010001 10000 cc:3 0 tf:1 fs:5 fd:5 010001',
      '{fd:fpr}, {fs:fpr}, {cc}, {tf}',
      (b, { cc, tf, fs, fd }) => {
        require(b, format, fs, fd);
        b.ifElse(b.eq(condition(b, cc), tf), () => write(b, format, fd, read(b, format, fs)));
      },
    );
    for (const [name, funct, moves] of [
      ['movz', '010010', 0],
      ['movn', '010011', 1],
    ] as const) {
      table.define(
        `${name}.${format}`,
        `010001 ${fmt} rt:5 fs:5 fd:5 ${funct}` as '010001 10000 rt:5 fs:5 fd:5 000000',
        '{fd:fpr}, {fs:fpr}, {rt}',
        (b, { rt, fs, fd }) => {
          require(b, format, fs, fd);
          const nonZero = b.ne(b.gpr(rt), b.i32(0));
          b.ifElse(b.eq(nonZero, b.i32(moves)), () => write(b, format, fd, read(b, format, fs)));
        },
      );
    }

    // ---- comparisons -----------------------------------------------------------------------------------------------
    table.define(
      `c.${format}`,
      `010001 ${fmt} ft:5 fs:5 cc:3 -- 11 cond:4` as '010001 10000 ft:5 fs:5 cc:3 -- 11 cond:4',
      '{cc}, {fs:fpr}, {ft:fpr}, {cond}',
      (b, fields) => {
        const { ft, fs, cond } = fields;
        require(b, format, ft, fs);
        const x = read(b, format, fs);
        const y = read(b, format, ft);
        const float = format === 'd' ? b.asF64 : b.asF32;
        const [u, v] = [float(x), float(y)];
        const ordered = b.and(b.feq(u, u), b.feq(v, v));
        const holds = b.ifValue(
          ordered,
          () => {
            b.storeState(FP_PENDING, b.i32(PendingOperation.exact));
            const equal = b.and(b.shrU(cond, b.i32(1)), b.feq(u, v));
            const less = b.and(b.shrU(cond, b.i32(2)), b.flt(u, v));
            return b.and(b.or(equal, less), b.i32(1));
          },
          () => {
            // At least one NaN: only the helper knows whether that is an invalid operation.
            if (format === 's') return b.call('unordered_s', cond, x, y);
            b.storeState(engine.scratch, x, b.i32(0));
            b.storeState(engine.scratch, y, b.i32(1));
            return b.call('unordered_d', cond);
          },
        );
        // Extracted only here, so that no value lives across the call above (decision 12).
        const bit = conditionBit(b, fields.cc);
        const cleared = b.and(b.loadState(FCSR_FIELD), b.not(b.shl(b.i32(1), bit)));
        b.storeState(FCSR_FIELD, b.or(cleared, b.shl(holds, bit)));
      },
    );

    // ---- conversions -----------------------------------------------------------------------------------------------
    for (const [index, rounding] of ['round', 'trunc', 'ceil', 'floor'].entries()) {
      for (const [to, base] of [
        ['l', 0b001000],
        ['w', 0b001100],
      ] as const) {
        convert(table, `${rounding}.${to}.${format}`, format, to, base + index);
      }
    }
    convert(table, `cvt.w.${format}`, format, 'w', 0b100100);
    convert(table, `cvt.l.${format}`, format, 'l', 0b100101);
  }
  convert(table, 'cvt.d.s', 's', 'd', 0b100001);
  convert(table, 'cvt.s.d', 'd', 's', 0b100000);
  for (const from of ['w', 'l'] as const) {
    convert(table, `cvt.s.${from}`, from, 's', 0b100000);
    convert(table, `cvt.d.${from}`, from, 'd', 0b100001);
  }

  function convert(
    into: InstructionTable<MipsBuilder>,
    name: string,
    from: AnyFormat,
    to: AnyFormat,
    funct: number,
  ): void {
    const bits = funct.toString(2).padStart(6, '0');
    into.define(
      name,
      `010001 ${FMT[from]} ----- fs:5 fd:5 ${bits}` as '010001 10000 ----- fs:5 fd:5 000000',
      '{fd:fpr}, {fs:fpr}',
      (b, { fs, fd }) => {
        b.requireCp1();
        if (from === 'l' || to === 'l') requireWide(b);
        if (from === 'd') b.requireEven(fs);
        if (to === 'd') b.requireEven(fd);
        const operand = read(b, from, fs);
        const slow = (): Value => software(b, name.replaceAll('.', '_'), from, to, [operand]);
        if (name === 'cvt.d.w') {
          b.storeState(FP_PENDING, b.i32(PendingOperation.exact));
          write(b, to, fd, b.asBits(b.convertS(operand)));
        } else if (name === 'trunc.w.d') {
          write(b, to, fd, truncate(b, operand, slow));
        } else {
          write(b, to, fd, slow());
        }
      },
    );
  }

  // ---- branches and integer moves on condition codes -----------------------------------------------------------------
  table.define('bc1', '010001 01000 cc:3 0 tf:1 offset:s16', '{cc}, {tf}, {offset:branch}', (b, { cc, tf, offset }) => {
    b.requireCp1();
    b.branchIf(b.eq(condition(b, cc), tf), offset);
  });
  table.define(
    'bc1l',
    '010001 01000 cc:3 1 tf:1 offset:s16',
    '{cc}, {tf}, {offset:branch}',
    (b, { cc, tf, offset }) => {
      b.requireCp1();
      b.branchLikelyIf(b.eq(condition(b, cc), tf), offset);
    },
  );
  table.define(
    'movci',
    '000000 rs:5 cc:3 0 tf:1 rd:5 ----- 000001',
    '{rd}, {rs}, {cc}, {tf}',
    (b, { rs, cc, tf, rd }) => {
      b.requireCp1();
      b.setGpr(rd, b.select(b.eq(condition(b, cc), tf), b.gpr(rs), b.gpr(rd)));
    },
  );
}
