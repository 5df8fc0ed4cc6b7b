import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import type { Job, JobBrief, Problem } from '@bootlab/lab';
import { JobStore } from '@bootlab/lab/server';
import { eventually } from '@bootlab/lab/testing';
import { DATABASE } from '../lab.module.js';
import { startJobsApi, type JobsApi } from '../testing/test-jobs.js';

jest.setTimeout(60_000);

let api: JobsApi;
beforeAll(async () => {
  api = await startJobsApi();
}, 60_000);
afterAll(() => api.stop());

const nobody = { headers: { authorization: 'none' } };

it('says that it lives and is ready, to everybody', async () => {
  expect((await api.call('/healthz', nobody)).body).toEqual({ status: 'ok' });
  expect((await api.call('/readyz', nobody)).body).toMatchObject({ status: 'ok', workers: 0 });
});

it('is not ready when a service does not answer, and says which without saying why', async () => {
  const database = api.app.get(DATABASE);
  const query = jest.spyOn(database, '$queryRaw').mockRejectedValue(new Error('password of user "secret"'));
  const { status, body } = await api.call<Problem>('/readyz', nobody);
  query.mockRestore();
  expect([status, body.detail]).toEqual([503, 'The database does not answer']);
  expect((await api.call('/healthz', nobody)).status).toBe(200);
});

it('has metrics for Prometheus, for operators only', async () => {
  await api.submit();
  expect((await api.call('/metrics', nobody)).status).toBe(401);
  const { headers, body } = await api.call<string>('/metrics');
  expect(headers.get('content-type')).toMatch('text/plain');
  expect(body).toMatch(/^bootlab_jobs\{state="queued"\} 1$/m);
  expect(body).toMatch(/^bootlab_jobs\{state="running"\} 0$/m);
  expect(body).toMatch(/^bootlab_workers 0$/m);
  expect(body).toMatch(
    /bootlab_http_request_duration_seconds_count\{method="POST",route="\/api\/v1\/jobs",status="201"\} 1/,
  );
  expect(body).toContain('process_cpu_seconds_total');
});

it('answers "not modified" to who has the newest state already', async () => {
  const { id } = await api.submit();
  const first = await api.call<Job>(`/api/v1/jobs/${id}`);
  const etag = first.headers.get('etag') ?? '';
  expect(etag).toMatch(/^W\/"/);
  const again = () => api.call<Job>(`/api/v1/jobs/${id}`, { headers: { 'if-none-match': etag } });
  expect(await again()).toMatchObject({ status: 304, body: '' });
  await api.post(`/api/v1/jobs/${id}/cancel`, {});
  expect((await again()).status).toBe(200);
});

interface ServerEvent {
  event: string;
  id: string;
  data: string;
}

/** A stream of events, from the moment it is open. */
async function open(path: string, headers: Record<string, string> = {}) {
  const abort = new AbortController();
  const response = await fetch(api.url + path, {
    headers: { authorization: `Bearer ${api.token}`, ...headers },
    signal: abort.signal,
  });
  expect(response.headers.get('content-type')).toMatch('text/event-stream');
  const heard: ServerEvent[] = [];
  const hear = async (): Promise<void> => {
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString();
      const messages = text.split('\n\n');
      text = messages.pop() ?? '';
      for (const message of messages) {
        const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(message)?.[1] ?? '';
        if (field('event') !== '') heard.push({ event: field('event'), id: field('id'), data: field('data') });
      }
    }
  };
  const over = hear().catch(() => undefined); // it was left
  return {
    /** All events so far, as soon as they are what is waited for. */
    until: async (enough: (events: ServerEvent[]) => boolean): Promise<ServerEvent[]> => {
      await eventually(() => enough(heard), 'the events that are waited for');
      return [...heard];
    },
    leave: async () => {
      abort.abort();
      await over;
    },
  };
}

/** Reads a stream of events until `enough`. */
async function listen(
  path: string,
  enough: (events: ServerEvent[]) => boolean,
  headers: Record<string, string> = {},
): Promise<ServerEvent[]> {
  const stream = await open(path, headers);
  return stream.until(enough).finally(() => stream.leave());
}

it('tells of every change of a job, and of its end', async () => {
  const { id, claim, finish } = await api.run();
  const stream = await open(`/api/v1/jobs/${id}/events`);
  await stream.until(({ length }) => length > 0);
  await api.app.get(JobStore).record(claim, { virtualNs: 5, instructions: 5 });
  await stream.until(({ length }) => length > 1);
  await finish();
  const events = await stream.until((all) => all.at(-1)?.event === 'end');
  await stream.leave();
  expect(events.map(({ event }) => event)).toEqual(['job', 'job', 'job', 'end']);
  const jobs = events.slice(0, 3).map(({ data }) => JSON.parse(data) as Job);
  expect(jobs.map(({ state, virtualNs }) => [state, virtualNs])).toEqual([
    ['running', 0],
    ['running', 5],
    ['ended', 9],
  ]);
  expect(await listen(`/api/v1/jobs/${id}/events`, (all) => all.length === 2)).toHaveLength(2);
  expect((await api.call(`/api/v1/jobs/${id.replace(/.$/, 'x')}/events`)).status).toBe(404);
});

it('tells of every job of the project, and goes on where a connection broke', async () => {
  const seen = (id: string, state: string) => (events: ServerEvent[]) =>
    events.some(({ data }) => {
      const job = JSON.parse(data) as JobBrief;
      return job.id === id && job.state === state;
    });
  const stream = await open('/api/v1/events');
  const { id: made } = await api.submit({ name: 'told' });
  await stream.until(seen(made, 'queued'));
  await api.post(`/api/v1/jobs/${made}/cancel`, {});
  const events = await stream.until(seen(made, 'ended'));
  await stream.leave();
  const first = events.find((event) => seen(made, 'queued')([event]));
  expect(JSON.parse(first?.data ?? '{}')).toMatchObject({ id: made, name: 'told' });
  const resumed = await listen('/api/v1/events', seen(made, 'ended'), { 'last-event-id': first?.id ?? '' });
  expect(seen(made, 'queued')(resumed)).toBe(false);
});
