import fastifyRateLimit from '@fastify/rate-limit';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { ApiConfig } from '../config.token.js';
import { ProblemError } from '../problem/problem.js';

const WINDOW_MS = 60_000;

/**
 * How many requests a minute one address may make of the API. By address and not by token: whoever tries tokens would
 * have a fresh limit with each.
 */
export async function setRateLimit(app: NestFastifyApplication, config: ApiConfig): Promise<void> {
  await app.register(fastifyRateLimit, {
    max: config.requestsPerMinute,
    timeWindow: WINDOW_MS,
    allowList: ({ url }) => !url.startsWith('/api/v1/'), // the pages' own files
    errorResponseBuilder: (_request, { max, ttl }) => {
      const message = `More than ${max} requests within a minute`;
      const mend = `Wait ${Math.ceil(ttl / 1000)} seconds; Retry-After says so, too.`;
      return new ProblemError(429, message, [{ field: 'requests', message, mend }]);
    },
  });
}
