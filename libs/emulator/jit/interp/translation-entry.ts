import type { EngineState } from '../ir/index.js';
import { JumpCache } from '../ir/index.js';
import type { CpuArea } from '../wasm/cpu-area.js';
import type { FunctionWriter, Label } from '../wasm/encoder.js';
import { ValType, W } from '../wasm/encoder.js';
import type { Emit } from '../wasm/lowering.js';
import { jumpCacheEntry } from '../wasm/lowering.js';
import { nobodyWaits, translationArguments } from '../wasm/translation-call.js';

/** Where an interpreter finds translations of hot code. */
export interface TranslationLink {
  /** Linear-memory offset of the jump cache, see {@link JumpCache}. */
  readonly jumpCache: number;
  /** Visits of a branch target before a translation is asked for, at least 1. */
  readonly threshold: number;
}

/**
 * Of visits to an address whose two entries belong to translations, one in so many, a power of two, takes one of them: what comes by
 * once should not. Which one follows from the budget that is left, spread by Fibonacci hashing.
 */
const DISPLACING_VISITS = 16;
const GOLDEN_RATIO = 0x9e3779b1 | 0;

/** What the code around lends. */
export interface TranslationEntryContext {
  /** Locals: the virtual address to go on at, and where it lies in linear memory. */
  readonly pc: number;
  readonly ip: number;
  /** Locals that are free here. */
  readonly cached: number;
  readonly left: number;
  /** Index of the imported function `hot`, and of the type of translations. */
  readonly hot: number;
  readonly type: number;
  /** Leaves to where the engine's event is looked at. */
  readonly leave: Emit;
}

/** Emits how an interpreter, between two runs, finds and enters translations. */
export class TranslationEntry {
  readonly #displaced: number;

  constructor(
    private readonly writer: FunctionWriter,
    private readonly engine: EngineState,
    private readonly cpu: CpuArea,
    private readonly link: TranslationLink,
    private readonly context: TranslationEntryContext,
  ) {
    this.#displaced = writer.local(ValType.i32);
  }

  /**
   * Takes an entry that another address used. That one's count is kept beside: were counting to start anew for each, of two
   * that are visited in turn neither would get hot. A translation that comes back is asked for at once, and so is what took its place,
   * which may have one as well.
   * @param stay where execution goes on if the other address keeps its entry
   */
  #displace(tag: Emit, write: (field: number, value: Emit) => void, stay: Label): void {
    const { writer: w } = this;
    const { ip, cached, left } = this.context;
    const { threshold } = this.link;
    const load = (field: number): void => {
      w.get(cached);
      w.memory(W.i32_load, field);
    };
    const upperHalf = (value: Emit): void => {
      value();
      w.i32(~JumpCache.displacedVisits);
      w.op(W.i32_and);
    };
    const atMost = (limit: number, value: Emit): void => {
      value();
      w.i32(limit);
      value();
      w.i32(limit);
      w.op(W.i32_lt_u);
      w.op(W.select);
    };
    const keepBeside = (visits: Emit): void =>
      write(JumpCache.displaced, () => {
        upperHalf(() => load(JumpCache.tag));
        visits();
        w.op(W.i32_or);
      });
    load(JumpCache.target);
    w.tee(left);
    w.i32(0);
    w.op(W.i32_gt_s);
    w.if();
    this.cpu.load(this.engine.remaining);
    w.i32(GOLDEN_RATIO);
    w.op(W.i32_mul);
    w.i32(32 - Math.log2(DISPLACING_VISITS));
    w.op(W.i32_shr_u);
    w.brIf(stay);
    keepBeside(() => w.i32(JumpCache.displacedTranslation));
    write(JumpCache.target, () => w.i32(-1));
    w.else();
    // What it was displaced with, if it was this address: those that have the same entry mostly differ in their upper halves.
    load(JumpCache.displaced);
    upperHalf(tag);
    w.op(W.i32_xor);
    w.set(this.#displaced);
    keepBeside(() =>
      atMost(JumpCache.displacedVisits, () => {
        w.i32(0);
        w.get(left);
        w.op(W.i32_sub);
      }),
    );
    write(JumpCache.target, () => {
      w.i32(0);
      w.get(this.#displaced);
      w.op(W.i32_sub);
      w.i32(-1 - threshold);
      w.get(this.#displaced);
      w.i32(1);
      w.op(W.i32_sub);
      w.i32(JumpCache.displacedVisits);
      w.op(W.i32_lt_u);
      w.op(W.select);
    });
    w.end();
    write(JumpCache.tag, tag);
    write(JumpCache.linear, () => w.get(ip));
  }

  /** Continues in a translation of the address if there is one, else counts the visit. */
  enter(): void {
    const { writer: w, engine } = this;
    const { pc, ip, cached, left, hot, type, leave } = this.context;
    const tag = (): void => {
      w.get(pc);
      this.cpu.load(engine.modeKey);
      w.op(W.i32_add);
    };
    const write = (field: number, value: Emit): void => {
      w.get(cached);
      value();
      w.memory(W.i32_store, field);
    };
    // A translation that just handed over to the interpreter must not take over before one instruction is done.
    this.cpu.load(engine.interpretNext);
    w.if();
    this.cpu.store(engine.interpretNext, () => w.i32(0));
    w.else();
    jumpCacheEntry(
      w,
      this.link.jumpCache,
      () => w.get(pc),
      () => {
        this.cpu.load(engine.modeKey);
        w.i32(JumpCache.modeShift);
        w.op(W.i32_shl);
      },
    );
    w.set(cached);
    const isAnothers = (): void => {
      w.get(cached);
      w.memory(W.i32_load, JumpCache.tag);
      tag();
      w.op(W.i32_xor);
      w.get(cached);
      w.memory(W.i32_load, JumpCache.linear);
      w.get(ip);
      w.op(W.i32_xor);
      w.op(W.i32_or);
    };
    const other = (): void => {
      w.get(cached);
      w.i32(JumpCache.alternate);
      w.op(W.i32_xor);
    };
    const stay = w.block();
    isAnothers();
    w.if();
    other();
    w.set(cached);
    isAnothers();
    w.if();
    // The one that is less hot, see `JumpCache.isColder`; its own, if in doubt.
    const targetOf = (entry: Emit): void => {
      entry();
      w.memory(W.i32_load, JumpCache.target);
    };
    const alternate = (): void => w.get(cached);
    alternate();
    other();
    targetOf(other);
    w.i32(0);
    w.op(W.i32_ne);
    targetOf(alternate);
    w.op(W.i32_eqz);
    targetOf(alternate);
    targetOf(other);
    w.op(W.i32_lt_s);
    w.op(W.i32_or);
    w.op(W.i32_and);
    w.op(W.select);
    w.set(cached);
    this.#displace(tag, write, stay);
    w.end();
    w.end();
    w.get(cached);
    w.memory(W.i32_load, JumpCache.target);
    w.tee(left);
    w.i32(0);
    w.op(W.i32_gt_s);
    w.if();
    const account = (sign: number): void =>
      this.cpu.store(engine.translated, () => {
        this.cpu.load(engine.translated);
        this.cpu.load(engine.remaining);
        w.op(sign > 0 ? W.i32_add : W.i32_sub);
      });
    account(1);
    translationArguments(w, {
      word: () => w.get(left),
      remaining: () => this.cpu.load(engine.remaining),
      ...nobodyWaits(w),
    });
    w.callIndirect(type);
    // Nobody waits, at address 0 as it were: the guest may have gone there.
    w.tee(left);
    w.i32(0);
    w.op(W.i32_ge_s);
    w.if();
    this.cpu.store(engine.remaining, () => w.get(left));
    this.cpu.store(engine.pc, () => w.i32(0));
    w.end();
    account(-1);
    leave();
    w.end();
    w.get(left);
    w.if();
    write(JumpCache.target, () => {
      w.get(left);
      w.i32(1);
      w.op(W.i32_add);
      w.tee(left);
    });
    w.get(left);
    w.op(W.i32_eqz);
    w.if();
    this.cpu.store(engine.pc, () => w.get(pc));
    w.get(cached);
    w.call(hot);
    leave();
    w.end();
    w.end();
    w.end(); // stay
    w.end();
  }
}
