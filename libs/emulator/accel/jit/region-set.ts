import { getOrInsertComputed } from '../../core/index.js';
import type { CompiledRegion } from './region-module.js';
import { windowKey } from './region-module.js';

/** Was it made of the same code, for the same use? */
export const isSameRegion = (a: CompiledRegion, b: CompiledRegion): boolean =>
  a.entries[0] === b.entries[0] &&
  a.modeKey === b.modeKey &&
  a.wasmBytes === b.wasmBytes &&
  a.words.length === b.words.length &&
  windowKey(a.window) === windowKey(b.window) &&
  a.strays.length === b.strays.length &&
  a.strays.every((address, i) => address === b.strays[i]) &&
  a.addresses.every((address, i) => address === b.addresses[i] && a.words[i] === b.words[i]);

/** Regions by what they were made of: objects may be others, since they cross threads. */
export class RegionSet {
  readonly #bySeed = new Map<number, CompiledRegion[]>();

  constructor(regions: Iterable<CompiledRegion> = []) {
    for (const region of regions) this.add(region);
  }

  add(region: CompiledRegion): void {
    getOrInsertComputed(this.#bySeed, region.entries[0], () => []).push(region);
  }

  has(region: CompiledRegion): boolean {
    return this.#bySeed.get(region.entries[0])?.some((one) => isSameRegion(one, region)) ?? false;
  }

  clear(): void {
    this.#bySeed.clear();
  }
}
