import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { temporaryFolder } from '../testing/index.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres.js';
import { migrateDatabase } from './migrate.js';

jest.setTimeout(180_000); // the command line of Prisma takes seconds to start

const FOLDER = fileURLToPath(new URL('../../../../prisma/migrations/', import.meta.url));
const MIGRATIONS = readdirSync(FOLDER, { withFileTypes: true }).filter((entry) => entry.isDirectory());

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let postgres: EmbeddedPostgres;
beforeAll(async () => {
  folder = await temporaryFolder();
  postgres = await startEmbeddedPostgres({ dataDir: folder.path, durable: false });
}, 120_000);
afterAll(async () => {
  await postgres?.stop();
  await folder?.remove();
});

async function ask<T extends object>(sql: string): Promise<T[]> {
  const client = new Client({ connectionString: postgres.url });
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Every table's columns, and how often each migration was carried out. */
const shape = () =>
  ask(
    'SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns ' +
      "WHERE table_schema = 'public' ORDER BY 1, 2",
  );
const carriedOut = () =>
  ask<{ name: string }>(
    'SELECT migration_name AS name FROM "_prisma_migrations" WHERE finished_at IS NOT NULL ORDER BY 1',
  );

describe('migrations', () => {
  it('are carried out once each, by however many processes that start at the same time', async () => {
    await Promise.all([migrateDatabase(postgres.url), migrateDatabase(postgres.url)]);
    expect((await carriedOut()).map(({ name }) => name)).toEqual(MIGRATIONS.map(({ name }) => name).sort());
  });

  it('change nothing when they run again, and keep what is there', async () => {
    await ask(`INSERT INTO "Project" ("id", "name") VALUES (gen_random_uuid(), 'kept')`);
    const before = await shape();
    await migrateDatabase(postgres.url);
    expect(await shape()).toEqual(before);
    expect(await carriedOut()).toHaveLength(MIGRATIONS.length);
    expect(await ask(`SELECT "name" FROM "Project" WHERE "name" = 'kept'`)).toHaveLength(1);
  });

  it('that cannot run say why', async () => {
    const { port } = new URL(postgres.url);
    await expect(migrateDatabase(postgres.url.replace(`:${port}`, ':1'))).rejects.toThrow(
      /could not be migrated:\n.*at 127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED.*Check DATABASE_URL/s,
    );
  });
});
