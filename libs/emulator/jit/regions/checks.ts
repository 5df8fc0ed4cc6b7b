import { getOrInsertComputed } from '../../core/index.js';
import { alignedLow, extentOf, joined } from './access-extent.js';
import type { Access, PairedFragment, SharingAccess, Step } from './access-steps.js';
import { canShareCheck, MAX_ALIGNMENT, MAX_SPAN, READ, remainderOf, stepsOf, WRITE } from './access-steps.js';
import { expectedAccesses } from './expected-accesses.js';
import type { MovingRange, RoundsCheck, RoundsGraph } from './rounds.js';
import { planRounds } from './rounds.js';

/**
 * Which accesses are checked where there is a direct window. `single`: the access itself. `ranges`: all between the first and the last
 * of several accesses off a base register, for one or more of them. `free`: what was checked before covers it. `anywhere`: it
 * may go elsewhere, too.
 */
export type Check =
  | { readonly kind: 'single' }
  | { readonly kind: 'free' }
  | { readonly kind: 'anywhere' }
  | { readonly kind: 'ranges'; readonly ranges: readonly Range[] };

/** Addresses that are looked up: they lie on one page or on two neighbours. */
export interface Range {
  /** State offset of the base register, and distances from it in bytes. */
  readonly base: number;
  readonly low: number;
  readonly high: number;
  /** Some of the accesses are stores; what may be written may be read. */
  readonly write: boolean;
  /** What the first address must be a multiple of. */
  readonly alignment: number;
}

const SINGLE: Check = { kind: 'single' };
const FREE: Check = { kind: 'free' };
const ANYWHERE: Check = { kind: 'anywhere' };

/** Rounds over the graph after which nothing is assumed at the start of blocks. */
const MAX_ROUNDS = 10;

/** What is known of the memory at constant distances from a register: a range in which every access passes. */
interface Known {
  readonly low: number;
  readonly high: number;
  /** The register is `remainder` modulo this many bytes. */
  readonly modulus: number;
  readonly remainder: number;
}

/** By base register and kind of access, see {@link keyOf}. */
type Facts = ReadonlyMap<number, Known>;
const NOTHING: Facts = new Map();

const keyOf = (base: number, kind: number): number => base * 2 + kind;

/** A region's control flow, see `RegionGraph`. */
export interface CheckGraph extends RoundsGraph {
  readonly successors: readonly (readonly number[])[];
  /** Nodes in reverse postorder. */
  readonly order: readonly number[];
  /** Behind a node control may go elsewhere than to its successors. */
  mayLeave(node: number): boolean;
}

export interface CheckPlan {
  /** Per node, one for each of its accesses in order. */
  readonly ofAccesses: readonly (readonly Check[])[];
  /** By head of a loop: what is checked for several rounds of it before anything else. */
  readonly ofRounds: ReadonlyMap<number, RoundsCheck>;
}

/**
 * Plans the checks of a region. Nothing changes mappings while a translation runs, so what passed once passes as long as
 * the base register keeps its value or moves by constants.
 * @param blocks per node, undefined for nodes without code
 * @param isKnown is a register's value known where a loop's head begins?
 * @param strays addresses of instructions that are not to be checked with others; a loop that begins with one is not checked for
 * several rounds
 */
export function planChecks(
  graph: CheckGraph,
  blocks: readonly (PairedFragment | undefined)[],
  isKnown: (head: number, register: number) => boolean,
  strays: ReadonlySet<number>,
): CheckPlan {
  const { successors, order } = graph;
  const known = new Map<PairedFragment, Step[]>(); // nodes may be copies of one block
  const steps = blocks.map((block) => (block ? getOrInsertComputed(known, block, () => stepsOf(block, strays)) : []));
  const entered = new Set<number>();
  successors.forEach((list, node) => {
    if (!blocks[node]) for (const next of list) entered.add(next);
  });
  const expected = expectedAccesses({ steps, successors, order }, (from, to) => {
    return !graph.mayLeave(from) && !graph.forgets(to) && !entered.has(to);
  });
  const mayCheckRounds = (node: number): boolean => !strays.has(startOf(blocks[node]));
  const loops = graph.loops.filter(({ head }) => mayCheckRounds(head));
  const rounds = planRounds({ loops, forgets: (node) => graph.forgets(node) }, steps, isKnown);
  const wayOf = (node: number): Way => ({
    steps: steps[node] as readonly Step[],
    expected: expected[node] ?? [],
    ranges: rounds.get(node)?.ranges ?? [],
  });
  const atStart: (Facts | undefined)[] = blocks.map(() => undefined);
  atStart[order[0] as number] = NOTHING;
  let stable = false;
  for (let round = 0; !stable && round < MAX_ROUNDS; round++) {
    stable = true;
    for (const node of order) {
      const facts = atStart[node];
      if (!facts) continue;
      const after = walk(wayOf(node), facts);
      for (const next of successors[node] as readonly number[]) {
        const before = atStart[next];
        const merged = graph.forgets(next) ? NOTHING : before ? common(before, after) : after;
        if (before && isSame(before, merged)) continue;
        atStart[next] = merged;
        stable = false;
      }
    }
  }
  const knownAt = (node: number): Facts => (stable && atStart[node]) || NOTHING;
  return {
    ofAccesses: steps.map((_, node) => {
      const plan: Check[] = [];
      walk(wayOf(node), knownAt(node), plan);
      return plan;
    }),
    ofRounds: new Map(
      [...rounds].flatMap(([node, check]) => {
        const ranges = check.ranges.filter((range) => !coversMoving(knownAt(node), range));
        return ranges.length > 0 ? [[node, { ...check, ranges }] as const] : [];
      }),
    ),
  };
}

/** Address of a block's first instruction. */
const startOf = (block: PairedFragment | undefined): number => (block ? (block.fragment.a[0] as number) >>> 0 : NaN);

/** A block's steps, and accesses that are certain to follow if registers stay as they are at its end. */
interface Way {
  readonly steps: readonly Step[];
  readonly expected: readonly Access[];
  /** What is known to pass because it was checked for several rounds. */
  readonly ranges: readonly MovingRange[];
}

/** Goes through a block. @param plan gets the check of each access @returns what is known at its end */
function walk({ steps, expected, ranges }: Way, start: Facts, plan?: Check[]): Facts {
  const facts = new Map(start);
  for (const range of ranges) learn(facts, range);
  const accesses = steps.flatMap((step) => (step.kind === 'access' ? [step.access] : []));
  let next = 0;
  steps.forEach((step, i) => {
    if (step.kind === 'set') return setRegister(facts, step);
    const { access } = step;
    const together = accesses.slice(next, next + 1 + access.withNext);
    next++;
    if (access.strays) return void plan?.push(ANYWHERE);
    if (together.every((one) => covers(facts, one))) return void plan?.push(FREE);
    if (!canShareCheck(access)) return void plan?.push(SINGLE);
    const ranges = rangesFrom(access, { following: steps.slice(i + 1), expected }, facts);
    for (const range of ranges) learn(facts, range);
    plan?.push(isAllOf(ranges, access) ? SINGLE : { kind: 'ranges', ranges });
  });
  return facts;
}

/** Is a check that of an access alone, which is looked at once? */
function isAllOf([range, ...others]: readonly Range[], { kind, alignment, reach }: Access): boolean {
  if (!range || others.length > 0 || reach > 0) return false;
  return range.low === range.high && range.write === (kind === WRITE) && range.alignment === alignment;
}

const coversMoving = (facts: Facts, { base, low, high, write, alignment }: MovingRange): boolean =>
  covers(facts, { kind: write ? WRITE : READ, alignment, reach: high - low, from: { base, distance: low } });

function setRegister(facts: Map<number, Known>, { register, to, conditional }: Step & { kind: 'set' }): void {
  for (const kind of [READ, WRITE]) {
    const known = to && !conditional ? facts.get(keyOf(to.base, kind)) : undefined;
    if (!to || !known) facts.delete(keyOf(register, kind));
    else
      facts.set(keyOf(register, kind), {
        low: known.low - to.distance,
        high: known.high - to.distance,
        modulus: known.modulus,
        remainder: remainderOf(known.remainder + to.distance, known.modulus),
      });
  }
}

function covers(
  facts: Facts,
  { kind, alignment, reach, from }: Pick<Access, 'kind' | 'alignment' | 'reach' | 'from'>,
): boolean {
  if (!from) return false;
  const known = facts.get(keyOf(from.base, kind));
  return (
    known !== undefined &&
    known.low <= from.distance &&
    from.distance + reach <= known.high &&
    alignment <= known.modulus &&
    remainderOf(known.remainder + from.distance, alignment) === 0
  );
}

/** Notes that accesses in a range pass that are aligned as its first address is. */
function learn(facts: Map<number, Known>, { base, low, high, write, alignment: bytes }: Range): void {
  for (const key of write ? [keyOf(base, READ), keyOf(base, WRITE)] : [keyOf(base, READ)]) {
    const known = facts.get(key);
    const all = known && { low: Math.min(known.low, low), high: Math.max(known.high, high) };
    const range = all && all.high - all.low <= MAX_SPAN ? all : { low, high };
    const alignment =
      known && known.modulus > bytes
        ? { modulus: known.modulus, remainder: known.remainder }
        : { modulus: bytes, remainder: remainderOf(-low, bytes) };
    facts.set(key, { ...range, ...alignment });
  }
}

/** What comes behind an access: the block's other steps, and what is certain to follow these. */
interface Future {
  readonly following: readonly Step[];
  readonly expected: readonly Access[];
}

/**
 * What is looked at for an access: a range off its register; and if it is an unaligned load, one each off the registers of others that
 * follow it at once, among them those that must pass with it, see {@link Access.withNext}.
 */
function rangesFrom(access: SharingAccess, { following, expected }: Future, facts: Facts): Range[] {
  const ranges = [rangeFrom(access, { following, expected }, facts)];
  /** Registers that have a range already, or change. */
  const settled = new Set([access.from.base]);
  for (const [i, step] of following.entries()) {
    if (step.kind === 'set') {
      settled.add(step.register);
      continue;
    }
    const { access: other } = step;
    if (!canShareCheck(other) || !isUnalignedLoad(access) || !isUnalignedLoad(other)) break;
    if (settled.has(other.from.base) || covers(facts, other)) continue;
    settled.add(other.from.base);
    ranges.push(rangeFrom(other, { following: following.slice(i + 1), expected }, facts));
  }
  return ranges;
}

const isUnalignedLoad = ({ kind, reach }: Access): boolean => kind === READ && reach > 0;

/** An access and those of the others off its register, until that changes, that nothing covers and one check can with it. */
function rangeFrom(first: SharingAccess, { following, expected }: Future, facts: Facts): Range {
  const { base, distance } = first.from;
  let extent = extentOf(first, distance);
  for (const access of accessesUntilSet(base, following, expected)) {
    if (!canShareCheck(access) || access.from.base !== base || covers(facts, access)) continue;
    const both = joined(extent, extentOf(access, access.from.distance));
    // Room to begin at a multiple of the alignment.
    if (both && both.high - both.low <= MAX_SPAN - MAX_ALIGNMENT) extent = both;
  }
  const { high, write, alignment } = extent;
  return { base, low: alignedLow(extent), high, write, alignment };
}

function accessesUntilSet(base: number, following: readonly Step[], expected: readonly Access[]): readonly Access[] {
  const accesses: Access[] = [];
  for (const step of following) {
    if (step.kind === 'access') accesses.push(step.access);
    else if (step.register === base) return accesses;
  }
  return [...accesses, ...expected];
}

/** What is known whichever of two ways was taken. */
function common(a: Facts, b: Facts): Facts {
  const facts = new Map<number, Known>();
  for (const [key, x] of a) {
    const y = b.get(key);
    if (!y) continue;
    const [low, high] = [Math.max(x.low, y.low), Math.min(x.high, y.high)];
    const modulus = Math.min(x.modulus, y.modulus);
    const remainder = remainderOf(x.remainder, modulus);
    if (low <= high && remainder === remainderOf(y.remainder, modulus))
      facts.set(key, { low, high, modulus, remainder });
  }
  return facts;
}

function isSame(a: Facts, b: Facts): boolean {
  if (a.size !== b.size) return false;
  for (const [key, x] of a) {
    const y = b.get(key);
    if (!y || x.low !== y.low || x.high !== y.high || x.modulus !== y.modulus || x.remainder !== y.remainder)
      return false;
  }
  return true;
}
