import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { CONFIGURATION_VARIABLES, readApiConfig, readConfig } from './config.js';

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

describe('what the API needs beside that', () => {
  it('has defaults that let nobody in who is not known', () => {
    expect(readApiConfig(least)).toMatchObject({
      publicUrl: undefined,
      trustedProxies: [],
      corsOrigins: [],
      oidc: undefined,
    });
  });

  it('takes lists with commas, and origins without what follows them', () => {
    const config = readApiConfig({
      ...least,
      BOOTLAB_PUBLIC_URL: 'https://lab.example.org/',
      BOOTLAB_TRUSTED_PROXIES: '10.0.0.1, 192.168.0.0/16',
      BOOTLAB_CORS_ORIGINS: 'https://ci.example.org,',
      BOOTLAB_SESSION_LIFETIME: '12h',
    });
    expect(config).toMatchObject({
      publicUrl: 'https://lab.example.org',
      trustedProxies: ['10.0.0.1', '192.168.0.0/16'],
      corsOrigins: ['https://ci.example.org'],
      sessionLifetimeMs: 43_200_000,
    });
  });

  it('names every bad variable, its own and the others', () => {
    const bad = {
      ...least,
      PORT: '-1',
      BOOTLAB_PUBLIC_URL: 'lab.example.org',
      BOOTLAB_CORS_ORIGINS: 'https://a.example/path',
      BOOTLAB_RATE_LIMIT: '0',
      BOOTLAB_OIDC_ISSUER: 'http://elsewhere.example',
      BOOTLAB_OIDC_JOIN: 'default:king',
    };
    const all = /PORT[^]*PUBLIC_URL[^]*CORS_ORIGINS[^]*RATE_LIMIT[^]*OIDC_ISSUER[^]*this machine only[^]*OIDC_JOIN/;
    expect(() => readApiConfig(bad)).toThrow(all);
  });

  it('wants an OpenID provider whole, and somewhere to come back to', () => {
    const half = { ...least, BOOTLAB_OIDC_ISSUER: 'https://id.example.org' };
    expect(() => readApiConfig(half)).toThrow(/OIDC_CLIENT_ID[^]*OIDC_CLIENT_SECRET[^]*PUBLIC_URL/);
    const whole = {
      ...half,
      BOOTLAB_OIDC_CLIENT_ID: 'bootlab',
      BOOTLAB_OIDC_CLIENT_SECRET: 'secret',
      BOOTLAB_PUBLIC_URL: 'https://lab.example.org',
      BOOTLAB_OIDC_JOIN: 'default:viewer',
    };
    expect(readApiConfig(whole).oidc).toMatchObject({ join: { project: 'default', role: 'viewer' } });
  });
});

it('is described whole in docs/operations.md', () => {
  const text = readFileSync(new URL('../../../../docs/operations.md', import.meta.url), 'utf8');
  const described = [...text.matchAll(/^\| `([A-Z_]+)` /gm)].map(([, name]) => name);
  expect(described.filter((name, index) => described.indexOf(name) !== index)).toEqual([]);
  expect(CONFIGURATION_VARIABLES.filter((name) => !described.includes(name))).toEqual([]);
  // Read where they are needed, not with the others.
  const elsewhere = ['BOOTLAB_CACHE', 'BOOTLAB_LOG_LEVEL', 'BOOTLAB_LOG_FORMAT'];
  expect(described.filter((name) => !CONFIGURATION_VARIABLES.includes(name ?? ''))).toEqual(elsewhere);
});
