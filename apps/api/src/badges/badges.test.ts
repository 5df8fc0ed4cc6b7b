import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import type { Badge } from '@bootlab/lab';
import { startJobsApi, type JobsApi } from '../testing/test-jobs.js';

jest.setTimeout(60_000);

let api: JobsApi;
beforeAll(async () => {
  api = await startJobsApi();
}, 60_000);
afterAll(() => api.stop());

const picture = (path: string) => api.call<string>(path, { headers: { authorization: 'none' } });
const end = async (name: string, outcome: 'pass' | 'fail') =>
  (await api.run({ name })).finish({ outcome, reason: 'x' });

it('shows how the newest job ended, to everybody who has its address', async () => {
  const { status, body: badge } = await api.post<Badge>('/api/v1/badges', { label: 'nightly <b>', jobName: 'nightly' });
  expect(status).toBe(201);
  expect(badge.path).toMatch(/^\/badges\/[A-Za-z0-9_-]{32}\.svg$/);
  expect((await picture(badge.path)).body).toContain('no job yet');
  await end('nightly', 'pass');
  await end('weekly', 'fail');
  await api.submit({ name: 'nightly' }); // has not ended
  const { headers, body } = await picture(badge.path);
  expect(body).toMatch(/^<svg .*passed/s);
  expect(body).toContain('nightly &lt;b&gt;');
  expect(headers.get('content-type')).toMatch('image/svg+xml');
  expect(headers.get('cache-control')).toBe('no-cache');
  await end('nightly', 'fail');
  expect((await picture(badge.path)).body).toContain('failed');
  const whole = (await api.post<Badge>('/api/v1/badges', { board: 'none' })).body;
  expect((await picture(whole.path)).body).toContain('no job yet');
});

it('is gone when it is removed, and guessed by nobody', async () => {
  const { body: badge } = await api.post<Badge>('/api/v1/badges', {});
  expect((await api.call<{ items: Badge[] }>('/api/v1/badges')).body.items[0]).toEqual(badge);
  expect((await api.call(`/api/v1/badges/${badge.id}`, { method: 'DELETE' })).status).toBe(204);
  for (const path of [badge.path, `/badges/${'a'.repeat(32)}.svg`, '/badges/x.svg', '/badges/%00.svg']) {
    expect((await picture(path)).status).toBe(404);
  }
  expect((await api.call(`/api/v1/badges/${badge.id}`, { method: 'DELETE' })).status).toBe(404);
  expect((await api.post('/api/v1/badges', { label: '' })).status).toBe(400);
});
