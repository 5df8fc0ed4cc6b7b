import { describe, expect, it } from '@jest/globals';
import { firstIndex } from './search.js';

describe('firstIndex', () => {
  it('finds where the wanted items begin, in lists of any length', () => {
    for (let length = 0; length <= 9; length++) {
      const list = Uint32Array.from({ length }, (_, i) => 10 * i);
      for (let least = -5; least <= 95; least += 5) {
        const first = [...list].findIndex((item) => item >= least);
        expect(firstIndex(list, (item) => item >= least)).toBe(first < 0 ? length : first);
      }
    }
  });
});
