import { Injectable } from '@nestjs/common';
import { traceparentOf, type Tracing, type TraceSpan } from '@bootlab/lab/server';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** The spans of requests that are being answered. */
@Injectable()
export class RequestTraces {
  private readonly spans = new WeakMap<object, TraceSpan>();

  /** Begins a span with every request. Before the server listens; without tracing there is no hook at all. */
  follow(server: FastifyInstance, tracing: Tracing): void {
    if (!tracing.enabled) return;
    server.addHook('onRequest', (request, _reply, done) => {
      const parent = traceparentOf(request.headers['traceparent']);
      this.spans.set(request.raw, tracing.start(nameOf(request), { kind: 'server', parent, facts: factsOf(request) }));
      done();
    });
    server.addHook('onResponse', (request, { statusCode }, done) => {
      const span = this.spans.get(request.raw);
      span?.facts({ 'http.response.status_code': statusCode });
      span?.end(statusCode >= 500 ? `It was answered ${statusCode}` : undefined);
      done();
    });
    server.addHook('onRequestAbort', (request, done) => {
      this.spans.get(request.raw)?.end('The client left');
      done();
    });
  }

  /** Names the span of a request to what it causes. */
  traceparent(request: FastifyRequest): string | undefined {
    return this.spans.get(request.raw)?.traceparent;
  }
}

/** The route's pattern, never the path: its ids would make a name each. */
const nameOf = ({ method, routeOptions }: FastifyRequest): string => `${method} ${routeOptions.url ?? 'none'}`;

const factsOf = ({ method, routeOptions, protocol }: FastifyRequest) => ({
  'http.request.method': method,
  'http.route': routeOptions.url,
  'url.scheme': protocol,
});
