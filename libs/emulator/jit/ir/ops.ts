/**
 * The operations of the intermediate representation.
 *
 * A fragment is a list of operations in execution order; the index of an operation is also the name of the value it
 * makes (SSA). Control flow inside one guest instruction is structured: `If … Else … EndIf`, the latter joining two
 * values. Integer semantics are WebAssembly's (shift counts modulo width); division by zero and the overflowing signed
 * division must be kept away by the semantics, and the verifier's oracle insists on it.
 */
export const Op = {
  /** a: low 32 bits, b: high 32 bits (i64, f64) */
  Const: 0,
  /** The instruction word that is being executed (i32). */
  InsnWord: 1,
  /** Virtual address of the instruction that is being executed (i32; i64 on 64-bit targets). */
  Pc: 2,

  // Integer arithmetic, operands a and b, both of the operation's type.
  Add: 10,
  Sub: 11,
  Mul: 12,
  DivS: 13,
  DivU: 14,
  RemS: 15,
  RemU: 16,
  And: 17,
  Or: 18,
  Xor: 19,
  Shl: 20,
  ShrS: 21,
  ShrU: 22,
  Rotr: 23,

  // Comparisons: operands a and b of type c, result i32 0 or 1.
  Eq: 30,
  Ne: 31,
  LtS: 32,
  LtU: 33,
  LeS: 34,
  LeU: 35,
  FEq: 36,
  FLt: 37,
  FLe: 38,

  // Unary, operand a.
  Clz: 40,
  Ctz: 41,
  Popcnt: 42,
  /** Sign extension of the low 8, 16 or 32 bits within the type. */
  Ext8S: 43,
  Ext16S: 44,
  Ext32S: 45,
  /** i64 → i32 */
  Wrap: 46,
  /** i32 → i64 */
  ExtendS: 47,
  ExtendU: 48,
  /** Same bits, other type: i32 ↔ f32, i64 ↔ f64. */
  Reinterpret: 49,

  // IEEE arithmetic, round to nearest even, no flags: only valid behind a guard.
  FAdd: 60,
  FSub: 61,
  FMul: 62,
  FDiv: 63,
  FSqrt: 64,
  /** i32, signed → f64; exact. */
  ConvertS: 65,
  /** f64 → i32, signed, towards zero; the operand must be in range. */
  TruncS: 66,

  /** a: condition (i32), b: value if non-zero, c: value if zero. Both are evaluated. */
  Select: 70,

  /** CPU state. a: byte offset of the field, b: byte offset of the element (a value) or -1, c: width code. */
  LoadState: 80,
  /** As LoadState, d: the value. */
  StoreState: 81,
  /** Guest memory. a: virtual address, c: width code. Faults leave the fragment. */
  LoadGuest: 82,
  /** a: virtual address, b: value, c: width code. */
  StoreGuest: 83,

  /** a: helper number, b: index of the first argument in the argument pool. */
  Call: 90,

  /** a: condition */
  If: 100,
  Else: 101,
  /** a, b: values of the two arms when the type is not void. */
  EndIf: 102,

  /** a: address. The operations from here on belong to this instruction; only in fragments of several. */
  InsnStart: 105,
  /** a: target, b: condition or -1, c: {@link BranchKind}. Ends the instruction. */
  Branch: 110,
} as const;
export type Op = (typeof Op)[keyof typeof Op];

export const OP_NAMES: ReadonlyMap<number, string> = new Map(Object.entries(Op).map(([name, code]) => [code, name]));

export const Type = { Void: 0, I32: 1, I64: 2, F32: 3, F64: 4 } as const;
export type Type = (typeof Type)[keyof typeof Type];
export const TYPE_NAMES = ['void', 'i32', 'i64', 'f32', 'f64'] as const;

/**
 * Memory access widths with their extension. The loaded type is the operation's. `Unaligned32`: four bytes at any address,
 * only in translations of mirrored code, see {@link UnalignedAccesses}.
 */
export const Width = { U8: 0, S8: 1, U16: 2, S16: 3, W32: 4, W64: 5, Unaligned32: 6 } as const;
export type Width = (typeof Width)[keyof typeof Width];
export const widthBytes = (width: Width): 1 | 2 | 4 | 8 => ([1, 1, 2, 2, 4, 8, 4] as const)[width];
/** What the address must be a multiple of. */
export const alignmentOf = (width: Width): 1 | 2 | 4 | 8 => (width === Width.Unaligned32 ? 1 : widthBytes(width));

export const BranchKind = {
  /** Takes effect at once. */
  Immediate: 0,
  /** After one more instruction, the delay slot, which runs whether or not the branch is taken. */
  Delayed: 1,
  /** As delayed, but the slot is skipped when the branch is not taken (MIPS branch-likely). */
  Likely: 2,
} as const;
export type BranchKind = (typeof BranchKind)[keyof typeof BranchKind];

/** What a helper may do; lowering saves and reloads exactly as much as that demands. */
export type HelperEffect =
  /** Depends on its arguments and CPU state only; may write named CPU state fields; neither traps nor redirects. */
  | 'state'
  /** May raise an exception or touch devices: needs the precise program counter, and the exit flag is tested after it. */
  | 'trap'
  /** May moreover change the mode, translations or interrupt enables: the instruction after it starts a new run. */
  | 'sync'
  /** Always leaves: raises an exception, returns from one, or stops the CPU. Nothing after it in its arm executes. */
  | 'leave';

/** A function of the host that semantics call, by name. Arguments and result are i32; wider data goes through state. */
export interface HelperSignature {
  readonly name: string;
  readonly params: number;
  readonly result: typeof Type.I32 | typeof Type.Void;
  readonly effect: HelperEffect;
}
