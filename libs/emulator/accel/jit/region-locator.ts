import { firstIndex } from '../../core/index.js';
import type { TargetDescription } from '../../jit/ir/index.js';
import type { DirectWindow } from '../../jit/regions/index.js';
import { PAGE_BYTES, swapBytes } from '../../memory/index.js';
import type { KnownRegion, Places } from './known-regions.js';
import type { CompiledRegion } from './region-module.js';
import { windowKey } from './region-module.js';

/** A known region and where its code was found. */
export interface LocatedRegion {
  readonly known: KnownRegion;
  readonly places: Places;
  /** Virtual pages of it that cannot be fetched from yet: their code is compared when they are. */
  readonly missing: ReadonlySet<number>;
}

/** What a machine says of its memory. */
export interface LocatorHost {
  readonly buffer: ArrayBufferLike;
  readonly description: Pick<TargetDescription, 'byteOrder' | 'isDirectlyMapped'>;
  /** Linear-memory offset of a byte that may be fetched without further ado, or -1. */
  fetchOffset(address: number): number;
  /** May there be code at this linear-memory offset? */
  holdsCode(linear: number): boolean;
}

/** Says where the code of known regions is at present, and whether it is what was translated. It changes nothing. */
export class RegionLocator {
  readonly #words: Uint32Array;
  readonly #bytes: Uint8Array;
  #window: DirectWindow | undefined;
  #windowKey = windowKey(undefined);

  constructor(private readonly host: LocatorHost) {
    // As words: the host is taken for little-endian here as everywhere.
    this.#words = new Uint32Array(host.buffer, 0, host.buffer.byteLength >>> 2);
    this.#bytes = new Uint8Array(host.buffer);
  }

  /** Where the directly mapped segment shows RAM, or which memory is mirrored: regions are made for one such window. */
  get window(): DirectWindow | undefined {
    return this.#window;
  }

  set window(window: DirectWindow | undefined) {
    this.#window = window;
    this.#windowKey = windowKey(window);
  }

  /** Was a region made for the present window? */
  suits({ window }: KnownRegion): boolean {
    return window === this.#windowKey;
  }

  /**
   * Where the pages of a region are now, seen from one of them; undefined where that cannot be told without further ado.
   * Mirrored pages are where their addresses say, once there is something.
   * @param page virtual address of that page
   * @param linear where it is in linear memory
   */
  locate(known: KnownRegion, page: number, linear: number): LocatedRegion | undefined {
    const { pages, entries } = known.region;
    const { description } = this.host;
    const unchecked = description.isDirectlyMapped(entries[0]);
    const places = new Map<number, number>();
    const missing = new Set<number>();
    const placeOf = (other: number): number => {
      // Pages that translations never check again lie beside each other as their addresses do.
      if (unchecked && description.isDirectlyMapped(other))
        return description.isDirectlyMapped(page) ? linear + (other - page) : -1;
      const place = this.host.fetchOffset(other);
      if (place >= 0 || this.#window?.kind !== 'mirror') return place;
      if (this.mirrorOf(other) === undefined) missing.add(other);
      return this.#window.linear + other;
    };
    for (const [other] of pages) {
      const place = other === page ? linear : placeOf(other);
      if (place < 0) return undefined;
      places.set(other, place);
    }
    return { known, places, missing };
  }

  /** Linear-memory offset of a page that can be fetched from where it is mirrored, undefined for any other. */
  mirrorOf(page: number): number | undefined {
    if (this.#window?.kind !== 'mirror') return undefined;
    const { linear, fetches } = this.#window;
    return this.#bytes[fetches + page / PAGE_BYTES] === 1 ? linear + page : undefined;
  }

  /** Is the code there what was translated, on all pages that are not missing? */
  isCurrent({ known, places, missing }: LocatedRegion): boolean {
    if (!this.suits(known)) return false;
    for (const linear of places.values()) if (!this.host.holdsCode(linear)) return false;
    for (const [page, linear] of places)
      if (!missing.has(page) && !this.#isUnchanged(known.region, page, linear)) return false;
    return true;
  }

  /** Has a page the words that a region has of it? */
  #isUnchanged({ addresses, words }: CompiledRegion, page: number, linear: number): boolean {
    const little = this.host.description.byteOrder === 'little';
    const end = page + PAGE_BYTES;
    for (let i = firstIndex(addresses, (address) => address >= page); i < addresses.length; i++) {
      const address = addresses[i] as number;
      if (address >= end) break;
      const word = this.#words[(linear + (address - page)) >>> 2] as number;
      if ((little ? word : swapBytes(word, 4)) !== words[i]) return false;
    }
    return true;
  }
}
