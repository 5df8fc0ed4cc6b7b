// The services that a lab stands on are killed under it: nothing is lost, every job ends once, nobody is restarted.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { countedLine } from './guests.js';
import { startLabUnderTest, type LabUnderTest } from './lab-under-test.js';
import { describeWith } from '../support/requirements.js';

const AWAY_MS = 3000;
/** Lines come every 50 ms: the guest prints for longer than anything here is away. */
const LAST_LINE = 120;

function suite(backend: 'redis' | 'postgres', victims: readonly ('redis' | 'postgres')[]): void {
  let lab: LabUnderTest;
  beforeAll(async () => {
    lab = await startLabUnderTest(backend);
  }, 120_000);
  afterAll(() => lab.stop(), 60_000);

  it.each(victims)(
    'goes on after kill -9 of %s',
    async (victim) => {
      const service = victim === 'redis' ? lab.redis : lab.postgres;
      if (!service) throw new Error('there is no such service');
      const spec = { steps: [{ expect: countedLine(LAST_LINE), timeout: '4m' }] };
      const running = await lab.submit('counts', { ...spec, clock: 'wall', timeout: '5m' });
      const console = lab.watch(running);
      await console.until(countedLine(10));
      // These wait: the only board is taken.
      const waiting = [await lab.submit('spins', { timeout: '5ms' }), await lab.submit('spins', { timeout: '5ms' })];

      await service.kill();
      const during = lab.trySubmit('spins', { timeout: '5ms' });
      await sleep(AWAY_MS);
      expect(console.text).not.toContain(countedLine(LAST_LINE)); // it happened in the middle of the run
      await service.start();

      const accepted = await during;
      expect(accepted.status).toBe(victim === 'redis' ? 201 : 503);
      const jobs = [running, ...waiting, ...(accepted.id === undefined ? [] : [accepted.id])];
      const ended = await Promise.all(jobs.map((id) => lab.ended(id)));
      expect(ended.map(({ outcome }) => outcome)).toEqual(['pass', ...jobs.slice(1).map(() => 'timeout')]);
      // The run itself went on: nobody began it anew.
      expect(ended[0]?.attempts).toBe(1);

      // One connection, every line once and in order, from the first to the last.
      const lines = (await console.ended()).split('\n').slice(0, LAST_LINE + 1);
      expect(lines).toEqual(Array.from({ length: LAST_LINE + 1 }, (_, n) => countedLine(n)));
      expect(await lab.log(running)).toBe(await console.ended());
      expect(console.connections).toBe(1);

      for (const id of jobs) expect(await lab.timesEnded(id)).toBe(1);
      expect(lab.restarted()).toEqual([]);
    },
    180_000,
  );
}

describeWith('redis', 'a lab with Redis', () => suite('redis', ['redis', 'postgres']));

describe('a lab on PostgreSQL alone', () => suite('postgres', ['postgres']));
