import { PAGE_OFFSET, PAGE_SHIFT } from '../../memory/index.js';
import { DispatchLayout } from '../ir/index.js';
import type { FunctionWriter, Label } from '../wasm/encoder.js';
import { ValType, W } from '../wasm/encoder.js';
import { unlessMayEnter } from '../wasm/translation-call.js';
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

  /** Takes what is entered at an address in hand. @param address local, or a constant */
  find(address: number | { readonly constant: number }): void {
    const w = this.writer;
    const { dispatchBlocks } = this.window;
    if (typeof address === 'object') {
      const { constant } = address;
      w.i32(0);
      w.memory(W.i32_load, this.#pages + ((constant >>> PAGE_SHIFT) << 2));
      w.memory(W.i32_load, dispatchBlocks + (constant & PAGE_OFFSET));
      return w.set(this.#word);
    }
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
    w.memory(W.i32_load, dispatchBlocks);
    w.set(this.#word);
  }

  /** Leaves the word in hand. */
  word = (): void => this.writer.get(this.#word);

  /** Leaves for a label where nothing may be entered with this budget. @param remaining local with it */
  unlessEnterable(remaining: number, label: Label): void {
    const w = this.writer;
    this.word();
    w.op(W.i32_eqz);
    w.brIf(label);
    unlessMayEnter(w, remaining, label);
  }
}
