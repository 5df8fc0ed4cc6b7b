/** Bytes in arrival order. */
export class ByteQueue {
  #chunks: Uint8Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Keeps the array: the caller gives it away. */
  put(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#length += bytes.length;
  }

  /** The first bytes, at most `limit`, without taking them. */
  peek(limit: number): Uint8Array {
    const result = new Uint8Array(Math.min(limit, this.#length));
    let filled = 0;
    for (const chunk of this.#chunks) {
      if (filled === result.length) break;
      const part = chunk.subarray(0, result.length - filled);
      result.set(part, filled);
      filled += part.length;
    }
    return result;
  }

  take(limit: number): Uint8Array {
    const result = this.peek(limit);
    let count = result.length;
    this.#length -= count;
    let whole = 0;
    while (count > 0) {
      const chunk = this.#chunks[whole]!;
      if (chunk.length > count) {
        this.#chunks[whole] = chunk.subarray(count);
        break;
      }
      count -= chunk.length;
      whole++;
    }
    if (whole > 0) this.#chunks.splice(0, whole);
    return result;
  }

  clear(): void {
    this.#chunks = [];
    this.#length = 0;
  }
}
