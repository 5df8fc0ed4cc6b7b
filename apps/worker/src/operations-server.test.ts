import { expect, it } from '@jest/globals';
import type { AddressInfo } from 'node:net';
import { Metrics } from '@bootlab/lab/server';
import { serveOperations } from './operations-server.js';

it('answers health and metrics, and nothing else', async () => {
  const server = await serveOperations(0, '127.0.0.1', new Metrics());
  const get = async (path: string) => fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
  expect(await (await get('/healthz')).json()).toEqual({ status: 'ok' });
  const metrics = await get('/metrics');
  expect(metrics.headers.get('content-type')).toMatch('text/plain');
  expect(await metrics.text()).toContain('process_cpu_seconds_total');
  expect((await get('/jobs')).status).toBe(404);
  server.close();
});
