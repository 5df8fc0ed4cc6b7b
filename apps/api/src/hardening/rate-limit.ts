import fastifyRateLimit from '@fastify/rate-limit';
import { Logger } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { openImpatientRedis } from '@bootlab/lab/server';
import type { ApiConfig } from '../config.token.js';
import { ProblemError } from '../problem/problem.js';
import { sharedCounts } from './shared-counts.js';

/** Of every limit: the counts share it. */
export const LIMIT_WINDOW_MS = 60_000;

/**
 * How many requests a minute one address may make of the API. By address and not by token: whoever tries tokens would
 * have a fresh limit with each. With Redis all API processes count together.
 */
export async function setRateLimit(app: NestFastifyApplication, config: ApiConfig): Promise<void> {
  await app.register(fastifyRateLimit, {
    max: config.requestsPerMinute,
    timeWindow: LIMIT_WINDOW_MS,
    allowList: ({ url }) => !url.startsWith('/api/v1/'), // the pages' own files
    ...(config.redisUrl !== undefined && { store: countsIn(config.redisUrl, app) }),
    errorResponseBuilder: (_request, { max, ttl }) => {
      const message = `More than ${max} requests within a minute`;
      const mend = `Wait ${Math.ceil(ttl / 1000)} seconds; Retry-After says so, too.`;
      return new ProblemError(429, message, [{ field: 'requests', message, mend }]);
    },
  });
}

function countsIn(redisUrl: string, app: NestFastifyApplication): ReturnType<typeof sharedCounts> {
  const logger = new Logger('Limits');
  const redis = openImpatientRedis(redisUrl, (error) => logger.warn(`Counted in this process alone: ${error.message}`));
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onClose', (_server, done) => {
      redis.disconnect();
      done();
    });
  return sharedCounts(redis, LIMIT_WINDOW_MS);
}
