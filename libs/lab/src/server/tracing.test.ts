import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { NO_TRACING, openTracing, traceparentOf } from './tracing.js';

/** As much of OTLP's JSON as is looked at (opentelemetry-proto, trace/v1). */
interface Export {
  resourceSpans: {
    resource: { attributes: { key: string; value: { stringValue?: string } }[] };
    scopeSpans: { spans: Span[] }[];
  }[];
}
interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  status: { code?: number; message?: string };
  attributes: { key: string; value: Record<string, unknown> }[];
}

let receiver: Server;
let heard: { path: string | undefined; headers: Record<string, unknown>; body: Export }[];
beforeEach(async () => {
  heard = [];
  receiver = createServer((request, response) => {
    void text(request).then((body) => {
      heard.push({ path: request.url, headers: request.headers, body: JSON.parse(body) as Export });
      response.setHeader('content-type', 'application/json').end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
});
afterEach(() => {
  receiver.close();
  receiver.closeAllConnections();
});
const endpoint = () => `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
const spans = () =>
  heard.flatMap(({ body }) => body.resourceSpans.flatMap((each) => each.scopeSpans.flatMap((s) => s.spans)));

it('is nothing at all without a receiver', async () => {
  expect(await openTracing('api', {})).toBe(NO_TRACING);
  expect(await openTracing('api', { OTEL_EXPORTER_OTLP_ENDPOINT: '' })).toBe(NO_TRACING);
  const disabled = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint(), OTEL_SDK_DISABLED: 'true' };
  expect(await openTracing('api', disabled)).toBe(NO_TRACING);
  const span = NO_TRACING.start('x');
  span.facts({ a: 1 });
  span.end();
  expect(span.traceparent).toBeUndefined();
});

it('sends spans to the receiver, each under what it belongs to, also across processes', async () => {
  const before = { ...process.env };
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = endpoint(); // the exporter reads the environment itself
  try {
    const [api, worker] = [await openTracing('api', process.env), await openTracing('worker', process.env)];
    const outside = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const request = api.start('POST /jobs', {
      parent: outside,
      kind: 'server',
      facts: { route: '/jobs', none: undefined },
    });
    const run = worker.start('job runs', { parent: request.traceparent, kind: 'consumer' });
    run.facts({ outcome: 'fail', instructions: 7 });
    run.end('It failed');
    request.end();
    const other = worker.start('another', { parent: 'nonsense' });
    other.end();
    await Promise.all([api.close(), worker.close()]);
    const named = Object.fromEntries(spans().map((span) => [span.name, span]));
    expect(heard[0]?.path).toBe('/v1/traces');
    expect(named['POST /jobs']).toMatchObject({ traceId: 'a'.repeat(32), parentSpanId: 'b'.repeat(16), kind: 2 });
    expect(named['job runs']).toMatchObject({
      traceId: 'a'.repeat(32),
      parentSpanId: named['POST /jobs']?.spanId,
      kind: 5,
      status: { code: 2, message: 'It failed' },
    });
    expect(named['job runs']?.attributes).toEqual(
      expect.arrayContaining([{ key: 'outcome', value: { stringValue: 'fail' } }]),
    );
    expect(named['another']?.traceId).not.toBe('a'.repeat(32));
    expect(named['another']?.parentSpanId ?? '').toBe('');
    const services = heard.flatMap(({ body }) => body.resourceSpans.flatMap(({ resource }) => resource.attributes));
    const names = services.filter(({ key }) => key === 'service.name').map(({ value }) => value.stringValue);
    expect(names.sort()).toEqual(['bootlab-api', 'bootlab-worker']);
  } finally {
    process.env = before;
  }
}, 30_000);

it.each([
  [`00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, true],
  [`00-${'a'.repeat(32)}-${'b'.repeat(16)}-01\r\nx: y`, false],
  ['00-short-01', false],
  [['two'], false],
  [undefined, false],
])('takes %j for the name of a span: %s', (header, taken) => {
  expect(traceparentOf(header)).toBe(taken ? header : undefined);
});
