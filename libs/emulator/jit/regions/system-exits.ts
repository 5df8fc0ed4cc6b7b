import type { BranchKind, IrBuilder, TargetDescription } from '../ir/index.js';
import { Fragment, helperArgument } from '../ir/index.js';
import { FunctionWriter, ModuleWriter, ValType, W } from '../wasm/encoder.js';
import type { MemoryImport } from '../wasm/encoder.js';
import type { Emit, LoweringContext } from '../wasm/lowering.js';
import { LocalPool, Lowering } from '../wasm/lowering.js';
import { CpuArea } from '../wasm/cpu-area.js';
import {
  ELSEWHERE,
  TRANSLATION_PARAMETERS,
  TRANSLATION_RESULTS,
  TranslationParameter,
} from '../wasm/translation-call.js';
import { JumpCacheLookup } from './jump-cache-lookup.js';

/**
 * Names of the helpers whose usual case (`TargetDescription.expansions`) translations go on to without the interpreter:
 * exceptions, and the return from them. One function each, shared by all translations of a vCPU, at the table of
 * translations' first places.
 */
export type SystemExits = readonly string[];

const FIRST_TARGET = 1; // 0 stands for no translation

/** The first place in the table of translations that no system exit takes. */
export const firstFreeTarget = (exits: SystemExits): number => FIRST_TARGET + exits.length;

/** The place in the table of translations of a helper's system exit, undefined where it has none. */
export function systemExitTarget(exits: SystemExits, helper: string): number | undefined {
  const index = exits.indexOf(helper);
  return index < 0 ? undefined : FIRST_TARGET + index;
}

export interface SystemExitHost {
  readonly memory: MemoryImport;
  readonly cpuBase: number;
  /** Linear-memory offset of the jump cache. */
  readonly jumpCache: number;
}

/** A module that exports each system exit under the helper's name. Its imports are those of translations. */
export function translateSystemExits(target: TargetDescription, host: SystemExitHost): Uint8Array<ArrayBuffer> {
  const module = new ModuleWriter(host.memory);
  module.importTable('env', 'translations');
  const type = module.type(TRANSLATION_PARAMETERS, TRANSLATION_RESULTS);
  for (const [name, { emit }] of target.expansions) {
    const params = target.helpers.find((helper) => helper.name === name)?.params ?? 0;
    const fragment = new Fragment(target.helpers);
    const b = target.createBuilder(fragment);
    const args = Array.from({ length: params }, (_, i) => b.loadState(helperArgument(target.engine, i)));
    emit(b, args, b.i32(0)); // whoever comes here is in no delay slot
    module.addFunction(new SystemExit(target, host, type).run(fragment), TRANSLATION_RESULTS, name);
  }
  return module.finish();
}

/**
 * One system exit. It is called as a translation is, with the instruction's address in `pc` and the instruction paid for;
 * what is not the usual case goes back to the interpreter as if nothing had been done.
 */
class SystemExit implements LoweringContext {
  readonly writer = new FunctionWriter(TRANSLATION_PARAMETERS);
  readonly cpuBase: number;
  readonly #cpu: CpuArea;
  readonly #remaining = TranslationParameter.Remaining;
  readonly #destination = this.writer.local(ValType.i32);
  readonly #free = this.writer.local(ValType.i32);

  constructor(
    private readonly target: TargetDescription<IrBuilder>,
    private readonly host: SystemExitHost,
    private readonly type: number,
  ) {
    this.cpuBase = host.cpuBase;
    this.#cpu = new CpuArea(this.writer, host.cpuBase);
  }

  run(fragment: Fragment): FunctionWriter {
    const w = this.writer;
    const { engine } = this.target;
    new Lowering(fragment, this, new LocalPool(w)).run();
    const toInterpreter = (): void => {
      this.#cpu.store(engine.pc, () => w.get(this.#destination));
      this.#cpu.store(engine.remaining, () => w.get(this.#remaining));
      w.i32(ELSEWHERE);
      w.op(W.return);
    };
    // An interrupt may have been waiting for this.
    this.#cpu.load(engine.attention);
    w.if();
    toInterpreter();
    w.end();
    const cache = { jumpCache: this.host.jumpCache, modeKey: (): void => this.#cpu.load(engine.modeKey) };
    // The mode, and with it the soft TLB, may be another now.
    const lookup = new JumpCacheLookup(w, cache, undefined, () => this.#cpu.load(engine.tlbBase));
    const waits = {
      returnTo: (): void => w.get(TranslationParameter.ReturnTo),
      depth: (): void => w.get(TranslationParameter.Depth),
    };
    const locals = { address: this.#destination, remaining: this.#remaining, free: this.#free };
    lookup.enter({ ...locals, ...waits }, this.type, toInterpreter);
    return w;
  }

  insnWord = (): void => {
    throw new Error('a system exit has no instruction word');
  };

  pc = (): void => this.#cpu.load(this.target.engine.pc);

  loadGuest(): void {
    throw new Error('a system exit accesses no memory');
  }

  storeGuest(): void {
    this.loadGuest();
  }

  /** Not the usual case: the interpreter executes the instruction. */
  call(): void {
    const w = this.writer;
    const { engine } = this.target;
    this.#cpu.store(engine.remaining, () => {
      w.get(this.#remaining);
      w.i32(1);
      w.op(W.i32_add);
    });
    this.#cpu.store(engine.interpretNext, () => w.i32(1));
    w.i32(ELSEWHERE);
    w.op(W.return);
  }

  /** The end: an immediate branch, by contract. */
  branch(_kind: BranchKind, target: Emit): void {
    target();
    this.writer.set(this.#destination);
  }
}
