import { getOrInsertComputed } from '../../core/index.js';
import type { Fragment, Value } from '../ir/fragment.js';
import { isPure, NO_VALUE } from '../ir/fragment.js';
import type { BranchKind, HelperSignature } from '../ir/ops.js';
import { Op, Type, Width } from '../ir/ops.js';
import { JumpCache } from '../ir/engine-state.js';
import type { FunctionWriter } from './encoder.js';
import { ValType, W } from './encoder.js';

/** Emits code that leaves one value on the Wasm stack. */
export type Emit = () => void;

/** Where guest memory is accessed. */
export interface GuestAddress {
  /** Emits it, once at most. */
  readonly emit: Emit;
  /** Present where it is a constant distance from a field of state. */
  readonly from: DistanceFrom | undefined;
}

export interface DistanceFrom {
  /** Offset of the field. */
  readonly base: number;
  /** Local with what was read of it. */
  readonly local: number;
  readonly distance: number;
}

/**
 * What an engine decides about the code around a fragment: where the program counter lives, how guest memory is
 * reached, how control leaves. The interpreter and the translator each provide one.
 */
export interface LoweringContext {
  readonly writer: FunctionWriter;
  /** Byte offset of the CPU's area in linear memory, a constant of the module. */
  readonly cpuBase: number;
  readonly insnWord: Emit;
  readonly pc: Emit;
  /** The Wasm local, of the field's type, that holds a field of CPU state, if the engine keeps it in one. */
  registerLocal?(offset: number): number | undefined;
  /** That local was just set. */
  registerSet?(offset: number): void;
  /** What follows runs only where a condition holds, until {@link leaveArm}. */
  enterArm?(): void;
  leaveArm?(): void;
  /** The operations that follow belong to the instruction at this address. */
  startInstruction?(address: number): void;
  /** Leaves the loaded value of the given type. */
  loadGuest(width: Width, type: Type, address: GuestAddress): void;
  storeGuest(width: Width, type: Type, address: GuestAddress, value: Emit): void;
  /** Calls the helper: arguments are emitted by `args`; a result stays on the stack. */
  call(index: number, signature: HelperSignature, args: readonly Emit[]): void;
  branch(kind: BranchKind, target: Emit, condition: Emit | undefined): void;
}

const VAL_TYPES: readonly ValType[] = [ValType.i32, ValType.i32, ValType.i64, ValType.f32, ValType.f64];

/** Temporaries of a function, reused as their values die, so that a large function needs only a handful. */
export class LocalPool {
  readonly #free = new Map<ValType, number[]>();

  constructor(private readonly writer: FunctionWriter) {}

  acquire(type: ValType): number {
    return this.#free.get(type)?.pop() ?? this.writer.local(type);
  }

  release(type: ValType, local: number): void {
    getOrInsertComputed(this.#free, type, () => []).push(local);
  }
}

/**
 * Turns a fragment into Wasm. A pure value with a single use is emitted where it is used; everything else goes through
 * a local from the pool that is given back after its last use.
 */
export class Lowering {
  readonly #w: FunctionWriter;
  /** Local that holds a value, or -1. */
  #locals: number[] = [];
  #uses: number[] = [];
  /** Values that occupy a local now. */
  #live: number[] = [];
  /** Index of the operation at which the value is last needed, deferral taken into account. */
  #lastUse: number[] = [];
  /** For an `Else` or a typed `If`'s end: the matching `EndIf`. */
  readonly #endOf = new Map<number, number>();
  /** For a load of a register that lives in a local: the first later store to it, or Infinity. */
  #nextStore: number[] = [];

  constructor(
    private readonly fragment: Fragment,
    private readonly context: LoweringContext,
    private readonly pool: LocalPool,
  ) {
    this.#w = context.writer;
  }

  run(): void {
    this.#analyse();
    const { op, type, length } = this.fragment;
    for (let i = 0; i < length; i++) {
      if (!this.#deferred(i)) this.#statement(i, op[i] as Op, type[i] as Type);
      this.#releaseDead(i);
    }
  }

  #analyse(): void {
    const f = this.fragment;
    this.#uses = new Array<number>(f.length).fill(0);
    this.#lastUse = new Array<number>(f.length).fill(-1);
    this.#locals = new Array<number>(f.length).fill(-1);
    const open: { start: number; middle: number }[] = [];
    for (let i = 0; i < f.length; i++) {
      f.operands(i, (value) => {
        this.#uses[value] = (this.#uses[value] as number) + 1;
      });
      const op = f.op[i];
      if (op === Op.If) open.push({ start: i, middle: -1 });
      if (op === Op.Else) (open.at(-1) as { middle: number }).middle = i; // verifier: inside an If
      if (op === Op.EndIf) {
        const { middle } = open.pop() as { middle: number }; // verifier: balanced
        if (middle >= 0) this.#endOf.set(middle, i);
      }
    }
    this.#findStores();
    // Backwards, so that a deferred value's consumer is placed before its operands are looked at.
    for (let i = f.length - 1; i >= 0; i--) {
      const at = this.#deferred(i) ? (this.#lastUse[i] as number) : i;
      f.operands(i, (value) => {
        this.#lastUse[value] = Math.max(this.#lastUse[value] as number, at);
      });
    }
  }

  #findStores(): void {
    const { registerLocal } = this.context;
    if (!registerLocal) return;
    const f = this.fragment;
    this.#nextStore = new Array<number>(f.length).fill(-1);
    const next = new Map<number, number>();
    for (let i = f.length - 1; i >= 0; i--) {
      const op = f.op[i];
      if ((op !== Op.LoadState && op !== Op.StoreState) || (f.b[i] as number) >= 0) continue;
      const offset = f.a[i] as number;
      if (registerLocal.call(this.context, offset) === undefined) continue;
      if (op === Op.StoreState) next.set(offset, i);
      else this.#nextStore[i] = next.get(offset) ?? Infinity;
    }
  }

  /** Pure and used once (then it is emitted inside its user) or never (then it is not emitted at all). */
  #deferred(i: number): boolean {
    const op = this.fragment.op[i] as Op;
    if (op === Op.Const || op === Op.InsnWord) return true;
    if (op === Op.LoadState && this.#uses[i] === 0) return true;
    return isPure(op) && (this.#uses[i] as number) <= 1;
  }

  #releaseDead(i: number): void {
    this.#live = this.#live.filter((value) => {
      if ((this.#lastUse[value] as number) > i) return true;
      this.pool.release(VAL_TYPES[this.fragment.type[value] as Type] as ValType, this.#locals[value] as number);
      this.#locals[value] = -1;
      return false;
    });
  }

  #statement(i: number, op: Op, type: Type): void {
    const { a, b, c, d } = this.fragment;
    const w = this.#w;
    switch (op) {
      case Op.InsnStart:
        return this.context.startInstruction?.(a[i] as number);
      case Op.LoadState: {
        const register = this.#register(i);
        if (register === undefined) {
          this.#compute(i);
          break;
        }
        // No copy where the register keeps its value for as long as this one is needed.
        if ((this.#nextStore[i] as number) >= (this.#lastUse[i] as number)) {
          this.#locals[i] = register;
          return;
        }
        w.get(register);
        break;
      }
      case Op.StoreState: {
        const register = this.#register(i);
        if (register !== undefined) {
          this.#value(d[i] as Value);
          w.set(register);
          return this.context.registerSet?.(a[i] as number);
        }
        this.#stateAddress(b[i] as Value);
        this.#value(d[i] as Value);
        return w.memory(
          storeOpcode(c[i] as Width, this.fragment.type[d[i] as Value] as Type),
          this.context.cpuBase + (a[i] as number),
        );
      }
      case Op.StoreGuest: {
        const value = b[i] as Value;
        return this.context.storeGuest(
          c[i] as Width,
          this.fragment.type[value] as Type,
          this.#address(a[i] as Value),
          this.#emit(value),
        );
      }
      case Op.If:
        this.#value(a[i] as Value);
        w.if();
        return this.context.enterArm?.();
      case Op.Else: {
        const end = this.#endOf.get(i) as number; // verifier: every Else has its EndIf
        if (this.fragment.type[end] !== Type.Void) this.#join(end, a[end] as Value);
        return w.else();
      }
      case Op.EndIf:
        if (type !== Type.Void) this.#join(i, b[i] as Value);
        this.context.leaveArm?.();
        return w.end(); // the join already lies in its local
      case Op.Branch: {
        const condition = b[i] as Value;
        return this.context.branch(
          c[i] as BranchKind,
          this.#emit(a[i] as Value),
          condition === NO_VALUE ? undefined : this.#emit(condition),
        );
      }
      case Op.Call: {
        const signature = this.fragment.helper(a[i] as number);
        const args = this.fragment.args.slice(b[i], (b[i] as number) + signature.params) as Value[];
        this.context.call(
          a[i] as number,
          signature,
          args.map((value) => this.#emit(value)),
        );
        break;
      }
      default:
        this.#compute(i);
    }
    if (type === Type.Void) return;
    if (this.#uses[i] === 0) return w.op(W.drop);
    w.set(this.#allocate(i, type));
  }

  /** The local of a scalar field, or of an array element with a constant index. */
  #register(i: number): number | undefined {
    if ((this.fragment.b[i] as number) >= 0) return undefined;
    return this.context.registerLocal?.(this.fragment.a[i] as number);
  }

  #allocate(value: number, type: Type): number {
    const local = this.pool.acquire(VAL_TYPES[type] as ValType);
    this.#locals[value] = local;
    this.#live.push(value);
    return local;
  }

  /** Stores one arm's value in the local that the join yields. */
  #join(end: number, value: Value): void {
    this.#value(value);
    if ((this.#locals[end] as number) < 0) this.#allocate(end, this.fragment.type[end] as Type);
    this.#w.set(this.#locals[end] as number);
  }

  #emit(value: Value): Emit {
    return () => this.#value(value);
  }

  #address(value: Value): GuestAddress {
    const sum = sumOf(this.fragment, value);
    const local = sum ? (this.#locals[sum.load] as number) : -1;
    return { emit: this.#emit(value), from: sum && local >= 0 ? { ...sum, local } : undefined };
  }

  #value(value: Value): void {
    const local = this.#locals[value] as number;
    if (local >= 0) this.#w.get(local);
    else this.#compute(value);
  }

  /** Pushes an optional element offset; a scalar's address is all in the constant part. */
  #stateAddress(index: Value): void {
    if (index === NO_VALUE) this.#w.i32(0);
    else this.#value(index);
  }

  #compute(i: number): void {
    const f = this.fragment;
    const w = this.#w;
    const op = f.op[i] as Op;
    const type = f.type[i] as Type;
    const a = f.a[i] as Value;
    const b = f.b[i] as Value;
    const c = f.c[i] as number;
    switch (op) {
      case Op.Const:
        return type === Type.I64 ? w.i64(a, b) : w.i32(a);
      case Op.InsnWord:
        return this.context.insnWord();
      case Op.Pc:
        return this.context.pc();
      case Op.Select:
        this.#value(b);
        this.#value(c as Value);
        this.#value(a);
        return w.op(W.select);
      case Op.LoadState:
        this.#stateAddress(b); // only for fields in memory: registers are handled where they are loaded
        return w.memory(loadOpcode(c as Width, type), this.context.cpuBase + a);
      case Op.LoadGuest:
        return this.context.loadGuest(c as Width, type, this.#address(a));
      default: {
        const operandType = op >= Op.Eq && op <= Op.FLe ? (c as Type) : type;
        f.operands(i, (value) => this.#value(value));
        return w.op(arithmeticOpcode(op, operandType, f.type[a] as Type));
      }
    }
  }
}

/** A field of state plus a constant: the field's offset, and the value that was read of it. */
export interface Sum {
  readonly base: number;
  readonly load: Value;
  readonly distance: number;
}

/** Undefined where a value is something else. */
export function sumOf({ op, a, b }: Fragment, value: Value): Sum | undefined {
  const constant = op[value] === Op.Add && op[b[value] as Value] === Op.Const ? (b[value] as Value) : undefined;
  const load = constant === undefined ? value : (a[value] as Value);
  if (op[load] !== Op.LoadState || (b[load] as number) >= 0) return undefined;
  return { base: a[load] as number, load, distance: constant === undefined ? 0 : (a[constant] as number) };
}

/** Offset of the state field that an address is a constant distance from. */
export const baseOf = (fragment: Fragment, address: Value): number | undefined => sumOf(fragment, address)?.base;

/**
 * Leaves the linear-memory offset of an address's jump cache entry on the stack, see {@link JumpCache.offset}.
 * @param modeKey emits the mode key, shifted by {@link JumpCache.modeShift}
 */
export function jumpCacheEntry(w: FunctionWriter, jumpCache: number, address: Emit, modeKey: Emit): void {
  jumpCacheOffset(w, address, modeKey);
  w.i32(jumpCache);
  w.op(W.i32_add);
}

/** As {@link jumpCacheEntry}, from the jump cache's start. */
export function jumpCacheOffset(w: FunctionWriter, address: Emit, modeKey: Emit): void {
  address();
  w.i32(2);
  w.op(W.i32_shr_u);
  address();
  w.i32(15);
  w.op(W.i32_shr_u);
  w.op(W.i32_xor);
  modeKey();
  w.op(W.i32_xor);
  w.i32(JumpCache.entries - 1);
  w.op(W.i32_and);
  w.i32(JumpCache.entryShift);
  w.op(W.i32_shl);
}

/** Opcodes per operation for i32, i64, f32, f64 (0: no such combination). */
const ARITHMETIC: ReadonlyMap<Op, readonly [number, number, number, number]> = new Map<
  Op,
  readonly [number, number, number, number]
>([
  [Op.Add, [W.i32_add, W.i64_add, 0, 0]],
  [Op.Sub, [W.i32_sub, W.i64_sub, 0, 0]],
  [Op.Mul, [W.i32_mul, W.i64_mul, 0, 0]],
  [Op.DivS, [W.i32_div_s, W.i64_div_s, 0, 0]],
  [Op.DivU, [W.i32_div_u, W.i64_div_u, 0, 0]],
  [Op.RemS, [W.i32_rem_s, W.i64_rem_s, 0, 0]],
  [Op.RemU, [W.i32_rem_u, W.i64_rem_u, 0, 0]],
  [Op.And, [W.i32_and, W.i64_and, 0, 0]],
  [Op.Or, [W.i32_or, W.i64_or, 0, 0]],
  [Op.Xor, [W.i32_xor, W.i64_xor, 0, 0]],
  [Op.Shl, [W.i32_shl, W.i64_shl, 0, 0]],
  [Op.ShrS, [W.i32_shr_s, W.i64_shr_s, 0, 0]],
  [Op.ShrU, [W.i32_shr_u, W.i64_shr_u, 0, 0]],
  [Op.Rotr, [W.i32_rotr, W.i64_rotr, 0, 0]],
  [Op.Eq, [W.i32_eq, W.i64_eq, 0, 0]],
  [Op.Ne, [W.i32_ne, W.i64_ne, 0, 0]],
  [Op.LtS, [W.i32_lt_s, W.i64_lt_s, 0, 0]],
  [Op.LtU, [W.i32_lt_u, W.i64_lt_u, 0, 0]],
  [Op.LeS, [W.i32_le_s, W.i64_le_s, 0, 0]],
  [Op.LeU, [W.i32_le_u, W.i64_le_u, 0, 0]],
  [Op.FEq, [0, 0, W.f32_eq, W.f64_eq]],
  [Op.FLt, [0, 0, W.f32_lt, W.f64_lt]],
  [Op.FLe, [0, 0, W.f32_le, W.f64_le]],
  [Op.Clz, [W.i32_clz, W.i64_clz, 0, 0]],
  [Op.Ctz, [W.i32_ctz, W.i64_ctz, 0, 0]],
  [Op.Popcnt, [W.i32_popcnt, W.i64_popcnt, 0, 0]],
  [Op.Ext8S, [W.i32_extend8_s, W.i64_extend8_s, 0, 0]],
  [Op.Ext16S, [W.i32_extend16_s, W.i64_extend16_s, 0, 0]],
  [Op.Ext32S, [0, W.i64_extend32_s, 0, 0]],
  [Op.Wrap, [W.i32_wrap_i64, 0, 0, 0]],
  [Op.ExtendS, [0, W.i64_extend_i32_s, 0, 0]],
  [Op.ExtendU, [0, W.i64_extend_i32_u, 0, 0]],
  [Op.Reinterpret, [W.i32_reinterpret_f32, W.i64_reinterpret_f64, W.f32_reinterpret_i32, W.f64_reinterpret_i64]],
  [Op.FAdd, [0, 0, W.f32_add, W.f64_add]],
  [Op.FSub, [0, 0, W.f32_sub, W.f64_sub]],
  [Op.FMul, [0, 0, W.f32_mul, W.f64_mul]],
  [Op.FDiv, [0, 0, W.f32_div, W.f64_div]],
  [Op.FSqrt, [0, 0, W.f32_sqrt, W.f64_sqrt]],
  [Op.ConvertS, [0, 0, 0, W.f64_convert_i32_s]],
  [Op.TruncS, [W.i32_trunc_f64_s, 0, 0, 0]],
]);

function arithmeticOpcode(op: Op, type: Type, operand: Type): number {
  const opcode = ARITHMETIC.get(op)?.[type - 1];
  if (!opcode) throw new Error(`operation ${op} has no form for type ${type} (operand type ${operand})`);
  return opcode;
}

/** Wasm load of a memory width into a value of the given type, zero- or sign-extended as the width says. */
export function loadOpcode(width: Width, type: Type): number {
  if (type === Type.F32) return W.f32_load;
  if (type === Type.F64) return W.f64_load;
  const wide = type === Type.I64;
  switch (width) {
    case Width.U8:
      return wide ? W.i64_load8_u : W.i32_load8_u;
    case Width.S8:
      return wide ? W.i64_load8_s : W.i32_load8_s;
    case Width.U16:
      return wide ? W.i64_load16_u : W.i32_load16_u;
    case Width.S16:
      return wide ? W.i64_load16_s : W.i32_load16_s;
    case Width.W32:
    case Width.Unaligned32:
      return wide ? W.i64_load32_s : W.i32_load;
    case Width.W64:
      return W.i64_load;
  }
}

export function storeOpcode(width: Width, type: Type): number {
  if (type === Type.F32) return W.f32_store;
  if (type === Type.F64) return W.f64_store;
  const wide = type === Type.I64;
  switch (width) {
    case Width.U8:
    case Width.S8:
      return wide ? W.i64_store8 : W.i32_store8;
    case Width.U16:
    case Width.S16:
      return wide ? W.i64_store16 : W.i32_store16;
    case Width.W32:
    case Width.Unaligned32:
      return wide ? W.i64_store32 : W.i32_store;
    case Width.W64:
      return W.i64_store;
  }
}
