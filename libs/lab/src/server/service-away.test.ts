import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startMortalPostgres, type MortalService } from '../testing/index.js';
import { openDatabase, type Database } from './database.js';
import { isDatabaseAway } from './service-away.js';

describe('a database that is away', () => {
  let postgres: MortalService;
  let database: Database;
  beforeAll(async () => {
    postgres = await startMortalPostgres();
    database = openDatabase(postgres.url);
  }, 60_000);
  afterAll(async () => {
    await database.$disconnect();
    await postgres.stop();
  });
  const errorOf = (act: Promise<unknown>): Promise<unknown> =>
    act.then(
      () => undefined,
      (error: unknown) => error,
    );

  it('is told from a question that is wrong', async () => {
    const wrong = [
      errorOf(database.$queryRaw`SELECT nonsense`),
      errorOf(database.project.findUniqueOrThrow({ where: { name: 'there is none' } })),
      errorOf(database.token.create({ data: { projectId: 'no uuid', name: 'x', hash: 'x' } })),
    ];
    expect((await Promise.all(wrong)).map((error) => [error instanceof Error, isDatabaseAway(error)])).toEqual(
      wrong.map(() => [true, false]),
    );
    expect([undefined, 'text', new Error('anything')].map(isDatabaseAway)).toEqual([false, false, false]);
  });

  it('is known by what breaks when it dies, by what fails while it is away, and comes back', async () => {
    await database.project.findFirst();
    const pending = errorOf(database.$queryRaw`SELECT pg_sleep(10)`);
    const transaction = errorOf(
      database.$transaction(async (tx) => {
        await tx.project.findFirst();
        await new Promise((resolve) => setTimeout(resolve, 500));
        await tx.project.findFirst();
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 200));
    await postgres.kill();
    const errors = [
      await pending,
      await transaction,
      await errorOf(database.project.findFirst()),
      await errorOf(database.$transaction([database.project.findFirst()])),
      await errorOf(database.$queryRaw`SELECT 1`),
    ];
    expect(errors.map(isDatabaseAway)).toEqual(errors.map(() => true));
    const starting = postgres.start();
    const during = [];
    for (let attempt = 0; attempt < 10; attempt++) {
      during.push(await errorOf(database.project.findFirst()));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await starting;
    expect(during.every((error) => error === undefined || isDatabaseAway(error))).toBe(true);
    expect(await errorOf(database.project.findFirst())).toBeUndefined();
  }, 60_000);
});
