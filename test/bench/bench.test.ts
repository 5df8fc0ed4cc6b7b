import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import type { Report } from './report.js';
import { formatNumber, formatReport, isMet } from './report.js';
import { geometricMean, interleave, median, medianRatio, quantile } from './statistics.js';
import { sampleText } from './text.js';
import { userReport, type Seconds } from './user-report.js';

describe('median and quantile', () => {
  it.each([
    [[3], 3],
    [[5, 1, 3], 3],
    [[4, 1, 3, 2], 2.5],
  ])('the median of %j is %d', (values, expected) => expect(median(values)).toBe(expected));

  it('interpolates between neighbours', () => {
    expect(quantile([0, 10, 20, 30, 40], 0.95)).toBeCloseTo(38);
    expect(quantile([7, 1], 0)).toBe(1);
    expect(quantile([7, 1], 1)).toBe(7);
  });

  it('has no answer without values', () => expect(() => median([])).toThrow(RangeError));

  it('leaves its input as it was', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe('the median ratio', () => {
  it('is of one round, whichever the medians are of', () => {
    // The machine was half as fast in the last rounds.
    expect(medianRatio([1, 1.1, 1, 2, 2.4], [2, 2, 2, 4, 4])).toBe(0.5);
  });

  it('is not a number where one was not measured', () => expect(medianRatio([1], [])).toBeNaN());
});

it('the geometric mean of a ratio and its inverse is 1', () => {
  expect(geometricMean([4, 0.25])).toBeCloseTo(1);
  expect(geometricMean([2, 8])).toBeCloseTo(4);
});

describe('the text that programs are given', () => {
  it('is as long as asked for, and always the same', () => {
    const text = sampleText(100_000);
    expect(text).toHaveLength(100_000);
    expect(sampleText(100_000).equals(text)).toBe(true);
    expect(sampleText(200_000).subarray(0, 100_000).equals(text)).toBe(true);
  });

  it('compresses about as well as source text', () => {
    const text = sampleText(1_000_000);
    const ratio = text.length / gzipSync(text).length;
    expect(ratio).toBeGreaterThan(2.5);
    expect(ratio).toBeLessThan(4.5);
  });
});

describe('interleave', () => {
  it('lets the subjects take turns, to and fro', async () => {
    const order: string[] = [];
    const subject = (name: string) => ({ name, run: () => Promise.resolve(order.push(name)) });
    const samples = await interleave([subject('a'), subject('b')], 3, () => undefined, 0);
    expect(order).toEqual(['a', 'b', 'b', 'a', 'a', 'b']);
    expect(samples).toEqual([
      [1, 4, 5],
      [2, 3, 6],
    ]);
  });

  it('warms up who asks for it, measures none of that, and says what comes next', async () => {
    const order: string[] = [];
    const subject = (name: string) => ({ name, run: () => Promise.resolve(order.push(name)) });
    const subjects = [subject('cold'), { ...subject('warm'), warmingRuns: 2 }];
    const samples = await interleave(subjects, 1, (text) => order.push(`(${text})`), 0);
    expect(order).toEqual([
      ...['(warm, warming run 1 of 2)', 'warm', '(warm, warming run 2 of 2)', 'warm'],
      ...['(cold, run 1 of 1)', 'cold', '(warm, run 1 of 1)', 'warm'],
    ]);
    expect(samples).toEqual([[6], [8]]);
  });

  it('rests before each run that is measured', async () => {
    const startedAt = performance.now();
    const restMs = 40;
    const subject = (name: string) => ({ name, run: () => Promise.resolve(performance.now() - startedAt) });
    const [a = [], b = []] = await interleave([subject('a'), subject('b')], 2, () => undefined, restMs);
    const inOrder = [a[0], b[0], b[1], a[1]].map((time) => time ?? NaN);
    // A timer may be early by what is cut off of a millisecond.
    inOrder.forEach((time, run) => expect(time).toBeGreaterThanOrEqual((run + 1) * (restMs - 1)));
  });
});

describe('reports', () => {
  it.each([
    [undefined, '-'],
    [0.1234, '0.12'],
    [12.34, '12.3'],
    [456.7, '457'],
  ])('prints %p as %s', (value, text) => expect(formatNumber(value)).toBe(text));

  it('knows when a target is met', () => {
    expect(isMet({ name: 'x', value: 2.5, atMost: 2.5 })).toBe(true);
    expect(isMet({ name: 'x', value: 2.6, atMost: 2.5 })).toBe(false);
    expect(isMet({ name: 'x', value: 300, atLeast: 300 })).toBe(true);
    expect(isMet({ name: 'x', value: NaN, atLeast: 300 })).toBe(false);
  });

  it('prints a table with its targets', () => {
    const report: Report = {
      title: 'Boot',
      note: 'seconds',
      columns: ['to BOOT-OK', 'ratio'],
      rows: [
        { name: 'bootlab', values: [10, 2] },
        { name: 'qemu', values: [5, undefined] },
      ],
      targets: [{ name: 'ratio', value: 2, atMost: 1.5 }],
    };
    expect(formatReport(report)).toBe(
      [
        'Boot',
        '  seconds',
        '  ',
        '           to BOOT-OK  ratio',
        '  bootlab        10.0   2.00',
        '  qemu           5.00      -',
        '  ',
        '  MISSED: ratio is 2.00, target at most 1.5',
      ].join('\n'),
    );
  });

  it('says what is missing instead of skipping it', () => {
    const result = { title: 'Boot', kind: 'missing', reason: 'qemu. Install it.' } as const;
    expect(formatReport(result)).toBe('Boot\n  missing: qemu. Install it.');
  });
});

describe('the report on user mode', () => {
  const seconds = (cold: number, warm: number, interpreter: number): Seconds => ({
    'JIT, cold': [cold],
    'JIT, warm': [warm],
    interpreter: [interpreter],
    'qemu-mipsel': [8],
  });
  const works = [
    { name: 'a', seconds: { ...seconds(8, 4, 16), native: [1] } },
    { name: 'b', seconds: seconds(16, 4, 64) },
  ];
  const report = userReport(works, { name: 'integer benchmark', seconds: seconds(1, 0.5, 512) }, 3);
  const valuesOf = (name: string) => report.rows.find((row) => row.name === name)?.values.slice(5);

  it('has the mean with the integer benchmark, and without it', () => {
    expect(report.rows.map(({ name }) => name)).toEqual([
      ...['a', 'b', 'integer benchmark', "geometric mean of Debian's 2", 'geometric mean of all 3'],
    ]);
    expect(valuesOf('a')).toEqual([1, 2, 2]);
    const [cold, warm, interpreter] = valuesOf("geometric mean of Debian's 2") ?? [];
    expect([cold, warm, interpreter]).toEqual([Math.SQRT1_2, 2, 4].map((mean) => expect.closeTo(mean)));
    expect(valuesOf('geometric mean of all 3')?.[1]).toBeCloseTo((2 * 2 * 16) ** (1 / 3));
  });

  it('takes the JIT at all of them, the interpreter at Debian’s alone', () => {
    expect(report.targets.map(({ value }) => value)).toEqual([4, 4].map((mean) => expect.closeTo(mean)));
    expect(report.targets.map((target) => isMet(target))).toEqual([true, true]);
  });
});
