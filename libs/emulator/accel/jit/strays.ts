import type { CompiledRegion } from './region-module.js';

/** So many accesses elsewhere make an instruction a stray, and with it others that have made fewer: regions must be made anew for them. */
const OFTEN = 400;
const SOMETIMES = 50;
/** Instructions that are counted at the same time, and strays: a guest may make more code than anybody wants to count. */
const MAX_COUNTED = 0x1000;
const MAX_STRAYS = 0x4000;

/**
 * Instructions that often access something else than what the direct window shows: a kernel's copies from and to its users, its devices,
 * memory that it maps. A translation that does not expect that leaves for the interpreter each time. One that was made for strays
 * looks for what they access in the soft TLB, and checks it with no other access.
 */
export class Strays {
  readonly #all = new Set<number>();
  /** How often instructions have strayed that are no strays yet. */
  readonly #counts = new Map<number, number>();

  /** Their addresses. */
  get all(): ReadonlySet<number> {
    return this.#all;
  }

  /**
   * Counts instructions that have strayed.
   * @param addresses may name one more than once
   * @param weight how often each of them stands for
   * @returns those that should become strays
   */
  count(addresses: Iterable<number>, weight: number): readonly number[] {
    let isOften = false;
    for (const address of addresses) {
      const count = (this.#counts.get(address) ?? 0) + weight;
      this.#counts.set(address, count);
      isOften ||= count >= OFTEN;
    }
    const found = isOften ? [...this.#counts].filter(([, count]) => count >= SOMETIMES) : [];
    if (isOften || this.#counts.size > MAX_COUNTED) this.#counts.clear();
    return found.map(([address]) => address);
  }

  /** @returns those that were none */
  add(addresses: Iterable<number>): ReadonlySet<number> {
    const added = new Set<number>();
    for (const address of addresses) {
      if (this.#all.has(address) || this.#all.size >= MAX_STRAYS) continue;
      this.#all.add(address);
      added.add(address);
    }
    return added;
  }
}

/** Are there strays in a region that it was not made for? */
export const isOutdated = (
  { window, addresses, strays: known }: CompiledRegion,
  strays: ReadonlySet<number>,
): boolean =>
  window?.kind === 'segment' &&
  strays.size > 0 &&
  addresses.some((address) => strays.has(address) && !known.includes(address));
