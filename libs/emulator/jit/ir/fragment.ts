import type { HelperSignature } from './ops.js';
import { Op, OP_NAMES, Type, TYPE_NAMES } from './ops.js';

/** Name of a value: the index of the operation that makes it. */
declare const valueBrand: unique symbol;
export type Value = number & { readonly [valueBrand]: true };
export const NO_VALUE = -1 as Value;

/**
 * IR of one or more guest instructions: parallel typed arrays, no object per operation. Reusable: {@link clear} keeps
 * the storage.
 */
export class Fragment {
  length = 0;
  op = new Uint8Array(64);
  type = new Uint8Array(64);
  a = new Int32Array(64);
  b = new Int32Array(64);
  c = new Int32Array(64);
  d = new Int32Array(64);
  /** Arguments of helper calls, back to back. */
  readonly args: number[] = [];

  constructor(readonly helpers: readonly HelperSignature[]) {}

  clear(): void {
    this.length = 0;
    this.args.length = 0;
  }

  push(op: Op, type: Type, a = 0, b = 0, c = 0, d = 0): Value {
    const index = this.length++;
    if (index === this.op.length) this.#grow();
    this.op[index] = op;
    this.type[index] = type;
    this.a[index] = a;
    this.b[index] = b;
    this.c[index] = c;
    this.d[index] = d;
    return index as Value;
  }

  helper(index: number): HelperSignature {
    const helper = this.helpers[index];
    if (!helper) throw new RangeError(`no helper number ${index}`);
    return helper;
  }

  /** Calls `visit` with every value that operation `index` uses, in evaluation order. */
  operands(index: number, visit: (value: Value) => void): void {
    const a = this.a[index] as Value;
    const b = this.b[index] as Value;
    const c = this.c[index] as Value;
    const op = this.op[index] as Op;
    switch (op) {
      case Op.Const:
      case Op.InsnWord:
      case Op.Pc:
      case Op.Else:
      case Op.InsnStart:
        return;
      case Op.LoadState:
        if (b >= 0) visit(b);
        return;
      case Op.StoreState:
        if (b >= 0) visit(b);
        visit(this.d[index] as Value);
        return;
      case Op.LoadGuest:
      case Op.If:
        visit(a);
        return;
      case Op.StoreGuest:
        visit(a);
        visit(b);
        return;
      case Op.Call: {
        const { params } = this.helper(a);
        for (let i = 0; i < params; i++) visit(this.args[b + i] as Value);
        return;
      }
      case Op.EndIf:
        if (this.type[index] !== Type.Void) {
          visit(a);
          visit(b);
        }
        return;
      case Op.Branch:
        visit(a);
        if (b >= 0) visit(b);
        return;
      case Op.Select:
        visit(a);
        visit(b);
        visit(c);
        return;
      default:
        visit(a);
        if (isBinary(op)) visit(b);
    }
  }

  /** Text form, one operation a line, for tests and debugging. */
  toString(): string {
    const lines: string[] = [];
    let depth = 0;
    for (let i = 0; i < this.length; i++) {
      const op = this.op[i] as Op;
      if (op === Op.Else || op === Op.EndIf) depth--;
      const name = OP_NAMES.get(op) ?? `op${op}`;
      const type = TYPE_NAMES[this.type[i] as Type];
      const operands: string[] = [];
      this.operands(i, (value) => operands.push(`%${value}`));
      if (op === Op.Const)
        operands.push(String(this.a[i]), ...(type === 'i64' || type === 'f64' ? [String(this.b[i])] : []));
      if (op === Op.LoadState || op === Op.StoreState) operands.unshift(`[${this.a[i]}]`);
      if (op === Op.Call) operands.unshift(this.helper(this.a[i] as number).name);
      lines.push(
        `${'  '.repeat(depth)}${type === 'void' ? '' : `%${i}: ${type} = `}${name} ${operands.join(', ')}`.trimEnd(),
      );
      if (op === Op.If || op === Op.Else) depth++;
    }
    return lines.join('\n');
  }

  #grow(): void {
    const size = this.op.length * 2;
    const enlarge = <T extends Uint8Array | Int32Array>(old: T, fresh: T): T => {
      fresh.set(old);
      return fresh;
    };
    this.op = enlarge(this.op, new Uint8Array(size));
    this.type = enlarge(this.type, new Uint8Array(size));
    this.a = enlarge(this.a, new Int32Array(size));
    this.b = enlarge(this.b, new Int32Array(size));
    this.c = enlarge(this.c, new Int32Array(size));
    this.d = enlarge(this.d, new Int32Array(size));
  }
}

export function isBinary(op: Op): boolean {
  return (op >= Op.Add && op <= Op.Rotr) || isComparison(op) || (op >= Op.FAdd && op <= Op.FDiv);
}

export function isComparison(op: Op): boolean {
  return op >= Op.Eq && op <= Op.FLe;
}

/** Operations whose value depends on their operands alone, so that they may be computed later or not at all. */
export function isPure(op: Op): boolean {
  return op < Op.LoadState;
}
