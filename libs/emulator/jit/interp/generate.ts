import type {
  BranchKind as BranchKindType,
  DecodeNode,
  HelperExpansion,
  HelperSignature,
  Instruction,
  IrBuilder,
  JoinedSwitch,
  StateField,
  TargetDescription,
  Value,
  Width,
} from '../ir/index.js';
import {
  BranchKind,
  buildDecodeTree,
  DelayState,
  ENTRY_BUDGET,
  EngineEvent,
  helperArgument,
  Fragment,
  Op,
  runtimeFields,
  instructionsOf,
  joinSwitches,
  SoftTlb,
  Type,
  Width as Widths,
} from '../ir/index.js';
import { PAGE_BYTES, PAGE_OFFSET } from '../../memory/index.js';
import { CpuArea } from '../wasm/cpu-area.js';
import type { Label, MemoryImport } from '../wasm/encoder.js';
import { FunctionWriter, ModuleWriter, ValType, W } from '../wasm/encoder.js';
import type { Emit, GuestAddress, LoweringContext } from '../wasm/lowering.js';
import { LocalPool, Lowering } from '../wasm/lowering.js';
import { TRANSLATION_PARAMETERS, TRANSLATION_RESULTS } from '../wasm/translation-call.js';
import type { MemoryLayout } from './guest-memory.js';
import { GuestMemory } from './guest-memory.js';
import type { TranslationLink } from './translation-entry.js';
import { TranslationEntry } from './translation-entry.js';

/**
 * Host functions that the interpreter imports beside the target's helpers. All find the precise program counter in the
 * CPU's area, and may set {@link EngineEvent}.
 */
export const INTERPRETER_IMPORTS = {
  /** (address, width) → value; an i64 load leaves its value in `scratch[0]`. */
  loadSlow: 'loadSlow',
  /** (address, value, width); an i64 store finds its value in `scratch[0]`. */
  storeSlow: 'storeSlow',
  /** (address): fills the soft TLB's exec tag or raises the exception. */
  fetchMiss: 'fetchMiss',
  /** (): takes a pending interrupt or leaves, at an instruction boundary. */
  attention: 'attention',
  /** (jump cache entry): the address there has been reached often enough to be translated. */
  hot: 'hot',
} as const;

export interface InterpreterLayout extends MemoryLayout {
  readonly memory: MemoryImport;
  /** Linear-memory offset of `DECODE_TABLE_BYTES` bytes, which the module fills. */
  readonly decodeTable: number;
  /** Absent: nothing is ever translated. */
  readonly translations?: TranslationLink | undefined;
}

/** RAM lies page-aligned in linear memory, so addresses there and virtual addresses agree in these bits. */
/** How many of an instruction's usual followers are copied behind it, and behind each of those copies. */
const COPIED_FOLLOWERS: readonly number[] = [4, 2, 0];

/**
 * Generates a target's interpreter: one Wasm function that fetches, decodes and executes until the budget in the CPU's
 * area is spent or a helper asks to leave. Every handler comes from the instruction's semantics.
 *
 * Straight-line code costs one comparison an instruction: a *run* goes from `runStart` to `limit`, which is the nearest
 * of page end, budget end, and the end of a delay slot; everything else (budget, delayed branch, interrupts, fetch
 * translation) happens at the boundary between runs. The number of instructions executed follows from the addresses.
 */
export function generateInterpreter<B extends IrBuilder>(
  target: TargetDescription<B>,
  options: InterpreterLayout,
): Uint8Array<ArrayBuffer> {
  return new InterpreterGenerator(target, options).generate();
}

class InterpreterGenerator<B extends IrBuilder> implements LoweringContext {
  readonly writer = new FunctionWriter();
  readonly cpuBase: number;
  readonly #cpu: CpuArea;
  readonly #module: ModuleWriter;
  readonly #fragment: Fragment;
  readonly #builder: B;
  readonly #pool = new LocalPool(this.writer);
  readonly #memory: GuestMemory;
  readonly #helperIndex: readonly number[];
  readonly #fetchMiss: number;
  readonly #attention: number;
  readonly #translations: TranslationEntry | undefined;
  readonly #decodeTable: number;

  /**
   * Linear-memory offset of the next instruction while a handler runs. It and the limit are all that lives from one
   * instruction to the next, and nothing lives across a call (see {@link #afterCall}): the engine's compiler would
   * otherwise spill on every instruction what only slow paths need.
   */
  readonly #ip = this.writer.local(ValType.i32);
  /** Where the current run ends, as {@link #ip}. */
  readonly #limit = this.writer.local(ValType.i32);
  readonly #word = this.writer.local(ValType.i32);
  /** Number of the decoder's node that {@link #word} leads to, where the decoder has a table. */
  readonly #index = this.writer.local(ValType.i32);
  /** Between two runs: where execution continues, and what the budget has left. */
  readonly #destination = this.writer.local(ValType.i32);
  readonly #remaining = this.writer.local(ValType.i32);
  #next!: Label;
  #enter!: Label;
  #unusual!: Label;
  #boundary!: Label;
  /** Where the helpers with expansions lead to; arguments are in `scratch`. */
  readonly #expanded = new Map<string, Label>();
  #expanding = false;
  #jump!: Label;
  #event!: Label;
  #undefined!: Label;
  #decoded!: Label;
  readonly #tree: DecodeNode<Instruction<B>>;
  readonly #joined: JoinedSwitch<Instruction<B>> | undefined;
  /** For each instruction of {@link TargetDescription.followers}: the decoder's nodes, as numbers of the joined switch. */
  readonly #followers = new Map<string, readonly number[]>();

  constructor(
    private readonly target: TargetDescription<B>,
    options: InterpreterLayout,
  ) {
    this.cpuBase = options.cpuBase;
    this.#cpu = new CpuArea(this.writer, options.cpuBase);
    this.#decodeTable = options.decodeTable;
    this.#module = new ModuleWriter(options.memory);
    const i32 = ValType.i32;
    const importSlow = (name: string, params: number, results: number): number =>
      this.#module.importFunction('engine', name, Array<ValType>(params).fill(i32), Array<ValType>(results).fill(i32));
    this.#memory = new GuestMemory(this.writer, this.#pool, target, options, {
      load: importSlow(INTERPRETER_IMPORTS.loadSlow, 2, 1),
      store: importSlow(INTERPRETER_IMPORTS.storeSlow, 3, 0),
      before: () => this.#storePc(),
      after: () => this.#afterCall(),
    });
    this.#fetchMiss = importSlow(INTERPRETER_IMPORTS.fetchMiss, 1, 0);
    this.#attention = importSlow(INTERPRETER_IMPORTS.attention, 0, 0);
    const hot = importSlow(INTERPRETER_IMPORTS.hot, 1, 0);
    this.#translations =
      options.translations &&
      new TranslationEntry(this.writer, target.engine, this.#cpu, options.translations, {
        ...{ pc: this.#destination, ip: this.#ip, cached: this.#memory.entry, left: this.#memory.address },
        hot,
        type: this.#module.type(TRANSLATION_PARAMETERS, TRANSLATION_RESULTS),
        leave: () => this.writer.br(this.#event),
      });
    this.#helperIndex = target.helpers.map((helper) =>
      this.#module.importFunction(
        'helpers',
        helper.name,
        Array<ValType>(helper.params).fill(i32),
        helper.result === Type.I32 ? [i32] : [],
      ),
    );
    this.#tree = buildDecodeTree(target.table.instructions);
    this.#joined = joinSwitches(this.#tree);
    for (const [name, followers] of target.followers)
      this.#followers.set(name, [
        ...new Set(followers.map((follower) => this.#nodeOf(follower)).filter((i) => i >= 0)),
      ]);
    this.#fragment = new Fragment(target.helpers);
    this.#builder = target.createBuilder(this.#fragment);
  }

  generate(): Uint8Array<ArrayBuffer> {
    const w = this.writer;
    const outer = w.loop();
    this.#reload();
    this.#event = w.block();
    this.#next = w.loop();
    this.#enter = w.block();
    this.#unusual = w.block();
    this.#jump = w.block();
    this.#boundary = w.block();
    for (const name of this.target.expansions.keys()) this.#expanded.set(name, w.block());
    this.#fetch();
    if (this.#joined) {
      this.#lookUp(this.#joined);
      this.#decoded = w.loop();
    }
    this.#undefined = w.block();
    this.#dispatch(this.#tree);
    w.end();
    this.#handler((b, word) => this.target.undefinedInstruction(b, word));
    if (this.#joined) w.end(); // decoded
    for (const name of [...this.target.expansions.keys()].toReversed()) {
      w.end();
      this.#expand(name);
    }
    w.end(); // boundary
    this.#afterRun();
    w.end(); // jump
    this.#betweenRuns();
    w.end(); // unusual
    this.#unusualBoundary();
    w.end(); // enter
    this.#startRun();
    w.br(this.#next);
    w.end(); // next
    w.op(W.unreachable);
    w.end(); // event
    this.#cpu.load(this.target.engine.event);
    this.#cpu.store(this.target.engine.event, () => w.i32(EngineEvent.None));
    w.i32(EngineEvent.Leave);
    w.op(W.i32_ne);
    w.brIf(outer);
    w.end(); // outer
    this.#module.addFunction(w, [], 'run');
    if (this.#translations) {
      this.#module.importTable('env', 'translations');
    }
    return this.#module.finish();
  }

  // ---- LoweringContext ---------------------------------------------------------------------------------------------

  insnWord = (): void => this.writer.get(this.#word);

  pc = (): void => {
    this.#nextPc();
    this.writer.i32(-4);
    this.writer.op(W.i32_add);
  };

  /** Virtual address of the next instruction in sequence. */
  #nextPc = (): void => {
    this.writer.get(this.#ip);
    this.#cpu.load(this.target.engine.fetchAddend);
    this.writer.op(W.i32_sub);
  };

  loadGuest(width: Width, type: Type, { emit }: GuestAddress): void {
    this.#memory.load(width, type, emit);
  }

  storeGuest(width: Width, type: Type, { emit }: GuestAddress, value: Emit): void {
    this.#memory.store(width, type, emit, value);
  }

  call(index: number, signature: HelperSignature, args: readonly Emit[]): void {
    const w = this.writer;
    const expansion = this.#expanding ? undefined : this.#expanded.get(signature.name);
    if (expansion) {
      args.forEach((arg, i) => this.#cpu.store(this.#argument(i), arg));
      return w.br(expansion);
    }
    this.#storePc();
    for (const arg of args) arg();
    w.call(this.#helperIndex[index] as number);
    if (signature.effect === 'leave') w.br(this.#event);
    else this.#afterCall();
  }

  branch(kind: BranchKindType, target: Emit, condition: Emit | undefined): void {
    const w = this.writer;
    const atLimit = (): void => {
      w.get(this.#ip);
      w.get(this.#limit);
      w.op(W.i32_eq);
    };
    const { branchTarget, delay } = this.target.engine;
    /** Ends the run here and continues at an address. */
    const redirect = (to: Emit): void => {
      to();
      w.set(this.#destination);
      this.#cpu.store(delay, () => w.i32(DelayState.None));
      w.br(this.#jump);
    };
    const sequential = (): void => {
      this.#nextPc();
      w.i32(4);
      w.op(W.i32_add);
    };
    /** Where the run ends here, the slot is the next one. */
    const slotInNextRun = (to: Emit): void => {
      atLimit();
      w.if();
      this.#cpu.store(branchTarget, to);
      this.#cpu.store(delay, () => w.i32(DelayState.SlotPending));
      w.br(this.#boundary);
      w.end();
    };
    /** Lets one more instruction run: now if the run has room, else as the next run. */
    const afterSlot = (to: Emit): void => {
      to();
      w.set(this.#destination);
      slotInNextRun(() => w.get(this.#destination));
      // A slot that holds the all-zero word does nothing on any target with delay slots: it is passed over here.
      w.get(this.#ip);
      w.memory(W.i32_load, 0);
      w.op(W.i32_eqz);
      w.if();
      w.get(this.#ip);
      w.i32(4);
      w.op(W.i32_add);
      w.set(this.#ip);
      this.#cpu.store(delay, () => w.i32(DelayState.None));
      w.br(this.#jump);
      w.end();
      this.#cpu.store(branchTarget, () => w.get(this.#destination));
      this.#cpu.store(delay, () => w.i32(DelayState.InSlot));
      w.get(this.#ip);
      w.i32(4);
      w.op(W.i32_add);
      w.set(this.#limit);
      w.br(this.#next);
    };

    if (kind === BranchKind.Immediate) {
      if (!condition) return redirect(target);
      condition();
      w.if();
      redirect(target);
      w.end();
    } else if (!condition) {
      afterSlot(target);
    } else if (kind === BranchKind.Delayed) {
      condition();
      w.if();
      afterSlot(target);
      w.end();
      // Not taken, the slot is simply the next instruction; only where a run ends must it be remembered as a slot.
      slotInNextRun(sequential);
    } else {
      condition();
      w.if();
      afterSlot(target);
      w.end();
      redirect(sequential);
    }
  }

  // ---- the loop ----------------------------------------------------------------------------------------------------

  #reload(): void {
    const { engine } = this.target;
    const w = this.writer;
    this.#cpu.store(engine.runStart, () => this.#cpu.load(engine.pc));
    this.#cpu.store(engine.fetchTag, () => w.i32(SoftTlb.invalidTag));
    // An empty run: the loop goes straight to the boundary, which translates the address.
    this.#cpu.load(engine.pc);
    this.#cpu.load(engine.fetchAddend);
    w.op(W.i32_add);
    w.tee(this.#ip);
    w.set(this.#limit);
  }

  /** Leaves the run at its end, else loads the instruction word and steps the program counter. */
  #fetch(): void {
    const w = this.writer;
    w.get(this.#ip);
    w.get(this.#limit);
    w.op(W.i32_eq);
    w.brIf(this.#boundary);
    this.#loadWord(0);
    w.get(this.#ip);
    w.i32(4);
    w.op(W.i32_add);
    w.set(this.#ip);
  }

  /** Loads the instruction word at a distance from the instruction pointer. */
  #loadWord(distance: number): void {
    const w = this.writer;
    this.#memory.inHostOrder(Widths.W32, Type.I32, () => {
      w.get(this.#ip);
      if (distance !== 0) {
        w.i32(distance);
        w.op(W.i32_add);
      }
      w.memory(W.i32_load, 0);
    });
    w.set(this.#word);
  }

  /** At the end of a run: when the delay slot is done, go where its branch said. */
  #afterRun(): void {
    const { engine } = this.target;
    const w = this.writer;
    this.#cpu.load(engine.delay);
    w.i32(DelayState.InSlot);
    w.op(W.i32_eq);
    w.if();
    this.#cpu.load(engine.branchTarget);
    w.set(this.#destination);
    this.#cpu.store(engine.delay, () => w.i32(DelayState.None));
    w.else();
    this.#nextPc();
    w.set(this.#destination);
    // A branch was the run's last instruction: its slot is a run of its own.
    this.#cpu.load(engine.delay);
    w.if();
    this.#account();
    w.br(this.#unusual);
    w.end();
    w.end();
  }

  /** Subtracts the run that ended from the budget; the next one starts at {@link #destination}. */
  #account(): void {
    const { engine } = this.target;
    const w = this.writer;
    this.#cpu.store(engine.remaining, () => {
      this.#cpu.load(engine.remaining);
      this.#nextPc();
      this.#cpu.load(engine.runStart);
      w.op(W.i32_sub);
      w.i32(2);
      w.op(W.i32_shr_u);
      w.op(W.i32_sub);
      w.tee(this.#remaining);
    });
    this.#cpu.store(engine.runStart, () => w.get(this.#destination));
  }

  /**
   * Between two runs, no slot pending. The common case, a taken branch within the page, passes three tests; its state lives
   * in the CPU's area and not in locals, because a handful of locals is all that the dispatch loop can keep in registers.
   */
  #betweenRuns(): void {
    const { engine } = this.target;
    const w = this.writer;
    this.#account();
    w.get(this.#remaining);
    w.i32(ENTRY_BUDGET);
    w.op(W.i32_le_s);
    w.brIf(this.#unusual);
    this.#fetchKey(this.#destination);
    this.#cpu.load(engine.fetchTag);
    w.op(W.i32_ne);
    w.brIf(this.#unusual);
    this.#cpu.load(engine.attention);
    w.op(W.i32_eqz);
    w.brIf(this.#enter);
  }

  /** Starts a run at {@link #destination}, which may go to the page's end: the budget is larger than a page. */
  #startRun(): void {
    const w = this.writer;
    this.#enterAt(this.#destination);
    w.i32(PAGE_OFFSET);
    w.op(W.i32_or);
    w.i32(1);
    w.op(W.i32_add);
    w.set(this.#limit);
    this.#translations?.enter();
  }

  /** Budget spent, attention wanted, another fetch page, or a delay slot that starts a run. */
  #unusualBoundary(): void {
    const { engine } = this.target;
    const w = this.writer;
    const [pc, remaining] = [this.#destination, this.#remaining];
    const delay = (): void => this.#cpu.load(engine.delay);
    // Return with everything in the CPU's area.
    w.get(remaining);
    w.i32(0);
    w.op(W.i32_le_s);
    w.if();
    this.#cpu.store(engine.pc, () => w.get(pc));
    w.op(W.return);
    w.end();
    // Interrupts and requests to leave, except between a branch and its slot.
    this.#cpu.load(engine.attention);
    delay();
    w.op(W.i32_gt_u);
    w.if();
    this.#cpu.store(engine.pc, () => w.get(pc));
    w.call(this.#attention);
    w.br(this.#event);
    w.end();
    // Translate the fetch address when the page changed.
    this.#fetchKey(pc);
    this.#cpu.load(engine.fetchTag);
    w.op(W.i32_ne);
    w.if();
    this.#memory.entryOf(() => w.get(pc));
    w.memory(W.i32_load, SoftTlb.execTag);
    this.#fetchKey(pc);
    w.op(W.i32_ne);
    w.if();
    this.#cpu.store(engine.pc, () => w.get(pc));
    w.get(pc);
    w.call(this.#fetchMiss);
    w.br(this.#event);
    w.end();
    this.#cpu.store(engine.fetchTag, () => this.#fetchKey(pc));
    this.#cpu.store(engine.fetchAddend, () => {
      w.get(this.#memory.entry);
      w.memory(W.i32_load, SoftTlb.addend);
    });
    w.end();
    // A pending delay slot is a run of its own.
    delay();
    w.if();
    if (this.#translations) this.#cpu.store(engine.interpretNext, () => w.i32(0));
    this.#cpu.store(engine.delay, () => w.i32(DelayState.InSlot));
    this.#enterAt(pc);
    w.i32(4);
    w.op(W.i32_add);
    w.set(this.#limit);
    w.br(this.#next);
    w.end();
    // The last page's worth of a budget: to the page's end or the budget's end, whichever comes first.
    w.get(remaining);
    w.i32(ENTRY_BUDGET);
    w.op(W.i32_le_s);
    w.if();
    const room = this.#memory.address;
    w.i32(PAGE_BYTES);
    w.get(pc);
    w.i32(PAGE_OFFSET);
    w.op(W.i32_and);
    w.op(W.i32_sub);
    w.i32(2);
    w.op(W.i32_shr_u);
    w.tee(room);
    w.get(remaining);
    w.get(room);
    w.get(remaining);
    w.op(W.i32_lt_s);
    w.op(W.select);
    w.i32(2);
    w.op(W.i32_shl);
    this.#enterAt(pc);
    w.op(W.i32_add);
    w.set(this.#limit);
    w.br(this.#next);
    w.end();
  }

  /** Sets the instruction pointer to a virtual address on the fetch page, and leaves it on the stack. */
  #enterAt(pc: number): void {
    this.writer.get(pc);
    this.#cpu.load(this.target.engine.fetchAddend);
    this.writer.op(W.i32_add);
    this.writer.tee(this.#ip);
  }

  /** The address as fetch tags are compared: the page, and the bits that must be zero. */
  #fetchKey(pc: number): void {
    this.writer.get(pc);
    this.writer.i32(0xfffff003 | 0);
    this.writer.op(W.i32_and);
  }

  /**
   * Finds the handler of the instruction word in one step where the encodings permit it: an indirect jump that
   * leads to another one costs more than a look-up in a table.
   */
  #dispatch(root: DecodeNode<Instruction<B>>): void {
    const joined = this.#joined;
    if (!joined) return this.#decode(root);
    const { table, nodes } = joined;
    const w = this.writer;
    this.#module.addData(this.#decodeTable, table);
    const labels = nodes.map((node) => (node.kind === 'undefined' ? this.#undefined : w.block()));
    w.get(this.#index);
    w.brTable(labels, this.#undefined);
    for (const node of nodes.toReversed()) {
      if (node.kind === 'undefined') continue;
      w.end();
      this.#decode(node);
    }
  }

  /** Sets the number of the decoder's node for the instruction word. */
  #lookUp({ rotation, table }: JoinedSwitch<Instruction<B>>): void {
    const w = this.writer;
    w.get(this.#word);
    w.i32(rotation);
    w.op(W.i32_rotl);
    w.i32(table.length - 1);
    w.op(W.i32_and);
    w.memory(W.i32_load8_u, this.#decodeTable);
    w.set(this.#index);
  }

  /**
   * Continues with the next instruction. The handlers of those that often follow are copied here, behind a comparison:
   * an indirect jump is predicted from a small table that fills up, a conditional one from a large one.
   * @param depth how many instructions were copied before this one
   */
  #continue(name: string, depth: number): void {
    const w = this.writer;
    const joined = this.#joined;
    const followers = this.#followers.get(name)?.slice(0, COPIED_FOLLOWERS[depth]) ?? [];
    if (!joined || followers.length === 0) return w.br(this.#next);
    this.#fetch();
    this.#lookUp(joined);
    for (const index of followers) {
      w.get(this.#index);
      w.i32(index);
      w.op(W.i32_eq);
      w.if();
      this.#decode(joined.nodes[index] as DecodeNode<Instruction<B>>, depth + 1);
      w.end();
    }
    w.br(this.#decoded);
  }

  /** Number of the joined switch's node that decodes an instruction, or -1. */
  #nodeOf(name: string): number {
    return this.#joined?.nodes.findIndex((node) => instructionsOf(node).some((other) => other.name === name)) ?? -1;
  }

  #decode(node: DecodeNode<Instruction<B>>, depth = 0): void {
    const w = this.writer;
    switch (node.kind) {
      case 'undefined':
        return w.br(this.#undefined);
      case 'leaf': {
        const { encoding, semantics } = node.instruction;
        return this.#handler((b, word) => semantics(b, runtimeFields(b, encoding, word)), node.instruction.name, depth);
      }
      case 'test':
        w.get(this.#word);
        w.i32(node.mask | 0);
        w.op(W.i32_and);
        w.i32(node.match | 0);
        w.op(W.i32_eq);
        w.if();
        this.#decode(node.then, depth);
        w.end();
        return this.#decode(node.otherwise, depth);
      case 'switch': {
        const cases = [...node.cases].sort(([a], [b]) => a - b);
        const labels = new Map<number, Label>();
        for (const [value] of cases.toReversed()) labels.set(value, w.block());
        w.get(this.#word);
        w.i32(node.low);
        w.op(W.i32_shr_u);
        if (node.low + node.bits < 32) {
          w.i32(2 ** node.bits - 1);
          w.op(W.i32_and);
        }
        w.brTable(
          Array.from({ length: 2 ** node.bits }, (_, value) => labels.get(value) ?? this.#undefined),
          this.#undefined,
        );
        for (const [, child] of cases) {
          w.end();
          this.#decode(child, depth);
        }
      }
    }
  }

  /** Lowers one instruction's semantics and continues with the next instruction. */
  #handler(semantics: (b: B, word: Value) => void, name = '', depth = 0): void {
    this.#fragment.clear();
    semantics(this.#builder, this.#fragment.push(Op.InsnWord, Type.I32));
    new Lowering(this.#fragment, this, this.#pool).run();
    this.#continue(name, depth);
  }

  /** The usual case of a helper, reached from every instruction that calls it. */
  #expand(name: string): void {
    const { expansions, engine, helpers } = this.target;
    const w = this.writer;
    const expansion = expansions.get(name) as HelperExpansion<B>; // its own key
    const params = helpers.find((helper) => helper.name === name)?.params ?? 0;
    // Within the run, so on the same page.
    this.#cpu.store(this.#argument(params), () => {
      this.pc();
      this.#cpu.load(engine.runStart);
      w.op(W.i32_ne);
      w.if(ValType.i32);
      this.#memory.inHostOrder(Widths.W32, Type.I32, () => {
        w.get(this.#ip);
        w.i32(8);
        w.op(W.i32_sub);
        w.memory(W.i32_load, 0);
      });
      w.else();
      w.i32(0);
      w.end();
    });
    const b = this.#builder;
    this.#fragment.clear();
    this.#expanding = true;
    const args = Array.from({ length: params + 1 }, (_, i) => b.loadState(this.#argument(i)));
    expansion.emit(b, args.slice(0, params), args[params] as Value);
    new Lowering(this.#fragment, this, this.#pool).run();
    this.#expanding = false;
  }

  #argument(index: number): StateField {
    return helperArgument(this.target.engine, index);
  }

  // ---- pieces ------------------------------------------------------------------------------------------------------

  /** Makes the precise program counter visible to a helper. */
  #storePc(): void {
    this.#cpu.store(this.target.engine.pc, this.pc);
  }

  /**
   * After a call: follow its event, else go on with this instruction. What lived in locals is loaded again, and the run
   * ends here, so that a request for attention or a shrunken budget is seen at the next boundary.
   */
  #afterCall(): void {
    const { engine } = this.target;
    const w = this.writer;
    this.#cpu.load(engine.event);
    w.brIf(this.#event);
    this.#cpu.load(engine.pc);
    this.#cpu.load(engine.fetchAddend);
    w.op(W.i32_add);
    w.i32(4);
    w.op(W.i32_add);
    w.tee(this.#ip);
    w.set(this.#limit);
    this.#loadWord(-4);
  }
}
