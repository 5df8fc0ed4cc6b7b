import { Global, Inject, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { JobStore, Metrics } from '@bootlab/lab/server';
import type { FastifyInstance } from 'fastify';
import { QUEUE, type JobQueue } from '../lab.module.js';
import { HealthController } from './health.controller.js';
import { MetricsController } from './metrics.controller.js';
import { RequestTraces } from './request-traces.js';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60];

/** What whoever runs the lab asks it: whether it lives, whether it is ready, and how much it has to do. */
@Global()
@Module({
  controllers: [HealthController, MetricsController],
  providers: [{ provide: Metrics, useFactory: () => new Metrics() }, RequestTraces],
  exports: [Metrics, RequestTraces],
})
export class OperationsModule implements OnApplicationBootstrap {
  constructor(
    private readonly host: HttpAdapterHost,
    private readonly metrics: Metrics,
    private readonly jobs: JobStore,
    @Inject(QUEUE) private readonly queue: JobQueue,
  ) {}

  onApplicationBootstrap(): void {
    this.metrics.gauge('bootlab_jobs', 'Jobs that have not ended', 'state', async () => {
      const { queued, running } = await this.jobs.countUnfinished();
      return new Map(Object.entries({ queued, running }));
    });
    this.metrics.value('bootlab_workers', 'Workers that take jobs', () => this.queue.getWorkersCount());
  }

  /** Before the server listens: a hook that comes later sees no request. */
  static measure(server: FastifyInstance, metrics: Metrics): void {
    const durations = metrics.histogram('bootlab_http_request_duration_seconds', 'HTTP requests', SECONDS, [
      'method',
      'route',
      'status',
    ]);
    server.addHook('onResponse', (request, reply, done) => {
      // The route's pattern, never the path: its ids would make a series each.
      const route = request.routeOptions.url ?? 'none';
      durations.labels(request.method, route, String(reply.statusCode)).observe(reply.elapsedTime / 1000);
      done();
    });
  }
}
