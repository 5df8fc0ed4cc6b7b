import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Job, JobResult, SubmittedJob, Verdict } from '@bootlab/lab';
import { ConsoleLogs, JobStore, type Claim, type ConsoleLogWriter, type FinishedRun } from '@bootlab/lab/server';
import { QUEUE, type JobQueue } from '../lab.module.js';
import { startTestApi } from './test-api.js';

export interface Answer<T> {
  status: number;
  headers: Headers;
  body: T;
}

/** A job that runs, with the test as its worker. */
export interface RunningJob {
  readonly id: string;
  readonly claim: Claim;
  readonly writer: ConsoleLogWriter;
  finish(verdict?: Verdict, run?: Partial<FinishedRun>): Promise<void>;
}

/** The API with jobs in it: what a worker would do, the tests do. */
export interface JobsApi {
  readonly app: NestFastifyApplication;
  readonly url: string;
  readonly token: string;
  call<T>(path: string, init?: RequestInit): Promise<Answer<T>>;
  post<T>(path: string, body: unknown): Promise<Answer<T>>;
  /** Submits a job that boots the self-test firmware. */
  submit(more?: object): Promise<SubmittedJob>;
  run(more?: object): Promise<RunningJob>;
  stop(): Promise<void>;
}

const SELF_TEST = { board: 'malta', images: { firmware: 'builtin:malta-selftest-el' } };

/** @param environment further variables of the API's environment */
export async function startJobsApi(environment: Record<string, string> = {}): Promise<JobsApi> {
  const { app, url, adminToken: token, stop } = await startTestApi(environment);
  const call = async <T>(path: string, init: RequestInit = {}): Promise<Answer<T>> => {
    const headers = new Headers(init.headers);
    if (!headers.has('authorization')) headers.set('authorization', `Bearer ${token}`);
    if (typeof init.body === 'string' && !headers.has('content-type')) headers.set('content-type', 'application/json');
    const response = await fetch(url + path, { ...init, headers });
    const text = await response.text();
    const isJson = /json(;|$)/.test(response.headers.get('content-type') ?? '') && text !== '';
    return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : text) as T };
  };
  const post = <T>(path: string, body: unknown) => call<T>(path, { method: 'POST', body: JSON.stringify(body) });
  const submit = async (more: object = {}): Promise<SubmittedJob> => {
    const { status, body } = await post<SubmittedJob>('/api/v1/jobs', { ...SELF_TEST, ...more });
    if (status !== 201) throw new Error(`the job was not taken: ${JSON.stringify(body)}`);
    return body;
  };
  const run = async (more?: object): Promise<RunningJob> => {
    const { id } = await submit(more);
    await app.get<JobQueue>(QUEUE).remove(id);
    const jobs = app.get(JobStore);
    const claim = await jobs.claim(id, 'test', 0);
    if (!claim) throw new Error('the job could not be claimed');
    const writer = await app.get(ConsoleLogs).openWriter(id, 1);
    return {
      id,
      claim,
      writer,
      finish: async (verdict = { outcome: 'pass', reason: 'done' }, more = {}) => {
        await writer.close();
        await jobs.finish(claim, verdict, { virtualNs: 9, instructions: 9, wallMs: 9, ...more });
      },
    };
  };
  return { app, url, token, call, post, submit, run, stop };
}

/** A result as a run finds it. */
export const found = (name: string, status: JobResult['status'], more: Partial<JobResult> = {}): JobResult => ({
  suite: 'suite',
  name,
  status,
  message: status === 'pass' ? undefined : `${name} says why`,
  startNs: 1,
  durationNs: 2,
  lines: { first: 1, last: 2 },
  console: 'uart0',
  ...more,
});

/** The project of a job, for tests that reach below the API. */
export const projectOf = async (api: JobsApi, job: Pick<Job, 'id'>): Promise<string> => {
  const { DATABASE } = await import('../lab.module.js');
  const row = await api.app.get(DATABASE).job.findUniqueOrThrow({ where: { id: job.id } });
  return (row as { projectId: string }).projectId;
};
