import { expect, it } from '@jest/globals';
import { Oscillator } from './oscillator.js';

it.each([32_768, 1_193_182, 3_579_545])('converts cycles of %i Hz to the very nanosecond and back', (hz) => {
  const clock = new Oscillator(hz);
  for (const base of [0, hz * 3600, hz * 8_000_000]) {
    for (let cycle = base + 1; cycle < base + 2000; cycle++) {
      const timeNs = clock.timeOf(cycle);
      if (clock.cyclesAt(timeNs) !== cycle || clock.cyclesAt(timeNs - 1) !== cycle - 1) {
        throw new Error(`cycle ${cycle} does not begin at ${timeNs} ns`);
      }
    }
  }
  expect(clock.timeOf(hz)).toBe(1_000_000_000);
});
