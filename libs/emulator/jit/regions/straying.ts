import type { InstructionReader } from './classify.js';
import type { Block } from './region.js';

/**
 * Which instructions of a block are not expected to access what the direct window holds: those that are known to stray, and those that
 * access memory off the same registers. Only the first of them has been seen to, since the interpreter has executed the block's rest.
 * @param strays addresses of those that are known
 * @returns addresses
 */
export function strayingIn(
  { instructions }: Block,
  strays: ReadonlySet<number>,
  reader: Pick<InstructionReader, 'baseOf'>,
): readonly number[] {
  const known = instructions.filter(({ address }) => strays.has(address));
  if (known.length === 0) return [];
  const bases = new Set(known.map(({ word, address }) => reader.baseOf(word, address)));
  bases.delete(undefined);
  const others = instructions.filter(({ word, address }) => bases.has(reader.baseOf(word, address)));
  return [...known, ...others].map(({ address }) => address);
}
