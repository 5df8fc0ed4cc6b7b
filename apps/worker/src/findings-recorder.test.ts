import { expect, it } from '@jest/globals';
import type { JobStep, PlacedResult } from '@bootlab/lab';
import type { Claim, Findings, Progress } from '@bootlab/lab/server';
import { FindingsRecorder } from './findings-recorder.js';

const claim = {} as Claim; // only passed on
const placed = (position: number): PlacedResult => ({
  position,
  result: {
    ...{ suite: 's', name: `n${position}`, status: 'pass', message: undefined },
    ...{ startNs: 0, durationNs: 0, lines: { first: 1, last: 1 }, console: 'uart0' },
  },
});
const progress = { virtualNs: 1, instructions: 1 };

it('writes one report at a time, and whatever came meanwhile with the next', async () => {
  const writes: (Progress & Findings)[] = [];
  let finish: () => void = () => undefined;
  const jobs = {
    record: async (_: Claim, findings: Progress & Findings) => {
      writes.push(findings);
      await new Promise<void>((resolve) => (finish = resolve));
      return true;
    },
  };
  const recorder = new FindingsRecorder(
    jobs,
    claim,
    { board: 'b', images: {}, steps: [{ send: 'x' }] },
    () => undefined,
  );
  recorder.take({ ...progress, results: [placed(0)] });
  recorder.take({ ...progress, results: [placed(1)] });
  recorder.take({ ...progress, virtualNs: 2, results: [placed(2)], steps: [{ index: 0, status: 'pass' } as JobStep] });
  expect(writes).toMatchObject([{ results: [{ position: 0 }], steps: [{ status: 'pending' }] }]);
  finish();
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(writes[1]).toMatchObject({
    virtualNs: 2,
    results: [{ position: 1 }, { position: 2 }],
    steps: [{ status: 'pass' }],
  });
  finish();
  expect((await recorder.close()).results).toEqual([]);
});

it('loses nothing that could not be written', async () => {
  const errors: unknown[] = [];
  const jobs = { record: () => Promise.reject(new Error('away')) };
  const recorder = new FindingsRecorder(jobs, claim, { board: 'b', images: {} }, (error) => errors.push(error));
  recorder.take({ ...progress, results: [placed(0)] });
  await new Promise((resolve) => setTimeout(resolve, 10));
  recorder.take({ ...progress, results: [placed(1)] });
  expect((await recorder.close()).results.map(({ position }) => position)).toEqual([0, 1]);
  expect(errors).toHaveLength(2);
});
