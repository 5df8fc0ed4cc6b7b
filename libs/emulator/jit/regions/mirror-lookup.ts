import type { FunctionWriter } from '../wasm/encoder.js';
import { W } from '../wasm/encoder.js';
import { mirrorIndex } from '../wasm/mirror-index.js';
import type { MirrorWindow } from './direct-window.js';

/** An address that is looked up in a table of mirrored pages: a distance from what a local holds. */
export interface MirroredAddress {
  /** Linear-memory offset of the table. */
  readonly table: number;
  readonly alignment: number;
  readonly local: number;
  readonly distance: number;
}

export const tableOf = ({ reads, writes }: MirrorWindow, write: boolean): number => (write ? writes : reads);

/**
 * Leaves, as i64, what the table says of all these addresses, see `MirrorPage`; 0 where one is not aligned. As
 * i32, V8 loads the byte twice: once to see that it can, once as an operand of the comparison.
 */
export function mirrored(w: FunctionWriter, addresses: readonly MirroredAddress[]): void {
  addresses.forEach(({ table, alignment, local, distance }, i) => {
    w.get(local);
    if (distance !== 0) {
      w.i32(distance);
      w.op(W.i32_add);
    }
    mirrorIndex(w, alignment);
    w.memory(W.i64_load8_u, table);
    if (i > 0) w.op(W.i64_and);
  });
}
