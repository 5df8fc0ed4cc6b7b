import type { AccessWidth, ByteOrder } from '../core/index.js';
import { EmulatorError } from '../core/index.js';
import type { RamBlock } from './linear-memory.js';

/** A device's registers on a bus. Offsets are relative to where the device was mapped; values are unsigned. */
export interface MmioHandler {
  read(offset: number, width: AccessWidth): number;
  write(offset: number, width: AccessWidth, value: number): void;
}

/** What answers at a range of addresses. */
export type RegionTarget =
  | { readonly kind: 'ram'; readonly block: RamBlock; readonly offset: number }
  /** Reads hit memory directly, writes go to a handler (flash) or nowhere (mask ROM). */
  | { readonly kind: 'rom'; readonly block: RamBlock; readonly offset: number; readonly onWrite?: MmioHandler }
  | { readonly kind: 'mmio'; readonly handler: MmioHandler; readonly byteOrder: ByteOrder }
  /** A window into another bus, `offset` bytes from its start. */
  | { readonly kind: 'window'; readonly space: AddressSpace; readonly offset: number };

export interface Region {
  readonly name: string;
  readonly base: number;
  /** Bytes. */
  readonly size: number;
  readonly target: RegionTarget;
  /** Where regions overlap the higher priority answers; equal priorities: the later one. Default 0. */
  readonly priority?: number;
}

/** One stretch of the flattened view: exactly one target answers for `start <= address < end`. */
export interface FlatRange {
  readonly start: number;
  readonly end: number;
  readonly name: string;
  /** Never a window: those are resolved. `offset` and handler offsets are relative to {@link start} plus `delta`. */
  readonly target: Exclude<RegionTarget, { kind: 'window' }>;
  /** Handler or block offset of `start`. */
  readonly delta: number;
}

const swap16 = (v: number): number => ((v & 0xff) << 8) | ((v >>> 8) & 0xff);
const swap32 = (v: number): number => ((swap16(v & 0xffff) << 16) | swap16(v >>> 16)) >>> 0;

/** Reverses the bytes of an unsigned value of the given width. */
export function swapBytes(value: number, width: AccessWidth): number {
  return width === 4 ? swap32(value) : width === 2 ? swap16(value) : value;
}

/**
 * A bus: regions and windows to other buses, flattened on demand to a sorted list of ranges.
 *
 * Buses are byte-invariant: byte N is byte N for every master. A 16- or 32-bit access to a device whose registers have
 * the other byte order therefore arrives with its bytes reversed, as on the real board.
 */
export class AddressSpace {
  readonly #regions: Region[] = [];
  readonly #listeners: (() => void)[] = [];
  #flat: FlatRange[] | undefined;
  #last: FlatRange | undefined;
  /** Set when the most recent access hit no region; cleared by whoever looks. */
  faulted = false;

  /** @param sizeBytes number of addresses, up to 2^53 */
  constructor(
    readonly name: string,
    readonly sizeBytes: number = 2 ** 32,
  ) {}

  /** Adds a region; the returned function takes it away again. */
  map(region: Region): () => void {
    if (region.base < 0 || region.size <= 0 || region.base + region.size > this.sizeBytes) {
      throw new EmulatorError(`region '${region.name}' does not fit on bus '${this.name}'`);
    }
    this.#regions.push(region);
    const unhook = region.target.kind === 'window' ? region.target.space.onChange(() => this.#changed()) : undefined;
    this.#changed();
    return () => {
      const index = this.#regions.indexOf(region);
      if (index < 0) return;
      this.#regions.splice(index, 1);
      unhook?.();
      this.#changed();
    };
  }

  mapRam(name: string, base: number, block: RamBlock, offset = 0, size = block.sizeBytes - offset): () => void {
    return this.map({ name, base, size, target: { kind: 'ram', block, offset } });
  }

  mapMmio(
    name: string,
    base: number,
    size: number,
    handler: MmioHandler,
    byteOrder: ByteOrder = 'little',
    priority = 0,
  ): () => void {
    return this.map({ name, base, size, priority, target: { kind: 'mmio', handler, byteOrder } });
  }

  /** Lets `size` addresses from `base` show another bus from its address `offset` on. */
  mapWindow(name: string, base: number, size: number, space: AddressSpace, offset = 0, priority = 0): () => void {
    return this.map({ name, base, size, priority, target: { kind: 'window', space, offset } });
  }

  /** Calls back after every change of the view, so that translations cached from it can be dropped, until undone. */
  onChange(listener: () => void): () => void {
    this.#listeners.push(listener);
    return () => {
      const index = this.#listeners.indexOf(listener);
      if (index >= 0) this.#listeners.splice(index, 1);
    };
  }

  /** The flattened view, ascending and without overlaps. */
  get ranges(): readonly FlatRange[] {
    return (this.#flat ??= this.#flatten());
  }

  /** The range that answers at an address, or undefined where nothing does. */
  find(address: number): FlatRange | undefined {
    const last = this.#last;
    if (last && address >= last.start && address < last.end) return last;
    const ranges = this.ranges;
    let low = 0;
    let high = ranges.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const range = ranges[middle] as FlatRange;
      if (address < range.start) high = middle - 1;
      else if (address >= range.end) low = middle + 1;
      else return (this.#last = range);
    }
    return undefined;
  }

  /** A bus read by a master of the given byte order. Unmapped addresses read 0 and set {@link faulted}. */
  read(address: number, width: AccessWidth, order: ByteOrder): number {
    const range = this.find(address);
    if (!range || address + width > range.end) return this.#readAcross(address, width, order);
    const target = range.target;
    const offset = address - range.start + range.delta;
    if (target.kind !== 'mmio') return target.block.read(offset, width, order);
    const value = target.handler.read(offset, width) >>> 0;
    return target.byteOrder === order ? value : swapBytes(value, width);
  }

  /** A bus write by a master of the given byte order. Unmapped addresses ignore it and set {@link faulted}. */
  write(address: number, width: AccessWidth, value: number, order: ByteOrder): void {
    const range = this.find(address);
    if (!range || address + width > range.end) return this.#writeAcross(address, width, value, order);
    const target = range.target;
    const offset = address - range.start + range.delta;
    if (target.kind === 'ram') target.block.write(offset, width, value, order);
    else if (target.kind === 'rom')
      target.onWrite?.write(offset, width, order === 'little' ? value : swapBytes(value, width));
    else target.handler.write(offset, width, target.byteOrder === order ? value : swapBytes(value, width));
  }

  /** Bus-master read into `target` (DMA, loaders). @returns false when part of the range was unmapped */
  readBytes(address: number, target: Uint8Array): boolean {
    return this.#transfer(address, target, (range, offset, from, to) => {
      if (range.target.kind === 'mmio')
        for (let i = from; i < to; i++) target[i] = range.target.handler.read(offset + i - from, 1);
      else target.set(range.target.block.bytes.subarray(offset, offset + to - from), from);
    });
  }

  /** Bus-master write from `source` (DMA, loaders). @returns false when part of the range was unmapped */
  writeBytes(address: number, source: Uint8Array): boolean {
    return this.#transfer(address, source, (range, offset, from, to) => {
      const { target } = range;
      if (target.kind === 'ram') {
        target.block.bytes.set(source.subarray(from, to), offset);
        target.block.markWritten(offset, to - from);
      } else {
        const handler = target.kind === 'mmio' ? target.handler : target.onWrite;
        for (let i = from; i < to; i++) handler?.write(offset + i - from, 1, source[i] as number);
      }
    });
  }

  #transfer(
    address: number,
    bytes: Uint8Array,
    move: (range: FlatRange, offset: number, from: number, to: number) => void,
  ): boolean {
    let complete = true;
    for (let done = 0; done < bytes.length;) {
      const range = this.find(address + done);
      if (!range) {
        complete = false;
        done++;
        continue;
      }
      const to = Math.min(bytes.length, done + range.end - (address + done));
      move(range, address + done - range.start + range.delta, done, to);
      done = to;
    }
    return complete;
  }

  /** An access that straddles two ranges, or hits none, goes byte by byte. */
  #readAcross(address: number, width: AccessWidth, order: ByteOrder): number {
    if (width === 1 || !this.find(address)) {
      this.faulted = true;
      return 0;
    }
    let value = 0;
    for (let i = 0; i < width; i++)
      value += this.read(address + i, 1, order) * 2 ** (8 * (order === 'little' ? i : width - 1 - i));
    return value;
  }

  #writeAcross(address: number, width: AccessWidth, value: number, order: ByteOrder): void {
    if (width === 1 || !this.find(address)) {
      this.faulted = true;
      return;
    }
    for (let i = 0; i < width; i++)
      this.write(address + i, 1, (value >>> (8 * (order === 'little' ? i : width - 1 - i))) & 0xff, order);
  }

  #changed(): void {
    this.#flat = undefined;
    this.#last = undefined;
    for (const listener of this.#listeners) listener();
  }

  /** Paints regions from the lowest priority up, later ones over earlier ones. */
  #flatten(): FlatRange[] {
    let flat: FlatRange[] = [];
    const inOrder = [...this.#regions].sort((a, b) => (a.priority ?? 0) - (b.priority ?? 0));
    for (const region of inOrder) {
      const painted = resolve(region);
      for (const range of painted) flat = punch(flat, range.start, range.end);
      flat.push(...painted);
    }
    return flat.sort((a, b) => a.start - b.start);
  }
}

/** The ranges that one region contributes, windows followed to what lies behind them. */
function resolve(region: Region): FlatRange[] {
  const { name, base, size, target } = region;
  if (target.kind !== 'window') {
    const delta = target.kind === 'mmio' ? 0 : target.offset;
    return [{ start: base, end: base + size, name, target, delta }];
  }
  const shift = base - target.offset;
  return target.space.ranges.flatMap((range) => {
    const start = Math.max(range.start, target.offset);
    const end = Math.min(range.end, target.offset + size);
    if (start >= end) return [];
    return [{ ...range, start: start + shift, end: end + shift, delta: range.delta + start - range.start }];
  });
}

/** Cuts `start..end` out of the ranges. */
function punch(ranges: FlatRange[], start: number, end: number): FlatRange[] {
  return ranges.flatMap((range) => {
    if (range.end <= start || range.start >= end) return [range];
    const parts: FlatRange[] = [];
    if (range.start < start) parts.push({ ...range, end: start });
    if (range.end > end) parts.push({ ...range, start: end, delta: range.delta + end - range.start });
    return parts;
  });
}
