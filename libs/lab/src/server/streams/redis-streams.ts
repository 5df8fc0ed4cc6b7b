import { Redis } from 'ioredis';
import { reconnectAfterMs } from '../redis.js';
import {
  DEFAULT_READ_LIMIT,
  followStream,
  StreamConflictError,
  Topics,
  type LiveStreams,
  type StreamEntry,
  type WriterPosition,
} from './live-streams.js';

// Entry n has the id "n-1": ids above 0-0 are legal, and numbers stay readable. The key beside the stream keeps the
// next number, also when everything was trimmed. The braces put both on one node of a Redis cluster.
const keyOf = (stream: string): string => `bootlab:stream:{${stream}}`;
const nextKeyOf = (stream: string): string => `${keyOf(stream)}:next`;
const channelOf = (topic: string): string => `bootlab:topic:${topic}`;

const epochKeyOf = (stream: string): string => `${keyOf(stream)}:epoch`;

// A writer with a position says which of its entries it means: those that are there already are not added again.
const APPEND = `
local next = tonumber(redis.call('GET', KEYS[2]) or '0')
local first = next
if ARGV[2] ~= '' then
  first = tonumber(ARGV[3])
  if redis.call('GET', KEYS[3]) ~= ARGV[2] or first > next then return -1 end
end
for i = 4 + next - first, #ARGV do
  redis.call('XADD', KEYS[1], string.format('%d-1', first + i - 4), 'd', ARGV[i])
end
redis.call('SET', KEYS[2], string.format('%d', math.max(next, first + #ARGV - 3)))
redis.call('PUBLISH', ARGV[1], '')
return first`;

const CLAIM = `
if tonumber(redis.call('GET', KEYS[2]) or '0') > tonumber(ARGV[1]) then return -1 end
redis.call('SET', KEYS[2], ARGV[1])
local next = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), tonumber(ARGV[2]))
redis.call('SET', KEYS[1], string.format('%d', next))
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

  async append(stream: string, entries: readonly Uint8Array[], { at }: { at?: WriterPosition } = {}): Promise<number> {
    if (entries.length === 0) return this.next(stream);
    const keys = [keyOf(stream), nextKeyOf(stream), epochKeyOf(stream)];
    let first: number | undefined;
    for (let offset = 0; offset < entries.length; offset += APPEND_BATCH) {
      const batch = entries
        .slice(offset, offset + APPEND_BATCH)
        .map((entry) => Buffer.from(entry.buffer, entry.byteOffset, entry.byteLength));
      const position = at ? [at.epoch, at.seq + offset] : ['', ''];
      const number = Number(await this.redis.eval(APPEND, 3, ...keys, channelOf(stream), ...position, ...batch));
      if (number < 0) throw new StreamConflictError(stream, at?.epoch ?? 0);
      first ??= number;
    }
    return first ?? 0;
  }

  async claim(stream: string, epoch: number, atLeast = 0): Promise<number> {
    const next = Number(await this.redis.eval(CLAIM, 2, nextKeyOf(stream), epochKeyOf(stream), epoch, atLeast));
    if (next < 0) throw new StreamConflictError(stream, epoch);
    return next;
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
    await this.redis.del(keyOf(stream), nextKeyOf(stream), epochKeyOf(stream));
  }

  async announce(topic: string): Promise<void> {
    // While Redis is away nobody would hear it. Everybody looks again when it is back.
    if (this.redis.status === 'ready') await this.redis.publish(channelOf(topic), '');
  }

  subscribe(topic: string, listener: () => void): () => void {
    return this.topics.add(topic, listener);
  }

  async close(): Promise<void> {
    this.subscriber.disconnect();
    await this.redis.quit();
  }
}
