import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import type { Job, MadeToken, ServerMessage } from '@bootlab/lab';
import WebSocket from 'ws';
import { startTestApi, type TestApi } from '../testing/test-api.js';
import { RightsWatch } from './rights-watch.js';

jest.setTimeout(60_000); // a busy machine must not fail them

let api: TestApi;
let jobId: string;
beforeAll(async () => {
  api = await startTestApi();
  const spec = { board: 'malta', images: { firmware: 'builtin:malta-selftest-el' } };
  const job = await api.call<Job>('/api/v1/jobs', { method: 'POST', token: api.adminToken, body: spec });
  jobId = job.body.id;
}, 60_000);
afterAll(() => api.stop());

async function newToken(): Promise<{ secret: string; revoke(): Promise<unknown> }> {
  const body = { name: 'watcher', scopes: ['read'] };
  const made = await api.call<MadeToken>('/api/v1/tokens', { method: 'POST', token: api.adminToken, body });
  const { token, secret } = made.body;
  const revoke = () => api.call(`/api/v1/tokens/${token.id}`, { method: 'DELETE', token: api.adminToken });
  return { secret, revoke };
}
const check = () => api.app.get(RightsWatch).check();

/** Opens an answer that lasts; resolves once it has begun. */
async function open(path: string, token: string): Promise<{ ended: Promise<boolean>; leave(): void }> {
  const abort = new AbortController();
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(api.url + path, { headers, signal: abort.signal });
  expect(response.status).toBe(200);
  const ended = response.text().then(
    () => true,
    () => true,
  );
  return { ended, leave: () => abort.abort() };
}

async function watchConsole(token: string): Promise<{ closed: Promise<number>; leave(): void }> {
  const socket = new WebSocket(`${api.url.replace('http', 'ws')}/api/v1/jobs/${jobId}/console`);
  const closed = once(socket, 'close').then(([code]) => code as number);
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'auth', token }));
  const [data] = (await once(socket, 'message')) as [Buffer];
  expect((JSON.parse(data.toString()) as ServerMessage).type).toBe('ready');
  return { closed, leave: () => socket.close() };
}

describe('an open answer', () => {
  it.each(['/api/v1/events', '/api/v1/jobs/:id/events'])('ends with the token that opened it: %s', async (path) => {
    const [revoked, kept] = [await newToken(), await newToken()];
    const target = path.replace(':id', jobId);
    const [one, other] = [await open(target, revoked.secret), await open(target, kept.secret)];
    await check();
    expect(await Promise.race([one.ended, Promise.resolve('open')])).toBe('open');
    await revoked.revoke();
    await check();
    expect(await one.ended).toBe(true);
    expect(await Promise.race([other.ended, Promise.resolve('open')])).toBe('open');
    other.leave();
  });

  it('ends with the token that opened it: a console', async () => {
    const [revoked, kept] = [await newToken(), await newToken()];
    const [one, other] = [await watchConsole(revoked.secret), await watchConsole(kept.secret)];
    await revoked.revoke();
    await check();
    expect(await one.closed).toBe(4401);
    expect(await Promise.race([other.closed, Promise.resolve('open')])).toBe('open');
    other.leave();
    expect(await other.closed).toBe(1005);
  });
});
