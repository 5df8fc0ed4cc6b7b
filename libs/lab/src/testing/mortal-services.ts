/** PostgreSQL and Redis as in production: what they have acknowledged outlives them, and they come back where they were. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { migrateDatabase, startEmbeddedPostgres, type EmbeddedPostgres } from '../server/index.js';
import { temporaryFolder, type TestService } from './index.js';

/** A service that may be killed and started again, with the same address and the same data. */
export interface MortalService extends TestService {
  /** `kill -9`; resolves when nothing of it runs any more. */
  kill(): Promise<void>;
  /** Starts it again; resolves when it answers. */
  start(): Promise<void>;
}

const START_ATTEMPTS = 200;
const RETRY_MS = 50;

/** A migrated database of the lab that syncs to disk what it commits. */
export async function startMortalPostgres(): Promise<MortalService> {
  const folder = await temporaryFolder();
  let postgres = await startEmbeddedPostgres({ dataDir: folder.path });
  const { url } = postgres;
  const port = Number(new URL(url).port);
  await migrateDatabase(url);
  return {
    url,
    kill: async () => {
      const lock = path.join(folder.path, 'cluster', 'postmaster.pid'); // its first line is the server's process id
      process.kill(Number.parseInt(readFileSync(lock, 'utf8'), 10), 'SIGKILL');
      await postgres.exited;
    },
    start: async () => {
      postgres = await patiently(() => startEmbeddedPostgres({ dataDir: folder.path, port }));
    },
    stop: async () => {
      await postgres.stop();
      await folder.remove();
    },
  };
}

/** The sessions of a killed server end a moment after it, and until then no other may have its memory. */
async function patiently(start: () => Promise<EmbeddedPostgres>): Promise<EmbeddedPostgres> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start();
    } catch (error) {
      if (attempt === 10) throw error;
      await sleep(500);
    }
  }
}

export interface RedisOptions {
  /** False: it forgets everything when it dies. */
  appendOnly?: boolean;
}

/** Redis with an append-only file, as docs/operations.md wants it. */
export async function startMortalRedis({ appendOnly = true }: RedisOptions = {}): Promise<MortalService> {
  const folder = await temporaryFolder();
  const socket = path.join(folder.path, 'redis.sock');
  const persistence = ['--save', '', '--appendonly', appendOnly ? 'yes' : 'no', '--appendfsync', 'everysec'];
  let server: ChildProcess;
  const start = async (): Promise<void> => {
    server = spawn(
      'redis-server',
      ['--port', '0', '--unixsocket', socket, '--maxmemory-policy', 'noeviction', ...persistence, '--dir', folder.path],
      { stdio: 'ignore' },
    );
    await untilRedisAnswers(socket, server);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, 'exit');
    server.kill(signal);
    await exited;
  };
  await start();
  return {
    url: `redis+unix://${socket}`,
    start,
    kill: () => end('SIGKILL'),
    stop: async () => {
      await end('SIGTERM');
      await folder.remove();
    },
  };
}

/** Until it has loaded its data, too. */
export async function untilRedisAnswers(socket: string, server: ChildProcess): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const redis = new Redis(socket, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
    redis.on('error', () => undefined); // expected until the server listens
    try {
      await redis.connect();
      await redis.ping();
      return;
    } catch (error) {
      const ended = server.exitCode !== null || server.signalCode !== null;
      if (ended || attempt > START_ATTEMPTS) throw new Error('redis-server did not start', { cause: error });
      await sleep(RETRY_MS);
    } finally {
      redis.disconnect();
    }
  }
}
