import type { Width } from '../ir/index.js';
import { alignmentOf, LOWEST_MIRRORED, SoftTlb, Width as Widths, widthBytes } from '../ir/index.js';
import type { FunctionWriter } from '../wasm/encoder.js';
import { ValType, W } from '../wasm/encoder.js';
import type { Emit, GuestAddress } from '../wasm/lowering.js';
import type { Check } from './checks.js';
import type { DirectWindow } from './direct-window.js';
import { MirrorChecks } from './mirror-checks.js';
import type { Reuse } from './reuse.js';
import { reuseKey } from './reuse.js';
import { SegmentChecks } from './segment-checks.js';
import type { CheckedRange, CheckExits, WindowChecks } from './window-checks.js';

/** Of a word at any address. */
const LAST_BYTE = 3;

/** Locals with the page and the addend of a base register's last access. */
interface LastEntry {
  readonly tag: number;
  readonly addend: number;
}

/** An access, and what was planned for it. */
export interface PlannedAccess {
  readonly width: Width;
  /** Offset of the soft TLB's tag that allows it: a read or a write. */
  readonly tag: number;
  readonly address: GuestAddress;
  readonly reuse: Reuse;
  /** Present where there is a direct window. */
  readonly check: Check | undefined;
  /** Type that the access leaves, if it is a load. */
  readonly result: ValType | undefined;
  /** Emits the access, given what emits a linear-memory address, and a constant to add to it. */
  readonly perform: (at: Emit, offset: number) => void;
}

/** An address, as a distance from what a local holds. */
interface Distance {
  readonly local: number;
  readonly distance: number;
}

/** What accesses need of the translation around them. */
export interface AccessContext extends CheckExits {
  registerLocal(offset: number): number | undefined;
  /** Stores registers: the region may be left next. */
  storeChanged(): void;
}

/** Locals of a region's function that the accesses of all its blocks use. */
export class AccessLocals {
  /** Of the access in hand: its address, and its entry in the soft TLB. */
  readonly address: number;
  readonly tlbEntry: number;
  /** By base register and kind of access: page and addend of its last access, which may have been in another block. */
  readonly lastEntries = new Map<number, LastEntry>();

  /** @param tlb leaves the linear-memory offset of the soft TLB */
  constructor(
    private readonly writer: FunctionWriter,
    readonly tlb: Emit,
  ) {
    this.address = writer.local(ValType.i32);
    this.tlbEntry = writer.local(ValType.i32);
  }

  /**
   * Gives the bases whose translations are kept their locals, set so that the first comparison fails. There are none where there
   * is a window: what is outside it is rarely accessed twice.
   */
  prepare(kept: Iterable<number>): void {
    for (const key of kept) {
      const tag = this.writer.local(ValType.i32);
      this.lastEntries.set(key, { tag, addend: this.writer.local(ValType.i32) });
      this.writer.i32(SoftTlb.invalidTag);
      this.writer.set(tag);
    }
  }
}

/** @returns what emits the checks of a window */
export const checksOf = (writer: FunctionWriter, window: DirectWindow): WindowChecks =>
  window.kind === 'mirror' ? new MirrorChecks(writer, window) : new SegmentChecks(writer, window);

/** Emits a block's accesses to guest memory, which leave the instruction to the interpreter where they do not pass. */
export class GuestAccess {
  readonly #checks: WindowChecks | undefined;

  constructor(
    private readonly writer: FunctionWriter,
    private readonly context: AccessContext,
    window: DirectWindow | undefined,
    private readonly locals: AccessLocals,
  ) {
    this.#checks = window && checksOf(writer, window);
  }

  emit(access: PlannedAccess): void {
    const { address, check, perform } = access;
    if (!this.#checks || !check || check.kind === 'anywhere') return this.#emitAnywhere(access);
    const place = this.#distanceOf(address);
    if (check.kind !== 'free') this.#checks.leaveUnlessHeld(this.#rangesOf(access, check, place), this.context);
    const { at, offset } = this.#checks.placeOf(place.local, place.distance);
    perform(at, offset);
  }

  /** What may lie anywhere: the window is asked first where there is one, then the soft TLB. */
  #emitAnywhere(access: PlannedAccess): void {
    const w = this.writer;
    const { width, tag, address, reuse, result, perform } = access;
    const { address: local } = this.locals;
    this.context.storeChanged();
    this.context.noteInstruction(() => w.i32(0));
    address.emit();
    w.set(local);
    if (!this.#checks) return perform(this.#probe(width, tag, address.from?.base, reuse), 0);
    this.#checks.areHeld(rangesOfOne(access, { local, distance: 0 }));
    w.if(result);
    const { at, offset } = this.#checks.placeOf(local, 0);
    perform(at, offset);
    w.else();
    perform(this.#probe(width, tag, undefined, 'none'), 0);
    w.end();
  }

  /** The register that an address is a constant distance from, if that is as short as a mirror wants it, else a local with the sum. */
  #distanceOf({ emit, from }: GuestAddress): Distance {
    if (from && -LOWEST_MIRRORED <= from.distance && from.distance < LOWEST_MIRRORED) return from;
    emit();
    this.writer.set(this.locals.address);
    return { local: this.locals.address, distance: 0 };
  }

  /** What is looked at for an access, or the group that it is the first of. */
  #rangesOf(
    access: PlannedAccess,
    check: Check & { kind: 'single' | 'ranges' },
    place: Distance,
  ): readonly CheckedRange[] {
    if (check.kind === 'single') return rangesOfOne(access, place);
    return check.ranges.map(({ base, ...range }) => ({
      local: this.context.registerLocal(base) as number, // an address is a distance from it
      ...range,
    }));
  }

  /**
   * Leaves the instruction to the interpreter unless the access hits the soft TLB; alignment is part of the test.
   * Nothing changes the soft TLB while a translation runs, so the entry that an earlier access off the same base used
   * stays good, see {@link planReuse}.
   * @returns emits the linear-memory address
   */
  #probe(width: Width, tag: number, base: number | undefined, plan: Reuse): Emit {
    const w = this.writer;
    const key = (): void => {
      w.get(this.locals.address);
      w.i32(0xfffff000 | (widthBytes(width) - 1) | 0);
      w.op(W.i32_and);
    };
    const lookUp = (): void => {
      tlbEntryOf(w, this.locals.tlb, this.locals.address, this.locals.tlbEntry);
      w.memory(W.i32_load, tag);
      key();
      w.op(W.i32_sub);
      this.context.leaveIf();
    };
    const addend = (): void => {
      w.get(this.locals.tlbEntry);
      w.memory(W.i32_load, SoftTlb.addend);
    };
    if (plan === 'none' || base === undefined) {
      lookUp();
      return () => {
        w.get(this.locals.address);
        addend();
        w.op(W.i32_add);
      };
    }
    const last = this.locals.lastEntries.get(reuseKey(base, tag)) as LastEntry; // prepared
    if (plan === 'compare') {
      key();
      w.get(last.tag);
      w.op(W.i32_ne);
      w.if();
    }
    lookUp();
    key();
    w.set(last.tag);
    addend();
    w.set(last.addend);
    if (plan === 'compare') w.end();
    return () => {
      w.get(this.locals.address);
      w.get(last.addend);
      w.op(W.i32_add);
    };
  }
}

/** What is looked at for a single access. */
function rangesOfOne({ width, tag }: PlannedAccess, { local, distance }: Distance): readonly CheckedRange[] {
  const ends = width === Widths.Unaligned32 ? [distance, distance + LAST_BYTE] : [distance];
  const write = tag === SoftTlb.writeTag;
  return ends.map((end) => ({ local, low: end, high: end, write, alignment: alignmentOf(width) }));
}

/** Leaves the soft TLB entry of an address on the stack and in a local. @param tlb see {@link AccessLocals} */
export function tlbEntryOf(w: FunctionWriter, tlb: Emit, address: number, entry: number): void {
  w.get(address);
  w.i32(12 - SoftTlb.entryShift);
  w.op(W.i32_shr_u);
  w.i32((SoftTlb.entries - 1) << SoftTlb.entryShift);
  w.op(W.i32_and);
  tlb();
  w.op(W.i32_add);
  w.tee(entry);
}
