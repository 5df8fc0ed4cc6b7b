import { describe, expect, it } from '@jest/globals';
import { mipsModel } from '../../targets/index.js';
import { gprOffset } from '../../targets/mips/state.js';
import { mipsDescription } from '../../targets/mips/target.js';
import { asm } from '../../testkit/mips-assembler.js';
import { SeededRandom } from '../../testkit/random.js';
import type { PairedFragment } from './access-steps.js';
import type { Check, CheckPlan, Range } from './checks.js';
import { planChecks } from './checks.js';
import { InstructionReader } from './classify.js';
import { analyse, findLoops } from './flow-graph.js';
import type { RoundsCheck } from './rounds.js';
import type { PairPart } from './unaligned.js';

const reader = new InstructionReader(mipsDescription(mipsModel('24Kf'), 'little'), 2);
const REGISTERS = [8, 9, 10] as const;
/** What addresses must be multiples of; `ulw` and `usw` stand for pairs of instructions that access a word anywhere. */
const ALIGNMENT: Readonly<Record<string, number>> = { lw: 4, sw: 4, lhu: 2, sh: 2, lbu: 1, sb: 1, ulw: 1, usw: 1 };
const isUnaligned = ({ name }: Pick<Step, 'name'>): boolean => name.startsWith('u');
const isStore = ({ name }: Pick<Step, 'name'>): boolean => /^u?s/.test(name);

/** An instruction of the tests: `addiu`, `movz`, or an access. */
interface Step {
  readonly name: string;
  readonly rt: number;
  readonly rs: number;
  readonly imm: number;
  /** Of a pair: how many of the pairs behind it have begun before it is complete. */
  readonly withNext?: number;
}
const access = (name: string, rt: number, rs: number, imm: number): Step => ({ name, rt, rs, imm });
const add = (rt: number, rs: number, imm: number): Step => ({ name: 'addiu', rt, rs, imm });
const wordOf = ({ name, rt, rs, imm }: Step): number =>
  name === 'addiu'
    ? asm('addiu', { rt, rs, imm })
    : name === 'movz'
      ? asm('movz', { rd: rt, rs, rt: rs })
      : asm(name, { rt, base: rs, offset: imm });

interface PlanOptions {
  readonly forgets?: readonly number[];
  readonly leaves?: readonly number[];
  /** Addresses: a block's first instruction is at 0x1000. */
  readonly strays?: readonly number[];
}

/** Plans for a graph whose root, node 0, has no code. */
const plan = (...of: Parameters<typeof wholePlan>): CheckPlan['ofAccesses'] => wholePlan(...of).ofAccesses;

function wholePlan(
  blocks: readonly (readonly Step[])[],
  successors: readonly (readonly number[])[],
  { forgets = [], leaves = [], strays = [] }: PlanOptions = {},
): CheckPlan {
  const fragments = blocks.map((steps, node): PairedFragment | undefined => {
    if (node === 0) return undefined;
    const fragment = reader.acquire();
    const pairs = new Map<number, PairPart>();
    steps.forEach((step, i) => {
      const { rt, rs, imm: distance, withNext = 0 } = step;
      if (!isUnaligned(step)) {
        reader.append(fragment, wordOf(step), 0x1000 + 4 * i);
        return;
      }
      const kind = isStore(step) ? 'store' : 'load';
      const whole = { kind, side: 'first', register: gprOffset(rt), base: gprOffset(rs), distance } as const;
      reader.appendWhole(fragment, whole, 0x1000 + 4 * i);
      pairs.set(i, { kind: 'whole', access: whole, withNext });
    });
    return { fragment, pairs };
  });
  const analysis = analyse({ successors });
  const graph = {
    successors,
    ...{ order: analysis.order, loops: findLoops({ successors }, analysis) },
    forgets: (node: number) => forgets.includes(node),
    mayLeave: (node: number) => leaves.includes(node),
  };
  return planChecks(graph, fragments, () => true, new Set(strays));
}

/** A check of words in one range. */
const words = (access: 'read' | 'write', range: Pick<Range, 'base' | 'low' | 'high'>): Check => ({
  kind: 'ranges',
  ranges: [{ ...range, write: access === 'write', alignment: 4 }],
});
const kinds = (checks: readonly Check[] | undefined): string[] => (checks ?? []).map(({ kind }) => kind);

describe('which accesses are checked', () => {
  const [A, B] = REGISTERS;

  it('checks an address once, until the register gets an unknown value', () => {
    const block = [access('lw', B, A, 8), access('lw', B, A, 8), access('lw', A, A, 8), access('lw', B, A, 8)];
    expect(kinds(plan([[], block], [[1], []])[1])).toEqual(['single', 'free', 'free', 'single']);
  });

  it('checks the ends of a group', () => {
    const block = [0, 12, 4, 8].map((offset) => access('sw', B, A, offset));
    const [first, ...others] = plan([[], block], [[1], []])[1] as Check[];
    expect(first).toEqual(words('write', { base: gprOffset(A), low: 0, high: 12 }));
    expect(kinds(others)).toEqual(['free', 'free', 'free']);
  });

  it('checks both ends of an unaligned access, and with it what is accessed off its register', () => {
    const unaligned = (low: number, high: number, write = false): Check => {
      return { kind: 'ranges', ranges: [{ base: gprOffset(A), low, high, write, alignment: 1 }] };
    };
    expect(plan([[], [access('ulw', 2, A, 5)]], [[1], []])[1]).toEqual([unaligned(5, 8)]);
    const loads = [access('ulw', 2, A, 5), access('sw', 2, B, 0), access('ulw', 2, A, 9), access('lbu', 2, A, 20)];
    const checks = plan([[], [...loads, add(A, A, 1), access('ulw', 2, A, 6)]], [[1], []])[1] as Check[];
    expect(checks[0]).toEqual(unaligned(5, 20));
    expect(kinds(checks)).toEqual(['ranges', 'single', 'free', 'free', 'free']);
    const stores = [access('lbu', 2, A, 0), access('usw', 2, A, 1), access('usw', 2, A, 100)];
    expect(plan([[], stores], [[1], []])[1]).toEqual([unaligned(0, 103, true), { kind: 'free' }, { kind: 'free' }]);
    const mixed = [access('lw', 2, A, 0), access('ulw', 2, A, 5)];
    expect(plan([[], mixed], [[1], []])[1]?.[0]).toEqual(words('read', { base: gprOffset(A), low: 0, high: 8 }));
    expect(kinds(plan([[], [access('ulw', 2, A, 1)], [access('ulw', 2, A, 5)]], [[1], [2], []])[2])).toEqual(['free']);
  });

  it('checks unaligned loads together that follow each other at once, off whatever registers', () => {
    const [, , C] = REGISTERS;
    const loads = [access('ulw', 2, A, 5), access('ulw', 3, B, 1), access('lw', 2, C, 0), access('ulw', 2, C, 1)];
    const checks = plan([[], loads], [[1], []])[1] as Check[];
    const range = { write: false, alignment: 1 };
    expect(checks[0]).toEqual({
      kind: 'ranges',
      ranges: [
        { base: gprOffset(A), low: 5, high: 8, ...range },
        { base: gprOffset(B), low: 1, high: 4, ...range },
      ],
    });
    expect(kinds(checks)).toEqual(['ranges', 'free', 'ranges', 'free']);
    const changed = [access('ulw', B, A, 0), access('ulw', 2, B, 0)];
    expect(kinds(plan([[], changed], [[1], []])[1])).toEqual(['ranges', 'ranges']);
  });

  it('checks all loads at the first of those that overlap, and no other of them', () => {
    const pair = (withNext: number, base: number, imm: number): Step => ({ ...access('ulw', 2, base, imm), withNext });
    const loads = [pair(0, A, 0), pair(1, A, 4), pair(0, B, 0), pair(1, B, 4), pair(0, A, 5000)];
    for (const known of [[], [access('lw', 2, A, 0)], [access('lw', 2, B, 0), access('lw', 2, B, 4)]]) {
      const checks = plan([[], [...known, ...loads]], [[1], []])[1]?.slice(known.length) as Check[];
      expect(checks[2]).toEqual({ kind: 'free' });
      expect(checks[4]).toEqual({ kind: 'free' });
      expect(kinds(checks)).toContain('ranges');
    }
  });

  it('leaves alone what strays, and checks the others of a group', () => {
    const block = [0, 4, 8, 4].map((offset) => access('sw', B, A, offset));
    const checks = plan([[], block], [[1], []], { strays: [0x1004] })[1] as Check[];
    expect(checks[0]).toEqual(words('write', { base: gprOffset(A), low: 0, high: 8 }));
    expect(kinds(checks)).toEqual(['ranges', 'anywhere', 'free', 'free']);
    const first = plan([[], block], [[1], []], { strays: [0x1000] })[1] as Check[];
    expect(first[1]).toEqual(words('write', { base: gprOffset(A), low: 4, high: 8 }));
    expect(kinds(first)).toEqual(['anywhere', 'ranges', 'free', 'free']);
  });

  it('does not expect what strays', () => {
    const blocks = [[], [access('lw', B, A, 0)], [access('lw', B, A, 8)]];
    const graph = [[1], [2], []];
    expect(plan(blocks, graph)[1]).toMatchObject([{ ranges: [{ low: 0, high: 8 }] }]);
    const strays = [0x1000];
    expect(
      plan([[], [add(B, B, 1), access('lw', B, A, 0)], [access('lw', B, A, 8)]], graph, { strays }).map(kinds),
    ).toEqual([[], ['single'], ['anywhere']]);
  });

  it('checks no loop for several rounds that begins with what strays', () => {
    const loop = [access('lw', B, A, 0), add(A, A, 4)];
    const graph = [[1], [1, 2], []];
    expect(wholePlan([[], loop, []], graph).ofRounds.size).toBe(1);
    expect(wholePlan([[], loop, []], graph, { strays: [0x1000] }).ofRounds.size).toBe(0);
  });

  it('follows a register that moves by constants, and its copies', () => {
    const block = [
      access('sw', B, A, 16),
      add(A, A, -8),
      access('lw', B, A, 24),
      add(B, A, 4),
      access('lbu', A, B, 20),
    ];
    expect(kinds(plan([[], block], [[1], []])[1])).toEqual(['single', 'free', 'free']);
  });

  it('does not take what may be read for what may be written, nor bytes for words', () => {
    const blocks = [[], [access('lbu', B, A, 0)], [access('lw', B, A, 0)], [access('sw', B, A, 0)]];
    const graph = [[1], [2], [3], []];
    expect(plan(blocks, graph, { leaves: [1, 2] }).map(kinds)).toEqual([[], ['single'], ['single'], ['single']]);
  });

  it('checks a word that is read and written once, as one that is written', () => {
    const block = [access('lw', B, A, 8), access('sw', B, A, 8)];
    const [first, second] = plan([[], block], [[1], []])[1] as Check[];
    expect(first).toEqual(words('write', { base: gprOffset(A), low: 8, high: 8 }));
    expect(second).toEqual({ kind: 'free' });
  });

  it('begins a range where the widest access could', () => {
    const block = [access('lbu', B, A, 7), access('lw', B, A, 12), access('lw', B, A, 14), access('lbu', B, A, 13)];
    const [first, ...others] = plan([[], block], [[1], []])[1] as Check[];
    expect(first).toEqual(words('read', { base: gprOffset(A), low: 4, high: 13 }));
    expect(kinds(others)).toEqual(['free', 'single', 'free']);
  });

  it('covers what is accessed on every way from there, until the register changes', () => {
    const blocks = [
      [],
      [access('lw', B, A, 8)],
      [access('lw', B, A, 16), access('lw', B, A, 40)],
      [access('sw', B, A, 16), access('lw', B, A, 16), add(A, A, 4), access('lw', B, A, 60)],
      [access('lw', B, A, 20)],
    ];
    const graph = [[1], [2, 3], [4], [4], []];
    const checks = plan(blocks, graph);
    expect(checks[1]).toEqual([words('read', { base: gprOffset(A), low: 8, high: 16 })]);
    expect(checks[2]).toEqual([{ kind: 'free' }, words('read', { base: gprOffset(A), low: 20, high: 40 })]);
    expect(plan(blocks, graph, { leaves: [1] })[1]).toEqual([{ kind: 'single' }]);
    expect(plan(blocks, graph, { forgets: [3] })[1]).toEqual([{ kind: 'single' }]);
    expect(plan(blocks, [[1, 2], [2, 3], [4], [4], []])[1]).toEqual([{ kind: 'single' }]);
  });

  it('knows at a join what is known on every way to it', () => {
    const load = access('lw', B, A, 0);
    const both = plan([[], [], [load], [load], [load]], [[1], [2, 3], [4], [4], []]);
    expect(kinds(both[4])).toEqual(['free']);
    const one = plan([[], [], [load], [], [load]], [[1], [2, 3], [4], [4], []]);
    expect(kinds(one[4])).toEqual(['single']);
  });

  it('knows nothing where the region is entered', () => {
    const load = access('lw', B, A, 0);
    expect(kinds(plan([[], [load], [load]], [[1, 2], [2], []])[2])).toEqual(['single']);
  });

  it('never passes over an access that could fail, on random ways through random graphs', () => {
    const random = new SeededRandom(5);
    let [free, rounds, together] = [0, 0, 0];
    for (let i = 0; i < 1000; i++) {
      const blocks = Array.from({ length: 2 + random.below(5) }, (_, node) =>
        node === 0
          ? []
          : overlapping(
              Array.from({ length: random.below(7) }, () => randomStep(random)),
              random,
            ),
      );
      const successors = blocks.map((_, node) => (node + 1 < blocks.length ? [node + 1] : []));
      successors.forEach((list, node) =>
        list.push(random.chance(0.2) ? Math.max(1, node) : 1 + random.below(blocks.length - 1)),
      );
      const checks = wholePlan(blocks, successors);
      for (let walk = 0; walk < 20; walk++) {
        const passed = run({ blocks, successors, checks }, random);
        free += passed.free;
        rounds += passed.rounds;
        together += passed.together;
      }
    }
    expect(together).toBeGreaterThan(100);
    expect(free).toBeGreaterThan(1000);
    expect(rounds).toBeGreaterThan(1000);
  });
});

function randomStep(random: SeededRandom): Step {
  const [rt, rs] = [random.pick(REGISTERS), random.pick(REGISTERS)];
  const distance = random.chance(0.8) ? 4 * random.below(8) : random.below(6000) - 3000;
  if (random.chance(0.3)) return add(rt, random.chance(0.7) ? rt : rs, distance);
  if (random.chance(0.1)) return { name: 'movz', rt, rs, imm: 0 };
  return access(random.pick(Object.keys(ALIGNMENT)), rt, rs, distance);
}

/** Lets some unaligned loads overlap those that follow at once. */
function overlapping(steps: readonly Step[], random: SeededRandom): Step[] {
  return steps.map((step, i) => {
    if (step.name !== 'ulw') return step;
    const loaded = new Set<number>();
    let withNext = 0;
    for (let next = steps[i]; next?.name === 'ulw' && !loaded.has(next.rs); next = steps[i + ++withNext])
      loaded.add(next.rt);
    return { ...step, withNext: random.below(withNext) };
  });
}

interface Planned {
  readonly blocks: readonly (readonly Step[])[];
  readonly successors: readonly (readonly number[])[];
  readonly checks: CheckPlan;
}

interface Passed {
  /** Accesses that were not checked. */
  free: number;
  /** Rounds of loops that began without a check. */
  rounds: number;
  /** Accesses that had to pass where another one did. */
  together: number;
}

/** Executes with random registers on memory some of whose pages fail. */
function run({ blocks, successors, checks }: Planned, random: SeededRandom): Passed {
  const readable = Array.from({ length: 16 }, () => random.chance(0.9));
  const writable = readable.map((can) => can && random.chance(0.9));
  const anywhere = (): number => random.below(0x10000) & (random.chance(0.9) ? -4 : -1);
  const registers = new Map(REGISTERS.map((register) => [gprOffset(register), anywhere()]));
  const isThere = (address: number, write: boolean): boolean => (write ? writable : readable)[address >> 12] === true;
  const passes = (address: number, step: Step): boolean =>
    address % (ALIGNMENT[step.name] as number) === 0 && isThere(address, isStore(step));
  const passed = { free: 0, rounds: 0, together: 0 };
  const isChecked = ({ ranges }: RoundsCheck, isLast: boolean): boolean =>
    ranges.every(({ base, low, high, write, alignment, below, above }) => {
      const [first, last] = [low + (isLast ? below : 0), high + (isLast ? above : 0)];
      const register = registers.get(base) as number;
      return (register + first) % alignment === 0 && [first, last].every((end) => isThere(register + end, write));
    });
  let [node, left] = [0, 0];
  for (let visit = 0; visit < 40; visit++) {
    const loop = checks.ofRounds.get(node);
    if (loop && left-- <= 0) {
      left = isChecked(loop, true) ? loop.rounds - 1 : 0;
      if (left === 0 && !isChecked(loop, false)) return passed;
    } else if (loop) passed.rounds++;
    const accesses = [...(checks.ofAccesses[node] as readonly Check[])];
    let mustPass = 0;
    for (const step of blocks[node] as readonly Step[]) {
      const { name, rt, rs, imm, withNext = 0 } = step;
      const base = registers.get(gprOffset(rs)) as number;
      if (name === 'addiu') registers.set(gprOffset(rt), base + imm);
      else if (name === 'movz') {
        if (base === 0) registers.set(gprOffset(rt), base);
      } else {
        const check = accesses.shift() as Check;
        const lastByte = isUnaligned(step) ? base + imm + 3 : base + imm;
        if (mustPass-- > 0) {
          expect(check.kind).toBe('free');
          passed.together++;
        }
        mustPass = Math.max(mustPass, withNext);
        if (check.kind === 'free') passed.free++;
        else if (check.kind !== 'ranges') {
          if (!passes(base + imm, step) || !passes(lastByte, step)) return passed;
        } else {
          for (const range of check.ranges) {
            const [low, high] = [range.low, range.high].map((end) => (registers.get(range.base) as number) + end);
            if ((low as number) % range.alignment !== 0) return passed;
            if (![low, high].every((end) => isThere(end as number, range.write))) return passed;
          }
        }
        if (!passes(base + imm, step) || !passes(lastByte, step))
          throw new Error(`node ${node} passes over ${JSON.stringify(step)}`);
        if (!isStore(step)) registers.set(gprOffset(rt), anywhere());
      }
    }
    const next = successors[node] as readonly number[];
    if (next.length === 0) return passed;
    const before = node;
    node = next.includes(before) && random.chance(0.9) ? before : random.pick(next);
    if (node !== before) left = 0;
  }
  return passed;
}
