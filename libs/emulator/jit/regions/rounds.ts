/** Loops whose accesses are checked for several rounds at once. */

import type { AccessExtent } from './access-extent.js';
import { alignedLow, extentOf, joined } from './access-extent.js';
import type { Access, Step } from './access-steps.js';
import { canShareCheck, MAX_ALIGNMENT, MAX_SPAN } from './access-steps.js';
import type { Loop } from './flow-graph.js';

/** A check holds for so many rounds at most; one that held for fewer than these would cost what it saves. */
const MOST_ROUNDS = 64;
const FEWEST_ROUNDS = 4;

/** What a round accesses off a register, and how far the register moves until the last of the rounds. */
export interface MovingRange {
  /** State offset of the register, and distances from what it is when the round begins, in bytes. */
  readonly base: number;
  readonly low: number;
  readonly high: number;
  /** Some of the accesses are stores; what may be written may be read. */
  readonly write: boolean;
  /** What the register plus `low` must be a multiple of, in each round. */
  readonly alignment: number;
  /** At most: `below` is not above 0, `above` not below. */
  readonly below: number;
  readonly above: number;
}

/** A check where a loop's block begins. */
export interface RoundsCheck {
  readonly rounds: number;
  /** One for a register. */
  readonly ranges: readonly MovingRange[];
}

export interface RoundsGraph {
  /** Each before those within it. */
  readonly loops: readonly Loop[];
  /** At a node's start nothing is known. */
  forgets(node: number): boolean;
}

/**
 * Finds what loops of one block access, whatever happens in the round, off registers which stay as they are or move by constants.
 * Nothing changes mappings while a translation runs, so the pages that some rounds will reach can be looked up ahead. Loops
 * of more blocks are mostly left after few rounds, and get slower.
 * @param steps per node
 * @param isKnown is a register's value known where a node begins?
 * @returns by node
 */
export function planRounds(
  graph: RoundsGraph,
  steps: readonly (readonly Step[])[],
  isKnown: (node: number, register: number) => boolean,
): ReadonlyMap<number, RoundsCheck> {
  const found = new Map<number, RoundsCheck>();
  for (const { head, body } of graph.loops) {
    if (body.size > 1 || graph.forgets(head)) continue;
    const check = checkOf(steps[head] as readonly Step[], (register) => isKnown(head, register));
    if (check) found.set(head, check);
  }
  return found;
}

function checkOf(steps: readonly Step[], isKnown: (register: number) => boolean): RoundsCheck | undefined {
  const movements = movementsBy(steps);
  const ranges = new Map<number, RoundRange>();
  const distances = new Distances();
  for (const step of steps) {
    if (step.kind === 'set') distances.follow(step);
    else {
      const base = step.access.from?.base;
      const by = base !== undefined && isKnown(base) ? distances.of(base) : undefined;
      const movement = base !== undefined && movements.has(base) ? movements.get(base) : STILL;
      if (base === undefined || by === undefined || !movement) continue;
      const range = rangeWith(ranges.get(base), step.access, by, movement);
      if (range) ranges.set(base, range);
    }
  }
  const list = [...ranges.values()];
  if (list.length === 0) return undefined;
  const rounds = Math.min(...list.map((range) => roundsOf(range)));
  return {
    rounds,
    ranges: list.map((range) => {
      const { base, high, write, alignment, movement } = range;
      const [below, above] = [(rounds - 1) * movement.down, (rounds - 1) * movement.up];
      return { base, low: alignedLow(range), high, write, alignment, below, above };
    }),
  };
}

/** How far registers have moved since the round began. */
class Distances {
  /** Undefined where that depends. */
  readonly #by = new Map<number, number | undefined>();

  of(register: number): number | undefined {
    return this.#by.has(register) ? this.#by.get(register) : 0;
  }

  follow({ register, to, conditional }: Step & { kind: 'set' }): void {
    const before = this.of(register);
    const isConstant = before !== undefined && to?.base === register && !conditional;
    this.#by.set(register, isConstant ? before + to.distance : undefined);
  }
}

/** How far a register moves in a round at most, and what all its steps are multiples of, a power of two. */
interface Movement {
  readonly down: number;
  readonly up: number;
  readonly multipleOf: number;
}

const STILL: Movement = { down: 0, up: 0, multipleOf: MAX_SPAN };

/** By register, of those that a round sets; undefined where one moves by something else than constants. */
function movementsBy(steps: readonly Step[]): ReadonlyMap<number, Movement | undefined> {
  const movements = new Map<number, Movement | undefined>();
  for (const step of steps) {
    if (step.kind !== 'set') continue;
    const { register, to } = step;
    const before = movements.has(register) ? movements.get(register) : STILL;
    movements.set(register, before && to?.base === register ? moved(before, to.distance) : undefined);
  }
  return movements;
}

const moved = ({ down, up, multipleOf }: Movement, by: number): Movement => ({
  down: down + Math.min(by, 0),
  up: up + Math.max(by, 0),
  multipleOf: by === 0 ? multipleOf : Math.min(multipleOf, by & -by),
});

/** A {@link MovingRange} before it is known for how many rounds. */
interface RoundRange extends AccessExtent {
  readonly base: number;
  readonly movement: Movement;
}

/**
 * A register's range with one more access in it; undefined where that cannot be checked with the others or for enough rounds.
 * @param by how far the register has moved in the round
 */
function rangeWith(
  before: RoundRange | undefined,
  access: Access,
  by: number,
  movement: Movement,
): RoundRange | undefined {
  if (!canShareCheck(access)) return undefined;
  const { base, distance } = access.from;
  const own = extentOf(access, distance + by);
  const extent = before ? joined(before, own) : own;
  if (!extent || movement.multipleOf < extent.alignment) return undefined;
  const range = { base, movement, ...extent };
  return roundsOf(range) >= FEWEST_ROUNDS ? range : undefined;
}

function roundsOf(range: RoundRange): number {
  const { up, down } = range.movement;
  const room = MAX_SPAN - MAX_ALIGNMENT - (range.high - alignedLow(range));
  if (room < 0) return 0;
  return up === down ? MOST_ROUNDS : Math.min(MOST_ROUNDS, 1 + Math.floor(room / (up - down)));
}
