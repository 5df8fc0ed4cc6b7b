import type { Width } from './ops.js';
import { Op, Type, BranchKind } from './ops.js';
import type { Fragment, Value } from './fragment.js';
import { NO_VALUE } from './fragment.js';

/** A named field of CPU state: where it lies relative to the CPU's area in linear memory. */
export interface StateField {
  readonly name: string;
  /** Bytes from the start of the CPU area. */
  readonly offset: number;
  readonly width: Width;
  /** Type of the value in IR. */
  readonly type: Type;
  /** Elements of an array field; 1 for a scalar. */
  readonly count: number;
  /** log2 of the bytes between elements. */
  readonly strideShift: number;
}

/** What a translation takes for granted: it is used only where this holds. */
export interface KnownContext {
  /** Address of the instruction. */
  pc: number;
  /** Scalar fields that the mode key fixes. */
  readonly state: ReadonlyMap<StateField, number>;
}

/**
 * Appends operations to a fragment, folding constants on the way. Semantic functions see nothing but this: the same
 * calls make the interpreter (fields are run-time values) and translations (fields are constants).
 */
export class IrBuilder {
  /** Set while translating: what is known of the instruction in hand, so that it becomes constants. */
  known: KnownContext | undefined;

  /** @param fragment where operations are appended; may be exchanged between instructions */
  constructor(public fragment: Fragment) {}

  // ---- constants -------------------------------------------------------------------------------------------------

  i32(value: number): Value {
    return this.fragment.push(Op.Const, Type.I32, value | 0);
  }

  i64(low: number, high = low < 0 ? -1 : 0): Value {
    return this.fragment.push(Op.Const, Type.I64, low | 0, high | 0);
  }

  /** The constant that a value is known to be, else undefined. i32 only. */
  constantOf(value: Value): number | undefined {
    return this.fragment.op[value] === Op.Const && this.typeOf(value) === Type.I32 ? this.fragment.a[value] : undefined;
  }

  typeOf(value: Value): Type {
    return this.fragment.type[value] as Type;
  }

  // ---- integer arithmetic ----------------------------------------------------------------------------------------

  add = (a: Value, b: Value): Value => this.#binary(Op.Add, a, b);
  sub = (a: Value, b: Value): Value => this.#binary(Op.Sub, a, b);
  mul = (a: Value, b: Value): Value => this.#binary(Op.Mul, a, b);
  divS = (a: Value, b: Value): Value => this.#binary(Op.DivS, a, b);
  divU = (a: Value, b: Value): Value => this.#binary(Op.DivU, a, b);
  remS = (a: Value, b: Value): Value => this.#binary(Op.RemS, a, b);
  remU = (a: Value, b: Value): Value => this.#binary(Op.RemU, a, b);
  and = (a: Value, b: Value): Value => this.#binary(Op.And, a, b);
  or = (a: Value, b: Value): Value => this.#binary(Op.Or, a, b);
  xor = (a: Value, b: Value): Value => this.#binary(Op.Xor, a, b);
  shrS = (a: Value, b: Value): Value => this.#binary(Op.ShrS, a, b);
  shrU = (a: Value, b: Value): Value => this.#binary(Op.ShrU, a, b);
  rotr = (a: Value, b: Value): Value => this.#binary(Op.Rotr, a, b);
  not = (a: Value): Value => this.xor(a, this.typeOf(a) === Type.I64 ? this.i64(-1) : this.i32(-1));
  neg = (a: Value): Value => this.sub(this.typeOf(a) === Type.I64 ? this.i64(0) : this.i32(0), a);

  shl = (a: Value, b: Value): Value => this.#binary(Op.Shl, a, b);

  eq = (a: Value, b: Value): Value => this.#compare(Op.Eq, a, b);
  ne = (a: Value, b: Value): Value => this.#compare(Op.Ne, a, b);
  ltS = (a: Value, b: Value): Value => this.#compare(Op.LtS, a, b);
  ltU = (a: Value, b: Value): Value => this.#compare(Op.LtU, a, b);
  leS = (a: Value, b: Value): Value => this.#compare(Op.LeS, a, b);
  leU = (a: Value, b: Value): Value => this.#compare(Op.LeU, a, b);

  clz = (a: Value): Value => this.#unary(Op.Clz, this.typeOf(a), a);
  ctz = (a: Value): Value => this.#unary(Op.Ctz, this.typeOf(a), a);
  popcnt = (a: Value): Value => this.#unary(Op.Popcnt, this.typeOf(a), a);
  ext8S = (a: Value): Value => this.#unary(Op.Ext8S, this.typeOf(a), a);
  ext16S = (a: Value): Value => this.#unary(Op.Ext16S, this.typeOf(a), a);
  ext32S = (a: Value): Value => this.#unary(Op.Ext32S, Type.I64, a);
  wrap = (a: Value): Value => this.#unary(Op.Wrap, Type.I32, a);
  extendS = (a: Value): Value => this.#unary(Op.ExtendS, Type.I64, a);
  extendU = (a: Value): Value => this.#unary(Op.ExtendU, Type.I64, a);

  // ---- floating point: round to nearest even, no flags; callers guard ---------------------------------------------

  asF32 = (a: Value): Value => this.#unary(Op.Reinterpret, Type.F32, a);
  asF64 = (a: Value): Value => this.#unary(Op.Reinterpret, Type.F64, a);
  asBits = (a: Value): Value => this.#unary(Op.Reinterpret, this.typeOf(a) === Type.F32 ? Type.I32 : Type.I64, a);
  fadd = (a: Value, b: Value): Value => this.#binary(Op.FAdd, a, b);
  fsub = (a: Value, b: Value): Value => this.#binary(Op.FSub, a, b);
  fmul = (a: Value, b: Value): Value => this.#binary(Op.FMul, a, b);
  fdiv = (a: Value, b: Value): Value => this.#binary(Op.FDiv, a, b);
  feq = (a: Value, b: Value): Value => this.#compare(Op.FEq, a, b);
  flt = (a: Value, b: Value): Value => this.#compare(Op.FLt, a, b);
  fle = (a: Value, b: Value): Value => this.#compare(Op.FLe, a, b);
  /** i32 → f64; needs no guard. */
  convertS = (a: Value): Value => this.fragment.push(Op.ConvertS, Type.F64, a);
  /** f64 → i32 towards zero; callers make sure that it fits. */
  truncS = (a: Value): Value => this.fragment.push(Op.TruncS, Type.I32, a);
  fsqrt = (a: Value): Value => this.#unary(Op.FSqrt, this.typeOf(a), a);

  /** `condition` non-zero ? `then` : `otherwise`. Both are evaluated. */
  select(condition: Value, then: Value, otherwise: Value): Value {
    const known = this.constantOf(condition);
    if (known !== undefined) return known !== 0 ? then : otherwise;
    return this.fragment.push(Op.Select, this.typeOf(then), condition, then, otherwise);
  }

  // ---- the machine -------------------------------------------------------------------------------------------------

  /** The instruction's address. */
  pc(): Value {
    if (this.known) return this.i32(this.known.pc);
    return this.fragment.push(Op.Pc, Type.I32);
  }

  /** @param index element of an array field, a run-time value or a constant */
  loadState(field: StateField, index?: Value): Value {
    const constant = this.known?.state.get(field);
    if (constant !== undefined) return this.i32(constant);
    const [offset, at] = this.#locate(field, index);
    return this.fragment.push(Op.LoadState, field.type, offset, at, field.width);
  }

  storeState(field: StateField, value: Value, index?: Value): void {
    const [offset, at] = this.#locate(field, index);
    this.fragment.push(Op.StoreState, Type.Void, offset, at, field.width, value);
  }

  /** Guest memory read at a virtual address in the current mode; may leave with an exception. */
  loadGuest(width: Width, type: typeof Type.I32 | typeof Type.I64, address: Value): Value {
    return this.fragment.push(Op.LoadGuest, type, address, 0, width);
  }

  storeGuest(width: Width, address: Value, value: Value): void {
    this.fragment.push(Op.StoreGuest, Type.Void, address, value, width);
  }

  /** Calls a helper by name. The result is meaningful only where its signature has one. */
  call(name: string, ...args: Value[]): Value {
    const index = this.fragment.helpers.findIndex((helper) => helper.name === name);
    if (index < 0) throw new RangeError(`no helper '${name}'`);
    const first = this.fragment.args.length;
    this.fragment.args.push(...args);
    return this.fragment.push(Op.Call, this.fragment.helper(index).result, index, first);
  }

  // ---- control -----------------------------------------------------------------------------------------------------

  /** Executes one of two arms. */
  ifElse(condition: Value, then: () => void, otherwise?: () => void): void {
    const known = this.constantOf(condition);
    if (known !== undefined) return known !== 0 ? then() : otherwise?.();
    this.fragment.push(Op.If, Type.Void, condition);
    then();
    if (otherwise) {
      this.fragment.push(Op.Else, Type.Void);
      otherwise();
    }
    this.fragment.push(Op.EndIf, Type.Void);
  }

  /** As {@link ifElse}, and yields the value of the arm that ran. */
  ifValue(condition: Value, then: () => Value, otherwise: () => Value): Value {
    const known = this.constantOf(condition);
    if (known !== undefined) return known !== 0 ? then() : otherwise();
    this.fragment.push(Op.If, Type.Void, condition);
    const a = then();
    this.fragment.push(Op.Else, Type.Void);
    const b = otherwise();
    return this.fragment.push(Op.EndIf, this.typeOf(a), a, b);
  }

  /** Redirects execution; must be the last thing that an instruction does. No condition: always. */
  branch(kind: BranchKind, target: Value, condition: Value = NO_VALUE): void {
    // Some instruction sets have no other branch than one that compares a register with itself.
    const always = condition !== NO_VALUE && (this.constantOf(condition) ?? 0) !== 0;
    if (!always) this.fragment.push(Op.Branch, Type.Void, target, condition, kind);
    else
      this.fragment.push(
        Op.Branch,
        Type.Void,
        target,
        NO_VALUE,
        kind === BranchKind.Likely ? BranchKind.Delayed : kind,
      );
  }

  // ---- folding -----------------------------------------------------------------------------------------------------

  #binary(op: Op, a: Value, b: Value): Value {
    const x = this.constantOf(a);
    const y = this.constantOf(b);
    if (x !== undefined && y !== undefined) {
      const folded = foldI32(op, x, y);
      if (folded !== undefined) return this.i32(folded);
    }
    if (y === 0 && NEUTRAL_ZERO.has(op)) return a;
    if (y !== undefined && op === Op.Shl) {
      const merged = this.#mergeFieldShift(a, y & 31);
      if (merged !== undefined) return merged;
    }
    return this.fragment.push(op, this.typeOf(a), a, b);
  }

  /** `((x >>> k) & mask) << n` with n <= k, the shape of an indexed field, becomes `(x >>> (k - n)) & (mask << n)`. */
  #mergeFieldShift(value: Value, n: number): Value | undefined {
    const { op, a, b } = this.fragment;
    if (op[value] !== Op.And || this.typeOf(value) !== Type.I32) return undefined;
    const mask = this.constantOf(b[value] as Value);
    const inner = a[value] as Value;
    if (mask === undefined || mask < 0 || mask >= 2 ** (31 - n)) return undefined;
    const moved = this.i32(mask << n);
    if (op[inner] === Op.ShrU) {
      const k = this.constantOf(b[inner] as Value);
      if (k === undefined || n > k) return undefined;
      return this.and(this.shrU(a[inner] as Value, this.i32(k - n)), moved);
    }
    return undefined;
  }

  #compare(op: Op, a: Value, b: Value): Value {
    const x = this.constantOf(a);
    const y = this.constantOf(b);
    if (x !== undefined && y !== undefined) {
      const folded = foldI32(op, x, y);
      if (folded !== undefined) return this.i32(folded);
    }
    return this.fragment.push(op, Type.I32, a, b, this.typeOf(a));
  }

  #unary(op: Op, type: Type, a: Value): Value {
    const x = this.constantOf(a);
    if (x !== undefined && type === Type.I32) {
      if (op === Op.Ext8S) return this.i32((x << 24) >> 24);
      if (op === Op.Ext16S) return this.i32((x << 16) >> 16);
      if (op === Op.Clz) return this.i32(Math.clz32(x));
    }
    if (x !== undefined && op === Op.ExtendS) return this.i64(x);
    if (x !== undefined && op === Op.ExtendU) return this.i64(x, 0);
    return this.fragment.push(op, type, a);
  }

  #locate(field: StateField, index: Value | undefined): [offset: number, index: Value] {
    if (index === undefined) return [field.offset, NO_VALUE];
    const known = this.constantOf(index);
    if (known !== undefined) return [field.offset + (known << field.strideShift), NO_VALUE];
    return [field.offset, this.shl(index, this.i32(field.strideShift))];
  }
}

const NEUTRAL_ZERO: ReadonlySet<Op> = new Set([Op.Add, Op.Sub, Op.Or, Op.Xor, Op.Shl, Op.ShrS, Op.ShrU, Op.Rotr]);

/** Constant folding of i32 operations; undefined where the operation has no defined result. */
export function foldI32(op: Op, x: number, y: number): number | undefined {
  switch (op) {
    case Op.Add:
      return (x + y) | 0;
    case Op.Sub:
      return (x - y) | 0;
    case Op.Mul:
      return Math.imul(x, y);
    case Op.DivS:
      return y === 0 || (x === -0x80000000 && y === -1) ? undefined : (x / y) | 0;
    case Op.DivU:
      return y === 0 ? undefined : ((x >>> 0) / (y >>> 0)) | 0;
    case Op.RemS:
      return y === 0 ? undefined : (x % y) | 0;
    case Op.RemU:
      return y === 0 ? undefined : ((x >>> 0) % (y >>> 0)) | 0;
    case Op.And:
      return x & y;
    case Op.Or:
      return x | y;
    case Op.Xor:
      return x ^ y;
    case Op.Shl:
      return x << y;
    case Op.ShrS:
      return x >> y;
    case Op.ShrU:
      return (x >>> y) | 0;
    case Op.Rotr:
      return (x >>> y) | (x << -y);
    case Op.Eq:
      return Number(x === y);
    case Op.Ne:
      return Number(x !== y);
    case Op.LtS:
      return Number(x < y);
    case Op.LtU:
      return Number(x >>> 0 < y >>> 0);
    case Op.LeS:
      return Number(x <= y);
    case Op.LeU:
      return Number(x >>> 0 <= y >>> 0);
    default:
      return undefined;
  }
}
