import type { BranchKind, Fragment, HelperSignature, Value } from '../jit/ir/index.js';
import { isBinary, isComparison, Op, OP_NAMES, Type, TYPE_NAMES, Width, widthBytes } from '../jit/ir/index.js';

/**
 * A slow, obvious evaluator of IR fragments: what every engine is compared with. It takes nothing on trust: a value of
 * the wrong type, from an arm that did not run, or a division without a defined result is an error here.
 */

/** What a fragment acts upon. */
export interface OracleMachine {
  /** The CPU's area; fields are little-endian as in linear memory. */
  readonly state: DataView;
  readonly insnWord: number;
  /** Address of the instruction. */
  readonly pc: number;
  /** Guest memory in guest byte order as an unsigned number; undefined: the access raised an exception. */
  load(address: number, bytes: 1 | 2 | 4 | 8): bigint | undefined;
  /** `value` holds as many bytes as are stored. @returns false when the access raised an exception */
  store(address: number, bytes: 1 | 2 | 4 | 8, value: bigint): boolean;
  /** Runs a helper. @returns its result; anything where its signature has none */
  call(helper: HelperSignature, args: readonly number[]): number | undefined;
  /** Has the last helper redirected execution, by an exception for example? Asked after every helper. */
  readonly redirected: boolean;
}

/** How a fragment ended. */
export type OracleResult =
  | { readonly kind: 'next' }
  | { readonly kind: 'branch'; readonly branch: BranchKind; readonly target: number; readonly taken: boolean }
  /** An exception or a `leave` helper: the machine already knows where it goes on. */
  | { readonly kind: 'redirected' };

/** Evaluates one instruction. @throws Error where the fragment breaks a rule of the IR */
export function evaluate(fragment: Fragment, machine: OracleMachine): OracleResult {
  return new Evaluation(fragment, machine).run();
}

/** Bits of a value: 32-bit types as unsigned numbers below 2^32, 64-bit types below 2^64, all as bigint. */
type Bits = bigint;

const BITS = { [Type.I32]: 32, [Type.I64]: 64, [Type.F32]: 32, [Type.F64]: 64 } as const;

class Evaluation {
  /** Undefined: not computed, because its arm did not run. */
  readonly #values: (Bits | undefined)[] = [];

  constructor(
    private readonly fragment: Fragment,
    private readonly machine: OracleMachine,
  ) {}

  run(): OracleResult {
    const { fragment: f } = this;
    /** Which arm of each open `If` runs. */
    const arms: boolean[] = [];
    for (let i = 0; i < f.length;) {
      const op = f.op[i] as Op;
      const [a, b, c] = [f.a[i], f.b[i], f.c[i]] as [number, number, number];
      switch (op) {
        case Op.If:
          arms.push(this.#truth(a));
          i = arms.at(-1) ? i + 1 : this.#skip(i);
          continue;
        case Op.Else: // reached only at the end of the first arm
          i = this.#skip(i);
          continue;
        case Op.EndIf: {
          const first = arms.pop();
          if (first === undefined) this.#fail(i, 'ends no If');
          if (f.type[i] !== Type.Void) this.#values[i] = this.#bits(first ? a : b, f.type[i] as Type);
          break;
        }
        case Op.Branch:
          return {
            kind: 'branch',
            branch: c as BranchKind,
            target: Number(this.#bits(a, Type.I32)),
            taken: b < 0 || this.#truth(b),
          };
        case Op.StoreState:
          this.#storeState(i);
          break;
        case Op.LoadGuest: {
          const loaded = this.machine.load(Number(this.#bits(a, Type.I32)), widthBytes(c as Width));
          if (loaded === undefined) return { kind: 'redirected' };
          this.#values[i] = extend(loaded, c as Width, f.type[i] as Type);
          break;
        }
        case Op.StoreGuest: {
          const bytes = widthBytes(c as Width);
          const value = BigInt.asUintN(8 * bytes, this.#bits(b, bytes === 8 ? Type.I64 : Type.I32));
          if (!this.machine.store(Number(this.#bits(a, Type.I32)), bytes, value)) return { kind: 'redirected' };
          break;
        }
        case Op.Call:
          if (this.#call(i)) return { kind: 'redirected' };
          break;
        default:
          this.#values[i] = this.#pure(i, op);
      }
      i++;
    }
    if (arms.length > 0) throw new Error(`${arms.length} If without EndIf`);
    return { kind: 'next' };
  }

  /** Operation at which execution goes on when the arm that starts at `i` does not run. */
  #skip(i: number): number {
    const { op, length } = this.fragment;
    let depth = 0;
    for (let at = i + 1; at < length; at++) {
      if (op[at] === Op.If) depth++;
      else if (depth > 0) depth -= op[at] === Op.EndIf ? 1 : 0;
      else if (op[at] === Op.Else && op[i] === Op.If) return at + 1;
      else if (op[at] === Op.EndIf) return at;
    }
    return this.#fail(i, 'has no EndIf');
  }

  #storeState(i: number): void {
    const { a, b, c, d, type } = this.fragment;
    const { state } = this.machine;
    const at = this.#stateOffset(a[i] as number, b[i] as number);
    const valueType = type[d[i] as number] as Type;
    const value = this.#bits(d[i] as number, valueType);
    switch (widthBytes(c[i] as Width)) {
      case 1:
        return state.setUint8(at, Number(value & 0xffn));
      case 2:
        return state.setUint16(at, Number(value & 0xffffn), true);
      case 4:
        return state.setUint32(at, Number(value & 0xffff_ffffn), true);
      case 8:
        if (valueType !== Type.I64 && valueType !== Type.F64) this.#fail(i, 'stores eight bytes of a 32-bit value');
        return state.setBigUint64(at, value, true);
    }
  }

  #loadState(i: number): Bits {
    const { a, b, c, type } = this.fragment;
    const at = this.#stateOffset(a[i] as number, b[i] as number);
    const bytes = widthBytes(c[i] as Width);
    const { state } = this.machine;
    const raw =
      bytes === 8
        ? state.getBigUint64(at, true)
        : BigInt(
            bytes === 4 ? state.getUint32(at, true) : bytes === 2 ? state.getUint16(at, true) : state.getUint8(at),
          );
    return extend(raw, c[i] as Width, type[i] as Type);
  }

  #stateOffset(field: number, index: number): number {
    return field + (index < 0 ? 0 : Number(this.#bits(index, Type.I32)));
  }

  /** @returns whether execution left */
  #call(i: number): boolean {
    const { a, b, args, type } = this.fragment;
    const helper = this.fragment.helper(a[i] as number);
    const first = b[i] as number;
    const values = args.slice(first, first + helper.params).map((value) => toSigned(this.#bits(value, Type.I32)));
    if (type[i] !== helper.result) this.#fail(i, `has not the type of '${helper.name}'`);
    const result = this.machine.call(helper, values);
    if (this.machine.redirected) {
      if (helper.effect === 'state') this.#fail(i, `'${helper.name}' is not declared to redirect`);
      return true;
    }
    if (helper.effect === 'leave') this.#fail(i, `'${helper.name}' is declared to leave and did not`);
    if (helper.result === Type.I32) {
      if (typeof result !== 'number') this.#fail(i, `'${helper.name}' gave no result`);
      this.#values[i] = BigInt.asUintN(32, BigInt(result));
    }
    return false;
  }

  #pure(i: number, op: Op): Bits {
    const { a, b, c } = this.fragment;
    const type = this.fragment.type[i] as Type;
    const [x, y, z] = [a[i], b[i], c[i]] as [number, number, number];
    switch (op) {
      case Op.Const:
        return type === Type.I64 || type === Type.F64
          ? BigInt.asUintN(64, (BigInt(y) << 32n) | BigInt(x >>> 0))
          : BigInt(x >>> 0);
      case Op.InsnWord:
        return BigInt(this.machine.insnWord >>> 0);
      case Op.Pc:
        return BigInt(this.machine.pc >>> 0);
      case Op.LoadState:
        return this.#loadState(i);
      case Op.Select: {
        const then = this.#bits(y, type);
        const otherwise = this.#bits(z, type);
        return this.#truth(x) ? then : otherwise;
      }
      case Op.Wrap:
        return BigInt.asUintN(32, this.#bits(x, Type.I64));
      case Op.ExtendS:
        return BigInt.asUintN(64, BigInt.asIntN(32, this.#bits(x, Type.I32)));
      case Op.ExtendU:
        return this.#bits(x, Type.I32);
      case Op.Reinterpret:
        return this.#bits(x, REINTERPRETED[type]);
      case Op.ConvertS:
        return toBits(Type.F64, Number(BigInt.asIntN(32, this.#bits(x, Type.I32))));
      case Op.TruncS: {
        const value = Math.trunc(toFloat(Type.F64, this.#bits(x, Type.F64)));
        if (!(value >= -(2 ** 31) && value < 2 ** 31)) this.#fail(i, 'converts a number that does not fit');
        return BigInt.asUintN(32, BigInt(value));
      }
      default:
        if (isComparison(op)) {
          const operands = z as Type;
          const holds = compare(op, operands, this.#bits(x, operands), this.#bits(y, operands));
          return holds ? 1n : 0n;
        }
        if (isBinary(op)) return this.#binary(i, op, type, this.#bits(x, type), this.#bits(y, type));
        return this.#unary(i, op, type, this.#bits(x, type));
    }
  }

  #binary(i: number, op: Op, type: Type, x: Bits, y: Bits): Bits {
    if (type === Type.F32 || type === Type.F64) return floatBinary(op, type, x, y);
    if (type === Type.Void) this.#fail(i, 'has no type');
    const width = BITS[type];
    const wrap = (value: bigint): Bits => BigInt.asUintN(width, value);
    const signed = (value: Bits): bigint => BigInt.asIntN(width, value);
    const count = y % BigInt(width);
    const divides = op === Op.DivS || op === Op.DivU || op === Op.RemS || op === Op.RemU;
    if (divides && y === 0n) this.#fail(i, 'divides by zero');
    switch (op) {
      case Op.Add:
        return wrap(x + y);
      case Op.Sub:
        return wrap(x - y);
      case Op.Mul:
        return wrap(x * y);
      case Op.DivS:
        if (signed(y) === -1n && x === 1n << BigInt(width - 1)) this.#fail(i, 'divides the least number by -1');
        return wrap(signed(x) / signed(y));
      case Op.DivU:
        return x / y;
      case Op.RemS:
        return wrap(signed(x) % signed(y));
      case Op.RemU:
        return x % y;
      case Op.And:
        return x & y;
      case Op.Or:
        return x | y;
      case Op.Xor:
        return x ^ y;
      case Op.Shl:
        return wrap(x << count);
      case Op.ShrS:
        return wrap(signed(x) >> count);
      case Op.ShrU:
        return x >> count;
      case Op.Rotr:
        return wrap((x >> count) | (x << (BigInt(width) - count)));
      default:
        return this.#fail(i, 'has no meaning for integers');
    }
  }

  #unary(i: number, op: Op, type: Type, x: Bits): Bits {
    if (op === Op.FSqrt && (type === Type.F32 || type === Type.F64)) return toBits(type, Math.sqrt(toFloat(type, x)));
    if (type !== Type.I32 && type !== Type.I64) this.#fail(i, 'is for integers only');
    const width = BITS[type];
    const ones = x.toString(2);
    switch (op) {
      case Op.Clz:
        return BigInt(x === 0n ? width : width - ones.length);
      case Op.Ctz:
        return BigInt(x === 0n ? width : ones.length - 1 - ones.lastIndexOf('1'));
      case Op.Popcnt:
        return BigInt(ones.replaceAll('0', '').length);
      case Op.Ext8S:
        return BigInt.asUintN(width, BigInt.asIntN(8, x));
      case Op.Ext16S:
        return BigInt.asUintN(width, BigInt.asIntN(16, x));
      case Op.Ext32S:
        return BigInt.asUintN(width, BigInt.asIntN(32, x));
      default:
        return this.#fail(i, 'is not known to the oracle');
    }
  }

  #truth(value: number): boolean {
    return this.#bits(value, Type.I32) !== 0n;
  }

  /** The value's bits, which must exist and have the type. */
  #bits(value: number, type: Type): Bits {
    const bits = this.#values[value];
    if (bits === undefined) throw new Error(`%${value} has no value: its arm did not run, or nothing made it`);
    const actual = this.fragment.type[value as Value] as Type;
    if (actual !== type) throw new Error(`%${value} is ${TYPE_NAMES[actual]}, expected ${TYPE_NAMES[type]}`);
    return bits;
  }

  #fail(i: number, problem: string): never {
    throw new Error(`%${i} ${OP_NAMES.get(this.fragment.op[i] as number) ?? '?'}: ${problem}`);
  }
}

const REINTERPRETED = {
  [Type.Void]: Type.Void,
  [Type.I32]: Type.F32,
  [Type.I64]: Type.F64,
  [Type.F32]: Type.I32,
  [Type.F64]: Type.I64,
} as const;

const toSigned = (bits: Bits): number => Number(BigInt.asIntN(32, bits));

/** A value in memory as a value of a type: signed where the width says so, and a word in an i64. */
function extend(raw: bigint, width: Width, type: Type): Bits {
  const bytes = widthBytes(width);
  const signed = width === Width.S8 || width === Width.S16 || (width === Width.W32 && type === Type.I64);
  const value = signed ? BigInt.asIntN(8 * bytes, raw) : raw;
  return BigInt.asUintN(type === Type.I64 || type === Type.F64 ? 64 : 32, value);
}

function compare(op: Op, type: Type, x: Bits, y: Bits): boolean {
  const [s, t] = [BigInt.asIntN(type === Type.I64 ? 64 : 32, x), BigInt.asIntN(type === Type.I64 ? 64 : 32, y)];
  switch (op) {
    case Op.Eq:
      return x === y;
    case Op.Ne:
      return x !== y;
    case Op.LtS:
      return s < t;
    case Op.LtU:
      return x < y;
    case Op.LeS:
      return s <= t;
    case Op.LeU:
      return x <= y;
    case Op.FEq:
      return toFloat(type, x) === toFloat(type, y);
    case Op.FLt:
      return toFloat(type, x) < toFloat(type, y);
    case Op.FLe:
      return toFloat(type, x) <= toFloat(type, y);
    default:
      throw new Error(`operation ${op} is no comparison`);
  }
}

/** Binary32 results are exact when computed in binary64 and rounded once more (Figueroa, 1995). */
function floatBinary(op: Op, type: Type, x: Bits, y: Bits): Bits {
  const [u, v] = [toFloat(type, x), toFloat(type, y)];
  switch (op) {
    case Op.FAdd:
      return toBits(type, u + v);
    case Op.FSub:
      return toBits(type, u - v);
    case Op.FMul:
      return toBits(type, u * v);
    case Op.FDiv:
      return toBits(type, u / v);
    default:
      throw new Error(`operation ${op} has no meaning for floating point`);
  }
}

const scratch = new DataView(new ArrayBuffer(8));

function toFloat(type: Type, bits: Bits): number {
  scratch.setBigUint64(0, bits);
  if (type === Type.F32) return scratch.getFloat32(4);
  if (type === Type.F64) return scratch.getFloat64(0);
  throw new Error(`${TYPE_NAMES[type]} is no floating-point type`);
}

function toBits(type: Type, value: number): Bits {
  if (type === Type.F64) {
    scratch.setFloat64(0, value);
    return scratch.getBigUint64(0);
  }
  scratch.setFloat32(0, value);
  return BigInt(scratch.getUint32(0));
}
