import type { FastifyRateLimitStore, FastifyRateLimitStoreCtor } from '@fastify/rate-limit';
import type { openImpatientRedis } from '@bootlab/lab/server';
import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';

/** Keys in Redis begin with this. */
const PREFIX = 'bootlab:limit';

/**
 * Counts for @fastify/rate-limit that all API processes share: in Redis, and in this process alone while Redis is away.
 * A limit is then looser for that time; the API still serves, and still slows down whoever guesses.
 */
export function sharedCounts(
  redis: ReturnType<typeof openImpatientRedis>,
  windowMs: number,
): FastifyRateLimitStoreCtor {
  // What is too much is the plug-in's to say; here it is only counted.
  const counting = { points: Number.MAX_SAFE_INTEGER, duration: windowMs / 1000, keyPrefix: PREFIX };
  const limiter = new RateLimiterRedis({
    ...counting,
    storeClient: redis,
    rejectIfRedisNotReady: true,
    insuranceLimiter: new RateLimiterMemory(counting),
  });
  return class SharedCounts implements FastifyRateLimitStore {
    incr(key: string, done: Parameters<FastifyRateLimitStore['incr']>[1]): void {
      limiter.consume(key).then(
        ({ consumedPoints, msBeforeNext }) => done(null, { current: consumedPoints, ttl: msBeforeNext }),
        (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
      );
    }

    /** Limits of other kinds have keys of their own. */
    child(): this {
      return this;
    }
  };
}
