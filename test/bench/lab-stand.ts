import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findProgram, MissingPrerequisite } from '@bootlab/emulator/testkit';
import type { Job, ServerMessage } from '@bootlab/lab';
import { startMortalPostgres, startMortalRedis, type TestService } from '@bootlab/lab/testing';
import { WebSocket } from 'ws';
import { ADMIN_TOKEN, startLabProcess, type LabProcess } from '../support/lab-processes.js';
import { repositoryFolder } from './bootlab.js';

/** Where queue and live streams are. */
export type Backend = 'Redis' | 'PostgreSQL';
export const BACKENDS: readonly Backend[] = ['Redis', 'PostgreSQL'];

export const AUTHORIZATION = { authorization: `Bearer ${ADMIN_TOKEN}` };
export { ADMIN_TOKEN };

export interface StandOptions {
  /** Boards side by side; 0: no worker at all. */
  concurrency?: number;
  /** For both programs. */
  environment?: Readonly<Record<string, string>>;
}

/** A lab on this machine: PostgreSQL that syncs, Redis with an append-only file, one API, one worker. */
export interface Stand {
  readonly url: string;
  readonly api: LabProcess;
  readonly worker: LabProcess | undefined;
}

/** Brings a lab up for `use`, and down again whatever happens. */
export async function withLab<T>(
  backend: Backend,
  { concurrency = 1, environment = {} }: StandOptions,
  use: (stand: Stand) => Promise<T>,
): Promise<T> {
  if (backend === 'Redis' && findProgram('redis-server') === undefined)
    throw new MissingPrerequisite('redis-server', "Run 'npm run setup', which installs it on Debian");
  const blobs = mkdtempSync(join(tmpdir(), 'bootlab-bench-lab-'));
  const running: { stop(): Promise<void> }[] = [];
  const keep = <S extends { stop(): Promise<void> }>(service: S): S => {
    running.unshift(service);
    return service;
  };
  try {
    const postgres = keep(await startMortalPostgres());
    const redis: TestService | undefined = backend === 'Redis' ? keep(await startMortalRedis()) : undefined;
    const services = { databaseUrl: postgres.url, redisUrl: redis?.url, blobUrl: pathToFileURL(blobs).href };
    const api = keep(await startLabProcess(repositoryFolder, 'api', services, environment));
    const worker =
      concurrency === 0
        ? undefined
        : keep(
            await startLabProcess(repositoryFolder, 'worker', services, {
              ...environment,
              BOOTLAB_CONCURRENCY: String(concurrency),
            }),
          );
    return await use({ url: api.ready.url ?? '', api, worker });
  } finally {
    for (const service of running) await service.stop();
    rmSync(blobs, { recursive: true, force: true });
  }
}

/** @throws Error with what the lab answered when it refuses */
export async function call<T>(stand: Stand, path: string, init: RequestInit = {}): Promise<T> {
  const response = await fetch(`${stand.url}/api/v1${path}`, {
    ...init,
    headers: { ...AUTHORIZATION, ...init.headers },
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
  return JSON.parse(text) as T;
}

/** Submits a job with files. @param files by their fields, named as `upload:field` in the spec */
export async function submit(
  stand: Stand,
  spec: object,
  files: Readonly<Record<string, Uint8Array<ArrayBuffer>>> = {},
): Promise<Job> {
  if (Object.keys(files).length === 0) {
    const headers = { 'content-type': 'application/json' };
    return call(stand, '/jobs', { method: 'POST', headers, body: JSON.stringify(spec) });
  }
  const form = new FormData();
  form.set('spec', JSON.stringify(spec));
  for (const [field, bytes] of Object.entries(files)) form.set(field, new Blob([bytes]), field);
  return call(stand, '/jobs', { method: 'POST', body: form });
}

export const cancel = (stand: Stand, job: Job): Promise<Job> =>
  call(stand, `/jobs/${job.id}/cancel`, { method: 'POST' });

/** The job's end; waits for it, some minutes. @throws Error when it has not ended then */
export async function ended(stand: Stand, job: Job): Promise<Job> {
  for (let minutes = 1; minutes <= 4; minutes++) {
    const now = await call<Job>(stand, `/jobs/${job.id}?wait=60s`);
    if (now.state === 'ended') return now;
  }
  throw new Error(`job ${job.id} has not ended after four minutes`);
}

/** A firmware of a few KB that every board ships: takes a fraction of a second and passes. */
export const SELF_TEST = {
  board: 'malta',
  images: { firmware: 'builtin:malta-selftest-el' },
  steps: [{ expect: 'SELFTEST: PASS' }],
};

/** Watches the consoles of a job as a browser does, and hears every message. */
export function watch(stand: Stand, jobId: string, hear: (message: ServerMessage) => void): WebSocket {
  const socket = new WebSocket(`${stand.url.replace(/^http/, 'ws')}/api/v1/jobs/${jobId}/console`, {
    perMessageDeflate: false,
  });
  socket.once('open', () => socket.send(JSON.stringify({ type: 'auth', token: ADMIN_TOKEN, from: 0 })));
  socket.on('message', (data: Buffer) => hear(JSON.parse(data.toString()) as ServerMessage));
  return socket;
}
