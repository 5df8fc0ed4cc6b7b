import type { EngineState } from '../ir/index.js';
import type { CpuArea } from '../wasm/cpu-area.js';
import type { FunctionWriter, Label } from '../wasm/encoder.js';
import { ValType, W } from '../wasm/encoder.js';
import type { Emit } from '../wasm/lowering.js';
import type { DispatchLookup } from './dispatch-lookup.js';
import type { JumpCacheLookup } from './jump-cache-lookup.js';

/** Translations that may wait for one that they have called: each has a frame on the host's stack. */
const MAX_HOST_DEPTH = 100;

/** Where a region may be left to. */
export type Way =
  /** To the translation that has called this one, or the interpreter, which goes on from there. */
  | 'done'
  /** To another address, in its translation if there is one. */
  | 'jump'
  /** To the interpreter, which executes the instruction at that address. */
  | 'interpret'
  /** The same, because the direct window does not hold the page. */
  | 'missed';

/** What a region's function is made of, as far as its ways out need it. */
export interface RegionFunction {
  readonly writer: FunctionWriter;
  readonly cpu: CpuArea;
  readonly engine: EngineState;
  /** Index of the type of translations. */
  readonly type: number;
  /** Locals: the rest of the budget, the offset of the soft TLB, and one that is free on the way out. */
  readonly remaining: number;
  readonly tlb: number;
  readonly free: number;
  readonly jumpCache: JumpCacheLookup;
  /** Of mirrored code. */
  readonly dispatch: DispatchLookup | undefined;
}

/** The ways out of a region. All are at the end of its function; registers are in the CPU's area already. */
export class RegionExits {
  /** Local with the address that the region is left for. */
  readonly #pc: number;
  /** Local for where the translation that has called this one waits, while this one calls another. */
  readonly #callerReturn: number;
  #labels!: Readonly<Record<Way, Label>>;

  constructor(private readonly fn: RegionFunction) {
    this.#pc = fn.writer.local(ValType.i32);
    this.#callerReturn = fn.writer.local(ValType.i32);
  }

  /** Everything between this and {@link close} may leave. */
  open(): void {
    const { writer: w } = this.fn;
    this.#labels = { done: w.block(), jump: w.block(), interpret: w.block(), missed: w.block() };
  }

  close(): void {
    const { writer: w, cpu, engine } = this.fn;
    w.end(); // missed
    cpu.add(engine.mirrorMisses, 1);
    w.end(); // interpret
    this.#storePosition();
    cpu.store(engine.interpretNext, () => w.i32(1));
    w.op(W.return);
    w.end(); // jump
    this.#transfer();
    w.end(); // done
    this.#storePosition();
  }

  /** Leaves the region. */
  leave(way: Way, address: Emit): void {
    const { writer: w } = this.fn;
    address();
    w.set(this.#pc);
    w.br(this.#labels[way]);
  }

  /**
   * Calls the translation of another region for a guest's call, and goes on where that returns to: so the host predicts returns, and
   * nobody looks them up. All state is in the CPU's area meanwhile; whatever the other one has done, this one may go on if
   * the guest has come to that address. If it has not, it leaves in turn. Falls through where there is no translation to call.
   * @param goOn emits what continues at `returnTo`, with registers unknown
   */
  callOut(target: Emit, returnTo: number, goOn: Emit): void {
    const { writer: w, cpu, engine, type, remaining, tlb, dispatch } = this.fn;
    if (!dispatch) throw new Error('only mirrored code calls out');
    target();
    w.set(this.#pc);
    dispatch.find(this.#pc);
    dispatch.isEnterable(remaining);
    cpu.load(engine.hostDepth);
    w.i32(MAX_HOST_DEPTH);
    w.op(W.i32_lt_u);
    w.op(W.i32_and);
    w.if();
    cpu.add(engine.hostDepth, 1);
    cpu.load(engine.hostReturn);
    w.set(this.#callerReturn);
    cpu.store(engine.hostReturn, () => w.i32(returnTo));
    dispatch.call(remaining, tlb, type);
    cpu.store(engine.hostReturn, () => w.get(this.#callerReturn));
    cpu.add(engine.hostDepth, -1);
    cpu.load(engine.pc);
    w.i32(returnTo);
    w.op(W.i32_xor);
    cpu.load(engine.interpretNext);
    w.op(W.i32_or);
    w.if();
    w.op(W.return);
    w.end();
    cpu.load(engine.remaining);
    w.set(remaining);
    goOn();
    w.end();
  }

  /** Leaves for the translation that has called this one if the guest returns to where that waits. @param target local */
  returnToCaller(target: number): void {
    const { writer: w, cpu, engine } = this.fn;
    w.get(target);
    cpu.load(engine.hostReturn);
    w.op(W.i32_eq);
    w.if();
    this.leave('done', () => w.get(target));
    w.end();
  }

  /**
   * Continues in the translation of the address in the local, without returning to the interpreter; returns to it where there
   * is none.
   */
  #transfer(): void {
    const { writer: w, type, remaining, tlb, free, jumpCache, dispatch } = this.fn;
    dispatch?.enter(this.#pc, remaining, tlb, type);
    jumpCache.enter({ address: this.#pc, remaining, free }, type, () => w.br(this.#labels.done));
  }

  #storePosition(): void {
    const { writer: w, cpu, engine, remaining } = this.fn;
    cpu.store(engine.remaining, () => w.get(remaining));
    cpu.store(engine.pc, () => w.get(this.#pc));
  }
}
