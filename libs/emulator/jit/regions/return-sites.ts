import { getOrInsertComputed } from '../../core/index.js';
import type { Block, Region } from './region.js';

/**
 * Finds for each return which calls within the region it may belong to: those of functions that lead to it, as far as the region has
 * their code. Others may return there as well; this only says which addresses are worth a comparison.
 * @returns by address of the block that ends with a return: addresses that calls return to
 */
export function findReturnSites({
  blocks,
  claimed,
}: Pick<Region, 'blocks' | 'claimed'>): ReadonlyMap<number, readonly number[]> {
  const blockAt = new Map(blocks.map((block) => [block.address, block]));
  const sitesOf = new Map<number, Set<number>>();
  for (const { end } of blocks) {
    const callee =
      end.kind === 'goto' ? end.target : end.kind === 'indirect' && end.role === 'call' ? end.guess : undefined;
    const site = end.kind === 'goto' || end.kind === 'indirect' ? end.returnTo : undefined;
    if (callee === undefined || site === undefined || !blockAt.has(callee) || !blockAt.has(site)) continue;
    getOrInsertComputed(sitesOf, callee, () => new Set()).add(site);
  }
  const found = new Map<number, Set<number>>();
  for (const [callee, sites] of sitesOf) {
    const seen = new Set<number>();
    const queue = [callee];
    for (let address = queue.pop(); address !== undefined; address = queue.pop()) {
      const block = blockAt.get(address);
      if (!block || seen.has(address)) continue;
      seen.add(address);
      queue.push(...continuations(block, claimed));
      if (block.end.kind !== 'indirect' || block.end.role !== 'return') continue;
      const all = getOrInsertComputed(found, address, () => new Set());
      for (const site of sites) all.add(site);
    }
  }
  return new Map([...found].map(([address, sites]) => [address, [...sites]]));
}

/** Where a function goes on behind a block, with what it calls left out. */
function continuations({ address, instructions, end }: Block, claimed: ReadonlySet<number>): readonly number[] {
  switch (end.kind) {
    case 'goto':
      return [end.returnTo ?? end.target];
    case 'branch':
      return [end.taken, end.next];
    case 'interpret':
      return [(end.at + 4) >>> 0];
    case 'system':
      return [(address + 4 * instructions.length) >>> 0];
    case 'indirect':
      if (end.role === 'call') return [end.returnTo];
      if (end.role === 'tail') return end.guess === undefined ? [] : [end.guess];
      return end.role === 'jump' ? [...claimed] : [];
  }
}
