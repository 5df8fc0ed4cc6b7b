// What takes longer to heal: a Redis that forgets everything, and services that are away for longer than locks last.
import { describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { countedLine } from './guests.js';
import { startLabUnderTest, type LabUnderTest } from './lab-under-test.js';
import { describeWith } from '../support/requirements.js';

/** Lines come every 50 ms: the guest prints for longer than anything here is away. */
const LAST_LINE = 400;
/** A worker's lock on a job lasts ten seconds. */
const LONG_MS = 15_000;

async function within(lab: LabUnderTest, use: () => Promise<void>): Promise<void> {
  try {
    await use();
  } finally {
    await lab.stop();
  }
}

/** A running job and two that wait, while something happens; then all of them end, once, with what they are to end with. */
async function survive(lab: LabUnderTest, happens: () => Promise<void>): Promise<void> {
  const spec = { steps: [{ expect: countedLine(LAST_LINE), timeout: '4m' }] };
  const running = await lab.submit('counts', { ...spec, clock: 'wall', timeout: '5m' });
  const console = lab.watch(running);
  await console.until(countedLine(10));
  const waiting = [await lab.submit('spins', { timeout: '5ms' }), await lab.submit('spins', { timeout: '5ms' })];
  await happens();
  expect(console.text).not.toContain(countedLine(LAST_LINE)); // it happened in the middle of the run
  const jobs = [running, ...waiting];
  const ended = await Promise.all(jobs.map((id) => lab.ended(id)));
  expect(ended.map(({ outcome }) => outcome)).toEqual(['pass', 'timeout', 'timeout']);
  for (const id of jobs) expect(await lab.timesEnded(id)).toBe(1);
  // A run that was begun anew has a whole log, and nothing of the run before.
  const lines = (await lab.log(running)).split('\n').slice(0, LAST_LINE + 1);
  expect(lines).toEqual(Array.from({ length: LAST_LINE + 1 }, (_, n) => countedLine(n)));
  expect(lab.restarted()).toEqual([]);
}

describeWith('redis', 'a lab with Redis', () => {
  it('loses no job with a Redis that forgets everything', async () => {
    const lab = await startLabUnderTest('redis', { appendOnly: false });
    await within(lab, () =>
      survive(lab, async () => {
        await lab.redis?.kill();
        await sleep(1000);
        await lab.redis?.start();
      }),
    );
  }, 300_000);

  it('bears a Redis that is away for longer than the locks on its jobs last', async () => {
    const lab = await startLabUnderTest('redis');
    await within(lab, () =>
      survive(lab, async () => {
        await lab.redis?.kill();
        await sleep(LONG_MS);
        await lab.redis?.start();
      }),
    );
  }, 300_000);
});

describe('a lab on PostgreSQL alone', () => {
  it('bears a PostgreSQL that is away for longer than the locks on its jobs last', async () => {
    const lab = await startLabUnderTest('postgres');
    await within(lab, () =>
      survive(lab, async () => {
        await lab.postgres.kill();
        await sleep(LONG_MS);
        await lab.postgres.start();
      }),
    );
  }, 300_000);
});
