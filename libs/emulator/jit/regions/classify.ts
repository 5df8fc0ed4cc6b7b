import { getOrInsertComputed } from '../../core/index.js';
import type {
  BranchKind,
  DecodeNode,
  Instruction,
  IrBuilder,
  PartialAccess,
  StateField,
  TargetDescription,
  Value,
} from '../ir/index.js';
import { buildDecodeTree, constantFields, decode, Fragment, Op, Type, Width } from '../ir/index.js';
import { baseOf, sumOf } from '../wasm/lowering.js';
import type { SystemExits } from './system-exits.js';

export interface BranchInfo {
  readonly kind: BranchKind;
  /** Where it goes when taken; undefined: only known at run time. */
  readonly target: number | undefined;
  readonly conditional: boolean;
  /** Offset of the register that holds the target, where that is a register. */
  readonly register: number | undefined;
  /** It leaves the address of the instruction after its delay slot in a register: a call. */
  readonly isCall: boolean;
}

/** What a translation can do with an instruction. */
export type InstructionClass =
  /** Translated as it is. */
  | {
      readonly kind: 'plain';
      /** It loads a word from a distance to one register into another, both by offset. */
      readonly load: { readonly into: number; readonly base: number; readonly distance: number } | undefined;
      /** Offset of the register that it changes otherwise. */
      readonly changes: number | undefined;
    }
  /** Always left to the interpreter: it calls a helper on every path, or matches no pattern. */
  | { readonly kind: 'interpret' }
  /** It ends in a system exit on every path, or leaves before. */
  | { readonly kind: 'system' }
  | { readonly kind: 'branch'; readonly branch: BranchInfo };

/** See {@link InstructionReader.effects}. */
export interface Effects {
  readonly reads: ReadonlySet<number>;
  readonly writes: ReadonlySet<number>;
  readonly mayLeave: boolean;
}

/** Accesses to memory leave where they do not pass, helpers always do. */
const LEAVING: ReadonlySet<number> = new Set([Op.LoadGuest, Op.StoreGuest, Op.Call, Op.Branch]);

const INTERPRET: InstructionClass = { kind: 'interpret' };
const SYSTEM: InstructionClass = { kind: 'system' };

/** Turns instruction words into IR with every field a constant, and says what can be done with them. */
export class InstructionReader {
  readonly #tree: DecodeNode<Instruction<IrBuilder>>;
  readonly #classes = new Map<number, InstructionClass>();
  readonly #effects = new Map<number, Effects>();
  readonly #scratch: Fragment;
  readonly #free: Fragment[] = [];
  readonly #builder: IrBuilder;
  readonly #known: { pc: number; state: ReadonlyMap<StateField, number> };
  readonly #engineFields: ReadonlySet<number>;

  constructor(
    private readonly target: TargetDescription,
    modeKey: number,
    private readonly systemExits: SystemExits = [],
  ) {
    this.#tree = buildDecodeTree(target.table.instructions);
    this.#scratch = new Fragment(target.helpers);
    this.#builder = target.createBuilder(this.#scratch);
    this.#known = { pc: 0, state: target.modeConstants(modeKey) };
    this.#builder.known = this.#known;
    this.#engineFields = new Set([
      target.engine.scratch.offset,
      ...[1, 2, 3].map((i) => target.engine.scratch.offset + 8 * i),
    ]);
  }

  get linkRegister(): number {
    return this.target.linkRegister;
  }

  get callRegister(): number {
    return this.target.callRegister;
  }

  /** An empty fragment; give it back with {@link release}. */
  acquire(): Fragment {
    const fragment = this.#free.pop() ?? new Fragment(this.target.helpers);
    fragment.clear();
    return fragment;
  }

  release(fragment: Fragment): void {
    this.#free.push(fragment);
  }

  /** Appends one instruction, its start included. @returns false when no pattern matches the word */
  append(fragment: Fragment, word: number, pc: number): boolean {
    const instruction = decode(this.#tree, word);
    if (!instruction) return false;
    const builder = this.#builder;
    builder.fragment = fragment;
    this.#known.pc = pc;
    fragment.push(Op.InsnStart, Type.Void, pc);
    instruction.semantics(builder, constantFields(builder, instruction.encoding, word));
    return true;
  }

  /** Appends the start of an instruction that an earlier one has done. */
  appendDone(fragment: Fragment, pc: number): void {
    fragment.push(Op.InsnStart, Type.Void, pc);
  }

  /** Appends an unaligned access in place of the first of its two instructions. */
  appendWhole(fragment: Fragment, access: PartialAccess, pc: number): void {
    const builder = this.#builder;
    builder.fragment = fragment;
    this.#known.pc = pc;
    fragment.push(Op.InsnStart, Type.Void, pc);
    this.target.unaligned?.whole(builder, access);
  }

  /** Offset of the register that an instruction accesses memory at a distance from. */
  baseOf(word: number, pc: number): number | undefined {
    const half = this.target.unaligned?.half(word);
    if (half) return half.base;
    const f = this.#scratch;
    f.clear();
    this.append(f, word, pc);
    for (let i = 0; i < f.length; i++)
      if (f.op[i] === Op.LoadGuest || f.op[i] === Op.StoreGuest) return baseOf(f, f.a[i] as Value);
    return undefined;
  }

  /** Which state an instruction looks at and changes, by offset, and whether it may leave the translation or redirect it. */
  effects(word: number, pc: number): Effects {
    return getOrInsertComputed(this.#effects, word, () => this.#effectsOf(word, pc));
  }

  #effectsOf(word: number, pc: number): Effects {
    const f = this.#scratch;
    f.clear();
    const [reads, writes] = [new Set<number>(), new Set<number>()];
    let mayLeave = !this.append(f, word, pc);
    for (let i = 0; i < f.length; i++) {
      const op = f.op[i] as number;
      if (op === Op.LoadState) reads.add(f.a[i] as number);
      else if (op === Op.StoreState) writes.add(f.a[i] as number);
      // Elements that are only known at run time may be any.
      const isElement = (op === Op.LoadState || op === Op.StoreState) && (f.b[i] as number) >= 0;
      mayLeave ||= isElement || LEAVING.has(op);
    }
    return { reads, writes, mayLeave };
  }

  classify(word: number, pc: number): InstructionClass {
    const known = this.#classes.get(word);
    if (known) return known;
    this.#scratch.clear();
    const result = this.append(this.#scratch, word, pc) ? this.#classOf(this.#scratch, pc) : INTERPRET;
    if (result.kind !== 'branch') this.#classes.set(word, result); // branches depend on their address
    return result;
  }

  #classOf(f: Fragment, pc: number): InstructionClass {
    let load: { into: number; base: number; distance: number } | undefined;
    let changes: number | undefined;
    let changed = false;
    let isCall = false;
    /** Whether state was changed before the current arm, and by the arms of each open `If`. */
    const open: { before: boolean; after: boolean }[] = [];
    for (let i = 0; i < f.length; i++) {
      switch (f.op[i]) {
        case Op.If:
          open.push({ before: changed, after: false });
          break;
        case Op.Else: {
          const arms = open.at(-1) as { before: boolean; after: boolean }; // verifier: inside an If
          arms.after = changed;
          changed = arms.before;
          break;
        }
        case Op.EndIf: {
          const arms = open.pop() as { before: boolean; after: boolean }; // verifier: balanced
          changed ||= arms.after;
          break;
        }
        case Op.Call:
          if (changed) return INTERPRET; // left half-way, it could not be executed again
          if (open.length > 0) break;
          return this.systemExits.includes(f.helper(f.a[i] as number).name) ? SYSTEM : INTERPRET;
        case Op.LoadGuest:
        case Op.StoreGuest:
          if (changed) return INTERPRET;
          break;
        case Op.StoreState: {
          const value = f.d[i] as number;
          if (f.op[value] === Op.Const && f.a[value] === ((pc + 8) | 0)) isCall = true;
          const into = f.a[i] as number;
          const from = f.op[value] === Op.LoadGuest && f.c[value] === Width.W32 ? (f.a[value] as Value) : undefined;
          const sum = from === undefined ? undefined : sumOf(f, from);
          if (sum) load = { into, base: sum.base, distance: sum.distance };
          else changes = into;
          if (!this.#engineFields.has(f.a[i] as number)) changed = true;
          break;
        }
        case Op.Branch: {
          const target = f.a[i] as number;
          if (f.op[target] !== Op.Const && (f.b[i] as number) >= 0) return INTERPRET; // no target has such branches
          const branch = {
            kind: f.c[i] as BranchKind,
            target: f.op[target] === Op.Const ? (f.a[target] as number) >>> 0 : undefined,
            register: f.op[target] === Op.LoadState ? f.a[target] : undefined,
            conditional: (f.b[i] as number) >= 0,
            isCall,
          };
          return { kind: 'branch', branch };
        }
        default:
      }
    }
    return { kind: 'plain', load, changes };
  }
}
