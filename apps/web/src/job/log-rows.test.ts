import { describe, expect, it } from '@jest/globals';
import type { JobStep } from '../api/types.js';
import { levelOf, logLink, LogRows, parseLineRange, ScrollScale } from './log-rows.js';

const lines = (numbers: number[]) => numbers.map((number) => ({ tNs: 0, uart: 'uart0', text: `l${number}`, number }));
const step = (index: number, first: number | undefined): JobStep => ({
  ...{ index, kind: 'run', name: null, text: 'x', status: 'pass', startNs: 0, doneNs: 0, message: null },
  ...{ exitStatus: 0, console: 'uart0', counts: { pass: 0, fail: 0, skip: 0, error: 0 } },
  lines: first === undefined ? null : { first, last: first },
});
const shown = (rows: LogRows): string[] =>
  Array.from({ length: rows.count }, (_, row) => {
    const at = rows.at(row);
    if (!at) return '?';
    return at.kind === 'line' ? String(at.index) : `${at.folded ? '+' : '-'}step ${at.step.index} (${at.lines})`;
  });

describe('rows of a log', () => {
  it('are its lines when there are no steps', () => {
    const rows = new LogRows(lines([1, 2, 3]), [], new Set());
    expect(shown(rows)).toEqual(['0', '1', '2']);
    expect([rows.rowOf(2), rows.at(3)]).toEqual([2, undefined]);
    expect(new LogRows([], [], new Set()).count).toBe(0);
  });

  it('have a heading above each step, which folds its lines', () => {
    const all = lines([1, 2, 3, 4, 5, 6]);
    const steps = [step(0, 2), step(1, 4), step(2, undefined)];
    const open = new LogRows(all, steps, new Set());
    expect(shown(open)).toEqual(['0', '-step 0 (2)', '1', '2', '-step 1 (3)', '3', '4', '5']);
    expect([0, 1, 3, 5].map((index) => open.rowOf(index))).toEqual([0, 2, 5, 7]);
    const folded = new LogRows(all, steps, new Set([0]));
    expect(shown(folded)).toEqual(['0', '+step 0 (2)', '-step 1 (3)', '3', '4', '5']);
    expect([folded.rowOf(1), folded.rowOf(3)]).toEqual([1, 3]);
  });

  it('keep their order when steps begin at the same line, or after the last one', () => {
    const rows = new LogRows(lines([1, 2]), [step(0, 1), step(1, 1), step(2, 9)], new Set());
    expect(shown(rows)).toEqual(['-step 0 (0)', '-step 1 (2)', '0', '1', '-step 2 (0)']);
    expect([rows.rowOf(0), rows.rowOf(1)]).toEqual([2, 3]);
  });

  it('find a line by its number, also where a long line was cut', () => {
    const rows = new LogRows(lines([1, 2, 2, 2, 3]), [], new Set());
    expect([1, 2, 3, 4].map((number) => rows.indexOf(number))).toEqual([0, 1, 4, 5]);
  });

  it('look at few of a million lines', () => {
    let looks = 0;
    const all = new Proxy(lines(Array.from({ length: 1_000_000 }, (_, index) => index + 1)), {
      get(target, key, receiver): unknown {
        if (/^\d+$/.test(String(key))) looks++;
        return Reflect.get(target, key, receiver);
      },
    });
    const steps = Array.from({ length: 1000 }, (_, index) => step(index, 1 + index * 1000));
    const rows = new LogRows(all, steps, new Set());
    expect(rows.count).toBe(1_001_000);
    expect(looks).toBeGreaterThan(0);
    expect(looks).toBeLessThanOrEqual(1000 * 21); // halving a million 20 times leaves one
    looks = 0;
    expect(rows.rowOf(999_999)).toBe(1_000_999);
    expect(rows.at(1_000_999)).toEqual({ kind: 'line', index: 999_999 });
    expect(looks).toBe(0);
  });
});

it.each([
  ['[    1.0] Kernel panic - not syncing', 'error'],
  ['not ok 3 tcp', 'error'],
  ['<2>something', 'error'],
  ['<4>something', 'warning'],
  ['<4>something failed', 'error'],
  ['<6>something', 'plain'],
  ['Call Trace:', 'error'],
  ['BUG: unable to handle page fault', 'error'],
  ['Test timed out', 'warning'],
  ['cc1: warning: unused', 'warning'],
  ['debugfs: mounted', 'plain'],
  ['ok 1 failover', 'plain'],
] as const)('%j looks like %s', (text, level) => {
  expect(levelOf(text)).toBe(level);
});

it('writes and reads the addresses of lines', () => {
  expect(logLink('id', 'uart0', { first: 3, last: 3 })).toBe('/jobs/id/log?console=uart0&line=3');
  expect(logLink('id', 'uart0', { first: 3, last: 9 })).toBe('/jobs/id/log?console=uart0&line=3-9');
  expect(parseLineRange('3-9')).toEqual({ first: 3, last: 9 });
  expect(parseLineRange('9-3')).toEqual({ first: 9, last: 9 });
  for (const text of [null, '', 'x', '1-', '-1']) expect(parseLineRange(text)).toBeUndefined();
});

describe('scrolling', () => {
  it('is as tall as the log, as far as browsers lay out such a height', () => {
    const scale = new ScrollScale(1_000_000, 800);
    expect([scale.scrolledPx, scale.contentAt(4321), scale.scrollTo(4321)]).toEqual([1_000_000, 4321, 4321]);
  });

  it('of a longer log reaches its first and its last row, and all between', () => {
    const contentPx = 5_000_000 * 20;
    const scale = new ScrollScale(contentPx, 800);
    expect(scale.scrolledPx).toBeLessThan(17_000_000);
    expect(scale.contentAt(0)).toBe(0);
    expect(scale.contentAt(scale.scrolledPx - 800)).toBeCloseTo(contentPx - 800);
    expect(scale.contentAt(scale.scrollTo(54_321_000))).toBeCloseTo(54_321_000);
    expect(scale.scrollTo(-20)).toBe(0);
  });
});
