import { describe, expect, it } from '@jest/globals';
import type { CompiledRegion } from '../accel/jit/index.js';
import type { StoredModule, StoredTranslations } from './stored-translations.js';
import { decodeTranslations, encodeTranslations } from './stored-translations.js';

const region = (name: string, words: number, window?: CompiledRegion['window']): CompiledRegion => ({
  ...{ name, modeKey: 2, window, instructions: words, wasmBytes: 3 * words, entries: [0x400000, 0xfffffffc] },
  ...{
    pages: [[0x400000, 0x1000]],
    places: [0x400000],
    calls: [[0x400004, 0x7fff0000]],
    tableTargets: [0x400010],
    strays: [0x400004],
  },
  addresses: Uint32Array.from({ length: words }, (_, i) => 0x400000 + 4 * i),
  words: Uint32Array.from({ length: words }, (_, i) => 0xffffffff - i),
  joined: words > 1,
});

/** @param bytes of Wasm and of machine code: the arrays lie one behind the other in the file */
const moduleOf = (bytes: number, machineCode: number, ...regions: CompiledRegion[]): StoredModule => ({
  ...{ regions, memory: { pages: 49_000, shared: true }, optimized: regions.map(({ name }) => name) },
  bytes: Uint8Array.from({ length: bytes }, (_, i) => i),
  machineCode: new Uint8Array(machineCode).fill(7),
});

const mirror: CompiledRegion['window'] = {
  ...{ kind: 'mirror', linear: 0x1000000, reads: 0x10000, writes: 0x20000, fetches: 0x30000 },
  ...{ dispatchPages: 0x40000, dispatchBlocks: 0x50000 },
};

describe('stored translations', () => {
  it.each<[string, StoredTranslations]>([
    ['nothing', { modules: [], putOff: new Map() }],
    [
      'arrays of any length',
      {
        modules: [moduleOf(13, 0, region('0', 3), region('1', 1)), moduleOf(8, 5), moduleOf(1, 1, region('0', 0))],
        putOff: new Map([
          ['2 400abc', 'covered'],
          ['2 ümlaut', 'postponed'],
        ]),
      },
    ],
    ['a window', { modules: [moduleOf(2, 2, region('0', 2, mirror))], putOff: new Map() }],
  ])('are what they were: %s', (_, stored) => {
    const encoded = encodeTranslations(stored);
    // As a file has them: behind a head, in a larger buffer.
    const file = new Uint8Array(8 + encoded.length + 3);
    file.set(encoded, 8);
    expect(decodeTranslations(file.subarray(8, 8 + encoded.length))).toEqual(stored);
  });
});
