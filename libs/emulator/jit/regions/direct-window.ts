/**
 * RAM that lies at known addresses, where the soft TLB need not be asked. Accesses to anything else are left to the interpreter: whoever
 * offers a window sees to it that they are few.
 */
export type DirectWindow = SegmentWindow | MirrorWindow;

/** A segment of the address space, for code that itself runs there. */
export interface SegmentWindow {
  readonly kind: 'segment';
  /** First virtual address, a multiple of the size's next power of two. */
  readonly virtualBase: number;
  /** A multiple of the page size. */
  readonly sizeBytes: number;
  /** Linear-memory offset of its first byte, and of its page flags. */
  readonly linear: number;
  readonly flags: number;
}

/** Virtual address 0 lies at `linear`, for pages whose byte in the tables at these offsets is not 0, see `MirrorPage`. */
export interface MirrorWindow {
  readonly kind: 'mirror';
  readonly linear: number;
  readonly reads: number;
  readonly writes: number;
  readonly fetches: number;
  /** Linear-memory offsets of the dispatch table, see `DispatchLayout`. */
  readonly dispatchPages: number;
  readonly dispatchBlocks: number;
}
