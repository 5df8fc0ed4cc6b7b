import { Type, Width, widthBytes } from '../ir/ops.js';
import type { FunctionWriter } from './encoder.js';
import { ValType, W } from './encoder.js';
import type { Emit, LocalPool } from './lowering.js';

/** Emits the change between host (little-endian) and big-endian guest order around loads and stores. */
export class ByteSwapper {
  constructor(
    private readonly writer: FunctionWriter,
    private readonly pool: LocalPool,
  ) {}

  /** Emits `value` of a memory width with its bytes reversed. A narrow value is extended as the width says. */
  swapped(width: Width, type: Type, value: Emit): void {
    const w = this.writer;
    const bytes = widthBytes(width);
    if (bytes === 1) return value();
    if (bytes === 8) return this.#swap64(value);
    if (type !== Type.I32) throw new Error('byte-swapped accesses of 2 and 4 bytes yield i32');
    const t = this.pool.acquire(ValType.i32);
    value();
    w.set(t);
    this.#swap32(t);
    if (bytes === 2) {
      w.i32(16);
      w.op(width === Width.S16 ? W.i32_shr_s : W.i32_shr_u);
    }
    this.pool.release(ValType.i32, t);
  }

  /** Reverses the bytes of an i32 local: two rotations, two masks. */
  #swap32(local: number): void {
    const w = this.writer;
    const half = (rotation: number, mask: number): void => {
      w.get(local);
      w.i32(rotation);
      w.op(W.i32_rotl);
      w.i32(mask | 0);
      w.op(W.i32_and);
    };
    half(8, 0x00ff00ff);
    half(24, 0xff00ff00);
    w.op(W.i32_or);
  }

  #swap64(value: Emit): void {
    const w = this.writer;
    const whole = this.pool.acquire(ValType.i64);
    const part = this.pool.acquire(ValType.i32);
    value();
    w.set(whole);
    w.get(whole);
    w.op(W.i32_wrap_i64);
    w.set(part);
    this.#swap32(part);
    w.op(W.i64_extend_i32_u);
    w.i64(32, 0);
    w.op(W.i64_shl);
    w.get(whole);
    w.i64(32, 0);
    w.op(W.i64_shr_u);
    w.op(W.i32_wrap_i64);
    w.set(part);
    this.#swap32(part);
    w.op(W.i64_extend_i32_u);
    w.op(W.i64_or);
    this.pool.release(ValType.i64, whole);
    this.pool.release(ValType.i32, part);
  }
}
