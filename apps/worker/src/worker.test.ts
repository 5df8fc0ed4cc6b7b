import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { readdir } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import type { Job, JobSpec } from '@bootlab/lab';
import {
  ConsoleLogs,
  enqueue,
  JobStore,
  openLog,
  openBlobStore,
  openDatabase,
  openJobQueue,
  openLiveStreams,
  Quotas,
  sendControl,
  TokenStore,
  type BlobStore,
  type Database,
  type JobQueue,
  type LabConfig,
  type LiveStreams,
} from '@bootlab/lab/server';
import { eventually, startTestDatabase, startTestRedis, temporaryFolder, type TestService } from '@bootlab/lab/testing';
import { describeWith } from '../../../test/support/requirements.js';
import { startWorker, type LabWorker } from './worker.js';

jest.setTimeout(60_000); // a busy machine must not fail them

const boardEntry = new URL('./testing/fake-board.mjs', import.meta.url);

/** A lab without API: the queue, a worker, and boards that behave as their command line says. */
function suite(startRedis: (() => Promise<TestService>) | undefined): void {
  let postgres: TestService;
  let redis: TestService | undefined;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let config: LabConfig;
  let database: Database;
  let streams: LiveStreams;
  let queue: JobQueue;
  let jobs: JobStore;
  let logs: ConsoleLogs;
  let blobs: BlobStore;
  let projectId: string;
  let workers: LabWorker[] = [];
  const printed: string[] = [];

  beforeAll(async () => {
    [postgres, redis, folder] = await Promise.all([startTestDatabase(), startRedis?.(), temporaryFolder()]);
    config = {
      databaseUrl: postgres.url,
      redisUrl: redis?.url,
      blobUrl: pathToFileURL(folder.path).href,
      host: '127.0.0.1',
      port: 0,
      maxUploadBytes: 2 ** 20,
      uploadExpiryMs: 86_400_000,
      uploadFolder: undefined,
      importHosts: [],
      imageRetentionMs: 90 * 86_400_000,
      artifactLimitBytes: 2 ** 30,
      artifactRetentionMs: 90 * 86_400_000,
      consoleLimitBytes: 2 ** 28,
      wallGuardMs: 60_000,
      concurrency: 2,
      boardHeapBytes: 2 ** 27,
      adminToken: undefined,
    };
    const report = (error: Error): void => void printed.push(error.message);
    database = openDatabase(config.databaseUrl);
    streams = await openLiveStreams(config, report);
    queue = openJobQueue(config, report);
    jobs = new JobStore(database, streams);
    blobs = await openBlobStore(config.blobUrl);
    logs = new ConsoleLogs(database, streams, blobs);
    await new TokenStore(database).ensure('a-token-for-tests', 'test');
    projectId = (await database.project.findFirstOrThrow()).id;
  }, 60_000);
  afterAll(async () => {
    await queue.close();
    await streams.close();
    await database.$disconnect();
    await Promise.all([postgres.stop(), redis?.stop()]);
    await folder.remove();
  });

  const work = async (): Promise<LabWorker> => {
    const log = openLog('worker', { BOOTLAB_LOG_LEVEL: 'silent' });
    const worker = await startWorker(config, { log, boardEntry, lockMs: 2000, stalledCheckMs: 500 });
    workers.push(worker);
    return worker;
  };
  beforeEach(work, 20_000);
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.close()));
    workers = [];
  }, 60_000);

  async function submit(cmdline: string, more: Partial<JobSpec> = {}): Promise<string> {
    const spec: JobSpec = { board: 'fake', images: {}, cmdline, ...more };
    const job = await jobs.create({ projectId, name: cmdline, spec, consoles: ['uart0', 'uart1'], images: [] });
    await enqueue(queue, job.id);
    return job.id;
  }

  const inState = (jobId: string, state: Job['state'], timeoutMs?: number): Promise<Job> =>
    eventually(
      async () => {
        const job = await jobs.get(jobId);
        return job?.state === state && job;
      },
      `job ${jobId} to be ${state}`,
      timeoutMs,
    );

  async function logText(jobId: string, uart?: string): Promise<string> {
    let text = '';
    for await (const event of logs.watch(jobId, 0, jobs, new AbortController().signal)) {
      if (event.kind !== 'chunks') continue;
      const wanted = event.chunks.filter((chunk) => uart === undefined || chunk.uart === uart);
      text += wanted.map((chunk) => Buffer.from(chunk.data, 'base64').toString()).join('');
    }
    return text;
  }

  const printedBy = (jobId: string, text: string) =>
    eventually(
      async () => (await logs.read(jobId, 0)).some(({ data }) => Buffer.from(data, 'base64').toString().includes(text)),
      `${text} on the console`,
    );

  it('takes a job from the queue to its end, once', async () => {
    const id = await submit('hello');
    const job = await inState(id, 'ended');
    expect(job).toMatchObject({ outcome: 'pass', reason: 'The guest powered off', attempts: 1 });
    expect(await logText(id)).toBe('hello\n');
    expect(await jobs.endUnclaimed(id, { outcome: 'infra', reason: 'again' })).toBe(false);
    await eventually(async () => (await queue.getJob(id)) === undefined, 'the queue to forget it'); // a moment later
    const machines = await database.machine.findMany({ where: { jobId: id } });
    expect(machines).toMatchObject([{ attempt: 1, state: 'ended', board: 'fake' }]);
  });

  it('passes console input on, also what was typed before the board ran', async () => {
    const id = await submit('echo');
    const type = (text: string, uart: string) =>
      sendControl(streams, id, { type: 'input', uart, data: Buffer.from(text).toString('base64') });
    await type('early ', 'uart1');
    await inState(id, 'running');
    for (const key of ['l', 'a', 't', 'e', ' ']) await type(key, 'uart1');
    await type('poweroff', 'uart1');
    await inState(id, 'ended');
    expect(await logText(id, 'uart1')).toBe('early late poweroff');
  });

  it.each(['echo', 'deaf', 'hang'])('cancels a running board (%s) within a second', async (cmdline) => {
    const id = await submit(cmdline);
    await printedBy(id, 'ready');
    const started = performance.now();
    await sendControl(streams, id, { type: 'cancel' });
    const job = await inState(id, 'ended');
    expect(performance.now() - started).toBeLessThan(1000);
    expect(job).toMatchObject({ outcome: 'cancelled', reason: 'Cancelled on request' });
  });

  it.each([
    ['throw', /The emulator failed: a bug in the engine/],
    ['exit', /stopped by itself \(exit code 7\)/],
    ['hoard', /needed more than 128M of heap/],
  ])(
    'a board that breaks (%s) ends its own job with a reason, and no other',
    async (cmdline, reason) => {
      const neighbour = await submit('echo');
      const id = await submit(cmdline, { retries: 0 });
      const job = await inState(id, 'ended', 60_000);
      expect(job.outcome).toBe('infra');
      expect(job.reason).toMatch(reason);
      expect(job.runs).toMatchObject([{ attempt: 1, state: 'ended', outcome: 'infra', reason: job.reason }]);
      await printedBy(neighbour, 'ready');
      expect((await jobs.get(neighbour))?.state).toBe('running');
      await sendControl(streams, neighbour, { type: 'cancel' });
      await inState(neighbour, 'ended');
    },
    90_000,
  );

  it('runs a job again after an infrastructure error, once or as often as it asks for', async () => {
    const [once, twice] = [await submit('throw'), await submit('throw', { retries: 2 })];
    expect(await inState(once, 'ended', 60_000)).toMatchObject({ outcome: 'infra', attempts: 2 });
    const job = await inState(twice, 'ended', 60_000);
    expect(job).toMatchObject({ outcome: 'infra', attempts: 3 });
    const infra = { state: 'ended', outcome: 'infra', reason: 'The emulator failed: a bug in the engine' };
    expect(job.runs).toMatchObject([1, 2, 3].map((attempt) => ({ ...infra, attempt })));
    expect(await inState(await submit('hello', { retries: 2 }), 'ended')).toMatchObject({
      outcome: 'pass',
      attempts: 1,
    });
  }, 90_000);

  it('gives up a board that ignores the wall-clock guard', async () => {
    config.wallGuardMs = 100 - 5000; // the host's grace after the guard is 5 s
    await workers.pop()?.close();
    await work();
    const id = await submit('hang', { retries: 0 });
    const job = await inState(id, 'ended');
    config.wallGuardMs = 60_000;
    expect(job.outcome).toBe('infra');
    expect(job.reason).toMatch(/wall-clock guard/);
  }, 60_000);

  it('stores a flood of output completely and in order', async () => {
    const id = await submit('flood');
    await inState(id, 'ended', 60_000);
    const lines = (await logText(id)).trimEnd().split('\n');
    expect(lines.map((line) => Number(line.slice(0, 7)))).toEqual(Array.from({ length: 12_000 }, (_, i) => i));
    expect(await database.logSegment.count({ where: { jobId: id } })).toBeGreaterThan(1);
    expect(await streams.next(`console:${id}`)).toBe(0); // the stream is gone, the log is not
  }, 90_000);

  it('puts its jobs back when it leaves, and another worker starts them anew', async () => {
    const id = await submit('echo');
    await printedBy(id, 'ready');
    await sendControl(streams, id, { type: 'input', uart: 'uart0', data: Buffer.from('old').toString('base64') });
    await printedBy(id, 'old');
    await workers.pop()?.close();
    expect(await jobs.get(id)).toMatchObject({ state: 'queued', startedAt: null });
    await work();
    expect(await inState(id, 'running')).toMatchObject({ attempts: 2 });
    const type = (text: string) =>
      sendControl(streams, id, { type: 'input', uart: 'uart0', data: Buffer.from(text).toString('base64') });
    await type('poweroff');
    await inState(id, 'ended');
    expect(await logText(id)).toBe('ready\npoweroff');
  }, 60_000);

  it('runs no more boards at a time than the project may, and the next one after each', async () => {
    await database.project.update({ where: { id: projectId }, data: { quotaBoards: 1 } });
    const ids = [await submit('echo'), await submit('echo'), await submit('hello')];
    const states = async () => (await Promise.all(ids.map((id) => jobs.get(id)))).map((job) => job?.state ?? 'none');
    const running = async () => (await states()).filter((state) => state === 'running').length;
    let most = 0;
    await eventually(async () => {
      const now = await states();
      most = Math.max(most, now.filter((state) => state === 'running').length);
      const echoing = ids[now.indexOf('running')];
      if (echoing !== undefined && echoing !== ids[2]) await sendControl(streams, echoing, { type: 'cancel' });
      return now.every((state) => state === 'ended');
    }, 'all three to end');
    expect(most).toBe(1);
    expect(await running()).toBe(0);
    expect((await jobs.get(ids[2] ?? ''))?.attempts).toBe(1);
    await database.project.update({ where: { id: projectId }, data: { quotaBoards: null } });
  }, 60_000);

  it('lets its jobs finish before it leaves, and hands back those that take too long', async () => {
    const [short, long] = [await submit('echo'), await submit('echo')];
    await printedBy(short, 'ready');
    await printedBy(long, 'ready');
    const leaving = workers.pop()?.close(3000);
    const late = await submit('hello');
    const data = Buffer.from('poweroff').toString('base64');
    await sendControl(streams, short, { type: 'input', uart: 'uart0', data });
    await leaving;
    expect(await jobs.get(short)).toMatchObject({ state: 'ended', outcome: 'pass', attempts: 1 });
    expect(await jobs.get(long)).toMatchObject({ state: 'queued', attempts: 1 });
    expect(await jobs.get(late)).toMatchObject({ state: 'queued', attempts: 0 });
    await jobs.endUnclaimed(long, { outcome: 'cancelled', reason: 'enough' });
    await work();
    await inState(late, 'ended');
  }, 60_000);

  it('leaves at once when it is told again', async () => {
    const id = await submit('echo');
    await printedBy(id, 'ready');
    const worker = workers.pop();
    const leaving = worker?.close(60_000);
    await worker?.close(0);
    await leaving;
    expect(await jobs.get(id)).toMatchObject({ state: 'queued' });
    await jobs.endUnclaimed(id, { outcome: 'cancelled', reason: 'enough' });
  }, 60_000);

  it('stores what a job leaves behind, as far as its project has room, and no files stay beside that', async () => {
    const staged = () => readdir(blobs.stagingDir);
    const before = await staged();
    const id = await submit('artifacts');
    const all = await inState(id, 'ended');
    expect(all.artifacts).toMatchObject([{ name: 'large', sizeBytes: 1000 }, { name: 'small' }]);
    expect(all.missingArtifacts).toEqual([{ name: 'none', reason: 'There was no such file' }]);
    const [row] = await database.artifact.findMany({ where: { jobId: id, name: 'large' } });
    expect(await blobs.has(row?.blobKey ?? '')).toBe(true);
    const used = (await new Quotas(database).usage(projectId)).storageBytes;
    expect(used).toBeGreaterThanOrEqual(1010);
    await database.project.update({ where: { id: projectId }, data: { quotaStorageBytes: used + 500 } });
    const some = await inState(await submit('artifacts'), 'ended');
    await database.project.update({ where: { id: projectId }, data: { quotaStorageBytes: null } });
    expect(some).toMatchObject({ outcome: 'pass', artifacts: [{ name: 'small' }] });
    expect(some.missingArtifacts).toMatchObject([
      { name: 'none' },
      { name: 'large', reason: expect.stringContaining('quota') },
    ]);
    const infra = await inState(await submit('artifacts, then stopped by the guard'), 'ended', 60_000);
    expect(infra).toMatchObject({ outcome: 'infra', attempts: 2, artifacts: [{ name: 'small' }] });
    expect(await staged()).toEqual(before);
  }, 90_000);

  it('counts what it does', async () => {
    await inState(await submit('hello'), 'ended');
    const metrics = async (): Promise<string> => (await workers[0]?.metrics.text()) ?? '';
    // The worker counts the job, and gives its board back, a moment after the job's end is stored.
    await eventually(
      async () => /^bootlab_jobs_ended_total\{outcome="pass"\} 1$/m.test(await metrics()),
      'the job to be counted',
    );
    expect(await metrics()).toMatch(/^bootlab_console_bytes_total 6$/m);
    await eventually(async () => /^bootlab_boards_running 0$/m.test(await metrics()), 'no board to run');
    await eventually(async () => /^bootlab_idle_threads 1$/m.test(await metrics()), 'its thread to wait for another');
    const id = await submit('echo');
    await printedBy(id, 'ready');
    expect(await metrics()).toMatch(/^bootlab_boards_running 1$/m);
    expect(await metrics()).toMatch(/^bootlab_idle_threads 0$/m);
    await sendControl(streams, id, { type: 'input', uart: 'uart0', data: Buffer.from('poweroff').toString('base64') });
    await inState(id, 'ended');
  });

  it('does not run a job that was cancelled while it waited', async () => {
    await workers.pop()?.close();
    const id = await submit('echo');
    await jobs.requestCancel(id);
    await work();
    expect(await inState(id, 'ended')).toMatchObject({ outcome: 'cancelled', reason: 'Cancelled before it ran' });
  }, 60_000);

  it('gives up a job that keeps losing its workers', async () => {
    await workers.pop()?.close();
    const id = await submit('echo');
    for (let attempt = 0; attempt < 3; attempt++) await jobs.claim(id, 'a worker that dies', 0);
    await jobs.claim(id, 'another one', 0);
    await work();
    const job = await inState(id, 'ended');
    expect(job.outcome).toBe('infra');
    expect(job.reason).toMatch(/workers were lost/);
  }, 60_000);

  it('lets nobody end a job but its last worker', async () => {
    await workers.pop()?.close();
    const id = (
      await jobs.create({ projectId, name: 'x', spec: { board: 'fake', images: {} }, consoles: [], images: [] })
    ).id;
    const first = await jobs.claim(id, 'first', 0);
    const second = await jobs.claim(id, 'second', 0);
    if (!first || !second) throw new Error('both should have claimed it');
    const run = { virtualNs: 1, instructions: 1, wallMs: 1, results: [] };
    expect(await jobs.finish(first, { outcome: 'pass', reason: 'mine' }, run)).toBeUndefined();
    expect(await jobs.finish(second, { outcome: 'fail', reason: 'no, mine' }, run)).toEqual({ refused: [] });
    expect(await jobs.finish(second, { outcome: 'pass', reason: 'twice' }, run)).toBeUndefined();
    expect(await jobs.get(id)).toMatchObject({ outcome: 'fail', reason: 'no, mine' });
    expect(await jobs.claim(id, 'third', 0)).toBeUndefined();
  });
}

describe('a worker on PostgreSQL alone', () => suite(undefined));

describeWith('redis', 'a worker on Redis', () => suite(startTestRedis));
