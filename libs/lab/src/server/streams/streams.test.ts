import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { describeWith } from '../../../../../test/support/requirements.js';
import { startTestDatabase, startTestRedis, type TestService } from '../../testing/index.js';
import { StreamConflictError, type LiveStreams, type StreamEntry } from './live-streams.js';
import { PostgresStreams } from './postgres-streams.js';
import { RedisStreams } from './redis-streams.js';

jest.setTimeout(60_000); // a busy machine must not fail them

const text = (entries: readonly StreamEntry[]): string[] => entries.map((entry) => entry.data.toString());
const bytes = (...words: string[]): Uint8Array[] => words.map((word) => Buffer.from(word));

/** What every implementation promises, with two connections as two processes have them. */
function contract(start: () => Promise<TestService>, connect: (url: string) => Promise<LiveStreams>): void {
  let service: TestService;
  let one: LiveStreams;
  let two: LiveStreams;
  let name: string;

  beforeAll(async () => {
    service = await start();
    [one, two] = await Promise.all([connect(service.url), connect(service.url)]);
  }, 60_000);
  afterAll(async () => {
    await Promise.all([one.close(), two.close()]);
    await service.stop();
  });
  beforeEach(() => {
    name = `test:${randomUUID()}`;
  });

  async function collect(count: number, from = 0): Promise<StreamEntry[]> {
    const abort = new AbortController();
    const found: StreamEntry[] = [];
    for await (const entries of two.follow(name, from, abort.signal)) {
      found.push(...entries);
      if (found.length >= count) abort.abort();
    }
    return found;
  }

  it('numbers entries from 0 and gives them back from any position', async () => {
    expect(await one.append(name, bytes('a', 'b'))).toBe(0);
    expect(await two.append(name, bytes('c'))).toBe(2);
    expect(await two.next(name)).toBe(3);
    expect(await two.read(name, 1)).toEqual([
      { seq: 1, data: Buffer.from('b') },
      { seq: 2, data: Buffer.from('c') },
    ]);
    expect(text(await one.read(name, 0, 2))).toEqual(['a', 'b']);
    expect(await one.read(name, 3)).toEqual([]);
  });

  it('keeps arbitrary bytes, also none', async () => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    await one.append(name, [all, new Uint8Array(0)]);
    expect(await two.read(name, 0)).toEqual([
      { seq: 0, data: Buffer.from(all) },
      { seq: 1, data: Buffer.alloc(0) },
    ]);
  });

  it('takes one append larger than any batch', async () => {
    const many = Array.from({ length: 2500 }, (_, i) => Buffer.from(`${i}`));
    await one.claim(name, 1);
    await one.append(name, many, { at: { epoch: 1, seq: 0 } });
    const read = [...(await two.read(name, 0, 2000)), ...(await two.read(name, 2000, 2000))];
    expect(text(read)).toEqual(many.map(String));
  });

  it('numbers the entries of many writers without gap or repetition', async () => {
    await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 ? one : two).append(name, bytes('x', 'y'))));
    const entries = await one.read(name, 0);
    expect(entries.map((entry) => entry.seq)).toEqual(Array.from({ length: 80 }, (_, i) => i));
  });

  it('refuses a writer when another one has claimed the stream after it', async () => {
    expect(await one.claim(name, 1)).toBe(0);
    await one.append(name, bytes('a'), { at: { epoch: 1, seq: 0 } });
    expect(await two.claim(name, 2)).toBe(1);
    await expect(one.append(name, bytes('b'), { at: { epoch: 1, seq: 1 } })).rejects.toThrow(StreamConflictError);
    await expect(one.claim(name, 1)).rejects.toThrow(StreamConflictError);
    expect(await two.append(name, bytes('c'), { at: { epoch: 2, seq: 1 } })).toBe(1);
    expect(text(await one.read(name, 0))).toEqual(['a', 'c']);
  });

  it('refuses a writer whose stream is not there, or is shorter than it was', async () => {
    await expect(one.append(name, bytes('a'), { at: { epoch: 1, seq: 0 } })).rejects.toThrow(StreamConflictError);
    await one.claim(name, 1);
    await expect(one.append(name, bytes('a'), { at: { epoch: 1, seq: 5 } })).rejects.toThrow(StreamConflictError);
    await one.delete(name);
    await expect(one.append(name, bytes('a'), { at: { epoch: 1, seq: 0 } })).rejects.toThrow(StreamConflictError);
  });

  it('begins where its writer wants it to, and never before what it has', async () => {
    expect(await one.claim(name, 1, 7)).toBe(7);
    expect(await one.append(name, bytes('a', 'b'), { at: { epoch: 1, seq: 7 } })).toBe(7);
    expect(await two.claim(name, 2, 3)).toBe(9);
    expect((await two.read(name, 0)).map(({ seq }) => seq)).toEqual([7, 8]);
  });

  it('adds nothing twice when a writer says it again', async () => {
    await one.claim(name, 1);
    const many = Array.from({ length: 1200 }, (_, i) => Buffer.from(`${i}`));
    expect(await one.append(name, many, { at: { epoch: 1, seq: 0 } })).toBe(0);
    expect(await two.append(name, many, { at: { epoch: 1, seq: 0 } })).toBe(0);
    // Only the beginning had been heard.
    expect(await one.append(name, bytes('1199', 'x', 'y'), { at: { epoch: 1, seq: 1199 } })).toBe(1199);
    expect(text(await one.read(name, 1198))).toEqual(['1198', '1199', 'x', 'y']);
    expect(await one.next(name)).toBe(1202);
    expect(await one.claim(name, 1)).toBe(1202);
  });

  it('gives a follower the past and then everything new, in order', async () => {
    await one.append(name, bytes('past'));
    const following = collect(101);
    for (let i = 0; i < 100; i++) await one.append(name, bytes(`${i}`));
    expect(text(await following)).toEqual(['past', ...Array.from({ length: 100 }, (_, i) => `${i}`)]);
  });

  it('wakes a follower at once', async () => {
    const following = collect(1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const started = performance.now();
    await one.append(name, bytes('now'));
    await following;
    expect(performance.now() - started).toBeLessThan(500);
  });

  it('lets a follower go', async () => {
    const abort = new AbortController();
    const ended = (async () => {
      for await (const entries of two.follow(name, 0, abort.signal)) throw new Error(`got ${entries.length} entries`);
    })();
    abort.abort();
    await ended;
  });

  it('trims old entries and goes on counting', async () => {
    await one.append(name, bytes('a', 'b', 'c'));
    await one.trim(name, 2);
    expect(await two.read(name, 0)).toEqual([{ seq: 2, data: Buffer.from('c') }]);
    await one.trim(name, 3);
    expect(await one.append(name, bytes('d'))).toBe(3);
  });

  it('forgets a deleted stream with its numbering', async () => {
    await one.append(name, bytes('a'));
    await two.delete(name);
    expect(await one.read(name, 0)).toEqual([]);
    expect(await one.append(name, bytes('b'))).toBe(0);
  });

  it('announces topics to other processes, to subscribers only', async () => {
    let heard = 0;
    const end = two.subscribe(name, () => heard++);
    // A subscription is not awaited by its user, so the first announcement may come too early for it.
    while (heard === 0) {
      await one.announce(name);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    end();
    const before = heard;
    await one.announce(name);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(heard).toBe(before);
  });
}

describe('live streams in PostgreSQL', () => {
  contract(startTestDatabase, (url) => PostgresStreams.connect(url));
});

describeWith('redis', 'live streams in Redis', () => {
  contract(startTestRedis, (url) => RedisStreams.connect(url, () => undefined));
});
