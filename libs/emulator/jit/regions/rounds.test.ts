import { describe, expect, it } from '@jest/globals';
import type { Access, Step } from './access-steps.js';
import { READ, WRITE } from './access-steps.js';
import type { RoundsCheck } from './rounds.js';
import { planRounds } from './rounds.js';

const [A, B] = [32, 36];
const PLAIN = { kind: READ, reach: 0, withNext: 0, conditional: false, strays: false } as const;
const access = (base: number, distance: number, alignment = 4, more: Partial<Access> = {}): Step => ({
  kind: 'access',
  access: { ...PLAIN, alignment, from: { base, distance }, ...more },
});
const store = (base: number, distance: number): Step => access(base, distance, 4, { kind: WRITE });
const move = (register: number, distance: number, base = register, conditional = false): Step => ({
  ...{ kind: 'set', register, to: { base, distance }, conditional },
});

/** Plans for a loop of one block. */
const plan = (steps: readonly Step[], known: readonly number[] = [A, B]): RoundsCheck | undefined =>
  planRounds({ loops: [{ head: 1, body: new Set([1]) }], forgets: () => false }, [[], steps], (_, register) =>
    known.includes(register),
  ).get(1);

describe('checks of several rounds', () => {
  it('reach as far as registers move', () => {
    expect(plan([access(A, 8), move(A, 4), store(B, 0), move(B, -8)])).toEqual({
      rounds: 64,
      ranges: [
        { base: A, low: 8, high: 8, write: false, alignment: 4, below: 0, above: 252 },
        { base: B, low: 0, high: 0, write: true, alignment: 4, below: -504, above: 0 },
      ],
    });
  });

  it('know where a register is by now, and that some moves may be left out', () => {
    const steps = [move(A, 4), access(A, 0), move(A, 4), access(A, -12), move(A, -4, A, true), access(A, 100)];
    expect(plan(steps)?.ranges).toEqual([
      { base: A, low: -4, high: 4, write: false, alignment: 4, below: -252, above: 504 },
    ]);
  });

  it('hold for fewer rounds where these are long, and are not made for very few', () => {
    expect(plan([access(A, 0), move(A, 512)])?.rounds).toBe(8);
    expect(plan([access(A, 0), access(A, 3000), move(A, 512)])?.ranges[0]?.high).toBe(0);
    expect(plan([access(A, 0), move(A, 2048)])).toBeUndefined();
  });

  it('begin where the widest access could', () => {
    const steps = [access(A, 7, 1), access(A, 8), access(A, 10, 2), move(A, 8)];
    expect(plan(steps)?.ranges).toMatchObject([{ low: 4, high: 10, alignment: 4 }]);
  });

  it('leave out what is aligned otherwise, in this round or the next', () => {
    expect(plan([access(A, 0), access(A, 6), move(A, 4)])?.ranges).toMatchObject([{ low: 0, high: 0 }]);
    expect(plan([access(A, 0), move(A, 2)])).toBeUndefined();
    expect(plan([access(A, 0, 2), access(A, 0, 4), move(A, 2)])?.ranges).toMatchObject([{ alignment: 2 }]);
  });

  it('are not made off registers that are not known at first, or get other values', () => {
    expect(plan([access(A, 0), move(A, 4)], [])).toBeUndefined();
    expect(plan([access(A, 0), move(A, 4, B)])).toBeUndefined();
    expect(plan([access(A, 0), { kind: 'set', register: A, to: undefined, conditional: false }])).toBeUndefined();
  });

  it('are not made of what may not be accessed', () => {
    expect(plan([access(A, 0, 4, { conditional: true }), move(A, 4)])).toBeUndefined();
  });

  it('cover words at any address to their last byte', () => {
    expect(plan([access(A, 1, 1, { reach: 3 }), move(A, 4)])?.ranges).toEqual([
      { base: A, low: 1, high: 4, write: false, alignment: 1, below: 0, above: 252 },
    ]);
  });

  it('are not made in loops of several blocks, nor where others are called', () => {
    const steps = [[], [access(A, 0), move(A, 4)], []];
    const loop = { head: 1, body: new Set([1]) };
    const made = (graph: Parameters<typeof planRounds>[0]): number => planRounds(graph, steps, () => true).size;
    expect(made({ loops: [loop], forgets: () => false })).toBe(1);
    expect(made({ loops: [{ head: 1, body: new Set([1, 2]) }], forgets: () => false })).toBe(0);
    expect(made({ loops: [loop], forgets: () => true })).toBe(0);
  });
});
