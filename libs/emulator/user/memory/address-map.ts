import { firstIndex } from '../../core/index.js';
import { PAGE_BYTES } from '../../memory/index.js';
import type { Mapping } from './mapping.js';
import { mergeable, slice } from './mapping.js';

/** A process's mappings: sorted, without overlaps. References to sources are counted here. */
export class AddressMap {
  #mappings: Mapping[] = [];

  /** @param lowest first address that may be given out. @param limit first address that may not */
  constructor(
    readonly lowest: number,
    readonly limit: number,
  ) {}

  get all(): readonly Mapping[] {
    return this.#mappings;
  }

  /** Bytes of address space in use. */
  get sizeBytes(): number {
    return this.#mappings.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  /** The mapping at an address. */
  find(address: number): Mapping | undefined {
    const mapping = this.#mappings[this.#firstEndingAfter(address)];
    return mapping && mapping.start <= address ? mapping : undefined;
  }

  /** The first mapping that starts above an address. */
  above(address: number): Mapping | undefined {
    const mapping = this.#mappings[this.#firstEndingAfter(address)];
    return mapping && mapping.start > address ? mapping : undefined;
  }

  /** Mappings that touch a range, whole. */
  within(start: number, end: number): readonly Mapping[] {
    const first = this.#firstEndingAfter(start);
    let last = first;
    while (last < this.#mappings.length && (this.#mappings[last] as Mapping).start < end) last++;
    return this.#mappings.slice(first, last);
  }

  /** Is every address of the range mapped? */
  covers(start: number, end: number): boolean {
    let at = start;
    for (const mapping of this.within(start, end)) {
      if (mapping.start > at) return false;
      at = mapping.end;
    }
    return at >= end;
  }

  /** Adds a mapping where nothing is. */
  insert(mapping: Mapping): void {
    mapping.source?.retain();
    this.#splice(this.#firstEndingAfter(mapping.start), 0, [mapping]);
  }

  /** Takes away what lies in the range. */
  remove(start: number, end: number): void {
    this.#edit(start, end, () => undefined);
  }

  /** Changes what lies in the range, splitting mappings at its ends. */
  change(start: number, end: number, change: (part: Mapping) => Mapping): void {
    this.#edit(start, end, change);
  }

  /** Replaces one mapping by a longer or shorter one with the same source. */
  replace(mapping: Mapping, replacement: Mapping): void {
    this.#splice(this.#mappings.indexOf(mapping), 1, [replacement]);
  }

  #edit(start: number, end: number, change: (part: Mapping) => Mapping | undefined): void {
    const touched = this.within(start, end);
    if (touched.length === 0) return;
    const result: Mapping[] = [];
    for (const mapping of touched) {
      const [from, to] = [Math.max(start, mapping.start), Math.min(end, mapping.end)];
      if (mapping.start < from) result.push(slice(mapping, mapping.start, from));
      const changed = change(slice(mapping, from, to));
      if (changed) result.push(changed);
      if (to < mapping.end) result.push(slice(mapping, to, mapping.end));
    }
    for (const mapping of result) mapping.source?.retain();
    this.#splice(this.#firstEndingAfter(start), touched.length, result);
    for (const mapping of touched) mapping.source?.release();
  }

  /** Replaces entries and merges neighbours that became alike. */
  #splice(index: number, count: number, inserted: readonly Mapping[]): void {
    this.#mappings.splice(index, count, ...inserted);
    const last = Math.min(index + inserted.length, this.#mappings.length - 1);
    for (let i = last; i > 0 && i >= index; i--) {
      const [a, b] = [this.#mappings[i - 1] as Mapping, this.#mappings[i] as Mapping];
      if (!mergeable(a, b)) continue;
      this.#mappings.splice(i - 1, 2, { ...a, end: b.end });
      b.source?.release();
    }
  }

  /**
   * An unused range of `length` bytes, as high as possible below `top`.
   * @returns its start, or undefined when there is none
   */
  findGap(length: number, top: number): number | undefined {
    let end = top;
    for (let i = this.#mappings.length - 1; i >= 0; i--) {
      const mapping = this.#mappings[i] as Mapping;
      if (mapping.start >= end) continue;
      if (mapping.end < end && end - mapping.end >= length) return end - length;
      end = Math.min(end, mapping.start);
    }
    return end - length >= this.lowest ? end - length : undefined;
  }

  isFree(start: number, end: number): boolean {
    return this.within(start, end).length === 0;
  }

  /** A copy for fork. */
  clone(): AddressMap {
    const copy = new AddressMap(this.lowest, this.limit);
    copy.#mappings = [...this.#mappings];
    for (const mapping of copy.#mappings) mapping.source?.retain();
    return copy;
  }

  clear(): void {
    for (const mapping of this.#mappings) mapping.source?.release();
    this.#mappings = [];
  }

  #firstEndingAfter(address: number): number {
    return firstIndex(this.#mappings, ({ end }) => end > address);
  }
}

export const pageUp = (value: number): number => Math.ceil(value / PAGE_BYTES) * PAGE_BYTES;
export const pageDown = (value: number): number => value - (value % PAGE_BYTES);
