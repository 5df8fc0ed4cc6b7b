/** Random bytes that are the same in every run with the same seed: what guests get from getrandom and AT_RANDOM. */
export class Entropy {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** The splitmix32 generator: a Weyl sequence, mixed. */
  #next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }

  bytes(count: number): Uint8Array {
    const words = Math.ceil(count / 4);
    const view = new DataView(new ArrayBuffer(4 * words));
    for (let i = 0; i < words; i++) view.setUint32(4 * i, this.#next(), true);
    return new Uint8Array(view.buffer, 0, count);
  }
}
