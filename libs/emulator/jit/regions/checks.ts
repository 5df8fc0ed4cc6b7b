import { getOrInsertComputed } from '../../core/index.js';
import type { Fragment } from '../ir/index.js';
import type { Access, Step } from './access-steps.js';
import { canShareCheck, MAX_ALIGNMENT, MAX_SPAN, READ, remainderOf, stepsOf, WRITE } from './access-steps.js';
import { expectedAccesses } from './expected-accesses.js';
import type { MovingRange, RoundsCheck, RoundsGraph } from './rounds.js';
import { planRounds } from './rounds.js';
import { MAX_GROUP } from './unaligned.js';

/**
 * Which accesses are checked where there is a direct window. `single`: the access itself. `ranges`: all between the first and the last
 * of several accesses off a base register, for one or more of them. `free`: what was checked before covers it. `anywhere`: it
 * may go elsewhere, too.
 */
export type Check =
  | { readonly kind: 'single' }
  | { readonly kind: 'free' }
  | { readonly kind: 'anywhere' }
  | {
      readonly kind: 'ranges';
      readonly ranges: readonly Range[];
      /** Some of the accesses are stores; what may be written may be read. */
      readonly write: boolean;
      /** What the ranges' first addresses must be multiples of. */
      readonly alignment: number;
    };

/** Addresses that are looked up: they lie on one page or on two neighbours. */
export interface Range {
  /** State offset of the base register, and distances from it in bytes. */
  readonly base: number;
  readonly low: number;
  readonly high: number;
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
 * @param fragments per node, undefined for nodes without code
 * @param isKnown is a register's value known where a loop's head begins?
 * @param strays addresses of instructions that are not to be checked with others; a loop that begins with one is not checked for
 * several rounds
 */
export function planChecks(
  graph: CheckGraph,
  fragments: readonly (Fragment | undefined)[],
  isKnown: (head: number, register: number) => boolean,
  strays: ReadonlySet<number>,
): CheckPlan {
  const { successors, order } = graph;
  const known = new Map<Fragment, Step[]>(); // nodes may be copies of one block
  const steps = fragments.map((fragment) =>
    fragment ? getOrInsertComputed(known, fragment, () => stepsOf(fragment, strays)) : [],
  );
  const entered = new Set<number>();
  successors.forEach((list, node) => {
    if (!fragments[node]) for (const next of list) entered.add(next);
  });
  const expected = expectedAccesses({ steps, successors, order }, (from, to) => {
    return !graph.mayLeave(from) && !graph.forgets(to) && !entered.has(to);
  });
  const mayCheckRounds = (node: number): boolean => !strays.has(startOf(fragments[node]));
  const loops = graph.loops.filter(({ head }) => mayCheckRounds(head));
  const rounds = planRounds({ loops, forgets: (node) => graph.forgets(node) }, steps, isKnown);
  const wayOf = (node: number): Way => ({
    steps: steps[node] as readonly Step[],
    expected: expected[node] ?? [],
    ranges: rounds.get(node)?.ranges ?? [],
  });
  const atStart: (Facts | undefined)[] = fragments.map(() => undefined);
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
const startOf = (fragment: Fragment | undefined): number => (fragment ? (fragment.a[0] as number) >>> 0 : NaN);

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
  for (const range of ranges) learn(facts, { kind: range.write ? WRITE : READ, alignment: range.alignment }, range);
  steps.forEach((step, i) => {
    if (step.kind === 'set') return setRegister(facts, step);
    const { access } = step;
    const { from } = access;
    if (access.strays) return void plan?.push(ANYWHERE);
    if (!from) return void plan?.push(SINGLE);
    if (access.reach > 0 && !access.conditional) {
      // The others may be between the halves of this one.
      const ranges = unalignedFrom(steps, i);
      if (ranges.every((range) => coversRange(facts, access.kind, range))) return void plan?.push(FREE);
      for (const range of ranges) learn(facts, access, range);
      return void plan?.push({ kind: 'ranges', ranges, write: access.kind === WRITE, alignment: access.alignment });
    }
    if (covers(facts, access)) return void plan?.push(FREE);
    if (access.conditional) return void plan?.push(SINGLE);
    const group = groupFrom(accessesFrom(steps, expected, i), facts);
    learn(facts, group ?? access, group?.range ?? { base: from.base, low: from.distance, high: from.distance });
    if (!group) return void plan?.push(SINGLE);
    const { range, kind, alignment } = group;
    plan?.push({ kind: 'ranges', ranges: [range], write: kind === WRITE, alignment });
  });
  return facts;
}

const CERTAIN = { conditional: false, strays: false } as const;

function coversMoving(facts: Facts, { base, low, high, write, alignment }: MovingRange): boolean {
  const kind = write ? WRITE : READ;
  const access = { kind, alignment, reach: high - low, from: { base, distance: low }, ...CERTAIN } as const;
  return covers(facts, access);
}

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

function covers(facts: Facts, { kind, alignment, reach, from }: Access): boolean {
  if (!from) return false;
  const { base, distance } = from;
  const known = facts.get(keyOf(base, kind));
  return (
    known !== undefined &&
    coversRange(facts, kind, { base, low: distance, high: distance + reach }) &&
    alignment <= known.modulus &&
    remainderOf(known.remainder + distance, alignment) === 0
  );
}

function coversRange(facts: Facts, kind: Access['kind'], { base, low, high }: Range): boolean {
  const known = facts.get(keyOf(base, kind));
  return known !== undefined && known.low <= low && high <= known.high;
}

/** Notes that accesses of one kind and alignment pass in a range. What may be written may be read. */
function learn(
  facts: Map<number, Known>,
  { kind, alignment: bytes }: Omit<Group, 'range'>,
  { base, low, high }: Range,
): void {
  for (const key of kind === WRITE ? [keyOf(base, READ), keyOf(base, WRITE)] : [keyOf(base, READ)]) {
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

/** Accesses that one check may cover. */
interface Group extends Pick<Access, 'kind' | 'alignment'> {
  readonly range: Range;
}

/** An access off a register, and the others off it until that changes. */
function accessesFrom(steps: readonly Step[], expected: readonly Access[], start: number): Access[] {
  const { access: first } = steps[start] as Step & { kind: 'access' };
  const base = first.from?.base;
  const accesses: Access[] = [];
  for (const step of steps.slice(start)) {
    if (step.kind === 'access') accesses.push(step.access);
    else if (step.register === base) return accesses;
  }
  return [...accesses, ...expected];
}

/** Those of accesses off one register that nothing covers and one check can, with the first one. */
function groupFrom([first, ...others]: readonly Access[], facts: Facts): Group | undefined {
  if (!first?.from) return undefined;
  const { base, distance } = first.from;
  let [low, high] = [distance, distance];
  let { kind, alignment } = first;
  /** Distance of an access with that alignment. */
  let anchor = distance;
  for (const access of others) {
    if (!canShareCheck(access) || access.from.base !== base || covers(facts, access)) continue;
    const { from } = access;
    const [lower, higher] = [Math.min(low, from.distance), Math.max(high, from.distance)];
    // Room to begin at a multiple of the alignment; who is aligned otherwise cannot pass with the others.
    if (higher - lower > MAX_SPAN - MAX_ALIGNMENT) continue;
    if (remainderOf(from.distance - anchor, Math.min(alignment, access.alignment)) !== 0) continue;
    if (access.alignment > alignment) [alignment, anchor] = [access.alignment, from.distance];
    if (access.kind === WRITE) kind = WRITE;
    [low, high] = [lower, higher];
  }
  if (low === high && kind === first.kind && alignment === first.alignment) return undefined;
  // Where the accesses are aligned, this is on the first one's page.
  return { kind, alignment, range: { base, low: low - remainderOf(low - anchor, alignment), high } };
}

/** What an unaligned access and those that follow it at once look at, see `findPairs`. */
function unalignedFrom(steps: readonly Step[], start: number): Range[] {
  const { access: first } = steps[start] as Step & { kind: 'access' };
  const ranges = new Map<number, Range>();
  const changed = new Set<number>();
  let count = 0;
  for (const step of steps.slice(start)) {
    if (step.kind === 'set') {
      changed.add(step.register);
      continue;
    }
    const { kind, reach, from, conditional, strays } = step.access;
    if (reach === 0 || kind !== first.kind || !from || conditional || strays || changed.has(from.base)) break;
    if (count > 0 && kind === WRITE) break;
    const { base, distance } = from;
    const before = ranges.get(base) ?? { base, low: distance, high: distance };
    const range = { base, low: Math.min(before.low, distance), high: Math.max(before.high, distance + reach) };
    if (range.high - range.low > MAX_SPAN || ++count > MAX_GROUP) break;
    ranges.set(base, range);
  }
  return [...ranges.values()];
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
