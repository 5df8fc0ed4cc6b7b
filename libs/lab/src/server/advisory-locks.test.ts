import { afterAll, beforeAll, beforeEach, afterEach, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import pg from 'pg';
import { eventually, startTestDatabase, type TestService } from '../testing/index.js';
import { AdvisoryLocks } from './advisory-locks.js';

jest.setTimeout(60_000);

let postgres: TestService;
let here: AdvisoryLocks;
let elsewhere: AdvisoryLocks;
const errors: string[] = [];
beforeAll(async () => {
  postgres = await startTestDatabase();
}, 60_000);
afterAll(() => postgres.stop());
beforeEach(() => {
  const locks = () => new AdvisoryLocks(postgres.url, (error) => void errors.push(error.message));
  [here, elsewhere] = [locks(), locks()];
});
afterEach(() => Promise.all([here.close(), elsewhere.close()]));

it('give a name to one at a time, of one process or several', async () => {
  const lock = await here.tryTake('a');
  expect(await elsewhere.tryTake('a')).toBeUndefined();
  expect(await here.tryTake('a')).toBeUndefined();
  expect(await elsewhere.tryTake('b')).toBeDefined();
  await lock?.release();
  await lock?.release(); // twice does no harm
  expect(await elsewhere.tryTake('a')).toBeDefined();
});

it('let work be done by one of many, and again when it is over, however it ended', async () => {
  let running = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 50));
    running--;
  };
  const done = await Promise.all([here, elsewhere, here, elsewhere].map((locks) => locks.runAlone('w', work)));
  expect([done.filter(Boolean).length, most]).toEqual([1, 1]);
  await expect(here.runAlone('w', () => Promise.reject(new Error('broke')))).rejects.toThrow('broke');
  expect(await elsewhere.runAlone('w', work)).toBe(true);
});

it('are released by a process that dies', async () => {
  await here.tryTake('a');
  await here.close();
  await eventually(() => elsewhere.tryTake('a'), 'the lock');
});

it('say when they are lost, and can be taken anew', async () => {
  const lock = await here.tryTake('a');
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  const lost = once(lock?.lost ?? new EventTarget(), 'abort');
  await client.query(
    `SELECT pg_terminate_backend(l.pid) FROM pg_locks l WHERE l.locktype = 'advisory' AND l.pid <> pg_backend_pid()`,
  );
  await client.end();
  await lost;
  expect(lock?.lost.aborted).toBe(true);
  expect(errors.join()).toContain('terminat');
  const again = await eventually(() => elsewhere.tryTake('a'), 'the lock elsewhere');
  await lock?.release(); // that of somebody else stays
  expect(await here.tryTake('a')).toBeUndefined();
  await again.release();
  expect(await here.tryTake('a')).toBeDefined();
});
