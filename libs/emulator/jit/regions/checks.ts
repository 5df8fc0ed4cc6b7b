import { getOrInsertComputed } from '../../core/index.js';
import type { Fragment, Value } from '../ir/index.js';
import { alignmentOf, BranchKind, NO_VALUE, Op, Width as Widths } from '../ir/index.js';
import { MAX_GROUP } from './unaligned.js';
import type { Width } from '../ir/index.js';

/**
 * Which accesses to mirrored memory are checked, where pages are found by address alone. `single`: the access itself.
 * `ranges`: the first and the last of several accesses off a base register, for one or more of them. `free`: what was
 * checked before covers it.
 */
export type Check =
  | { readonly kind: 'single' }
  | { readonly kind: 'free' }
  | { readonly kind: 'ranges'; readonly ranges: readonly Range[] };

/** Addresses that are looked up, both ends, as those of an access of the same width. */
export interface Range {
  /** State offset of the base register, and distances from it in bytes. */
  readonly base: number;
  readonly low: number;
  readonly high: number;
}

const SINGLE: Check = { kind: 'single' };
const FREE: Check = { kind: 'free' };

/** Two addresses not further apart than this lie on one page or on two neighbours: what is between them, too. */
const MAX_SPAN = 4096;
/** From so many accesses on, checking the first and the last is cheaper than checking each. */
const MIN_GROUP = 3;
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

const READ = 0;
const WRITE = 1;
const keyOf = (base: number, kind: number): number => base * 2 + kind;
const mod = (value: number, modulus: number): number => ((value % modulus) + modulus) % modulus;

interface Access {
  readonly kind: typeof READ | typeof WRITE;
  /** What the address must be a multiple of. */
  readonly alignment: number;
  /** How far from its first byte the last one is that must be looked at: another page begins at a multiple of the alignment. */
  readonly reach: number;
  /** Undefined where the address is no constant distance from a register. */
  readonly from: { readonly base: number; readonly distance: number } | undefined;
  /** It is not certain that it executes whenever the block does. */
  readonly conditional: boolean;
}

/** What a block does, in order, as far as it matters here. */
type Step =
  | { readonly kind: 'access'; readonly access: Access }
  /** A register gets another's value plus a constant, or an unknown value. */
  | { readonly kind: 'set'; readonly register: number; readonly to: Access['from']; readonly conditional: boolean };

/**
 * Plans the checks of a region. Nothing changes mappings while a translation runs, so what passed once passes as long as
 * the base register keeps its value or moves by constants.
 * @param fragments per node, undefined for nodes without code
 * @param order nodes in reverse postorder
 * @param forgets nodes at whose start nothing is known
 * @returns per node, one for each of its accesses in order
 */
export function planChecks(
  fragments: readonly (Fragment | undefined)[],
  successors: readonly (readonly number[])[],
  order: readonly number[],
  forgets: (node: number) => boolean = () => false,
): readonly (readonly Check[])[] {
  const known = new Map<Fragment, Step[]>(); // nodes may be copies of one block
  const steps = fragments.map((fragment) =>
    fragment ? getOrInsertComputed(known, fragment, () => stepsOf(fragment)) : [],
  );
  const atStart: (Facts | undefined)[] = fragments.map(() => undefined);
  atStart[order[0] as number] = NOTHING;
  let stable = false;
  for (let round = 0; !stable && round < MAX_ROUNDS; round++) {
    stable = true;
    for (const node of order) {
      const facts = atStart[node];
      if (!facts) continue;
      const after = walk(steps[node] as readonly Step[], facts);
      for (const next of successors[node] as readonly number[]) {
        const before = atStart[next];
        const merged = forgets(next) ? NOTHING : before ? common(before, after) : after;
        if (before && isSame(before, merged)) continue;
        atStart[next] = merged;
        stable = false;
      }
    }
  }
  return steps.map((list, node) => {
    const plan: Check[] = [];
    walk(list, (stable && atStart[node]) || NOTHING, plan);
    return plan;
  });
}

function stepsOf(f: Fragment): Step[] {
  const steps: Step[] = [];
  const setAt = new Map<number, number>();
  let depth = 0;
  let inUncertainSlot = false;
  /** A register that is read now, or that nobody has set since it was read. */
  const registerOf = (value: Value): number | undefined =>
    f.op[value] === Op.LoadState && f.b[value] === NO_VALUE && (setAt.get(f.a[value] as number) ?? -1) < value
      ? f.a[value]
      : undefined;
  const sumOf = (value: Value): Access['from'] => {
    const isSum = f.op[value] === Op.Add && f.op[f.b[value] as Value] === Op.Const;
    const base = registerOf(isSum ? (f.a[value] as Value) : value);
    return base === undefined ? undefined : { base, distance: isSum ? (f.a[f.b[value] as Value] as number) : 0 };
  };
  for (let i = 0; i < f.length; i++) {
    const op = f.op[i];
    const conditional = depth > 0 || inUncertainSlot;
    if (op === Op.If) depth++;
    else if (op === Op.EndIf) depth--;
    else if (op === Op.Branch && f.c[i] === BranchKind.Likely) inUncertainSlot = true;
    else if (op === Op.StoreState && f.b[i] === NO_VALUE) {
      const register = f.a[i] as number;
      steps.push({ kind: 'set', register, to: sumOf(f.d[i] as Value), conditional });
      setAt.set(register, i);
    } else if (op === Op.LoadGuest || op === Op.StoreGuest) {
      const kind = op === Op.LoadGuest ? READ : WRITE;
      const width = f.c[i] as Width;
      const reach = width === Widths.Unaligned32 ? 3 : 0;
      const from = sumOf(f.a[i] as Value);
      steps.push({ kind: 'access', access: { kind, alignment: alignmentOf(width), reach, from, conditional } });
    }
  }
  return steps;
}

/** Goes through a block. @param plan gets the check of each access @returns what is known at its end */
function walk(steps: readonly Step[], start: Facts, plan?: Check[]): Facts {
  const facts = new Map(start);
  steps.forEach((step, i) => {
    if (step.kind === 'set') return setRegister(facts, step);
    const { access } = step;
    const { from } = access;
    if (!from) return void plan?.push(SINGLE);
    if (access.reach > 0 && !access.conditional) {
      // The others may be between the halves of this one.
      const ranges = unalignedFrom(steps, i);
      if (ranges.every((range) => coversRange(facts, access.kind, range))) return void plan?.push(FREE);
      for (const range of ranges) learn(facts, access, range);
      return void plan?.push({ kind: 'ranges', ranges });
    }
    if (covers(facts, access)) return void plan?.push(FREE);
    if (access.conditional) return void plan?.push(SINGLE);
    const group = groupFrom(steps, i);
    learn(facts, access, group ?? { base: from.base, low: from.distance, high: from.distance });
    plan?.push(group ? { kind: 'ranges', ranges: [group] } : SINGLE);
  });
  return facts;
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
        remainder: mod(known.remainder + to.distance, known.modulus),
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
    mod(known.remainder + distance, alignment) === 0
  );
}

function coversRange(facts: Facts, kind: Access['kind'], { base, low, high }: Range): boolean {
  const known = facts.get(keyOf(base, kind));
  return known !== undefined && known.low <= low && high <= known.high;
}

/** Notes that accesses of one kind and alignment pass in a range. What may be written may be read. */
function learn(facts: Map<number, Known>, { kind, alignment: bytes }: Access, { base, low, high }: Range): void {
  for (const key of kind === WRITE ? [keyOf(base, READ), keyOf(base, WRITE)] : [keyOf(base, READ)]) {
    const known = facts.get(key);
    const all = known && { low: Math.min(known.low, low), high: Math.max(known.high, high) };
    const range = all && all.high - all.low <= MAX_SPAN ? all : { low, high };
    const alignment =
      known && known.modulus > bytes
        ? { modulus: known.modulus, remainder: known.remainder }
        : { modulus: bytes, remainder: mod(-low, bytes) };
    facts.set(key, { ...range, ...alignment });
  }
}

/** Accesses of one kind and width off one register, from one on to the next change of the register. */
function groupFrom(steps: readonly Step[], start: number): Range | undefined {
  const { access: first } = steps[start] as Step & { kind: 'access' };
  const { base, distance } = first.from as { base: number; distance: number }; // the caller has looked
  let [low, high, count] = [distance, distance, 1];
  for (const step of steps.slice(start + 1)) {
    if (step.kind === 'set') {
      if (step.register === base) break;
      continue;
    }
    const { from, kind, alignment: bytes, reach, conditional } = step.access;
    if (!from || from.base !== base || kind !== first.kind || conditional) continue;
    if (bytes !== first.alignment || reach !== first.reach) continue;
    const [lower, higher] = [Math.min(low, from.distance), Math.max(high, from.distance)];
    if (higher - lower > MAX_SPAN || mod(from.distance - distance, bytes) !== 0) continue;
    [low, high, count] = [lower, higher, count + 1];
  }
  return count >= MIN_GROUP && low < high ? { base, low, high } : undefined;
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
    const { kind, reach, from, conditional } = step.access;
    if (reach === 0 || kind !== first.kind || !from || conditional || changed.has(from.base)) break;
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
    const remainder = mod(x.remainder, modulus);
    if (low <= high && remainder === mod(y.remainder, modulus)) facts.set(key, { low, high, modulus, remainder });
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
