import { Redis } from 'ioredis';
import { reconnectAfterMs } from '../redis.js';
import {
  DEFAULT_READ_LIMIT,
  followStream,
  StreamConflictError,
  Topics,
  type LiveStreams,
  type StreamEntry,
} from './live-streams.js';

// Entry n has the id "n-1": ids above 0-0 are legal, and numbers stay readable. The key beside the stream keeps the
// next number, also when everything was trimmed. The braces put both on one node of a Redis cluster.
const keyOf = (stream: string): string => `bootlab:stream:{${stream}}`;
const nextKeyOf = (stream: string): string => `${keyOf(stream)}:next`;
const channelOf = (topic: string): string => `bootlab:topic:${topic}`;

const APPEND = `
local next = tonumber(redis.call('GET', KEYS[2]) or '0')
if ARGV[2] ~= '' and tonumber(ARGV[2]) ~= next then return -1 end
for i = 3, #ARGV do
  redis.call('XADD', KEYS[1], string.format('%d-1', next + i - 3), 'd', ARGV[i])
end
redis.call('SET', KEYS[2], string.format('%d', next + #ARGV - 2))
redis.call('PUBLISH', ARGV[1], '')
return next`;

// Arguments of a Lua script land on its stack; longer appends go in several calls.
const APPEND_BATCH = 500;

/** Live streams in Redis Streams, with publish/subscribe for waking. */
export class RedisStreams implements LiveStreams {
  private readonly topics = new Topics((topic, wanted) => {
    const change = wanted ? this.subscriber.subscribe(channelOf(topic)) : this.subscriber.unsubscribe(channelOf(topic));
    change.catch(() => undefined); // reported as the connection's error; ioredis subscribes again by itself
  });

  private constructor(
    private readonly redis: Redis,
    private readonly subscriber: Redis,
  ) {
    const prefix = channelOf('');
    subscriber.on('message', (channel: string) => this.topics.wake(channel.slice(prefix.length)));
    subscriber.on('ready', () => this.topics.wakeAll());
  }

  static async connect(url: string, onError: (error: Error) => void): Promise<RedisStreams> {
    const redis = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: null, retryStrategy: reconnectAfterMs });
    const subscriber = redis.duplicate();
    redis.on('error', onError);
    subscriber.on('error', onError);
    await Promise.all([redis.connect(), subscriber.connect()]);
    return new RedisStreams(redis, subscriber);
  }

  async append(stream: string, entries: readonly Uint8Array[], options?: { expectSeq?: number }): Promise<number> {
    if (entries.length === 0) return this.next(stream);
    let first: number | undefined;
    let expected = options?.expectSeq;
    for (let offset = 0; offset < entries.length; offset += APPEND_BATCH) {
      const batch = entries
        .slice(offset, offset + APPEND_BATCH)
        .map((entry) => Buffer.from(entry.buffer, entry.byteOffset, entry.byteLength));
      const args = [channelOf(stream), expected ?? '', ...batch];
      const at = Number(await this.redis.eval(APPEND, 2, keyOf(stream), nextKeyOf(stream), ...args));
      if (at < 0) throw new StreamConflictError(stream, expected ?? 0);
      first ??= at;
      if (expected !== undefined) expected += batch.length;
    }
    return first ?? 0;
  }

  async read(stream: string, from: number, limit = DEFAULT_READ_LIMIT): Promise<StreamEntry[]> {
    const rows = await this.redis.xrangeBuffer(keyOf(stream), `${from}-0`, '+', 'COUNT', limit);
    return rows.map(([id, fields]) => ({
      seq: Number(id.toString('latin1').split('-')[0]),
      data: fields[1] ?? Buffer.alloc(0),
    }));
  }

  async next(stream: string): Promise<number> {
    return Number((await this.redis.get(nextKeyOf(stream))) ?? 0);
  }

  follow(stream: string, from: number, signal: AbortSignal): AsyncGenerator<StreamEntry[], void, undefined> {
    return followStream(this, stream, from, signal);
  }

  async trim(stream: string, before: number): Promise<void> {
    await this.redis.xtrim(keyOf(stream), 'MINID', `${before}-0`);
  }

  async delete(stream: string): Promise<void> {
    await this.redis.del(keyOf(stream), nextKeyOf(stream));
  }

  async announce(topic: string): Promise<void> {
    await this.redis.publish(channelOf(topic), '');
  }

  subscribe(topic: string, listener: () => void): () => void {
    return this.topics.add(topic, listener);
  }

  async close(): Promise<void> {
    this.subscriber.disconnect();
    await this.redis.quit();
  }
}
