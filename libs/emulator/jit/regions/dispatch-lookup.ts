import { PAGE_OFFSET } from '../../memory/index.js';
import { DispatchLayout } from '../ir/index.js';
import type { FunctionWriter } from '../wasm/encoder.js';
import { ValType, W } from '../wasm/encoder.js';
import { andMayEnter, translationArguments } from '../wasm/translation-call.js';
import type { MirrorWindow } from './direct-window.js';

/** Emits look-ups of the dispatch table. One word of it is in hand at a time. */
export class DispatchLookup {
  readonly #word: number;
  readonly #pages: number;

  constructor(
    private readonly writer: FunctionWriter,
    private readonly window: MirrorWindow,
    modeKey: number,
  ) {
    this.#word = writer.local(ValType.i32);
    this.#pages = window.dispatchPages + modeKey * DispatchLayout.pagesBytes;
  }

  /** Takes what is entered at the address in a local in hand. */
  find(address: number): void {
    const w = this.writer;
    w.get(address);
    w.i32(2);
    w.op(W.i32_rotr);
    w.i32(8);
    w.op(W.i32_shr_u);
    w.i32(-4);
    w.op(W.i32_and);
    w.memory(W.i32_load, this.#pages);
    w.get(address);
    w.i32(PAGE_OFFSET);
    w.op(W.i32_and);
    w.op(W.i32_add);
    w.memory(W.i32_load, this.window.dispatchBlocks);
    w.set(this.#word);
  }

  /** Leaves the index in the function table. */
  target(): void {
    this.writer.get(this.#word);
    this.writer.i32(16);
    this.writer.op(W.i32_shr_u);
  }

  /** Leaves where it is entered. */
  loadEntry(): void {
    this.writer.get(this.#word);
    this.writer.i32(DispatchLayout.entryMask);
    this.writer.op(W.i32_and);
  }

  /**
   * Continues in the translation that is entered at an address, in this function's place, if there is one and the budget
   * permits.
   * @param address local, as are the rest of the budget and the offset of the soft TLB
   * @param type index of the type of translations
   */
  enter(address: number, remaining: number, tlb: number, type: number): void {
    const w = this.writer;
    this.find(address);
    this.isEnterable(remaining);
    w.if();
    this.#arguments(remaining, tlb);
    w.returnCallIndirect(type);
    w.end();
  }

  /** Leaves whether there is something that may be entered with this budget. */
  isEnterable(remaining: number): void {
    const w = this.writer;
    w.get(this.#word);
    w.i32(0);
    w.op(W.i32_ne);
    andMayEnter(w, remaining);
  }

  /** Calls what is in hand; it has been seen to be enterable. */
  call(remaining: number, tlb: number, type: number): void {
    this.#arguments(remaining, tlb);
    this.writer.callIndirect(type);
  }

  #arguments(remaining: number, tlb: number): void {
    const w = this.writer;
    translationArguments({
      entry: () => this.loadEntry(),
      self: () => this.target(),
      remaining: () => w.get(remaining),
      tlb: () => w.get(tlb),
    });
  }
}
