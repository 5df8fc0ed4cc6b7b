import type { TargetDescription } from '../ir/index.js';
import { JumpCache } from '../ir/index.js';
import { ByteSwapper } from '../wasm/byte-swap.js';
import { CpuArea } from '../wasm/cpu-area.js';
import type { Label } from '../wasm/encoder.js';
import { FunctionWriter, ValType, W } from '../wasm/encoder.js';
import type { Emit } from '../wasm/lowering.js';
import { LocalPool } from '../wasm/lowering.js';
import { entryOf, haveSameTarget, TRANSLATION_PARAMETERS, TranslationParameter } from '../wasm/translation-call.js';
import { Budget } from './budget.js';
import type { InstructionReader } from './classify.js';
import type { DirectWindow } from './direct-window.js';
import { DispatchLookup } from './dispatch-lookup.js';
import { AccessLocals, checksOf } from './guest-access.js';
import { GuestRegisters } from './guest-registers.js';
import { JumpCacheLookup } from './jump-cache-lookup.js';
import { PageChecks } from './page-checks.js';
import type { Way } from './region-exits.js';
import { RegionExits } from './region-exits.js';
import type { Block, Region } from './region.js';
import { dispatchesItself, RegionGraph } from './region-graph.js';
import type { PlannedBlock, RegionPlan } from './region-plan.js';
import { planRegion } from './region-plan.js';
import { RoundsEntry } from './rounds-entry.js';
import type { SystemExits } from './system-exits.js';
import { TlbPlace } from './tlb-place.js';
import type { BlockContext } from './translate-block.js';
import { translateBlock } from './translate-block.js';

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
  /** Addresses of instructions that often access something else, which they look for in the soft TLB. Others leave for it. */
  readonly strays: ReadonlySet<number>;
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

/** How far it is looked ahead for blocks that write what one has written. */
const BLOCKS_AHEAD = 3;

/** Where control leaves a block. */
interface EdgeSource {
  readonly node: number;
  readonly block: Block;
  /** How many instructions have been executed that the budget in the local still contains. */
  readonly owed: number;
}

/** The function around the blocks' instructions: where control enters them, and where it goes on from them. */
class RegionTranslator {
  readonly #writer = new FunctionWriter(TRANSLATION_PARAMETERS);
  /** Which label of the root's is meant. */
  readonly #entry = this.#writer.local(ValType.i32);
  readonly #budget = new Budget(this.#writer, TranslationParameter.Remaining);
  readonly #condition = this.#writer.local(ValType.i32);
  readonly #target = this.#writer.local(ValType.i32);
  readonly #accessLocals: AccessLocals;
  readonly #jumpCache: JumpCacheLookup;
  readonly #dispatch: DispatchLookup | undefined;

  readonly #registers: GuestRegisters;
  readonly #rounds: RoundsEntry | undefined;
  readonly #pageChecks: PageChecks;
  readonly #plan: RegionPlan;
  readonly #graph: RegionGraph;
  /** The same for all blocks. */
  readonly #blockContext: BlockContext;

  readonly #blockLabels = new Map<number, Label>();
  readonly #loopLabels = new Map<number, Label>();
  readonly #exits: RegionExits;
  readonly #tlb: TlbPlace;
  #dispatchLoop!: Label;

  constructor(
    private readonly engineTarget: TargetDescription,
    private readonly reader: InstructionReader,
    private readonly region: Region,
    host: TranslationHost,
  ) {
    const w = this.#writer;
    const cpu = new CpuArea(w, host.cpuBase);
    const pool = new LocalPool(w);
    const failedAt = w.local(ValType.i32);
    this.#plan = planRegion(engineTarget, reader, region, host);
    const { window, graph, registers, usedRegisters } = this.#plan;
    this.#graph = graph;
    this.#tlb = new TlbPlace(w, () => cpu.load(engineTarget.engine.tlbBase), this.#plan.asksTlb);
    const tlb = this.#tlb.offset;
    this.#accessLocals = new AccessLocals(w, tlb);
    this.#jumpCache = new JumpCacheLookup(w, host, window, tlb);
    this.#dispatch = window?.kind === 'mirror' ? new DispatchLookup(w, window, host.modeKey) : undefined;
    this.#exits = new RegionExits({
      ...{ writer: w, cpu, engine: engineTarget.engine, type: host.type },
      ...{ remaining: this.#budget.local, free: this.#target },
      ...{ jumpCache: this.#jumpCache, dispatch: this.#dispatch },
    });
    this.#pageChecks = new PageChecks({
      ...{ writer: w, tlb, window, pages: region.pages, exits: this.#exits },
      isDirectlyMapped: (address) => engineTarget.isDirectlyMapped(address),
      pageAddend: (virtual, linear) => host.pageAddend(virtual, linear),
    });
    this.#registers = new GuestRegisters(w, cpu, registers, usedRegisters);
    this.#rounds = window && new RoundsEntry(w, checksOf(w, window), this.#budget, this.#registers);
    this.#blockContext = {
      ...{ target: engineTarget, window, systemExits: host.systemExits },
      ...{ writer: w, type: host.type, cpuBase: host.cpuBase, cpu, pool, swap: new ByteSwapper(w, pool) },
      ...{ registers: this.#registers, accessLocals: this.#accessLocals, budget: this.#budget, exits: this.#exits },
      ...{ condition: this.#condition, branchTarget: this.#target, failedAt },
    };
  }

  run(): FunctionWriter {
    const w = this.#writer;
    this.#tlb.prepare();
    this.#accessLocals.prepare(this.#plan.kept);

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

  /** @param owed see {@link EdgeSource.owed}; nothing where the node has a label */
  #tree(node: number, owed = 0): void {
    const w = this.#writer;
    const merges = this.#graph.merges(node);
    const isLoop = this.#graph.isLoopHead(node);
    const behind = this.#graph.behindLoop(node);
    this.#registers.load(this.#plan.loads.beforeLoop[node] as bigint);
    for (const next of behind) this.#blockLabels.set(next, w.block());
    if (this.#plan.checks?.ofRounds.has(node)) this.#rounds?.open();
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
    if (labels.length === 1) return this.#writer.br(first);
    this.#writer.get(this.#entry);
    this.#writer.brTable(labels, first);
  }

  #block(node: number, owed: number): void {
    const block = this.#graph.blockOf(node) as Block;
    const kept = this.#plan.keeping[node]?.kept ?? 0n;
    this.#enter(node, block, kept);
    const owedBehind = translateBlock(this.#blockContext, {
      ...(this.#plan.blocks[this.#graph.blockIndex(node)] as PlannedBlock),
      ...{ block, checks: this.#plan.checks?.ofAccesses[node] ?? [], kept, owed },
      later: this.#storedLater(node, block),
      skipSlot: (owed, next) => this.#skipSlot({ node, block, owed }, next),
    });
    this.#terminate({ node, block, owed: owedBehind });
  }

  /**
   * Registers that are not stored at a block's end: the next one writes them again, or what follows that. They are stored where another
   * way begins, and where what follows may be left before; a loop's way back would get longer.
   * @param depth how many blocks are looked at
   */
  #storedLater(node: number, block: Block, depth = BLOCKS_AHEAD): bigint {
    const targets = depth > 0 ? this.#waysOn(block) : [];
    const nodes = targets.map((address) => this.#graph.next(node, address));
    if (nodes.some((next) => next !== undefined && this.#graph.isBackward(node, next))) return 0n;
    return targets.reduce((all, address) => all | this.#storedBehind(node, block, address, depth), 0n);
  }

  /** Where a block goes on within its function with nothing in between that needs registers to be stored. */
  #waysOn({ end }: Block): readonly number[] {
    if (end.kind === 'branch') return end.likely ? [] : [end.taken, end.next];
    return end.kind === 'goto' && this.#graph.continuesAt(end) === undefined ? [end.target] : [];
  }

  /** Those for which one way sees to it: nothing where it does not lead straight into a block. */
  #storedBehind(node: number, block: Block, address: number, depth = BLOCKS_AHEAD): bigint {
    const next = this.#graph.next(node, address);
    if (next === undefined || this.#pageChecks.areNeeded(block.address, address)) return 0n;
    if (!this.#isInside(node, next) || this.#looksAtBudget(next)) return 0n;
    if (this.#plan.keeping[next] !== this.#plan.keeping[node]) return 0n;
    const there = this.#graph.blockOf(next) as Block; // else it looks at the budget
    return (this.#plan.kills[next] as bigint) | this.#storedLater(next, there, depth - 1);
  }

  /** What is to be done before a block's instructions. */
  #enter(node: number, block: Block, kept: bigint): void {
    const w = this.#writer;
    if (this.#graph.isCheckpoint(node)) {
      const bound = this.#graph.bounds[node] as number;
      const leave = (way: Way): void => {
        if (this.#graph.forgets(node)) this.#exits.leaveIfElsewhere();
        this.#registers.storeKept(kept);
        this.#exits.leave(way, () => w.i32(block.address));
      };
      const rounds = this.#plan.checks?.ofRounds.get(node);
      const missed = (strays: Emit): void => {
        strays();
        w.set(this.#exits.strays);
        leave('missed');
      };
      if (rounds)
        this.#rounds?.check(
          { ...rounds, bound, cost: block.instructions.length },
          { spent: () => leave('interpret'), missed },
        );
      else {
        this.#budget.isBelow(bound);
        w.if();
        leave('interpret');
        w.end();
      }
    }
    this.#pageChecks.checkSlot(block, () => this.#registers.storeKept(kept));
    this.#registers.load(this.#plan.loads.atStart[node] as bigint);
  }

  /**
   * Charges what is owed to the budget. Only where that is looked at, or where ways meet: in between, both what it is and what it
   * will be would be in registers of the host's.
   */
  #settle(source: EdgeSource): EdgeSource {
    this.#budget.charge(source.owed);
    return { ...source, owed: 0 };
  }

  #terminate(behind: EdgeSource): void {
    const w = this.#writer;
    const { block } = behind;
    const { end } = block;
    const source = this.#owesFurther(behind) ? behind : this.#settle(behind);
    switch (end.kind) {
      case 'goto':
        this.#callOut(source, { constant: end.target });
        return this.#continueAt(source, end.target);
      case 'branch':
        if (end.likely) return this.#continueAt(source, end.taken);
        w.get(this.#condition);
        this.#continueIf(source, end.taken);
        return this.#continueAt(source, end.next);
      case 'interpret':
        return this.#exits.leave('interpret', () => w.i32(end.at));
      case 'system':
        return w.op(W.unreachable);
      case 'indirect':
        for (const address of this.#graph.guesses(block)) {
          w.get(this.#target);
          w.i32(address);
          w.op(W.i32_eq);
          this.#continueIf(source, address);
        }
        if (dispatchesItself(end)) this.#dispatchWithin(block);
        if (end.role === 'return' && this.#dispatch) this.#exits.returnToCaller(this.#target);
        this.#callOut(source, this.#target);
        return this.#exits.leave('jump', () => w.get(this.#target));
    }
  }

  /** May a block's successors charge what it owes? Not where a mere branch leads there. */
  #owesFurther(source: EdgeSource): boolean {
    const { end } = source.block;
    if (end.kind === 'goto') return this.#graph.continuesAt(end) === undefined;
    return end.kind === 'branch' && (end.likely || !this.#directLabel(source, end.taken));
  }

  /** Continues within the region if the jump cache says that the target is one of its entries. */
  #dispatchWithin(block: Block): void {
    const w = this.#writer;
    const self = (): void => w.get(TranslationParameter.Word);
    const word = this.#dispatch?.word ?? ((): void => this.#jumpCache.load(JumpCache.target));
    if (this.#dispatch) {
      this.#dispatch.find(this.#target);
      haveSameTarget(w, word, self);
    } else {
      this.#jumpCache.find(this.#target);
      this.#jumpCache.isCached(this.#target, this.engineTarget.isDirectlyMapped(block.address));
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
  #callOut(source: EdgeSource, target: number | { readonly constant: number }): void {
    const { address, end } = source.block;
    const returnTo = this.#graph.continuesAt(end);
    if (returnTo === undefined) return;
    this.#exits.callOut(target, returnTo, () => {
      // Where the way there does not look at the budget first, as every block does that is returned to.
      if (this.#pageChecks.areNeeded(address, returnTo)) this.#exits.leaveIfElsewhere();
      this.#continueAt(source, returnTo);
    });
  }

  /** See {@link PlacedBlock.skipSlot}. */
  #skipSlot(source: EdgeSource, next: number): number {
    const settled = this.#directLabel(source, next) ? this.#settle(source) : source;
    this.#continueIf(settled, next);
    return settled.owed;
  }

  /** Takes a condition from the stack and continues at an address if it holds. */
  #continueIf(source: EdgeSource, address: number): void {
    const w = this.#writer;
    const label = this.#directLabel(source, address);
    if (label && this.#registers.areStored) return w.brIf(label);
    w.if();
    this.#registers.onOneWay(() => this.#continueAt(source, address));
    w.end();
  }

  /** The label that a mere branch to an address needs, if it needs no more. */
  #directLabel({ node, block }: EdgeSource, address: number): Label | undefined {
    const next = this.#graph.next(node, address);
    if (next === undefined || this.#mayLeave(block, address) || this.#graph.isRouted(node, next)) return undefined;
    if (this.#plan.keeping[next] !== this.#plan.keeping[node]) return undefined;
    return this.#graph.isBackward(node, next) ? this.#loopLabels.get(next) : this.#blockLabels.get(next);
  }

  #continueAt(source: EdgeSource, address: number): void {
    const { node, block } = source;
    const next = this.#graph.next(node, address);
    this.#registers.store(this.#storedBehind(node, block, address));
    const keeping = this.#plan.keeping[node];
    const endsKeeping = next === undefined || this.#plan.keeping[next] !== keeping;
    const storeKept = (): void => this.#registers.storeKept(keeping?.kept ?? 0n);
    if (endsKeeping) storeKept();
    if (next === undefined) {
      this.#settle(source);
      return this.#exits.leave('jump', () => this.#writer.i32(address));
    }
    if (!this.#pageChecks.areNeeded(block.address, address)) return this.#goto(node, next, source.owed);
    this.#settle(source);
    this.#pageChecks.check(address, endsKeeping ? () => undefined : storeKept);
    this.#goto(node, next);
  }

  #goto(node: number, next: number, owed = 0): void {
    const w = this.#writer;
    const isInside = this.#isInside(node, next);
    if (isInside && !this.#looksAtBudget(next)) return this.#tree(next, owed);
    this.#budget.charge(owed);
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

  /** The node is emitted where the edge to it is. */
  #isInside(node: number, next: number): boolean {
    return !this.#graph.isRouted(node, next) && !this.#graph.isBackward(node, next) && !this.#graph.isLabelled(next);
  }

  /** Where a node begins, the budget must be exact. */
  #looksAtBudget(node: number): boolean {
    const block = this.#graph.blockOf(node);
    return !block || this.#graph.isCheckpoint(node) || this.#pageChecks.isNeededForSlot(block);
  }
}
