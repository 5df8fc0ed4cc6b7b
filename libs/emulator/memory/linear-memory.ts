import type { ByteOrder } from '../core/index.js';
import { EmulatorError } from '../core/index.js';

/** Size of a WebAssembly page; allocation of the whole memory is in these. */
const WASM_PAGE_BYTES = 0x10000;

/** Guest pages are tracked in this unit, whatever the guest's MMU uses. */
export const PAGE_SHIFT = 12;
export const PAGE_BYTES = 1 << PAGE_SHIFT;
/** The bits of a 32-bit address that say where in its page it lies, and the others. As signed numbers. */
export const PAGE_OFFSET = PAGE_BYTES - 1;
export const PAGE_MASK = ~PAGE_OFFSET;

/** What {@link LinearMemory.allocateFirst} hands out, at most. */
const FIRST_BYTES = 2 * PAGE_BYTES;

/** Per-page tracking flags, one byte per 4 KiB of RAM. A page takes the fast store path only when `flags === Dirty`. */
export const PageFlag = {
  /** Written since the last {@link RamBlock.takeDirtyPages}. */
  Dirty: 1,
  /** Translated code was made from this page: stores must be announced. */
  HasCode: 2,
} as const;

/** Told about stores to pages that hold translated code. Offsets are bytes within the RAM block. */
export type CodeWriteListener = (block: RamBlock, offset: number, length: number) => void;

/**
 * A run of guest RAM inside the machine's linear memory, in guest byte order, with its page flags beside it (also in
 * linear memory, so that generated code can test them).
 */
export class RamBlock {
  readonly bytes: Uint8Array;
  readonly pageFlags: Uint8Array;
  readonly #view: DataView;
  readonly #codeListeners: CodeWriteListener[] = [];
  readonly #trackingListeners: ((offset: number | undefined) => void)[] = [];

  constructor(
    readonly name: string,
    buffer: ArrayBufferLike,
    /** Byte offset of the block in linear memory. */
    readonly linearOffset: number,
    readonly sizeBytes: number,
    /** Byte offset of the page flags in linear memory. */
    readonly flagsOffset: number,
  ) {
    this.bytes = new Uint8Array(buffer, linearOffset, sizeBytes);
    this.pageFlags = new Uint8Array(buffer, flagsOffset, Math.ceil(sizeBytes / PAGE_BYTES));
    this.#view = new DataView(buffer, linearOffset, sizeBytes);
  }

  /** Unsigned value of 1, 2 or 4 bytes. */
  read(offset: number, width: 1 | 2 | 4, order: ByteOrder): number {
    const little = order === 'little';
    if (width === 4) return this.#view.getUint32(offset, little);
    return width === 2 ? this.#view.getUint16(offset, little) : this.#view.getUint8(offset);
  }

  write(offset: number, width: 1 | 2 | 4, value: number, order: ByteOrder): void {
    const little = order === 'little';
    if (width === 4) this.#view.setUint32(offset, value, little);
    else if (width === 2) this.#view.setUint16(offset, value, little);
    else this.#view.setUint8(offset, value);
    this.markWritten(offset, width);
  }

  /** Bookkeeping of a store that bypassed {@link write}: DMA, loaders, and generated code's first store to a page. */
  markWritten(offset: number, length: number): void {
    if (length === 0) return;
    let hasCode = false;
    for (let page = offset >>> PAGE_SHIFT; page <= (offset + length - 1) >>> PAGE_SHIFT; page++) {
      const flags = this.pageFlags[page] ?? 0;
      hasCode ||= (flags & PageFlag.HasCode) !== 0;
      this.pageFlags[page] = flags | PageFlag.Dirty;
    }
    if (hasCode) for (const listener of this.#codeListeners) listener(this, offset, length);
  }

  /** Marks a page as source of translated code; stores to it are announced from now on. */
  markCode(offset: number): void {
    const page = offset >>> PAGE_SHIFT;
    const flags = this.pageFlags[page] ?? 0;
    if (flags & PageFlag.HasCode) return;
    this.pageFlags[page] = flags | PageFlag.HasCode;
    this.#trackingChanged(page << PAGE_SHIFT);
  }

  /** Forgets that the page holds translated code (after its translations were dropped). */
  clearCode(offset: number): void {
    const page = offset >>> PAGE_SHIFT;
    this.pageFlags[page] = (this.pageFlags[page] ?? 0) & ~PageFlag.HasCode;
  }

  /** Bytes of the pages that were written since the last {@link takeDirtyPages}, or ever: what the block takes of the host. */
  get writtenBytes(): number {
    let pages = 0;
    for (const flags of this.pageFlags) pages += flags & PageFlag.Dirty;
    return pages * PAGE_BYTES;
  }

  /** Page numbers written since the last call, ascending; starts a new round of tracking. */
  takeDirtyPages(): number[] {
    const dirty: number[] = [];
    for (let page = 0; page < this.pageFlags.length; page++) {
      const flags = this.pageFlags[page] as number;
      if (!(flags & PageFlag.Dirty)) continue;
      dirty.push(page);
      this.pageFlags[page] = flags & ~PageFlag.Dirty;
    }
    if (dirty.length > 0) this.#trackingChanged(undefined);
    return dirty;
  }

  onCodeWrite(listener: CodeWriteListener): void {
    this.#codeListeners.push(listener);
  }

  /** Called when cached store permissions (soft TLBs) became stale: of one page, by its offset, or of all. */
  onTrackingChange(listener: (offset: number | undefined) => void): void {
    this.#trackingListeners.push(listener);
  }

  #trackingChanged(offset: number | undefined): void {
    for (const listener of this.#trackingListeners) listener(offset);
  }
}

/**
 * The one `WebAssembly.Memory` of a machine: CPU state, soft TLBs, guest RAM and frame buffers, so that generated
 * code, devices and DMA touch the same bytes. Sized once; it never grows, hence views stay valid for life.
 */
export class LinearMemory {
  readonly memory: WebAssembly.Memory;
  #next = FIRST_BYTES;
  #firstIsFree = true;
  /** RAM is taken from the end: what is small stays below 2 GiB, where generated code reaches it with one instruction. */
  #end: number;

  /**
   * Whether other threads may map the memory, which the host must permit (browsers: only isolated pages may). The
   * contents are then in a `SharedArrayBuffer`.
   */
  readonly shared = typeof SharedArrayBuffer !== 'undefined';

  /** @param sizeBytes upper bound of all allocations, below 4 GiB */
  constructor(readonly sizeBytes: number) {
    const pages = Math.ceil((sizeBytes + FIRST_BYTES) / WASM_PAGE_BYTES) + 1;
    if (pages > 65536)
      throw new EmulatorError(`a machine's memory is limited to 4 GiB, ${sizeBytes} bytes were asked for`);
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: this.shared });
    this.#end = this.memory.buffer.byteLength;
  }

  get buffer(): ArrayBufferLike {
    return this.memory.buffer;
  }

  /** Reserves zeroed bytes. @param align power of two */
  allocate(bytes: number, align = 64): number {
    const offset = Math.ceil(this.#next / align) * align;
    if (offset + bytes > this.#end) this.#refuse(bytes);
    this.#next = offset + bytes;
    return offset;
  }

  /**
   * Reserves the start of the memory, if nobody has yet; else as {@link allocate} does. The host's instructions name an offset below 128
   * in one byte, others in four: it is for what generated code accesses most.
   */
  allocateFirst(bytes: number): number {
    if (!this.#firstIsFree || bytes > FIRST_BYTES) return this.allocate(bytes);
    this.#firstIsFree = false;
    return 0;
  }

  #refuse(bytes: number): never {
    throw new EmulatorError(
      `linear memory is full: ${bytes} more bytes do not fit into ${this.memory.buffer.byteLength}`,
    );
  }

  /** Guest RAM with its page flags. @param sizeBytes multiple of 4 KiB */
  allocateRam(name: string, sizeBytes: number): RamBlock {
    if (sizeBytes % PAGE_BYTES !== 0) throw new EmulatorError(`RAM '${name}' is not a whole number of 4 KiB pages`);
    const flags = this.allocate(sizeBytes / PAGE_BYTES);
    const offset = Math.floor((this.#end - sizeBytes) / PAGE_BYTES) * PAGE_BYTES;
    if (offset < this.#next) this.#refuse(sizeBytes);
    this.#end = offset;
    return new RamBlock(name, this.memory.buffer, offset, sizeBytes, flags);
  }

  /** Size in WebAssembly pages of 64 KiB, which modules that import the memory declare. */
  get pages(): number {
    return this.memory.buffer.byteLength / WASM_PAGE_BYTES;
  }

  /** Bytes that {@link allocateRam} takes for a block, its flags and alignment included. */
  static ramFootprint(sizeBytes: number): number {
    return sizeBytes + sizeBytes / PAGE_BYTES + 2 * PAGE_BYTES;
  }
}
