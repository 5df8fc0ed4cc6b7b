/**
 * Random numbers for tests: the same on every host for the same seed.
 * Source: xorshift32 (Marsaglia, "Xorshift RNGs", Journal of Statistical Software 8(14), 2003).
 */
export class SeededRandom {
  #x: number;

  constructor(seed: number) {
    this.#x = (Math.imul(seed, 0x9e37_79b9) ^ 0x5bd1_e995) >>> 0 || 1;
    for (let i = 0; i < 8; i++) this.word(); // neighbouring seeds start alike
  }

  /** 32 bits, unsigned, never 0. */
  word(): number {
    this.#x ^= this.#x << 13;
    this.#x ^= this.#x >>> 17;
    this.#x ^= this.#x << 5;
    return (this.#x >>>= 0);
  }

  /** 0 … limit − 1 */
  below(limit: number): number {
    return Math.floor((this.word() / 2 ** 32) * limit);
  }

  chance(probability: number): boolean {
    return this.word() / 2 ** 32 < probability;
  }

  pick<T>(choices: readonly [T, ...T[]] | readonly T[]): T {
    const choice = choices[this.below(choices.length)];
    if (choice === undefined) throw new RangeError('nothing to pick from');
    return choice;
  }

  /** A 32-bit integer, most often one at which carries, signs and shifts change. */
  integer(): number {
    switch (this.below(5)) {
      case 0:
        return this.pick([0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]);
      case 1:
        return (1 << this.below(32)) >>> 0;
      case 2:
        return (this.below(64) - 32) >>> 0;
      default:
        return this.word();
    }
  }

  /** Bits of a binary32 number, every class of operands about as often. */
  single(): number {
    const sign = this.chance(0.5) ? 0x8000_0000 : 0;
    const fraction = this.pick([0, 1, 0x40_0000, 0x7f_ffff, this.below(2 ** 23), this.below(2 ** 23)]);
    const exponent = this.pick([0, 1, 2, 0xfe, 0xff, 127, 126 + this.below(4), 100 + this.below(60), this.below(256)]);
    return (sign | (exponent << 23) | fraction) >>> 0;
  }

  /** Bits of a binary64 number as high and low word. */
  double(): { readonly high: number; readonly low: number } {
    const sign = this.chance(0.5) ? 0x8000_0000 : 0;
    const exponent = this.pick([
      0,
      1,
      2,
      0x7fe,
      0x7ff,
      1023,
      1022 + this.below(4),
      900 + this.below(250),
      this.below(2048),
    ]);
    const [high, low] = this.pick([
      [0, 0],
      [0, 1],
      [0x8_0000, 0],
      [0xf_ffff, 0xffff_ffff],
      [this.below(2 ** 20), 0xe000_0000 & this.word()], // representable in binary32
      [this.below(2 ** 20), this.word()],
      [this.below(2 ** 20), this.word()],
    ] as const);
    return { high: (sign | (exponent << 20) | high) >>> 0, low };
  }
}
