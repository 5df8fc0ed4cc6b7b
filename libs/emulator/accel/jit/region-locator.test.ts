import { beforeEach, describe, expect, it } from '@jest/globals';
import type { DirectWindow, Entries } from '../../jit/regions/index.js';
import type { KnownRegion } from './known-regions.js';
import { KnownRegions } from './known-regions.js';
import type { LocatorHost } from './region-locator.js';
import { RegionLocator } from './region-locator.js';
import type { CompiledRegion } from './region-module.js';
import { Strays } from './strays.js';

const [A, B] = [0x400000, 0x401000] as const;
const KSEG = 0x80000000;
const RAM = 0x10000;
const FETCHES = 0x100;
const mirror: DirectWindow = {
  ...{ kind: 'mirror', linear: RAM - A, reads: 0, writes: 0, fetches: FETCHES - A / 0x1000 },
  ...{ dispatchPages: 0, dispatchBlocks: 0 },
};
/** A module with nothing in it: no region is instantiated here. */
const emptyModule = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));

let view: DataView;
/** Pages that the soft TLB lets fetch from: linear-memory offsets by virtual address. */
let fetched: Map<number, number>;
let locator: RegionLocator;

beforeEach(() => {
  const buffer = new ArrayBuffer(0x20000);
  view = new DataView(buffer);
  fetched = new Map();
  const host: LocatorHost = {
    buffer,
    description: { byteOrder: 'big', isDirectlyMapped: (address) => address >>> 0 >= KSEG },
    fetchOffset: (address) => fetched.get(address) ?? -1,
    holdsCode: (linear) => linear >= RAM && linear < buffer.byteLength,
  };
  locator = new RegionLocator(host);
});

/** A region of an instruction at each address, which is its own word. */
function regionAt(addresses: Entries, window?: DirectWindow): KnownRegion {
  const pages = [...new Set(addresses.map((address) => (address & -0x1000) >>> 0))];
  const region: CompiledRegion = {
    ...{ name: '0', modeKey: 0, window, instructions: addresses.length, wasmBytes: 10, entries: [addresses[0]] },
    ...{
      pages: pages.map((page) => [page, 0] as const),
      places: [],
      calls: [],
      tableTargets: [],
      strays: [],
      joined: false,
    },
    ...{ addresses: Uint32Array.from(addresses), words: Uint32Array.from(addresses) },
  };
  const [known] = new KnownRegions({}, new Strays()).add({ module: emptyModule, regions: [region] }, true);
  return known as KnownRegion; // one came in
}
const store = (linear: number, word: number): void => view.setUint32(linear, word);

/** Where its pages are, and which are missing; whether it is current. */
function look(known: KnownRegion, page: number, linear: number) {
  const located = locator.locate(known, page, linear);
  const isCurrent = located && locator.isCurrent(located);
  return located && { places: [...located.places], missing: [...located.missing], isCurrent };
}

describe('RegionLocator', () => {
  it('asks the soft TLB for the other pages of a region', () => {
    const known = regionAt([A + 8, B + 4]);
    expect(look(known, A, RAM)).toBeUndefined();
    fetched.set(B, RAM + 0x5000);
    store(RAM + 8, A + 8);
    store(RAM + 0x5004, B + 4);
    const places = [
      [A, RAM],
      [B, RAM + 0x5000],
    ];
    expect(look(known, A, RAM)).toEqual({ places, missing: [], isCurrent: true });
    fetched.set(A, RAM);
    expect(look(known, B, RAM + 0x5000)).toMatchObject({ isCurrent: true });
  });

  it('compares every word, in memory that may hold code', () => {
    const known = regionAt([A, A + 4]);
    store(RAM, A);
    expect(look(known, A, RAM)).toMatchObject({ isCurrent: false });
    store(RAM + 4, A + 4);
    expect(look(known, A, RAM)).toMatchObject({ isCurrent: true });
    store(0x4000, A);
    store(0x4004, A + 4);
    expect(look(known, A, 0x4000)).toMatchObject({ isCurrent: false });
  });

  it('expects directly mapped pages beside each other, whatever the soft TLB says', () => {
    const known = regionAt([KSEG, KSEG + 0x1000]);
    fetched.set(KSEG + 0x1000, RAM + 0x8000);
    expect(look(known, KSEG, RAM)).toMatchObject({
      places: [
        [KSEG, RAM],
        [KSEG + 0x1000, RAM + 0x1000],
      ],
    });
    const mixed = regionAt([KSEG, A]);
    fetched.set(A, RAM);
    expect(look(mixed, A, RAM)).toBeUndefined();
  });

  it('takes mirrored pages for where they will be, and compares only what is there', () => {
    locator.window = mirror;
    const known = regionAt([A, B], mirror);
    store(RAM, A);
    expect(look(known, A, RAM)).toEqual({
      places: [
        [A, RAM],
        [B, RAM + 0x1000],
      ],
      missing: [B],
      isCurrent: true,
    });
    expect(locator.mirrorOf(B)).toBeUndefined();
    view.setUint8(FETCHES + 1, 1);
    expect(locator.mirrorOf(B)).toBe(RAM + 0x1000);
    expect(look(known, A, RAM)).toMatchObject({ missing: [], isCurrent: false });
    store(RAM + 0x1000, B);
    expect(look(known, A, RAM)).toMatchObject({ missing: [], isCurrent: true });
  });

  it('knows regions of other windows', () => {
    const known = regionAt([A], mirror);
    store(RAM, A);
    expect(locator.suits(known)).toBe(false);
    expect(look(known, A, RAM)).toMatchObject({ isCurrent: false });
    locator.window = { ...mirror };
    expect(locator.suits(known)).toBe(true);
    expect(look(known, A, RAM)).toMatchObject({ isCurrent: true });
  });
});
