import pg from 'pg';

/** First half of the key of every lock: "boot". Keeps ours apart from what else uses the database. */
const CLASS = 0x626f_6f74;

/** What one process of the lab holds alone, of all that use the same database. */
export interface HeldLock {
  /** Aborts when the lock is lost: the connection to the database broke, and another process may have it by now. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/**
 * Locks among the processes of a lab, as PostgreSQL's session-level advisory locks (PostgreSQL manual, 13.3.5): a process that
 * dies has released them. One connection holds all locks of a process; it is opened when the first one is wanted.
 */
export class AdvisoryLocks {
  private client: Promise<pg.Client> | undefined;
  private readonly held = new Map<string, AbortController>();
  private closed = false;

  constructor(
    private readonly connectionString: string,
    private readonly onError: (error: Error) => void,
  ) {}

  /** Takes a lock unless somebody has it, here or elsewhere. */
  async tryTake(name: string): Promise<HeldLock | undefined> {
    if (this.closed) throw new Error('The locks are closed');
    if (this.held.has(name)) return undefined; // to the database one connection is one owner
    const lost = new AbortController();
    this.held.set(name, lost);
    try {
      const client = await this.connection();
      const { rows } = await client.query<{ taken: boolean }>(
        'SELECT pg_try_advisory_lock($1, hashtext($2)) AS taken',
        [CLASS, name],
      );
      if (rows[0]?.taken !== true) {
        this.held.delete(name);
        return undefined;
      }
    } catch (error) {
      this.held.delete(name);
      throw error;
    }
    return { lost: lost.signal, release: () => this.release(name, lost) };
  }

  /** Does work unless another process is at it. @returns whether it was done */
  async runAlone(name: string, work: () => Promise<void>): Promise<boolean> {
    const lock = await this.tryTake(name);
    if (!lock) return false;
    try {
      await work();
    } finally {
      await lock.release();
    }
    return true;
  }

  async close(): Promise<void> {
    this.closed = true;
    const client = await this.client?.catch(() => undefined);
    await client?.end().catch(() => undefined);
  }

  private async release(name: string, lost: AbortController): Promise<void> {
    if (this.held.get(name) !== lost) return; // lost meanwhile
    try {
      const client = await this.connection();
      await client.query('SELECT pg_advisory_unlock($1, hashtext($2))', [CLASS, name]);
    } catch (error) {
      this.onError(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.held.delete(name);
    }
  }

  private connection(): Promise<pg.Client> {
    this.client ??= this.connect().catch((error: unknown) => {
      this.client = undefined;
      throw error;
    });
    return this.client;
  }

  private async connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.connectionString });
    const broken = (): void => {
      this.client = undefined;
      for (const lost of this.held.values()) lost.abort(new Error('The connection to the database broke'));
      this.held.clear();
    };
    client.on('error', (error) => {
      this.onError(error);
      broken();
    });
    client.on('end', broken);
    await client.connect();
    return client;
  }
}
