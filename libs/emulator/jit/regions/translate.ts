import type { BranchKind as BranchKindType, Fragment, HelperSignature, TargetDescription, Width } from '../ir/index.js';
import { BranchKind, DelayState, helperArgument, JumpCache, Op, SoftTlb, TranslationWord, Type } from '../ir/index.js';
import { ByteSwapper } from '../wasm/byte-swap.js';
import { CpuArea } from '../wasm/cpu-area.js';
import type { Label } from '../wasm/encoder.js';
import { FunctionWriter, ValType, W } from '../wasm/encoder.js';
import type { Emit, LoweringContext } from '../wasm/lowering.js';
import { loadOpcode, LocalPool, Lowering, storeOpcode } from '../wasm/lowering.js';
import {
  entryOf,
  haveSameTarget,
  nobodyWaits,
  TRANSLATION_PARAMETERS,
  TranslationParameter,
  translationArguments,
} from '../wasm/translation-call.js';
import { AccessExits } from './access-exits.js';
import type { Check } from './checks.js';
import type { InstructionReader } from './classify.js';
import type { DirectWindow } from './direct-window.js';
import { DispatchLookup } from './dispatch-lookup.js';
import type { AccessContext } from './guest-access.js';
import { GuestAccess } from './guest-access.js';
import { GuestRegisters } from './guest-registers.js';
import { JumpCacheLookup } from './jump-cache-lookup.js';
import { PageChecks } from './page-checks.js';
import { RegionExits } from './region-exits.js';
import type { Block, Region, Terminator } from './region.js';
import { dispatchesItself, RegionGraph } from './region-graph.js';
import type { PlannedBlock, RegionPlan } from './region-plan.js';
import { planRegion } from './region-plan.js';
import type { Reuse } from './reuse.js';
import type { SystemExits } from './system-exits.js';
import { systemExitTarget } from './system-exits.js';

/** What a module offers to the functions in it. */
export interface TranslationHost {
  readonly cpuBase: number;
  /** Index of the type with {@link TRANSLATION_PARAMETERS} and no results, in a module that imports translations' table. */
  readonly type: number;
  /** Linear-memory offset of the jump cache, and the mode key that is part of its tags. */
  readonly jumpCache: number;
  readonly modeKey: number;
  /** Memory that directly mapped code reaches without a look-up. */
  readonly window: DirectWindow | undefined;
  /** See {@link SystemExits}. */
  readonly systemExits: SystemExits;
  /** An imported constant: linear-memory offset minus virtual address of a page that the region reaches into. */
  pageAddend(virtualPage: number, linearPage: number): number;
}

/**
 * Translates a region to one Wasm function. Guest registers live in locals, control flow becomes loops, blocks and ifs.
 * The function executes only what needs nobody's help: whenever an access misses the soft TLB, a helper would be called,
 * or the budget might end, it leaves *before* that instruction, which the interpreter then executes. So there is one slow
 * path, and exceptions, devices and time are exact by construction.
 *
 * Changed registers are stored ahead of every place where the region may be left, so that there is nothing to do on the
 * way out: there are hundreds of ways out, and one place where they meet with a value of each register from each of them
 * keeps V8 busy longer than all the rest. Where accesses to mirrored memory do not pass, which is rare, a detour stores them:
 * most are written again before the block ends.
 */
export function translateRegion(
  target: TargetDescription,
  reader: InstructionReader,
  region: Region,
  host: TranslationHost,
): FunctionWriter {
  return new RegionTranslator(target, reader, region, host).run();
}

/** Where emission stands within a block. */
interface Position {
  readonly node: number;
  readonly block: Block;
  /** How many instructions have been executed, when the block begins, that the budget in the local still contains; less once they are charged. */
  owed: number;
  /** The same while the block's accesses are made. */
  readonly owedAtStart: number;
  /** Index of the instruction in hand. */
  index: number;
  /** Registers that are stored where the loop is left that the block is in. */
  readonly kept: bigint;
  /** What was planned for this block's accesses, where something was, and the next one's index. */
  readonly reuse: readonly Reuse[];
  readonly checks: readonly Check[];
  access: number;
  readonly pairs: PlannedBlock['pairs'];
  /** How many pairs of instructions are done of which only the first has been passed: the block cannot be left here. */
  openPairs: number;
  /** Where accesses go that do not pass, with the instruction's index in the local; undefined where there are none. */
  readonly accessExits: AccessExits | undefined;
}

class RegionTranslator implements LoweringContext, AccessContext {
  readonly writer = new FunctionWriter(TRANSLATION_PARAMETERS);
  readonly cpuBase: number;
  readonly #cpu: CpuArea;
  readonly #pool = new LocalPool(this.writer);
  readonly #swap = new ByteSwapper(this.writer, this.#pool);
  /** Which label of the root's is meant. */
  readonly #entry = this.writer.local(ValType.i32);
  readonly #remaining = TranslationParameter.Remaining;
  readonly #tlb = TranslationParameter.Tlb;
  readonly #condition = this.writer.local(ValType.i32);
  readonly #target = this.writer.local(ValType.i32);
  /** Index in its block of the instruction whose access does not pass. */
  readonly #failedAt = this.writer.local(ValType.i32);
  readonly #memory: GuestAccess;
  readonly #jumpCache: JumpCacheLookup;
  readonly #dispatch: DispatchLookup | undefined;

  readonly #registers: GuestRegisters;
  readonly #pageChecks: PageChecks;
  readonly #plan: RegionPlan;
  readonly #graph: RegionGraph;
  readonly #isMirrored: boolean;

  readonly #blockLabels = new Map<number, Label>();
  readonly #loopLabels = new Map<number, Label>();
  readonly #exits: RegionExits;
  #dispatchLoop!: Label;
  #position!: Position;

  constructor(
    private readonly engineTarget: TargetDescription,
    private readonly reader: InstructionReader,
    private readonly region: Region,
    private readonly host: TranslationHost,
  ) {
    this.cpuBase = host.cpuBase;
    this.#cpu = new CpuArea(this.writer, host.cpuBase);
    this.#plan = planRegion(engineTarget, reader, region, host.window);
    const { window, graph, registers, usedRegisters } = this.#plan;
    this.#graph = graph;
    this.#isMirrored = window?.kind === 'mirror';
    this.#memory = new GuestAccess(this.writer, this, window, this.#tlb);
    this.#jumpCache = new JumpCacheLookup(this.writer, host, window, this.#tlb);
    this.#dispatch = window?.kind === 'mirror' ? new DispatchLookup(this.writer, window, host.modeKey) : undefined;
    this.#exits = new RegionExits({
      ...{ writer: this.writer, cpu: this.#cpu, engine: engineTarget.engine, type: host.type },
      ...{ remaining: this.#remaining, tlb: this.#tlb, free: this.#target },
      ...{ jumpCache: this.#jumpCache, dispatch: this.#dispatch },
    });
    this.#pageChecks = new PageChecks({
      ...{ writer: this.writer, tlb: this.#tlb, window, pages: region.pages, exits: this.#exits },
      isDirectlyMapped: (address) => engineTarget.isDirectlyMapped(address),
      pageAddend: (virtual, linear) => host.pageAddend(virtual, linear),
    });
    this.#registers = new GuestRegisters(this.writer, this.#cpu, registers, usedRegisters);
  }

  run(): FunctionWriter {
    const w = this.writer;
    this.#memory.prepare(this.#plan.kept);

    this.#exits.open();
    entryOf(w, () => w.get(TranslationParameter.Word));
    w.set(this.#entry);
    // A loop's locals are merged at its head, which costs: it is one only where something comes back.
    this.#dispatchLoop = this.#graph.dispatched.length > 0 ? w.loop() : w.block();
    this.#tree(RegionGraph.root);
    w.end();
    w.op(W.unreachable);
    this.#exits.close();
    for (const { fragment } of this.#plan.blocks) this.reader.release(fragment);
    return w;
  }

  /** An edge to this address may leave the region: it is not part of it, or on a page whose mapping must be checked. */
  #mayLeave(from: Block, to: number): boolean {
    return !this.#graph.has(to) || this.#pageChecks.areNeeded(from.address, to);
  }

  // ---- structured control flow (Ramsey 2022) -------------------------------------------------------------------------

  /** @param owed see {@link Position.owed}; nothing where the node has a label */
  #tree(node: number, owed = 0): void {
    const w = this.writer;
    const merges = this.#graph.merges(node);
    const isLoop = this.#graph.isLoopHead(node);
    const behind = this.#graph.behindLoop(node);
    this.#registers.load(this.#plan.loads.beforeLoop[node] as bigint);
    for (const next of behind) this.#blockLabels.set(next, w.block());
    if (isLoop) this.#loopLabels.set(node, w.loop());
    for (const merge of merges) this.#blockLabels.set(merge, w.block());
    this.#node(node, owed);
    for (const merge of merges.toReversed()) {
      w.end();
      this.#tree(merge);
    }
    if (isLoop) w.end();
    for (const next of behind.toReversed()) {
      w.end();
      this.#tree(next);
    }
  }

  #node(node: number, owed: number): void {
    if (node === RegionGraph.root) this.#root();
    else if (this.#graph.blockOf(node)) this.#block(node, owed);
    else this.#goto(node, this.#graph.successors[node]?.[0] as number); // stubs and heads of loops have one successor
  }

  #root(): void {
    const stubs = this.region.entries.map((_, i) => 1 + i);
    const labels = [...stubs, ...this.#graph.dispatched].map((node) => this.#blockLabels.get(node) as Label); // root's successors
    const [first] = labels as [Label]; // a region has an entry
    if (labels.length === 1) return this.writer.br(first);
    this.writer.get(this.#entry);
    this.writer.brTable(labels, first);
  }

  #block(node: number, owed: number): void {
    const w = this.writer;
    const block = this.#graph.blockOf(node) as Block;
    const index = this.#graph.blockIndex(node);
    const { fragment, pairs, reuse } = this.#plan.blocks[index] as PlannedBlock;
    const kept = this.#plan.keeping[node]?.kept ?? 0n;
    if (this.#graph.isCheckpoint(node)) {
      w.get(this.#remaining);
      w.i32(this.#graph.bounds[node] as number);
      w.op(W.i32_lt_s);
      w.if();
      if (this.#graph.forgets(node)) this.#exits.leaveIfElsewhere();
      this.#registers.storeKept(kept);
      this.#exits.leave('interpret', () => w.i32(block.address));
      w.end();
    }
    this.#pageChecks.checkSlot(block, () => this.#registers.storeKept(kept));
    this.#registers.load(this.#plan.loads.atStart[node] as bigint);
    const checks = this.#plan.checks?.[node] ?? [];
    const mayFail = checks.filter(({ kind }) => kind !== 'free').length;
    const accessExits = accessesMemory(fragment) ? new AccessExits(w, this.#registers, mayFail) : undefined;
    this.#position = {
      ...{ node, block, index: -1, reuse, checks, access: 0, pairs, openPairs: 0, accessExits },
      ...{ owed, owedAtStart: owed, kept },
    };
    new Lowering(fragment, this, this.#pool).run();
    this.#registers.store();
    accessExits?.close(() => this.#leaveFailed());
    this.#position.owed += block.instructions.length;
    this.#terminate(block);
  }

  /** Leaves the instruction with the index in the local to the interpreter. */
  #leaveFailed(): void {
    const w = this.writer;
    const { block, owedAtStart } = this.#position;
    this.#takeOff(owedAtStart);
    w.get(this.#remaining);
    w.get(this.#failedAt);
    w.op(W.i32_sub);
    w.set(this.#remaining);
    this.#exits.leave(this.#isMirrored ? 'missed' : 'interpret', () => {
      // A block is straight-line code.
      w.get(this.#failedAt);
      w.i32(2);
      w.op(W.i32_shl);
      w.i32(block.address);
      w.op(W.i32_add);
    });
  }

  /**
   * Charges what is owed to the budget. Only where the budget is looked at, or where ways meet: in between, both the budget and what it will be
   * would be in registers of the host's.
   */
  #settle(): void {
    this.#takeOff(this.#position.owed);
    this.#position.owed = 0;
  }

  #takeOff(count: number): void {
    const w = this.writer;
    if (count === 0) return;
    w.get(this.#remaining);
    w.i32(-count);
    w.op(W.i32_add);
    w.set(this.#remaining);
  }

  #terminate(block: Block): void {
    const w = this.writer;
    const { end } = block;
    if (!this.#owesFurther(end)) this.#settle();
    switch (end.kind) {
      case 'goto':
        this.#callOut(end, { constant: end.target });
        return this.#continueAt(end.target);
      case 'branch':
        if (end.likely) return this.#continueAt(end.taken);
        w.get(this.#condition);
        this.#continueIf(end.taken);
        return this.#continueAt(end.next);
      case 'interpret':
        return this.#exits.leave('interpret', () => w.i32(end.at));
      case 'system':
        return w.op(W.unreachable);
      case 'indirect':
        for (const address of this.#graph.guesses(block)) {
          w.get(this.#target);
          w.i32(address);
          w.op(W.i32_eq);
          this.#continueIf(address);
        }
        if (dispatchesItself(end)) this.#dispatchWithin();
        if (end.role === 'return' && this.#dispatch) this.#exits.returnToCaller(this.#target);
        this.#callOut(end, this.#target);
        return this.#exits.leave('jump', () => w.get(this.#target));
    }
  }

  /** May a block's successors charge what it owes? Not where a mere branch leads there. */
  #owesFurther(end: Terminator): boolean {
    if (end.kind === 'goto') return this.#graph.continuesAt(end) === undefined;
    return end.kind === 'branch' && (end.likely || !this.#directLabel(end.taken));
  }

  /** Continues within the region if the jump cache says that the target is one of its entries. */
  #dispatchWithin(): void {
    const w = this.writer;
    const self = (): void => w.get(TranslationParameter.Word);
    const word = this.#dispatch?.word ?? ((): void => this.#jumpCache.load(JumpCache.target));
    if (this.#dispatch) {
      this.#dispatch.find(this.#target);
      haveSameTarget(w, word, self);
    } else {
      this.#jumpCache.find(this.#target);
      this.#jumpCache.isCached(this.#target, this.engineTarget.isDirectlyMapped(this.#position.block.address));
      haveSameTarget(w, word, self);
      w.op(W.i32_and);
    }
    w.if();
    entryOf(w, word);
    w.i32(this.region.entries.length);
    w.op(W.i32_add);
    w.set(this.#entry);
    w.br(this.#dispatchLoop);
    w.end();
  }

  /** Calls another region's translation, where a call goes there and returns here. */
  #callOut(end: Terminator, target: number | { readonly constant: number }): void {
    const returnTo = this.#graph.continuesAt(end);
    if (returnTo === undefined) return;
    const before = { ...this.#position };
    this.#exits.callOut(target, returnTo, () => {
      // Where the way there does not look at the budget first, as every block does that is returned to.
      if (this.#pageChecks.areNeeded(before.block.address, returnTo)) this.#exits.leaveIfElsewhere();
      this.#continueAt(returnTo);
    });
    this.#position = before;
  }

  /** Takes a condition from the stack and continues at an address if it holds. */
  #continueIf(address: number): void {
    const w = this.writer;
    const label = this.#directLabel(address);
    if (label) return w.brIf(label);
    const before = { ...this.#position };
    w.if();
    this.#continueAt(address);
    w.end();
    this.#position = before;
  }

  /** The label that a mere branch to an address needs, if it needs no more. */
  #directLabel(address: number): Label | undefined {
    const { node, block } = this.#position;
    const next = this.#graph.next(node, address);
    if (next === undefined || this.#mayLeave(block, address) || this.#graph.isRouted(node, next)) return undefined;
    if (this.#plan.keeping[next] !== this.#plan.keeping[node]) return undefined;
    return this.#graph.isBackward(node, next) ? this.#loopLabels.get(next) : this.#blockLabels.get(next);
  }

  #continueAt(address: number): void {
    const { node, block } = this.#position;
    const next = this.#graph.next(node, address);
    const endsKeeping = next === undefined || this.#plan.keeping[next] !== this.#plan.keeping[node];
    const storeKept = (): void => this.#registers.storeKept(this.#position.kept);
    if (endsKeeping) storeKept();
    if (next === undefined) {
      this.#settle();
      return this.#exits.leave('jump', () => this.writer.i32(address));
    }
    if (this.#pageChecks.areNeeded(block.address, address)) {
      this.#settle();
      this.#pageChecks.check(address, endsKeeping ? () => undefined : storeKept);
    }
    this.#goto(node, next, this.#position.owed);
  }

  #goto(node: number, next: number, owed = 0): void {
    const w = this.writer;
    const isInside =
      !this.#graph.isRouted(node, next) && !this.#graph.isBackward(node, next) && !this.#graph.isLabelled(next);
    if (isInside && !this.#looksAtBudget(next)) return this.#tree(next, owed);
    this.#takeOff(owed);
    if (isInside) return this.#tree(next);
    if (this.#graph.isRouted(node, next)) {
      w.i32(this.#graph.dispatchIndex.get(next) as number); // routed edges lead to dispatched nodes
      w.set(this.#entry);
      w.br(this.#dispatchLoop);
    } else if (this.#graph.isBackward(node, next)) {
      w.br(this.#loopLabels.get(next) as Label);
    } else {
      w.br(this.#blockLabels.get(next) as Label);
    }
  }

  /** Where a node begins, the budget must be exact. */
  #looksAtBudget(node: number): boolean {
    const block = this.#graph.blockOf(node);
    return !block || this.#graph.isCheckpoint(node) || this.#pageChecks.isNeededForSlot(block);
  }

  // ---- leaving -----------------------------------------------------------------------------------------------------

  /** Leaves the instruction in hand to the interpreter. */
  #leave(kind: 'interpret' | 'missed' = 'interpret'): void {
    const w = this.writer;
    this.#checkThatPairsAreWhole();
    this.#registers.storeToLeave(this.#position.kept);
    const { engine } = this.engineTarget;
    const { block, owed, index } = this.#position;
    this.#takeOff(owed + index);
    if (block.branchAt >= 0 && index > block.branchAt) {
      this.#cpu.store(engine.delay, () => w.i32(DelayState.SlotPending));
      this.#cpu.store(engine.branchTarget, () => this.#destination(block));
    }
    this.#exits.leave(kind, () => w.i32((block.instructions[index] as { address: number }).address));
  }

  /** Takes a condition from the stack and leaves the instruction in hand to the interpreter if it holds. */
  leaveIf(): void {
    const w = this.writer;
    this.#checkThatPairsAreWhole();
    const { block, index, accessExits, kept } = this.#position;
    if (accessExits && (block.branchAt < 0 || index <= block.branchAt)) return accessExits.leaveIf(kept);
    w.if();
    this.#leave(this.#isMirrored ? 'missed' : 'interpret');
    w.end();
  }

  /** Says which instruction is meant where an access does not pass. */
  noteInstruction(): void {
    this.writer.i32(this.#position.index);
    this.writer.set(this.#failedAt);
  }

  /** Where the branch before the delay slot goes. */
  #destination({ end }: Block): void {
    const w = this.writer;
    if (end.kind === 'goto') return w.i32(end.target);
    if (end.kind === 'indirect') return w.get(this.#target);
    if (end.kind !== 'branch') throw new Error('a delay slot follows a branch');
    w.i32(end.taken);
    if (end.likely) return;
    w.i32(end.next);
    w.get(this.#condition);
    w.op(W.select);
  }

  // ---- LoweringContext ---------------------------------------------------------------------------------------------

  insnWord = (): void => {
    throw new Error('a translation knows its instruction words');
  };

  pc = (): void => {
    throw new Error('a translation knows its addresses');
  };

  registerLocal(offset: number): number | undefined {
    return this.#registers.localOf(offset);
  }

  registerSet(offset: number): void {
    this.#registers.written(offset, this.#position.kept);
  }

  storeChanged(): void {
    this.#registers.store();
  }

  enterArm(): void {
    this.#registers.enterArm();
  }

  leaveArm(): void {
    this.#registers.leaveArm();
  }

  startInstruction(): void {
    const { pairs, index } = this.#position;
    if (pairs.get(index)?.kind === 'whole') this.#position.openPairs++;
    if (pairs.get(index + 1)?.kind === 'done') this.#position.openPairs--;
    this.#position.index++;
  }

  #checkThatPairsAreWhole(): void {
    if (this.#position.openPairs > 0) throw new Error('a translation may be left between the halves of an access');
  }

  loadGuest(width: Width, type: Type, address: Emit, base: number | undefined): void {
    const w = this.writer;
    const load = (): void =>
      this.#memory.emit({
        ...{ width, tag: SoftTlb.readTag, address, base },
        ...this.#nextPlan(),
        result: type === Type.I64 ? ValType.i64 : ValType.i32,
        perform: (at, offset) => {
          at();
          w.memory(loadOpcode(width, type), offset);
        },
      });
    if (this.engineTarget.byteOrder === 'little') load();
    else this.#swap.swapped(width, type, load);
  }

  storeGuest(width: Width, type: Type, address: Emit, value: Emit, base: number | undefined): void {
    const w = this.writer;
    this.#memory.emit({
      ...{ width, tag: SoftTlb.writeTag, address, base },
      ...this.#nextPlan(),
      result: undefined,
      perform: (at, offset) => {
        at();
        if (this.engineTarget.byteOrder === 'little') value();
        else this.#swap.swapped(width, type, value);
        w.memory(storeOpcode(width, type), offset);
      },
    });
  }

  #nextPlan(): { reuse: Reuse; check: Check | undefined } {
    const { reuse, checks } = this.#position;
    const which = this.#position.access++;
    return { reuse: reuse[which] ?? 'none', check: checks[which] };
  }

  call(_index: number, { name }: HelperSignature, args: readonly Emit[]): void {
    const exit = systemExitTarget(this.host.systemExits, name);
    const { block, index } = this.#position;
    if (exit === undefined || (block.branchAt >= 0 && index > block.branchAt)) this.#leave();
    else this.#leaveToSystem(exit, args);
  }

  /** Lets a system exit do what the instruction in hand asks for. It is not in a delay slot. */
  #leaveToSystem(exit: number, args: readonly Emit[]): void {
    const w = this.writer;
    const { engine } = this.engineTarget;
    const { block, owed, index } = this.#position;
    args.forEach((arg, i) => this.#cpu.store(helperArgument(engine, i), arg));
    this.#registers.storeToLeave(this.#position.kept);
    this.#cpu.store(engine.pc, () => w.i32((block.instructions[index] as { address: number }).address));
    const waits = {
      returnTo: (): void => w.get(TranslationParameter.ReturnTo),
      depth: (): void => w.get(TranslationParameter.Depth),
    };
    translationArguments(w, {
      ...(this.#isMirrored ? waits : nobodyWaits(w)),
      word: () => w.i32(TranslationWord.pack(exit, 0)),
      remaining: () => {
        w.get(this.#remaining);
        w.i32(owed + index + 1);
        w.op(W.i32_sub);
      },
      tlb: () => w.get(this.#tlb),
    });
    w.returnCallIndirect(this.host.type);
  }

  branch(kind: BranchKindType, target: Emit, condition: Emit | undefined): void {
    const w = this.writer;
    const { end } = this.#position.block;
    if (end.kind === 'indirect') {
      target();
      return w.set(this.#target);
    }
    if (!condition || end.kind !== 'branch') return;
    if (kind === BranchKind.Likely) this.#registers.store();
    condition();
    if (kind !== BranchKind.Likely) return w.set(this.#condition);
    w.op(W.i32_eqz);
    const executed = this.#position.block.instructions.length - 1; // all but the slot
    this.#position.owed += executed;
    if (this.#directLabel(end.next)) this.#settle();
    this.#continueIf(end.next);
    this.#position.owed -= executed;
  }
}

function accessesMemory(f: Fragment): boolean {
  for (let i = 0; i < f.length; i++) if (f.op[i] === Op.LoadGuest || f.op[i] === Op.StoreGuest) return true;
  return false;
}
