import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { MadeToken, Problem } from '@bootlab/lab';
import { startTestApi, type TestApi } from '../testing/test-api.js';

jest.setTimeout(60_000); // a busy machine must not fail them

let api: TestApi;

/** Sends bytes as they are; resolves to everything that comes back until the lab hangs up. */
async function raw(send: (socket: Socket) => void | Promise<void>): Promise<string> {
  const { port, hostname } = new URL(api.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.on('error', () => undefined); // hanging up is what is tested
  const answer = text(socket).catch(() => '');
  await send(socket);
  return answer;
}

describe('what browsers are told', () => {
  beforeAll(async () => {
    api = await startTestApi({
      BOOTLAB_CORS_ORIGINS: 'https://ci.example.org',
      BOOTLAB_PUBLIC_URL: 'https://lab.example.org',
    });
  }, 60_000);
  afterAll(() => api.stop());

  it('is to run nothing else, and to be framed by nobody', async () => {
    const { headers } = await api.call('/api/v1/boards', { token: api.adminToken });
    expect(headers.get('content-security-policy')).toMatch(
      /default-src 'self'.*object-src 'none'.*frame-ancestors 'none'/,
    );
    expect(headers.get('content-security-policy')).not.toMatch(/script-src|unsafe-eval/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('referrer-policy')).toBe('same-origin');
    expect(headers.get('strict-transport-security')).toMatch('max-age=31536000');
    expect(headers.get('x-powered-by')).toBeNull();
  });

  it('is to let named pages call the API, without cookies', async () => {
    const preflight = (origin: string) =>
      api.call('/api/v1/jobs', {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
      });
    const known = (await preflight('https://ci.example.org')).headers;
    expect(known.get('access-control-allow-origin')).toBe('https://ci.example.org');
    expect(known.get('access-control-allow-credentials')).toBeNull();
    expect((await preflight('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
  });

  it('is a cookie for HTTPS and this host alone', async () => {
    const signIn = { method: 'POST', body: { token: api.adminToken } };
    const [cookie] = (await api.call('/api/v1/session', signIn)).headers.getSetCookie();
    expect(cookie).toMatch(/^__Host-bootlab=.*; Secure/);
    expect(cookie).not.toMatch(/Domain/i);
  });
});

describe('too much at once', () => {
  beforeAll(async () => {
    api = await startTestApi({
      BOOTLAB_RATE_LIMIT: '30',
      BOOTLAB_SIGN_IN_LIMIT: '3',
      BOOTLAB_TRUSTED_PROXIES: '127.0.0.1',
      BOOTLAB_PUBLIC_URL: '',
    });
  }, 60_000);
  afterAll(() => api.stop());

  const from = (address: string) => ({ 'x-forwarded-for': address });
  const signIn = (address: string, login: string) =>
    api.call<Problem>('/api/v1/session', {
      method: 'POST',
      body: { login, password: 'guess' },
      headers: from(address),
    });

  it('is refused by address, and says how long', async () => {
    const call = (address: string) =>
      api.call<Problem>('/api/v1/boards', { token: api.adminToken, headers: from(address) });
    const statuses = [];
    for (let i = 0; i < 30; i++) statuses.push((await call('10.0.0.1')).status);
    expect(new Set(statuses)).toEqual(new Set([200]));
    const refused = await call('10.0.0.1');
    expect(refused).toMatchObject({ status: 429, type: expect.stringContaining('problem+json') });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.body.errors[0]?.mend).toMatch(/Wait \d+ seconds/);
    expect((await call('10.0.0.2')).status).toBe(200);
  });

  it('is refused of guesses from one address, whomever they try', async () => {
    for (const login of ['a', 'b', 'c']) expect((await signIn('10.0.0.3', login)).status).toBe(401);
    const refused = await signIn('10.0.0.3', 'd');
    expect(refused).toMatchObject({ status: 429, body: { errors: [{ field: 'login' }] } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('is refused of guesses at one login, wherever they come from', async () => {
    for (const host of [11, 12, 13]) expect((await signIn(`10.0.0.${host}`, 'victim')).status).toBe(401);
    expect((await signIn('10.0.0.14', 'VICTIM')).status).toBe(429);
    expect((await signIn('10.0.0.14', 'somebody-else')).status).toBe(401);
  });
});

describe('clients that misbehave', () => {
  beforeAll(async () => {
    api = await startTestApi(
      { BOOTLAB_TRUSTED_PROXIES: '', BOOTLAB_CORS_ORIGINS: '' },
      { headersTimeoutMs: 600, bodyPace: { windowMs: 600, minBytes: 1000 } },
    );
  }, 60_000);
  afterAll(() => api.stop());

  const head = (lines: string[]) => ['POST /api/v1/jobs HTTP/1.1', 'Host: lab', ...lines, '', ''].join('\r\n');
  const token = () => `Authorization: Bearer ${api.adminToken}`;

  it('with headers that are too large are told so', async () => {
    const answer = await raw((socket) => void socket.write(head([`X-Large: ${'x'.repeat(20_000)}`])));
    expect(answer).toMatch(/^HTTP\/1\.1 431 [^]*application\/problem\+json[^]*"status":431/);
  });

  it('that speak something else are told so', async () => {
    const answer = await raw((socket) => void socket.write('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'));
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('that never finish their headers are hung up on', async () => {
    const answer = await raw((socket) => void socket.write('POST /api/v1/jobs HTTP/1.1\r\nHost: lab\r\n'));
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  });

  it.each([
    ['JSON', ['Content-Type: application/json', 'Content-Length: 5000'], '{"board":'],
    [
      'a form',
      ['Content-Type: multipart/form-data; boundary=x', 'Content-Length: 500000'],
      '--x\r\nContent-Disposition: form-data; name="k"; filename="k"\r\n\r\nbytes',
    ],
  ])('that trickle %s are hung up on', async (_, headers, begin) => {
    const started = performance.now();
    const answer = await raw((socket) => {
      socket.write(head([token(), ...headers]) + begin);
      const timer = setInterval(() => socket.write('a'), 50);
      socket.once('close', () => clearInterval(timer));
    });
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(performance.now() - started).toBeGreaterThan(500);
  });

  it('are no reason to hang up on those that are slow but send', async () => {
    const body = `{"board":"malta","name":"${'x'.repeat(8000)}"}`;
    const answer = await raw(async (socket) => {
      socket.write(
        head([token(), 'Content-Type: application/json', `Content-Length: ${body.length}`, 'Connection: close']),
      );
      for (let at = 0; at < body.length; at += 500) {
        socket.write(body.slice(at, at + 500));
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    });
    expect(answer).toMatch(/^HTTP\/1\.1 400 [^]*"field":"name"/);
  });

  it('do not exhaust the lab: it still answers', async () => {
    const made = await api.call<MadeToken>('/api/v1/tokens', {
      method: 'POST',
      token: api.adminToken,
      body: { name: 'after all that', scopes: ['read'] },
    });
    expect(made.status).toBe(201);
  });
});
