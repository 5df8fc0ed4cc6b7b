import { Redis } from 'ioredis';

const LONGEST_PAUSE_MS = 1000;

/** How long to wait before the n-th try to reach a Redis that is away, and so how late its return is noticed. */
export const reconnectAfterMs = (attempt: number): number => Math.min(attempt * 50, LONGEST_PAUSE_MS);

/**
 * A connection for what must not wait: while Redis is away its commands fail at once instead of being kept for later.
 * It connects by itself, again and again.
 */
export function openImpatientRedis(url: string, onError: (error: Error) => void): Redis {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: 1000,
    retryStrategy: reconnectAfterMs,
  });
  redis.on('error', onError);
  return redis;
}
