import type { BranchKind as BranchKindType, Fragment, HelperSignature, TargetDescription, Width } from '../ir/index.js';
import { BranchKind, DelayState, helperArgument, Op, SoftTlb, TranslationWord, Type } from '../ir/index.js';
import type { ByteSwapper } from '../wasm/byte-swap.js';
import type { CpuArea } from '../wasm/cpu-area.js';
import type { FunctionWriter } from '../wasm/encoder.js';
import { ValType, W } from '../wasm/encoder.js';
import type { Emit, GuestAddress, LocalPool, LoweringContext } from '../wasm/lowering.js';
import { loadOpcode, Lowering, storeOpcode } from '../wasm/lowering.js';
import { nobodyWaits, translationArguments, TranslationParameter } from '../wasm/translation-call.js';
import { AccessExits } from './access-exits.js';
import type { Budget } from './budget.js';
import type { Check } from './checks.js';
import type { DirectWindow } from './direct-window.js';
import type { AccessContext, AccessLocals } from './guest-access.js';
import { GuestAccess } from './guest-access.js';
import type { GuestRegisters } from './guest-registers.js';
import type { RegionExits, Way } from './region-exits.js';
import type { Block } from './region.js';
import type { PlannedBlock } from './region-plan.js';
import type { Reuse } from './reuse.js';
import type { SystemExits } from './system-exits.js';
import { systemExitTarget } from './system-exits.js';

/** What of a region and its function the instructions of its blocks use. */
export interface BlockContext {
  readonly target: TargetDescription;
  readonly window: DirectWindow | undefined;
  readonly systemExits: SystemExits;
  readonly writer: FunctionWriter;
  /** Index of the type of translations. */
  readonly type: number;
  readonly cpuBase: number;
  readonly cpu: CpuArea;
  readonly pool: LocalPool;
  readonly swap: ByteSwapper;
  readonly registers: GuestRegisters;
  readonly accessLocals: AccessLocals;
  readonly budget: Budget;
  readonly exits: RegionExits;
  /** Locals: a branch's condition, where it goes if that is not known, and the index of an instruction whose access does not pass. */
  readonly condition: number;
  readonly branchTarget: number;
  readonly failedAt: number;
}

/** A block as one node of the region's graph has it: others may be copies. */
export interface PlacedBlock extends PlannedBlock {
  readonly block: Block;
  /** Of its accesses where there is a direct window, else nothing. */
  readonly checks: readonly Check[];
  /** Registers that are stored where the loop is left that the block is in. */
  readonly kept: bigint;
  /** Registers that are not stored at its end, but by whoever goes on. */
  readonly later: bigint;
  /** How many instructions have been executed, when the block begins, that the budget in the local still contains. */
  readonly owed: number;
  /**
   * Takes a likely branch's condition from the stack, negated, and goes on behind the delay slot if it holds.
   * @param owed see {@link PlacedBlock.owed}, the branch included
   * @returns how much of it is owed still where the slot is executed
   */
  skipSlot(owed: number, next: number): number;
}

/**
 * Translates what a block does, but for where it goes on: a branch leaves its condition, or where it goes, in locals.
 * @returns how many instructions have been executed in the end that the budget in the local still contains
 */
export function translateBlock(context: BlockContext, placed: PlacedBlock): number {
  return new BlockTranslator(context, placed).run();
}

/** The instructions of one block, and the ways out in the middle. */
class BlockTranslator implements LoweringContext, AccessContext {
  readonly writer: FunctionWriter;
  readonly cpuBase: number;
  readonly #memory: GuestAccess;
  /** Where accesses go that do not pass. */
  readonly #wayOfAccesses: Way;
  /** Where accesses go that do not pass, with the instruction's index in the local; undefined where there are none. */
  readonly #accessExits: AccessExits | undefined;
  /** See {@link PlacedBlock.owed}; less once they are charged. */
  #owed: number;
  /** Index of the instruction in hand, and of the next access. */
  #index = -1;
  #access = 0;
  /** How many pairs of instructions are done of which only the first has been passed: the block cannot be left here. */
  #openPairs = 0;

  /** Begins the block's code. */
  constructor(
    private readonly context: BlockContext,
    private readonly placed: PlacedBlock,
  ) {
    const { writer, cpuBase, window, registers, accessLocals } = context;
    const { fragment, checks, owed } = placed;
    this.writer = writer;
    this.cpuBase = cpuBase;
    this.#wayOfAccesses = window ? 'missed' : 'interpret';
    this.#memory = new GuestAccess(writer, this, window, accessLocals);
    this.#owed = owed;
    const mayFail = checks.filter(({ kind }) => kind !== 'free').length;
    this.#accessExits = accessesMemory(fragment) ? new AccessExits(writer, registers, mayFail) : undefined;
  }

  run(): number {
    const { block, fragment } = this.placed;
    new Lowering(fragment, this, this.context.pool).run();
    this.context.registers.store(this.placed.later);
    this.#accessExits?.close(() => this.#leaveFailed());
    return this.#owed + block.instructions.length;
  }

  // ---- leaving -----------------------------------------------------------------------------------------------------

  /** Leaves the instruction with the index in the local to the interpreter. */
  #leaveFailed(): void {
    const w = this.writer;
    const { budget, exits, failedAt } = this.context;
    const { block, owed } = this.placed; // whoever comes here comes from before a likely branch charged it
    budget.charge(owed);
    budget.chargeLocal(failedAt);
    exits.leave(this.#wayOfAccesses, () => {
      // A block is straight-line code.
      w.get(failedAt);
      w.i32(2);
      w.op(W.i32_shl);
      w.i32(block.address);
      w.op(W.i32_add);
    });
  }

  /** Leaves the instruction in hand to the interpreter. */
  #leave(way: Way): void {
    const w = this.writer;
    const { target, cpu, registers, budget, exits } = this.context;
    this.#checkThatPairsAreWhole();
    registers.storeToLeave(this.placed.kept);
    budget.charge(this.#owed + this.#index);
    if (this.#isInSlot()) {
      cpu.store(target.engine.delay, () => w.i32(DelayState.SlotPending));
      cpu.store(target.engine.branchTarget, () => this.#destination());
    }
    exits.leave(way, () => w.i32(this.#address()));
  }

  /** Takes a condition from the stack and leaves the instruction in hand to the interpreter if it holds. */
  leaveIf(): void {
    const w = this.writer;
    this.#checkThatPairsAreWhole();
    if (this.#accessExits && !this.#isInSlot()) return this.#accessExits.leaveIf(this.placed.kept);
    w.if();
    this.#leave(this.#wayOfAccesses);
    w.end();
  }

  noteInstruction(strays: Emit): void {
    this.writer.i32(this.#index);
    this.writer.set(this.context.failedAt);
    if (!this.context.window) return;
    strays();
    this.writer.set(this.context.exits.strays);
  }

  /** Where the branch before the delay slot goes. */
  #destination(): void {
    const w = this.writer;
    const { end } = this.placed.block;
    if (end.kind === 'goto') return w.i32(end.target);
    if (end.kind === 'indirect') return w.get(this.context.branchTarget);
    if (end.kind !== 'branch') throw new Error('a delay slot follows a branch');
    w.i32(end.taken);
    if (end.likely) return;
    w.i32(end.next);
    w.get(this.context.condition);
    w.op(W.select);
  }

  /** Is the instruction in hand in the delay slot of the block's branch? */
  #isInSlot(): boolean {
    const { branchAt } = this.placed.block;
    return branchAt >= 0 && this.#index > branchAt;
  }

  /** Of the instruction in hand. */
  #address(): number {
    return (this.placed.block.instructions[this.#index] as { address: number }).address;
  }

  // ---- LoweringContext ---------------------------------------------------------------------------------------------

  insnWord = (): void => {
    throw new Error('a translation knows its instruction words');
  };

  pc = (): void => {
    throw new Error('a translation knows its addresses');
  };

  registerLocal(offset: number): number | undefined {
    return this.context.registers.localOf(offset);
  }

  registerSet(offset: number): void {
    this.context.registers.written(offset, this.placed.kept);
  }

  storeChanged(): void {
    this.context.registers.store();
  }

  enterArm(): void {
    this.context.registers.enterArm();
  }

  leaveArm(): void {
    this.context.registers.leaveArm();
  }

  startInstruction(): void {
    const { pairs } = this.placed;
    if (pairs.get(this.#index)?.kind === 'whole') this.#openPairs++;
    if (pairs.get(this.#index + 1)?.kind === 'done') this.#openPairs--;
    this.#index++;
  }

  #checkThatPairsAreWhole(): void {
    if (this.#openPairs > 0) throw new Error('a translation may be left between the halves of an access');
  }

  loadGuest(width: Width, type: Type, address: GuestAddress): void {
    const w = this.writer;
    const load = (): void =>
      this.#memory.emit({
        ...{ width, tag: SoftTlb.readTag, address },
        ...this.#nextPlan(),
        result: type === Type.I64 ? ValType.i64 : ValType.i32,
        perform: (at, offset) => {
          at();
          w.memory(loadOpcode(width, type), offset);
        },
      });
    if (this.context.target.byteOrder === 'little') load();
    else this.context.swap.swapped(width, type, load);
  }

  storeGuest(width: Width, type: Type, address: GuestAddress, value: Emit): void {
    const w = this.writer;
    this.#memory.emit({
      ...{ width, tag: SoftTlb.writeTag, address },
      ...this.#nextPlan(),
      result: undefined,
      perform: (at, offset) => {
        at();
        if (this.context.target.byteOrder === 'little') value();
        else this.context.swap.swapped(width, type, value);
        w.memory(storeOpcode(width, type), offset);
      },
    });
  }

  #nextPlan(): { reuse: Reuse; check: Check | undefined } {
    const { reuse, checks } = this.placed;
    const which = this.#access++;
    return { reuse: reuse[which] ?? 'none', check: checks[which] };
  }

  call(_index: number, { name }: HelperSignature, args: readonly Emit[]): void {
    const exit = systemExitTarget(this.context.systemExits, name);
    if (exit === undefined || this.#isInSlot()) this.#leave('interpret');
    else this.#leaveToSystem(exit, args);
  }

  /** Lets a system exit do what the instruction in hand asks for. It is not in a delay slot. */
  #leaveToSystem(exit: number, args: readonly Emit[]): void {
    const w = this.writer;
    const { target, type, cpu, registers, budget } = this.context;
    const { engine } = target;
    args.forEach((arg, i) => cpu.store(helperArgument(engine, i), arg));
    registers.storeToLeave(this.placed.kept);
    cpu.store(engine.pc, () => w.i32(this.#address()));
    const waits = {
      returnTo: (): void => w.get(TranslationParameter.ReturnTo),
      depth: (): void => w.get(TranslationParameter.Depth),
    };
    translationArguments(w, {
      ...(this.context.window?.kind === 'mirror' ? waits : nobodyWaits(w)),
      word: () => w.i32(TranslationWord.pack(exit, 0)),
      remaining: () => budget.less(this.#owed + this.#index + 1),
    });
    w.returnCallIndirect(type);
  }

  branch(kind: BranchKindType, target: Emit, condition: Emit | undefined): void {
    const w = this.writer;
    const { registers, branchTarget, condition: conditionLocal } = this.context;
    const { end, instructions } = this.placed.block;
    if (end.kind === 'indirect') {
      target();
      return w.set(branchTarget);
    }
    if (!condition || end.kind !== 'branch') return;
    if (kind === BranchKind.Likely) registers.store();
    condition();
    if (kind !== BranchKind.Likely) return w.set(conditionLocal);
    w.op(W.i32_eqz);
    const executed = instructions.length - 1; // all but the slot
    this.#owed = this.placed.skipSlot(this.#owed + executed, end.next) - executed;
  }
}

function accessesMemory(f: Fragment): boolean {
  for (let i = 0; i < f.length; i++) if (f.op[i] === Op.LoadGuest || f.op[i] === Op.StoreGuest) return true;
  return false;
}
