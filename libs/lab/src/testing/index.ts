/** What tests of the lab stand on: a PostgreSQL and a Redis of their own, gone when the test is. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrateDatabase, startEmbeddedPostgres } from '../server/index.js';
import { untilRedisAnswers } from './mortal-services.js';

export * from './mortal-services.js';

export interface TestService {
  url: string;
  stop(): Promise<void>;
}

export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'bootlab-test-'));
  return { path: folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** A migrated database of the lab. */
export async function startTestDatabase(): Promise<TestService> {
  const folder = await temporaryFolder();
  const postgres = await startEmbeddedPostgres({ dataDir: folder.path, durable: false });
  await migrateDatabase(postgres.url);
  return {
    url: postgres.url,
    stop: async () => {
      await postgres.stop();
      await folder.remove();
    },
  };
}

export async function startTestRedis(): Promise<TestService> {
  const folder = await temporaryFolder();
  const socket = path.join(folder.path, 'redis.sock');
  const server = spawn(
    'redis-server',
    ['--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'no', '--dir', folder.path],
    { stdio: 'ignore' },
  );
  await untilRedisAnswers(socket, server);
  return {
    url: `redis+unix://${socket}`,
    stop: async () => {
      server.kill('SIGTERM');
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
      await folder.remove();
    },
  };
}

/** Polls until `probe` gives a value. */
export async function eventually<T>(
  probe: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  what: string,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== null && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain for ${what}`);
    await sleep(20);
  }
}
