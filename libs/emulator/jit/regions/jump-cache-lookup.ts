import { JumpCache, SoftTlb } from '../ir/index.js';
import type { FunctionWriter } from '../wasm/encoder.js';
import { ValType, W } from '../wasm/encoder.js';
import type { Emit } from '../wasm/lowering.js';
import { jumpCacheOffset } from '../wasm/lowering.js';
import type { Waiting } from '../wasm/translation-call.js';
import { translationArguments, unlessMayEnter } from '../wasm/translation-call.js';
import type { DirectWindow, MirrorWindow } from './direct-window.js';
import { tlbEntryOf } from './guest-access.js';

/** What of a branch target an exec tag is compared with: the page, and the bits that must be zero. */
const FETCH_KEY = 0xfffff003 | 0;

/** What {@link JumpCacheLookup.enter} needs. */
export interface JumpCacheEntering extends Waiting {
  readonly address: number;
  readonly remaining: number;
  readonly free: number;
}

/** Emits look-ups of a translation's jump cache. One entry is in hand at a time. */
export class JumpCacheLookup {
  /** Where the entry lies, from the jump cache's start. */
  readonly #place: number;
  readonly #tlbEntry: number;

  /**
   * @param cache where the jump cache lies in linear memory, and the mode key that is part of its tags: a constant, or what
   * leaves it
   * @param tlb leaves the linear-memory offset of the soft TLB
   */
  constructor(
    private readonly writer: FunctionWriter,
    private readonly cache: { readonly jumpCache: number; readonly modeKey: number | Emit },
    private readonly window: DirectWindow | undefined,
    private readonly tlb: Emit,
  ) {
    this.#place = writer.local(ValType.i32);
    this.#tlbEntry = writer.local(ValType.i32);
  }

  /** Takes the own entry of the address in a local in hand. */
  find(address: number): void {
    const w = this.writer;
    jumpCacheOffset(
      w,
      () => w.get(address),
      () => {
        this.#modeKey();
        w.i32(JumpCache.modeShift);
        w.op(W.i32_shl);
      },
    );
    w.set(this.#place);
  }

  /** Takes the other entry of the address in hand. */
  #takeAlternate(): void {
    const w = this.writer;
    w.get(this.#place);
    w.i32(JumpCache.alternate);
    w.op(W.i32_xor);
    w.set(this.#place);
  }

  /** Leaves a word of the entry, see {@link JumpCache}. */
  load(field: number): void {
    this.writer.get(this.#place);
    this.writer.memory(W.i32_load, this.cache.jumpCache + field);
  }

  /**
   * Leaves whether the entry in hand is for an address, mapped as it is now. Looking a mirrored page up is cheaper, but
   * finds nothing elsewhere.
   * @param mapped it is known that the mapping has not changed
   */
  isCached(address: number, mapped: boolean): void {
    if (this.window?.kind === 'mirror') this.#isInMirror(address, this.window);
    else this.isCachedAnywhere(address, mapped);
  }

  #isInMirror(address: number, { linear, fetches }: MirrorWindow): void {
    const w = this.writer;
    const { modeKey } = this.cache;
    if (typeof modeKey !== 'number') throw new Error('mirrored code is translated for one mode key');
    // Tag and place, two neighbouring words, follow from the address by adding a constant to each.
    w.get(this.#place);
    w.memory(W.i64_load, this.cache.jumpCache + JumpCache.tag);
    w.get(address);
    w.op(W.i64_extend_i32_u);
    w.i64(1, 1);
    w.op(W.i64_mul);
    w.i64(modeKey, linear);
    w.op(W.i64_add);
    w.op(W.i64_sub);
    w.op(W.i64_eqz);
    w.get(address);
    w.i32(12);
    w.op(W.i32_shr_u);
    w.memory(W.i32_load8_u, fetches);
    w.op(W.i32_and);
  }

  /** As {@link isCached}, by the soft TLB. */
  isCachedAnywhere(address: number, mapped: boolean): void {
    const w = this.writer;
    this.load(JumpCache.tag);
    w.get(address);
    w.op(W.i32_sub);
    this.#modeKey();
    w.op(W.i32_sub);
    if (!mapped) {
      tlbEntryOf(w, this.tlb, address, this.#tlbEntry);
      w.memory(W.i32_load, SoftTlb.execTag);
      w.get(address);
      w.i32(FETCH_KEY);
      w.op(W.i32_and);
      w.op(W.i32_sub);
      w.op(W.i32_or);
      this.load(JumpCache.linear);
      w.get(address);
      w.op(W.i32_sub);
      w.get(this.#tlbEntry);
      w.memory(W.i32_load, SoftTlb.addend);
      w.op(W.i32_sub);
      w.op(W.i32_or);
    }
    w.op(W.i32_eqz);
  }

  /**
   * Continues in the translation of an address, in this function's place, if there is one that may be entered.
   * @param context locals with the address and the rest of the budget, one that is free, and what is said of who waits
   * @param type index of the type of translations
   * @param otherwise returns to the interpreter
   */
  enter(context: JumpCacheEntering, type: number, otherwise: Emit): void {
    const w = this.writer;
    const { address, remaining, free, returnTo, depth } = context;
    const stay = w.block();
    unlessMayEnter(w, remaining, stay);
    this.find(address);
    const enter = w.block();
    const enterIf = (isCached: Emit): void => {
      isCached();
      this.load(JumpCache.target);
      w.tee(free);
      w.i32(0);
      w.op(W.i32_gt_s);
      w.op(W.i32_and);
      w.brIf(enter);
    };
    enterIf(() => this.isCached(address, false));
    if (this.window?.kind === 'mirror') enterIf(() => this.isCachedAnywhere(address, false));
    this.#takeAlternate();
    enterIf(() => this.isCachedAnywhere(address, false));
    w.br(stay);
    w.end();
    translationArguments(w, {
      ...{ returnTo, depth },
      word: () => w.get(free),
      remaining: () => w.get(remaining),
    });
    w.returnCallIndirect(type);
    w.end();
    otherwise();
  }

  #modeKey(): void {
    const { modeKey } = this.cache;
    if (typeof modeKey === 'number') this.writer.i32(modeKey);
    else modeKey();
  }
}
