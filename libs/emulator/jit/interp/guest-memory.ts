import type { TargetDescription, Width } from '../ir/index.js';
import { SoftTlb, Type, widthBytes } from '../ir/index.js';
import { ByteSwapper } from '../wasm/byte-swap.js';
import type { FunctionWriter } from '../wasm/encoder.js';
import { ValType, W } from '../wasm/encoder.js';
import type { Emit, LocalPool } from '../wasm/lowering.js';
import { loadOpcode, storeOpcode } from '../wasm/lowering.js';
import { mirrorIndex } from '../wasm/mirror-index.js';

/** Where an interpreter finds what it needs for memory accesses, as linear-memory offsets. */
export interface MemoryLayout {
  /** The CPU's area. */
  readonly cpuBase: number;
  /** What the directly mapped segment shows, as far as `directLimits` permit. */
  readonly directRam?: number | undefined;
  /** Pages that lie at their own address behind `linear`; the tables, see `MirrorTable`, say which may be read and written. */
  readonly mirror?: { readonly linear: number; readonly reads: number; readonly writes: number } | undefined;
}

/** Accesses that generated code cannot do itself. */
export interface SlowAccess {
  /** Indices of the imported functions, see `INTERPRETER_IMPORTS`. */
  readonly load: number;
  readonly store: number;
  /** Emits what comes before and after a call of one. */
  readonly before: Emit;
  readonly after: Emit;
}

/** Where an access goes that needs no look-up: what the local holds, behind a linear-memory offset. */
interface DirectAccess {
  readonly local: number;
  readonly linear: number;
}

/**
 * Emits an interpreter's accesses to guest memory: directly where pages are mirrored, loads as well where the target's directly
 * mapped segment shows RAM, else by the soft TLB, else by the host. Besides a mirror's a store's page is looked up anyway, for
 * its tracking.
 */
export class GuestMemory {
  /** Address of the last access. */
  readonly address: number;
  /** Its soft TLB entry, or its distance from the start of the directly mapped segment. */
  readonly entry: number;
  readonly #swap: ByteSwapper;

  constructor(
    private readonly writer: FunctionWriter,
    pool: LocalPool,
    private readonly target: TargetDescription,
    private readonly layout: MemoryLayout,
    private readonly slow: SlowAccess,
  ) {
    this.#swap = new ByteSwapper(writer, pool);
    this.address = writer.local(ValType.i32);
    this.entry = writer.local(ValType.i32);
  }

  load(width: Width, type: Type, address: Emit): void {
    const w = this.writer;
    const result = type === Type.I64 ? ValType.i64 : ValType.i32;
    const direct = this.#mirrorProbe(width, 'reads', address) ?? this.#directProbe(width, address);
    if (direct) {
      w.if(result);
      this.inHostOrder(width, type, () => {
        w.get(direct.local);
        w.memory(loadOpcode(width, type), direct.linear);
      });
      w.else();
    }
    this.#probe(width, SoftTlb.readTag, direct ? () => w.get(this.address) : address);
    w.if(result);
    this.#linearAddress();
    this.inHostOrder(width, type, () => w.memory(loadOpcode(width, type), 0));
    w.else();
    this.slow.before();
    w.get(this.address);
    w.i32(width);
    w.call(this.slow.load);
    if (type === Type.I64) {
      w.op(W.drop);
      w.i32(0);
      w.memory(W.i64_load, this.#scratch);
    }
    this.slow.after();
    w.end();
    if (direct) w.end();
  }

  store(width: Width, type: Type, address: Emit, value: Emit): void {
    const w = this.writer;
    const direct = this.#mirrorProbe(width, 'writes', address);
    if (direct) {
      w.if();
      w.get(direct.local);
      this.inHostOrder(width, type, value);
      w.memory(storeOpcode(width, type), direct.linear);
      w.else();
    }
    this.#probe(width, SoftTlb.writeTag, direct ? () => w.get(this.address) : address);
    w.if();
    this.#linearAddress();
    this.inHostOrder(width, type, value);
    w.memory(storeOpcode(width, type), 0);
    w.else();
    this.slow.before();
    if (type === Type.I64) {
      w.i32(0);
      value();
      w.memory(W.i64_store, this.#scratch);
    }
    w.get(this.address);
    if (type === Type.I64) w.i32(0);
    else value();
    w.i32(width);
    w.call(this.slow.store);
    this.slow.after();
    w.end();
    if (direct) w.end();
  }

  /** Leaves the soft TLB entry of an address on the stack and in {@link entry}. */
  entryOf(address: Emit): void {
    const w = this.writer;
    address();
    w.i32(12 - SoftTlb.entryShift);
    w.op(W.i32_shr_u);
    w.i32((SoftTlb.entries - 1) << SoftTlb.entryShift);
    w.op(W.i32_and);
    w.i32(0);
    w.memory(W.i32_load, this.layout.cpuBase + this.target.engine.tlbBase.offset);
    w.op(W.i32_add);
    w.tee(this.entry);
  }

  /** Emits a value of guest order so that it becomes host order, or the other way round. */
  inHostOrder(width: Width, type: Type, value: Emit): void {
    if (this.target.byteOrder === 'little') value();
    else this.#swap.swapped(width, type, value);
  }

  get #scratch(): number {
    return this.layout.cpuBase + this.target.engine.scratch.offset;
  }

  /** Leaves whether an access hits the soft TLB; alignment is part of the comparison. */
  #probe(width: Width, tag: number, address: Emit): void {
    const w = this.writer;
    this.entryOf(() => {
      address();
      w.tee(this.address);
    });
    w.op(W.drop);
    // The tag comes last: V8 then compares with memory.
    w.get(this.address);
    w.i32(0xfffff000 | (widthBytes(width) - 1) | 0);
    w.op(W.i32_and);
    w.get(this.entry);
    w.memory(W.i32_load, tag);
    w.op(W.i32_eq);
  }

  /**
   * Leaves whether an aligned access hits a mirrored page that permits it, with the address in its local.
   * @returns undefined, and emits nothing, where there is no mirror
   */
  #mirrorProbe(width: Width, kind: 'reads' | 'writes', address: Emit): DirectAccess | undefined {
    const w = this.writer;
    const { mirror } = this.layout;
    if (!mirror) return undefined;
    address();
    w.tee(this.address);
    mirrorIndex(w, widthBytes(width));
    w.memory(W.i32_load8_u, mirror[kind]);
    return { local: this.address, linear: mirror.linear };
  }

  /**
   * Leaves whether an aligned access hits RAM in the directly mapped segment, with the address and the distance from the
   * segment's start in locals. @returns undefined, and emits nothing, where there is no such segment
   */
  #directProbe(width: Width, address: Emit): DirectAccess | undefined {
    const w = this.writer;
    const { directSegment, engine } = this.target;
    const linear = this.layout.directRam;
    if (linear === undefined || !directSegment) return undefined;
    const shift = Math.log2(widthBytes(width));
    address();
    w.tee(this.address);
    w.i32(-directSegment.virtualBase | 0);
    w.op(W.i32_add);
    w.tee(this.entry);
    if (shift > 0) {
      // Rotated, bits that break the alignment make the number too large.
      w.i32(shift);
      w.op(W.i32_rotr);
    }
    w.i32(0);
    w.memory(W.i32_load, this.layout.cpuBase + engine.directLimits.offset + 4 * shift);
    w.op(W.i32_lt_u);
    return { local: this.entry, linear };
  }

  #linearAddress(): void {
    const w = this.writer;
    w.get(this.address);
    w.get(this.entry);
    w.memory(W.i32_load, SoftTlb.addend);
    w.op(W.i32_add);
  }
}
