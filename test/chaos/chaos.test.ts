// A lab without API: database, queue and real worker processes on real boards, and guests and hands that do harm.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Job, JobSpec } from '@bootlab/lab';
import {
  ConsoleLogs,
  enqueue,
  ImageStore,
  JobStore,
  openBlobStore,
  openDatabase,
  openJobQueue,
  openLiveStreams,
  sendControl,
  TokenStore,
  type Database,
  type JobQueue,
  type LiveStreams,
} from '@bootlab/lab/server';
import { eventually, startTestDatabase, temporaryFolder, type TestService } from '@bootlab/lab/testing';
import { elfOf, guests } from './guests.js';

const WORKER = fileURLToPath(new URL('../../apps/worker/dist/main.js', import.meta.url));
const CONSOLE_LIMIT = 4 * 2 ** 20;

let postgres: TestService;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let database: Database;
let streams: LiveStreams;
let queue: JobQueue;
let jobs: JobStore;
let logs: ConsoleLogs;
let images: ImageStore;
let projectId: string;
const workers: ChildProcess[] = [];

beforeAll(async () => {
  [postgres, folder] = await Promise.all([startTestDatabase(), temporaryFolder()]);
  const config = { databaseUrl: postgres.url, redisUrl: undefined };
  const ignore = (): void => undefined; // a worker killed in the middle of something is the point here
  database = openDatabase(config.databaseUrl);
  streams = await openLiveStreams(config, ignore);
  queue = openJobQueue(config, ignore);
  const blobs = await openBlobStore(pathToFileURL(folder.path).href);
  jobs = new JobStore(database, streams);
  logs = new ConsoleLogs(database, streams, blobs);
  images = new ImageStore(database, blobs);
  await new TokenStore(database).ensure('a-token-for-tests', 'test');
  projectId = (await database.project.findFirstOrThrow()).id;
}, 60_000);
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => kill(worker)));
});
afterAll(async () => {
  await queue.close();
  await streams.close();
  await database.$disconnect();
  await postgres.stop();
  await folder.remove();
});

async function startWorker(): Promise<ChildProcess> {
  const worker = spawn(process.execPath, [WORKER], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      ...process.env,
      NODE_OPTIONS: undefined, // those of the test runner
      DATABASE_URL: postgres.url,
      REDIS_URL: undefined,
      BLOB_URL: pathToFileURL(folder.path).href,
      BOOTLAB_CONSOLE_LIMIT: `${CONSOLE_LIMIT / 2 ** 20}M`,
      BOOTLAB_CONCURRENCY: '2',
    },
  });
  workers.push(worker);
  await once(worker, 'message');
  return worker;
}

async function kill(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  worker.kill('SIGKILL');
  await once(worker, 'exit');
}

async function submit(guest: keyof typeof guests, more: Partial<JobSpec> = {}): Promise<string> {
  const elf = elfOf(guests[guest]);
  const staged = await images.stage(Readable.from([elf]), path.join(guest, '.elf'), elf.length);
  const image = await images.commit(projectId, staged, { type: 'elf', description: guest });
  const spec: JobSpec = { board: 'malta', images: { kernel: `sha256:${image.sha256}` }, timeout: '50ms', ...more };
  const uses = [{ role: 'kernel' as const, position: 0, imageId: image.id }];
  const job = await jobs.create({ projectId, name: guest, spec, consoles: ['uart0'], images: uses });
  await enqueue(queue, job.id);
  return job.id;
}

const inState = (jobId: string, state: Job['state'], attempt: number, timeoutMs: number): Promise<Job> =>
  eventually(
    async () => {
      const job = await jobs.get(jobId);
      return job?.state === state && job.attempts >= attempt && job;
    },
    `job ${jobId} to be ${state}`,
    timeoutMs,
  );

describe('guests that misbehave', () => {
  it.each([
    ['spins', 'timeout', /still running after 50ms of virtual time/],
    ['jumpsIntoNowhere', /fail|timeout/, /./],
    ['jumpsAskew', /fail|timeout/, /./],
    ['executesGarbage', /fail|timeout/, /./],
    ['hammersDevices', /fail|timeout/, /./],
  ] as const)(
    'one that %s ends with a reason, and its worker goes on',
    async (guest, outcome, reason) => {
      const worker = await startWorker();
      const job = await inState(await submit(guest), 'ended', 1, 60_000);
      expect(job.outcome).toMatch(outcome);
      expect(job.reason).toMatch(reason);
      expect(worker.exitCode).toBeNull();
      const next = await inState(await submit('spins', { timeout: '10ms' }), 'ended', 1, 20_000);
      expect(next.outcome).toBe('timeout');
    },
    90_000,
  );

  it('one that floods its console ends at the limit, with everything up to it in the log', async () => {
    const worker = await startWorker();
    const id = await submit('floods', { timeout: '1h' });
    const job = await inState(id, 'ended', 1, 60_000);
    expect(job).toMatchObject({ outcome: 'fail' });
    expect(job.reason).toMatch(/printed more than the limit/);
    let bytes = 0;
    for await (const event of logs.watch(id, 0, jobs, new AbortController().signal)) {
      if (event.kind !== 'chunks') continue;
      for (const { data } of event.chunks) {
        const text = Buffer.from(data, 'base64').toString();
        expect(text).toBe('A'.repeat(text.length));
        bytes += text.length;
      }
    }
    expect(bytes).toBeGreaterThan(CONSOLE_LIMIT);
    expect(worker.exitCode).toBeNull();
  }, 90_000);
});

describe('workers that die', () => {
  it('loses no job: another worker starts it anew, and it is still under control', async () => {
    const doomed = await startWorker();
    const id = await submit('spins', { timeout: '24h' });
    await inState(id, 'running', 1, 20_000);
    await kill(doomed);
    await startWorker();
    await inState(id, 'running', 2, 60_000);
    const machines = await database.machine.findMany({ where: { jobId: id }, orderBy: { attempt: 'asc' } });
    expect(machines.map(({ state }) => state)).toEqual(['lost', 'running']);
    const asked = performance.now();
    await sendControl(streams, id, { type: 'cancel' });
    const job = await inState(id, 'ended', 2, 10_000);
    expect(performance.now() - asked).toBeLessThan(1000);
    expect(job).toMatchObject({ outcome: 'cancelled', attempts: 2 });
  }, 120_000);
});
