import type { PartialAccess, TargetDescription } from '../ir/index.js';
import type { InstructionReader } from './classify.js';
import type { Block } from './region.js';

/** Instructions that a group of unaligned accesses may span. */
const MAX_LENGTH = 24;
/** Most accesses of a group: whoever is first checks the pages of all. */
const MAX_GROUP = 8;
/** Bytes between accesses of a group off the same base register, at most: their checks are one. */
const MAX_DISTANCE = 1024;

/**
 * What becomes of an instruction of a block: the whole access in place of its first half, nothing in place of its second. Where pairs
 * overlap, `withNext` says how many accesses follow that must pass where this one does.
 */
export type PairPart =
  { readonly kind: 'whole'; readonly access: PartialAccess; readonly withNext: number } | { readonly kind: 'done' };

/**
 * Finds pairs of instructions that together access a word at any address, which one access of the host can do. Between the halves of a
 * pair, registers and memory are not as they would be; so nothing may look at them there, and nothing may leave the translation:
 * there are only other halves, whose pages the first one's check covers, and instructions that calculate.
 * @param strays addresses of instructions that stay as they are
 * @returns by the instruction's index in the block
 */
export function findPairs(
  { instructions, branchAt }: Block,
  reader: InstructionReader,
  { unaligned }: Pick<TargetDescription, 'unaligned'>,
  strays: ReadonlySet<number>,
): ReadonlyMap<number, PairPart> {
  const parts = new Map<number, PairPart>();
  if (!unaligned) return parts;
  const end = branchAt < 0 ? instructions.length : branchAt;
  const halves = instructions.map(({ word, address }) => (strays.has(address) ? undefined : unaligned.half(word)));
  for (let start = 0; start < end; start++) {
    if (!halves[start]) continue;
    const group = new Group();
    for (let i = start; i < Math.min(end, start + MAX_LENGTH); i++) {
      const half = halves[i];
      const { word, address } = instructions[i] as Block['instructions'][number];
      if (half ? !group.addHalf(i, half) : !group.pass(reader.effects(word, address))) break;
      if (!group.isComplete) continue;
      for (const [index, part] of group.parts()) parts.set(index, part);
      start = i;
      break;
    }
  }
  return parts;
}

/** Pairs that overlap each other. */
class Group {
  readonly #open: PartialAccess[] = [];
  readonly #all: { readonly index: number; readonly access: PartialAccess }[] = [];
  /** Indices of the second halves. */
  readonly #done: number[] = [];
  /** Registers that the group has changed, or will have when it is complete. */
  readonly #changed = new Set<number>();

  get isComplete(): boolean {
    return this.#open.length === 0;
  }

  /** By the instruction's index. */
  *parts(): Iterable<readonly [number, PairPart]> {
    for (const [i, { index, access }] of this.#all.entries())
      yield [index, { kind: 'whole', access, withNext: this.#all.length - 1 - i }];
    for (const index of this.#done) yield [index, { kind: 'done' }];
  }

  /** @returns false where the half does not fit into the group */
  addHalf(index: number, half: PartialAccess): boolean {
    const { kind, register, base, distance } = half;
    const other = this.#open.findIndex((open) => isOtherHalf(open, half));
    if (other >= 0) {
      this.#open.splice(other, 1);
      this.#done.push(index);
      return true;
    }
    const first = this.#all[0]?.access;
    // A store shows whether it was complete to loads and to other stores.
    if (first && (kind === 'store' || first.kind === 'store')) return false;
    const isFar = this.#all.some(
      ({ access }) => access.base === base && Math.abs(access.distance - distance) > MAX_DISTANCE,
    );
    if (isFar || this.#all.length === MAX_GROUP) return false;
    if (this.#changed.has(base) || this.#open.some((open) => open.register === register)) return false;
    if (kind === 'load') {
      // The other half finds the address in its register again.
      if (register === base || this.#open.some((open) => open.base === register)) return false;
      this.#changed.add(register);
    }
    this.#open.push(half);
    this.#all.push({ index, access: half });
    return true;
  }

  /** @returns false where an instruction may not execute between the halves of a pair */
  pass({ reads, writes, mayLeave }: ReturnType<InstructionReader['effects']>): boolean {
    if (mayLeave) return false;
    for (const { kind, register, base } of this.#open) {
      if (writes.has(register) || writes.has(base)) return false;
      if (kind === 'load' && reads.has(register)) return false;
    }
    for (const register of writes) this.#changed.add(register);
    return true;
  }
}

const isOtherHalf = (a: PartialAccess, b: PartialAccess): boolean =>
  a.side !== b.side && a.kind === b.kind && a.register === b.register && a.base === b.base && a.distance === b.distance;
