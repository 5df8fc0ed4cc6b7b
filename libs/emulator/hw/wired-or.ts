import type { LineSink } from '../core/index.js';

/** Several sources on one wire: it is high while any of them is. */
export class WiredOr {
  #active = 0;

  constructor(private readonly sink: LineSink) {}

  /** One more source. */
  input(): LineSink {
    let own = false;
    return (level) => {
      if (level === own) return;
      own = level;
      this.#active += level ? 1 : -1;
      if (this.#active === (level ? 1 : 0)) this.sink(level);
    };
  }
}
