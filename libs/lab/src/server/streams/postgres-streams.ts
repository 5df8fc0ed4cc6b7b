import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import {
  DEFAULT_READ_LIMIT,
  followStream,
  StreamConflictError,
  Topics,
  type LiveStreams,
  type StreamEntry,
  type WriterPosition,
} from './live-streams.js';

// One channel for all topics: the payload names the topic, and each process listens once.
const CHANNEL = 'bootlab';
const RECONNECT_MS = 250;

// The row of the head is locked until the transaction ends, so numbers become visible in order and without gaps.
const APPEND = `
WITH head AS (
  INSERT INTO stream_head AS h (name, next) VALUES ($1, $2)
  ON CONFLICT (name) DO UPDATE SET next = h.next + $2
  RETURNING next - $2 AS first
), entries AS (
  INSERT INTO stream_entry (name, seq, data)
  SELECT $1, head.first + item.position - 1, item.data
  FROM head, unnest($3::bytea[]) WITH ORDINALITY AS item (data, position)
)
SELECT first, pg_notify('${CHANNEL}', $1) FROM head`;

// A writer with a position says which of its entries it means: those that are there already are not added again.
const APPEND_AT = `
WITH head AS (
  UPDATE stream_head SET next = greatest(next, $4::bigint + $2::bigint)
  WHERE name = $1 AND epoch = $5::bigint AND next >= $4::bigint
  RETURNING $4::bigint AS first
), entries AS (
  INSERT INTO stream_entry (name, seq, data)
  SELECT $1, head.first + item.position - 1, item.data
  FROM head, unnest($3::bytea[]) WITH ORDINALITY AS item (data, position)
  ON CONFLICT DO NOTHING
)
SELECT first, pg_notify('${CHANNEL}', $1) FROM head`;

const CLAIM = `
INSERT INTO stream_head AS h (name, next, epoch) VALUES ($1, $3::bigint, $2::bigint)
ON CONFLICT (name) DO UPDATE SET next = greatest(h.next, $3::bigint), epoch = $2::bigint WHERE h.epoch <= $2::bigint
RETURNING next`;

/** Live streams in the lab's own database: a table and LISTEN/NOTIFY. */
export class PostgresStreams implements LiveStreams {
  private readonly pool: pg.Pool;
  private readonly topics = new Topics();
  private listener: pg.Client | undefined;
  private closing = false;

  private constructor(private readonly connectionString: string) {
    this.pool = new pg.Pool({ connectionString, max: 6 });
    this.pool.on('error', () => undefined); // an idle connection broke; the pool opens another
  }

  static async connect(connectionString: string): Promise<PostgresStreams> {
    const streams = new PostgresStreams(connectionString);
    await streams.listen();
    return streams;
  }

  async append(stream: string, entries: readonly Uint8Array[], { at }: { at?: WriterPosition } = {}): Promise<number> {
    if (entries.length === 0) return this.next(stream);
    const data = entries.map((entry) => Buffer.from(entry.buffer, entry.byteOffset, entry.byteLength));
    const values = [stream, entries.length, data];
    const { rows } = await this.pool.query<{ first: string }>(
      at
        ? { name: 'bootlab-append-at', text: APPEND_AT, values: [...values, at.seq, at.epoch] }
        : { name: 'bootlab-append', text: APPEND, values },
    );
    if (!rows[0]) throw new StreamConflictError(stream, at?.epoch ?? 0);
    return Number(rows[0].first);
  }

  async claim(stream: string, epoch: number, atLeast = 0): Promise<number> {
    const { rows } = await this.pool.query<{ next: string }>(CLAIM, [stream, epoch, atLeast]);
    if (!rows[0]) throw new StreamConflictError(stream, epoch);
    return Number(rows[0].next);
  }

  async read(stream: string, from: number, limit = DEFAULT_READ_LIMIT): Promise<StreamEntry[]> {
    const { rows } = await this.pool.query<{ seq: string; data: Buffer }>({
      name: 'bootlab-read',
      text: 'SELECT seq, data FROM stream_entry WHERE name = $1 AND seq >= $2 ORDER BY seq LIMIT $3',
      values: [stream, from, limit],
    });
    return rows.map((row) => ({ seq: Number(row.seq), data: row.data }));
  }

  async next(stream: string): Promise<number> {
    const { rows } = await this.pool.query<{ next: string }>('SELECT next FROM stream_head WHERE name = $1', [stream]);
    return Number(rows[0]?.next ?? 0);
  }

  follow(stream: string, from: number, signal: AbortSignal): AsyncGenerator<StreamEntry[], void, undefined> {
    return followStream(this, stream, from, signal);
  }

  async trim(stream: string, before: number): Promise<void> {
    await this.pool.query('DELETE FROM stream_entry WHERE name = $1 AND seq < $2', [stream, before]);
  }

  async delete(stream: string): Promise<void> {
    await this.pool.query(
      'WITH entries AS (DELETE FROM stream_entry WHERE name = $1) DELETE FROM stream_head WHERE name = $1',
      [stream],
    );
  }

  async announce(topic: string): Promise<void> {
    await this.pool.query('SELECT pg_notify($1, $2)', [CHANNEL, topic]);
  }

  subscribe(topic: string, listener: () => void): () => void {
    return this.topics.add(topic, listener);
  }

  async close(): Promise<void> {
    this.closing = true;
    await this.listener?.end();
    await this.pool.end();
  }

  private async listen(): Promise<void> {
    const client = new pg.Client({ connectionString: this.connectionString, keepAlive: true });
    client.on('notification', ({ payload }) => this.topics.wake(payload ?? ''));
    client.on('error', () => undefined); // 'end' follows, and there the connection is rebuilt
    client.on('end', () => {
      if (!this.closing && this.listener === client) void this.reconnect();
    });
    await client.connect();
    await client.query(`LISTEN ${CHANNEL}`);
    this.listener = client;
  }

  private async reconnect(): Promise<void> {
    while (!this.closing) {
      try {
        await this.listen();
        this.topics.wakeAll(); // whatever was announced meanwhile is lost
        return;
      } catch {
        await sleep(RECONNECT_MS); // the database is away: followers' own re-checks report that
      }
    }
  }
}
