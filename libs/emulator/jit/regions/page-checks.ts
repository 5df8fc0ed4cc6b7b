import { PAGE_MASK } from '../../memory/index.js';
import { SoftTlb } from '../ir/index.js';
import type { FunctionWriter } from '../wasm/encoder.js';
import { W } from '../wasm/encoder.js';
import type { Emit } from '../wasm/lowering.js';
import type { DirectWindow } from './direct-window.js';
import type { RegionExits, Way } from './region-exits.js';
import type { Block, Region } from './region.js';

/** What of a region and its function page checks need. */
export interface PageCheckContext {
  readonly writer: FunctionWriter;
  /** Leaves the offset of the soft TLB. */
  readonly tlb: Emit;
  readonly window: DirectWindow | undefined;
  readonly pages: Region['pages'];
  readonly exits: RegionExits;
  isDirectlyMapped(address: number): boolean;
  /** An imported constant: linear-memory offset minus virtual address of a page that the region reaches into. */
  pageAddend(virtualPage: number, linearPage: number): number;
}

/**
 * Emits the checks of pages that a region's code comes from. Whoever enters it has looked at the first one; control goes on to
 * another only if that is still mapped, executable, to the memory that was translated.
 */
export class PageChecks {
  constructor(private readonly context: PageCheckContext) {}

  /** Must a page be checked where control goes from one address to another? */
  areNeeded(from: number, to: number): boolean {
    if (((from ^ to) & PAGE_MASK) === 0) return false;
    return !(this.context.isDirectlyMapped(from) && this.context.isDirectlyMapped(to));
  }

  /** Leaves for an address if its page is not as it was. @param before emits what is to be done then first */
  check(address: number, before: Emit): void {
    this.#leaveIfElsewhere(address, 'jump', address, before);
  }

  /** A delay slot on the next page is executed with its branch only if that page is there. */
  checkSlot(block: Block, before: Emit): void {
    if (this.isNeededForSlot(block)) this.#leaveIfElsewhere(endOf(block), 'interpret', block.address, before);
  }

  isNeededForSlot(block: Block): boolean {
    return this.areNeeded(block.address, endOf(block));
  }

  #leaveIfElsewhere(address: number, way: Way, to: number, before: Emit): void {
    const { writer: w, exits } = this.context;
    this.#isElsewhere(address);
    w.if();
    before();
    exits.leave(way, () => w.i32(to));
    w.end();
  }

  /** Leaves whether the page of an address is not mapped, executable, to the memory that was translated. */
  #isElsewhere(address: number): void {
    const { writer: w, tlb, window, pages } = this.context;
    const page = address & PAGE_MASK;
    const linear = pages.get(page >>> 0) as number; // visited by discovery
    if (window?.kind === 'mirror' && ((window.linear + page) | 0) === (linear | 0)) {
      w.i32(0);
      w.memory(W.i64_load8_u, window.fetches + (page >>> 12));
      w.op(W.i64_eqz);
      return;
    }
    const entry = SoftTlb.offset(page);
    tlb();
    w.memory(W.i32_load, entry + SoftTlb.execTag);
    w.i32(page);
    w.op(W.i32_sub);
    tlb();
    w.memory(W.i32_load, entry + SoftTlb.addend);
    w.global(this.context.pageAddend(page, linear));
    w.op(W.i32_sub);
    w.op(W.i32_or);
  }
}

/** Address of a block's last instruction; what the interpreter begins with has none. */
const endOf = ({ address, instructions }: Block): number => instructions.at(-1)?.address ?? address;
