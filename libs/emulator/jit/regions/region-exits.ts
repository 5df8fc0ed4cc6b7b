import type { EngineState } from '../ir/index.js';
import type { CpuArea } from '../wasm/cpu-area.js';
import type { FunctionWriter, Label } from '../wasm/encoder.js';
import { ValType, W } from '../wasm/encoder.js';
import type { Emit } from '../wasm/lowering.js';
import type { DispatchLookup } from './dispatch-lookup.js';
import type { JumpCacheLookup } from './jump-cache-lookup.js';
import type { Waiting } from '../wasm/translation-call.js';
import { ELSEWHERE, nobodyWaits, translationArguments, TranslationParameter } from '../wasm/translation-call.js';

/** Translations that may wait for one that they have called: each has a frame on the host's stack. */
const MAX_HOST_DEPTH = 100;

/** Where a region may be left to. */
export type Way =
  /** To the translation that waits at that address. */
  | 'return'
  /** To another address, in its translation if there is one. */
  | 'jump'
  /** To the interpreter, which executes the instruction at that address. */
  | 'interpret'
  /** The same, because the direct window does not hold what it accesses, see {@link RegionExits.strays}. */
  | 'missed';

/** What a region's function is made of, as far as its ways out need it. */
export interface RegionFunction {
  readonly writer: FunctionWriter;
  readonly cpu: CpuArea;
  readonly engine: EngineState;
  /** Index of the type of translations. */
  readonly type: number;
  /** Locals: the rest of the budget, and one that is free on the way out. */
  readonly remaining: number;
  readonly free: number;
  readonly jumpCache: JumpCacheLookup;
  /** Of mirrored code. */
  readonly dispatch: DispatchLookup | undefined;
}

/** The ways out of a region. All are at the end of its function; registers are in the CPU's area already. */
export class RegionExits {
  /** Local with the address that the region is left for. */
  readonly #pc: number;
  /** Local that says, where the direct window does not hold what an instruction accesses, whether that is outside of it. */
  readonly strays: number;
  #labels!: Readonly<Record<Way, Label>>;
  /** Where whoever has called this region is told that the guest is elsewhere. */
  #elsewhere!: Label;

  constructor(private readonly fn: RegionFunction) {
    this.#pc = fn.writer.local(ValType.i32);
    this.strays = fn.writer.local(ValType.i32);
  }

  /** Everything between this and {@link close} may leave. */
  open(): void {
    const { writer: w } = this.fn;
    const returning = w.block();
    this.#elsewhere = w.block();
    this.#labels = { return: returning, jump: w.block(), interpret: w.block(), missed: w.block() };
  }

  close(): void {
    const { writer: w, cpu, engine, remaining } = this.fn;
    w.end(); // missed
    this.#countStray();
    w.end(); // interpret
    cpu.store(engine.interpretNext, () => w.i32(1));
    this.#leaveForInterpreter();
    w.end(); // jump
    this.#transfer();
    this.#leaveForInterpreter();
    w.end(); // elsewhere
    w.i32(ELSEWHERE);
    w.op(W.return);
    w.end(); // return
    w.get(remaining);
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
   * @param target local, or a constant
   * @param goOn emits what continues at `returnTo`, with registers unknown; the budget there is {@link ELSEWHERE} if the guest
   * has not come there, see {@link leaveIfElsewhere}
   */
  callOut(target: number | { readonly constant: number }, returnTo: number, goOn: Emit): void {
    const { writer: w, type, remaining, dispatch } = this.fn;
    if (!dispatch) throw new Error('only mirrored code calls out');
    dispatch.find(target);
    const stay = w.block();
    dispatch.unlessEnterable(remaining, stay);
    w.get(TranslationParameter.Depth);
    w.i32(MAX_HOST_DEPTH);
    w.op(W.i32_ge_u);
    w.brIf(stay);
    this.#argumentsFor(dispatch, {
      returnTo: () => w.i32(returnTo),
      depth: () => {
        w.get(TranslationParameter.Depth);
        w.i32(1);
        w.op(W.i32_add);
      },
    });
    w.callIndirect(type);
    w.set(remaining);
    goOn();
    w.end();
  }

  /** Leaves in turn if what was called has left for elsewhere. The budget tells: it is never used up by a negative number. */
  leaveIfElsewhere(): void {
    const { writer: w, remaining } = this.fn;
    w.get(remaining);
    w.i32(0);
    w.op(W.i32_lt_s);
    w.brIf(this.#elsewhere);
  }

  /** Leaves for the translation that has called this one if the guest returns to where that waits. @param target local */
  returnToCaller(target: number): void {
    const { writer: w } = this.fn;
    w.get(target);
    w.get(TranslationParameter.ReturnTo);
    w.op(W.i32_eq);
    w.brIf(this.#labels.return);
  }

  /** Continues in the translation of the address in the local, without returning to the interpreter, if there is one. */
  #transfer(): void {
    const { writer: w, type, remaining, free, jumpCache, dispatch } = this.fn;
    const address = this.#pc;
    const waits: Waiting = {
      returnTo: () => w.get(TranslationParameter.ReturnTo),
      depth: () => w.get(TranslationParameter.Depth),
    };
    if (dispatch) {
      dispatch.find(address);
      const stay = w.block();
      dispatch.unlessEnterable(remaining, stay);
      this.#argumentsFor(dispatch, waits);
      w.returnCallIndirect(type);
      w.end();
    }
    // Nobody waits for what is not mirrored.
    jumpCache.enter({ address, remaining, free, ...(dispatch ? waits : nobodyWaits(w)) }, type, () => undefined);
  }

  /** Notes which instruction has left for an access outside of the window, if it has. */
  #countStray(): void {
    const { writer: w, cpu, engine } = this.fn;
    const next = (): void => {
      cpu.load(engine.misses);
      w.i32(engine.missedAt.count - 1);
      w.op(W.i32_and);
    };
    cpu.storeElement(engine.missedAt, next, () => w.get(this.#pc));
    cpu.add(engine.misses, () => w.get(this.strays));
  }

  /** Leaves what the translation that the dispatch table has in hand is called with. */
  #argumentsFor({ word }: DispatchLookup, waiting: Waiting): void {
    const { writer: w, remaining } = this.fn;
    translationArguments(w, { ...waiting, word, remaining: () => w.get(remaining) });
  }

  #leaveForInterpreter(): void {
    const { writer: w, cpu, engine, remaining } = this.fn;
    cpu.store(engine.remaining, () => w.get(remaining));
    cpu.store(engine.pc, () => w.get(this.#pc));
    w.br(this.#elsewhere);
  }
}
