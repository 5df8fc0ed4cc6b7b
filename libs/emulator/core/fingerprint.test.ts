import { expect, it } from '@jest/globals';
import { fingerprint } from './fingerprint.js';

it('names texts apart that differ little', () => {
  const texts = Array.from({ length: 20_000 }, (_, i) => `["mips32","24Kf",${i}]`).concat(
    '',
    'a',
    'b',
    'aa',
    'ab',
    'ba',
  );
  const names = texts.map(fingerprint);
  expect(new Set(names).size).toBe(texts.length);
  expect(new Set(names.map((name) => name.slice(8))).size).toBeGreaterThan(texts.length - 3); // of 20,000 among 2^32
  for (const name of names) expect(name).toMatch(/^[0-9a-f]{16}$/);
  expect(fingerprint('ab')).toBe(fingerprint('ab'));
});
