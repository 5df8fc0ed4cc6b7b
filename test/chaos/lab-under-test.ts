import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Job, JobSpec, ServerMessage } from '@bootlab/lab';
import { openDatabase, type Database } from '@bootlab/lab/server';
import {
  eventually,
  startMortalPostgres,
  startMortalRedis,
  temporaryFolder,
  type MortalService,
  type RedisOptions,
} from '@bootlab/lab/testing';
import { WebSocket } from 'ws';
import { ADMIN_TOKEN, startLabProcess, type LabProcess } from '../support/lab-processes.js';
import { elfOf, guests } from './guests.js';

const REPOSITORY = path.join(fileURLToPath(new URL('.', import.meta.url)), '..', '..');
const AUTHORIZATION = { authorization: `Bearer ${ADMIN_TOKEN}` };
const END_LIMIT_MS = 120_000;

/** Somebody who watches a console, and connects again as often as he has to. */
export interface ConsoleWatcher {
  readonly connections: number;
  /** What has come so far. */
  readonly text: string;
  until(text: string): Promise<void>;
  /** Everything that was printed. */
  ended(): Promise<string>;
}

export interface LabUnderTest {
  readonly postgres: MortalService;
  readonly redis: MortalService | undefined;
  submit(guest: keyof typeof guests, spec: Partial<JobSpec>): Promise<string>;
  trySubmit(guest: keyof typeof guests, spec: Partial<JobSpec>): Promise<{ status: number; id: string | undefined }>;
  watch(jobId: string): ConsoleWatcher;
  ended(jobId: string): Promise<Job>;
  /** The log as it is stored. */
  log(jobId: string): Promise<string>;
  /** How often the project's webhook is told of the end of a job: in the transaction that ends it. */
  timesEnded(jobId: string): Promise<number>;
  /** Programs of the lab that have ended. */
  restarted(): string[];
  stop(): Promise<void>;
}

/** API, worker with one board, and services that can be killed. */
export async function startLabUnderTest(
  backend: 'redis' | 'postgres',
  redisOptions?: RedisOptions,
): Promise<LabUnderTest> {
  const [postgres, redis, folder] = await Promise.all([
    startMortalPostgres(),
    backend === 'redis' ? startMortalRedis(redisOptions) : undefined,
    temporaryFolder(),
  ]);
  const services = {
    databaseUrl: postgres.url,
    redisUrl: redis?.url,
    blobUrl: pathToFileURL(folder.path).href,
  };
  const programs: Record<string, LabProcess> = {
    api: await startLabProcess(REPOSITORY, 'api', services),
    worker: await startLabProcess(REPOSITORY, 'worker', services, { BOOTLAB_CONCURRENCY: '1' }),
  };
  const url = programs['api']?.ready.url ?? '';
  let database: Database = openDatabase(postgres.url);
  const { id: projectId } = await database.project.findFirstOrThrow();
  await database.webhook.create({
    data: { projectId, url: 'https://192.0.2.1/', events: ['job.ended'], secret: 'whs_of-the-test' },
  });

  const trySubmit: LabUnderTest['trySubmit'] = async (guest, spec) => {
    const form = new FormData();
    const job = { board: 'malta', images: { kernel: 'upload:kernel' }, retries: 0, ...spec };
    form.set('spec', JSON.stringify(job));
    form.set('kernel', new Blob([Uint8Array.from(elfOf(guests[guest]))]), `${guest}.elf`);
    const answer = await fetch(`${url}/api/v1/jobs`, { method: 'POST', headers: AUTHORIZATION, body: form });
    const body = (await answer.json()) as { id?: string };
    return { status: answer.status, id: answer.status === 201 ? body.id : undefined };
  };

  return {
    postgres,
    redis,
    trySubmit,
    submit: async (guest, spec) => {
      const { status, id } = await trySubmit(guest, spec);
      if (id === undefined) throw new Error(`the job was answered ${status}: ${programs['api']?.output() ?? ''}`);
      return id;
    },
    watch: (jobId) => watchConsole(`${url.replace(/^http/, 'ws')}/api/v1/jobs/${jobId}/console`),
    ended: (jobId) =>
      eventually(
        async () => {
          const answer = await fetch(`${url}/api/v1/jobs/${jobId}`, { headers: AUTHORIZATION });
          if (!answer.ok) return false; // the database is away
          const job = (await answer.json()) as Job;
          return job.state === 'ended' && job;
        },
        `job ${jobId} to end`,
        END_LIMIT_MS,
      ).catch((error: unknown) => {
        const printed = Object.entries(programs).map(([name, { output }]) => `${name}:\n${output().slice(-4000)}`);
        throw new Error(printed.join('\n'), { cause: error });
      }),
    log: async (jobId) => {
      const answer = await fetch(`${url}/api/v1/jobs/${jobId}/log?format=text`, { headers: AUTHORIZATION });
      return answer.text();
    },
    timesEnded: async (jobId) => {
      await database.$disconnect();
      database = openDatabase(postgres.url); // the connections before may be those to a dead server
      return database.webhookDelivery.count({ where: { jobId, event: 'job.ended' } });
    },
    restarted: () =>
      Object.entries(programs).flatMap(([name, { child }]) =>
        child.exitCode === null && child.signalCode === null ? [] : [name],
      ),
    stop: async () => {
      await database.$disconnect();
      for (const program of Object.values(programs).reverse()) await program.stop();
      await redis?.stop();
      await postgres.stop();
      await folder.remove();
    },
  };
}

function watchConsole(url: string): ConsoleWatcher {
  let connections = 0;
  let text = '';
  let next = 0;
  let over = false;
  const connect = (): void => {
    connections += 1;
    const socket = new WebSocket(url);
    socket.on('open', () => socket.send(JSON.stringify({ type: 'auth', token: ADMIN_TOKEN, from: next })));
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as ServerMessage;
      if (message.type === 'end') over = true;
      if (message.type !== 'chunk' || message.seq < next) return;
      next = message.seq + 1;
      text += Buffer.from(message.data, 'base64').toString('latin1');
    });
    socket.on('error', () => undefined); // 'close' follows
    socket.on('close', () => {
      if (!over) setTimeout(connect, 200);
    });
  };
  connect();
  return {
    get connections() {
      return connections;
    },
    get text() {
      return text;
    },
    until: async (wanted) => {
      await eventually(() => text.includes(wanted), `${wanted} on the console`, END_LIMIT_MS);
    },
    ended: async () => {
      await eventually(() => over, 'the end of the console', END_LIMIT_MS);
      return text;
    },
  };
}
