import type { FunctionWriter } from './encoder.js';
import { W } from './encoder.js';
import type { Emit } from './lowering.js';

/** What is in the CPU's area at this distance from its start: a `StateField`, or an element of one. */
interface Place {
  readonly offset: number;
}

/** A field of several elements. */
interface Elements extends Place {
  readonly strideShift: number;
}

/**
 * Emits accesses to fields of the CPU's area, which lies at a constant offset in linear memory. Fields are of 32 bits unless they
 * are called wide.
 */
export class CpuArea {
  constructor(
    private readonly writer: FunctionWriter,
    readonly base: number,
  ) {}

  load({ offset }: Place): void {
    this.writer.i32(0);
    this.writer.memory(W.i32_load, this.base + offset);
  }

  store({ offset }: Place, value: Emit): void {
    this.writer.i32(0);
    value();
    this.writer.memory(W.i32_store, this.base + offset);
  }

  loadWide({ offset }: Place): void {
    this.writer.i32(0);
    this.writer.memory(W.i64_load, this.base + offset);
  }

  storeWide({ offset }: Place, value: Emit): void {
    this.writer.i32(0);
    value();
    this.writer.memory(W.i64_store, this.base + offset);
  }

  /** @param index of the element, below the number of elements */
  storeElement({ offset, strideShift }: Elements, index: Emit, value: Emit): void {
    index();
    this.writer.i32(strideShift);
    this.writer.op(W.i32_shl);
    value();
    this.writer.memory(W.i32_store, this.base + offset);
  }

  /** Adds something to a field. */
  add(place: Place, value: Emit): void {
    this.store(place, () => {
      this.load(place);
      value();
      this.writer.op(W.i32_add);
    });
  }
}
