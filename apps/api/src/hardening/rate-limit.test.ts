import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Problem } from '@bootlab/lab';
import { startMortalRedis, type MortalService } from '@bootlab/lab/testing';
import { describeWith } from '../../../../test/support/requirements.js';
import { startTestApi, type TestApi } from '../testing/test-api.js';

describeWith('redis', 'limits of a lab with several API processes', () => {
  let redis: MortalService;
  let apis: TestApi[] = [];

  beforeAll(async () => {
    redis = await startMortalRedis();
    const environment = {
      REDIS_URL: redis.url,
      BOOTLAB_RATE_LIMIT: '20',
      BOOTLAB_SIGN_IN_LIMIT: '4',
      BOOTLAB_TRUSTED_PROXIES: '127.0.0.1',
    };
    apis = [await startTestApi(environment), await startTestApi(environment)];
  }, 120_000);
  afterAll(async () => {
    for (const api of apis) await api.stop();
    await redis.stop();
  }, 60_000);

  const boards = async (api: number, address: string): Promise<number> => {
    const call = { token: apis[api]?.adminToken ?? '', headers: { 'x-forwarded-for': address } };
    return (await apis[api]?.call('/api/v1/boards', call))?.status ?? 0;
  };
  const signIn = (api: number, address: string, login: string) =>
    apis[api]?.call<Problem>('/api/v1/session', {
      method: 'POST',
      body: { login, password: 'guess' },
      headers: { 'x-forwarded-for': address },
    });

  it('count what the others were asked, too', async () => {
    for (let request = 0; request < 20; request++) expect(await boards(request % 2, '10.1.0.1')).toBe(200);
    expect([await boards(0, '10.1.0.1'), await boards(1, '10.1.0.1')]).toEqual([429, 429]);
    expect(await boards(1, '10.1.0.2')).toBe(200);
  });

  it('count guesses at one login, whichever process is asked', async () => {
    for (const guess of [0, 1, 2, 3]) expect((await signIn(guess % 2, `10.1.1.${guess}`, 'victim'))?.status).toBe(401);
    const refused = [await signIn(0, '10.1.1.8', 'victim'), await signIn(1, '10.1.1.9', 'victim')];
    expect(refused.map((answer) => answer?.status)).toEqual([429, 429]);
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('count the addresses of one IPv6 network as one', async () => {
    for (const guess of [1, 2, 3, 4]) expect((await signIn(0, `2001:db8::${guess}`, `n${guess}`))?.status).toBe(401);
    expect((await signIn(1, '2001:db8::5', 'n5'))?.status).toBe(429);
  });

  it('are counted by each process alone while Redis is away, and together again afterwards', async () => {
    await redis.kill();
    for (let request = 0; request < 20; request++) expect(await boards(0, '10.1.2.1')).toBe(200);
    expect([await boards(0, '10.1.2.1'), await boards(1, '10.1.2.1')]).toEqual([429, 200]);
    await redis.start();
    let together = false;
    for (let attempt = 0; attempt < 40 && !together; attempt++) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      const address = `10.1.3.${attempt}`;
      for (let request = 0; request < 11; request++) await boards(0, address);
      for (let request = 0; request < 9; request++) await boards(1, address);
      together = (await boards(1, address)) === 429;
    }
    expect(together).toBe(true);
  }, 60_000);
});
