import { describe, expect, it } from '@jest/globals';
import type { DirectWindow } from '../../jit/regions/index.js';
import type { CompiledRegion } from './region-module.js';
import { isOutdated, Strays } from './strays.js';

const [A, B, C] = [0x80001000, 0x80001004, 0x80002000] as const;

const segment: DirectWindow = { kind: 'segment', virtualBase: 0x80000000, sizeBytes: 0x10000, linear: 0, flags: 0 };

/** A region of an instruction at each address. */
const regionOf = (addresses: readonly number[], window: DirectWindow | undefined, strays: readonly number[] = []) =>
  ({ window, addresses: Uint32Array.from(addresses), strays }) as CompiledRegion;

/** So many times the same. */
const times = (count: number, address: number): number[] => Array<number>(count).fill(address);

describe('strays', () => {
  it('are what strays often, and with it what has strayed now and then', () => {
    const strays = new Strays();
    expect(strays.count([...times(200, A), ...times(60, B), ...times(10, C)], 1)).toEqual([]);
    expect(strays.count(times(200, A), 1)).toEqual([A, B]);
    // Counting begins anew.
    expect(strays.count(times(100, B), 1)).toEqual([]);
  });

  it('are told from few that stand for many', () => {
    expect(new Strays().count([A, B, A], 200)).toEqual([A, B]);
  });

  it('are added once', () => {
    const strays = new Strays();
    expect([...strays.add([A, B])]).toEqual([A, B]);
    expect([...strays.add([B, C])]).toEqual([C]);
    expect([...strays.all]).toEqual([A, B, C]);
  });

  it('are counted, and known, up to a limit: the guest may make as much code as it likes', () => {
    const strays = new Strays();
    const many = Array.from({ length: 0x20000 }, (_, i) => 0x80000000 + 4 * i);
    strays.add(many);
    expect(strays.all.size).toBe(0x4000);
    strays.count(times(399, A), 1);
    strays.count(many.slice(0, 0x1001), 1); // too many: forgotten with all others
    expect(strays.count([A], 1)).toEqual([]);
  });

  it('outdate regions that were made without them, in the segment', () => {
    const all = new Set([A, C]);
    expect(isOutdated(regionOf([A, B], segment), all)).toBe(true);
    expect(isOutdated(regionOf([A, B], segment, [A]), all)).toBe(false);
    expect(isOutdated(regionOf([A, C], segment, [A]), all)).toBe(true);
    expect(isOutdated(regionOf([B], segment), all)).toBe(false);
    expect(isOutdated(regionOf([A, B], undefined), all)).toBe(false);
  });
});
