import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { WEBHOOK_HEADERS, type DeliveryPage, type MadeWebhook, type Problem, type WebhookPayload } from '@bootlab/lab';
import { eventually } from '@bootlab/lab/testing';
import { startJobsApi, type JobsApi } from '../testing/test-jobs.js';
import { signatureOf } from './webhook-sender.js';

jest.setTimeout(60_000);

let api: JobsApi;
let receiver: Server;
let url: string;
let statuses: number[] = [];
const heard: { headers: IncomingHttpHeaders; body: string }[] = [];

beforeAll(async () => {
  receiver = createServer((request, response) => {
    void text(request).then((body) => {
      heard.push({ headers: request.headers, body });
      response.writeHead(statuses.shift() ?? 204).end();
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const { port } = receiver.address() as AddressInfo;
  url = `http://127.0.0.1:${port}/hook`;
  api = await startJobsApi({ BOOTLAB_WEBHOOK_HOSTS: `127.0.0.1:${port}` });
}, 60_000);
afterEach(async () => {
  for (const { id } of (await api.call<{ items: MadeWebhook[] }>('/api/v1/webhooks')).body.items) {
    await api.call(`/api/v1/webhooks/${id}`, { method: 'DELETE' });
  }
  heard.length = 0;
  statuses = [];
});
afterAll(async () => {
  await api.stop();
  receiver.close();
  receiver.closeAllConnections();
});

const make = async (more: object = {}): Promise<MadeWebhook> => {
  const { status, body } = await api.post<MadeWebhook>('/api/v1/webhooks', { url, ...more });
  expect(status).toBe(201);
  return body;
};
const deliveries = async ({ id }: MadeWebhook) =>
  (await api.call<DeliveryPage>(`/api/v1/webhooks/${id}/deliveries`)).body.items;

it('is told of the end of a job, signed, once', async () => {
  const webhook = await make();
  const { id, finish } = await api.run({ name: 'told' });
  await finish({ outcome: 'fail', reason: 'It broke' });
  const [message] = await eventually(() => heard.length > 0 && heard, 'the message');
  const { headers, body } = message ?? { headers: {}, body: '' };
  expect(JSON.parse(body) as WebhookPayload).toMatchObject({
    event: 'job.ended',
    job: { id, name: 'told', state: 'ended', outcome: 'fail', reason: 'It broke' },
  });
  const timestamp = String(headers[WEBHOOK_HEADERS.timestamp]);
  expect(Math.abs(Number(timestamp) - Date.now() / 1000)).toBeLessThan(60);
  expect(headers[WEBHOOK_HEADERS.signature]).toBe(signatureOf(webhook.secret, timestamp, body));
  // By Python's hmac.
  expect(signatureOf('key', '1', '{}')).toBe('sha256=1ba6b8171186efc613e8bcc0cbdab2748f24984d7c5a84faa2637afa0e40d224');
  const [delivery] = await eventually(async () => {
    const all = await deliveries(webhook);
    return all[0]?.state === 'delivered' && all;
  }, 'the log');
  expect(delivery).toMatchObject({ id: headers[WEBHOOK_HEADERS.delivery], attempts: 1, status: 204, jobId: id });
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(heard).toHaveLength(1);
  const [listed] = (await api.call<{ items: object[] }>('/api/v1/webhooks')).body.items;
  expect(listed).not.toHaveProperty('secret');
});

it('is told of what it wants to hear, and of cancelled jobs too', async () => {
  await make({ events: ['job.started'] });
  const { finish } = await api.run();
  await finish();
  await eventually(() => heard.length > 0, 'the start');
  await make({ events: ['job.ended'] });
  const { id } = await api.submit();
  await api.post(`/api/v1/jobs/${id}/cancel`, {});
  await eventually(() => heard.length > 1, 'the cancellation');
  expect(heard.map(({ body }) => JSON.parse(body) as WebhookPayload)).toMatchObject([
    { event: 'job.started' },
    { event: 'job.ended', job: { id, outcome: 'cancelled' } },
  ]);
});

it('is asked again, later, when it does not take a message', async () => {
  const webhook = await make();
  statuses = [500, 302];
  const { body: ping } = await api.post<{ id: string }>(`/api/v1/webhooks/${webhook.id}/ping`, {});
  const tried = (attempts: number) =>
    eventually(async () => {
      const [delivery] = await deliveries(webhook);
      return (delivery?.attempts ?? 0) >= attempts && delivery;
    }, `attempt ${attempts}`);
  expect(await tried(1)).toMatchObject({ id: ping.id, state: 'pending', status: 500 });
  expect(await tried(2)).toMatchObject({ state: 'pending', status: 302, error: 'Redirects are not followed' });
  expect(await tried(3)).toMatchObject({ state: 'delivered', status: 204 });
  expect(new Set(heard.map(({ headers }) => headers[WEBHOOK_HEADERS.delivery])).size).toBe(1);
  const again = await api.post(`/api/v1/webhooks/${webhook.id}/deliveries/${ping.id}/repeat`, {});
  expect(again.status).toBe(201);
  await eventually(() => heard.length === 4, 'the repetition');
}, 90_000);

it('cannot make the lab reach into its own network', async () => {
  const webhook = await make({ url: 'http://localhost:1/' });
  await api.post(`/api/v1/webhooks/${webhook.id}/ping`, {});
  const [delivery] = await eventually(async () => {
    const all = await deliveries(webhook);
    return (all[0]?.attempts ?? 0) > 0 && all;
  }, 'the refusal');
  expect(delivery).toMatchObject({ status: null, error: expect.stringContaining('not on the public internet') });
  for (const bad of ['ftp://example.org/', 'nonsense', 'https://user:pass@example.org/']) {
    const { status, body } = await api.post<Problem>('/api/v1/webhooks', { url: bad });
    expect([status, body.errors[0]?.field]).toEqual([400, 'url']);
  }
});

it('is silent when it is switched off, and when it is gone', async () => {
  const webhook = await make();
  const off = await api.call(`/api/v1/webhooks/${webhook.id}`, { method: 'PATCH', body: '{"active":false}' });
  expect(off).toMatchObject({ status: 200, body: { active: false } });
  await (await api.run()).finish();
  expect(await deliveries(webhook)).toEqual([]);
  expect((await api.call(`/api/v1/webhooks/${webhook.id}`, { method: 'DELETE' })).status).toBe(204);
  expect((await api.call(`/api/v1/webhooks/${webhook.id}/deliveries`)).status).toBe(404);
});
