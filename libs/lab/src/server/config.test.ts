import { expect, it } from '@jest/globals';
import { readConfig } from './config.js';

const least = { DATABASE_URL: 'postgresql://u:p@localhost/lab', BLOB_URL: 'file:///var/lib/bootlab' };

it('has defaults for everything but database and blobs', () => {
  expect(readConfig(least)).toMatchObject({
    port: 8080,
    host: '127.0.0.1',
    redisUrl: undefined,
    adminToken: undefined,
  });
});

it('takes an empty variable for an unset one', () => {
  expect(readConfig({ ...least, REDIS_URL: '', PORT: '' })).toEqual(readConfig(least));
});

it('reads sizes and durations with their units', () => {
  const config = readConfig({ ...least, BOOTLAB_MAX_UPLOAD: '1G', BOOTLAB_WALL_GUARD: '90s', REDIS_URL: 'redis://r' });
  expect(config).toMatchObject({ maxUploadBytes: 2 ** 30, wallGuardMs: 90_000, redisUrl: 'redis://r' });
});

it('names every bad variable', () => {
  const bad = { DATABASE_URL: 'mysql://x', PORT: '99999', BOOTLAB_WALL_GUARD: 'soon' };
  expect(() => readConfig(bad)).toThrow(
    /DATABASE_URL[^]*BLOB_URL[^]*PORT[^]*BOOTLAB_WALL_GUARD: "soon" is not a duration/,
  );
});
