// A job in a whole lab as an OTLP receiver sees it: one trace from the request that submitted it to the end of its run.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Job } from '@bootlab/lab';
import { eventually } from '@bootlab/lab/testing';
import { startLab, type Lab } from '../support/lab.js';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const START_LIMIT_MS = 320_000;

interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: { key: string; value: { stringValue?: string } }[];
}

let lab: Lab;
let receiver: Server;
const spans: Span[] = [];

beforeAll(async () => {
  receiver = createServer((request, response) => {
    void text(request).then((body) => {
      const { resourceSpans } = JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] };
      spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
      response.setHeader('content-type', 'application/json').end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const { port } = receiver.address() as AddressInfo;
  lab = await startLab(repository, { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` });
}, START_LIMIT_MS);
afterAll(async () => {
  await lab?.stop();
  receiver?.close();
  receiver?.closeAllConnections();
}, 60_000);

it('follows a job from the client’s own trace to the end of its run', async () => {
  const [traceId, clientSpan] = ['c'.repeat(32), 'd'.repeat(16)];
  const token = new URL(lab.signInUrl).hash.replace('#token=', '');
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const submitted = await fetch(`${lab.url}/api/v1/jobs?wait=60s`, {
    method: 'POST',
    headers: { ...headers, traceparent: `00-${traceId}-${clientSpan}-01` },
    body: JSON.stringify({ board: 'malta', images: { firmware: 'builtin:malta-selftest-el' } }),
  });
  const job = (await submitted.json()) as Job;
  expect(job.outcome).toBe('pass');
  const wanted = [
    'POST /api/v1/jobs',
    'job waits',
    'job runs',
    'images are fetched',
    'board runs',
    'results are stored',
  ];
  const trace = await eventually(() => {
    const found = new Map(spans.filter((span) => span.traceId === traceId).map((span) => [span.name, span]));
    return wanted.every((name) => found.has(name)) && found;
  }, 'the whole trace');
  expect([...trace.keys()].sort()).toEqual([...wanted].sort());
  const parents = wanted.map((name) => {
    const parent = trace.get(name)?.parentSpanId;
    return parent === clientSpan ? 'client' : [...trace.values()].find(({ spanId }) => spanId === parent)?.name;
  });
  expect(parents).toEqual(['client', wanted[0], wanted[0], 'job runs', 'job runs', 'job runs']);
  const attributes = Object.fromEntries(
    (trace.get('job runs')?.attributes ?? []).map(({ key, value }) => [key, value.stringValue]),
  );
  expect(attributes).toMatchObject({
    'bootlab.job.id': job.id,
    'bootlab.board': 'malta',
    'bootlab.job.outcome': 'pass',
  });
  const lengthOf = ({ startTimeUnixNano, endTimeUnixNano }: Span): bigint =>
    BigInt(endTimeUnixNano) - BigInt(startTimeUnixNano);
  for (const span of trace.values()) expect(lengthOf(span)).toBeGreaterThanOrEqual(0n);
  // Nothing that a job or a person keeps to himself goes to the receiver.
  expect(JSON.stringify(spans)).not.toContain(token);
}, 120_000);
