import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { MadeLink, Me, Problem } from '@bootlab/lab';
import { OIDC_CLIENT, startOidcProvider, type OidcProvider } from '../../../../test/support/oidc.js';
import { startTestApi, type TestApi } from '../testing/test-api.js';

jest.setTimeout(60_000); // a busy machine must not fail them

// A real provider beside the lab, and a browser that keeps cookies and follows redirects to both.

let api: TestApi;
let provider: OidcProvider;
beforeAll(async () => {
  // The lab's port is known only once it listens, and the provider must know it before: the lab gets a fixed name.
  provider = await startOidcProvider();
  provider.serve(PUBLIC_URL);
  api = await startTestApi({
    BOOTLAB_PUBLIC_URL: PUBLIC_URL,
    BOOTLAB_OIDC_ISSUER: provider.issuer,
    BOOTLAB_OIDC_CLIENT_ID: OIDC_CLIENT.id,
    BOOTLAB_OIDC_CLIENT_SECRET: OIDC_CLIENT.secret,
    BOOTLAB_OIDC_NAME: 'House login',
  });
}, 60_000);
afterAll(async () => {
  await api.stop();
  provider.stop();
});

const PUBLIC_URL = 'http://lab.test';
const START = '/api/v1/session/oidc';

class Browser {
  private readonly cookies = new Map<string, Map<string, string>>();

  async go(url: string, form?: Record<string, string>): Promise<{ url: string; response: Response; text: string }> {
    let target = new URL(url);
    let body = form && new URLSearchParams(form);
    for (let hops = 0; hops < 20; hops++) {
      const response = await this.request(target, body && { method: 'POST', body });
      const location = response.headers.get('location');
      if (location === null) return { url: target.href, response, text: await response.text() };
      await response.arrayBuffer();
      target = new URL(location, target);
      body = undefined;
    }
    throw new Error(`too many redirects, the last one to ${target.href}`);
  }

  /** The lab answers under its public name. */
  async request(url: URL, init: RequestInit = {}): Promise<Response> {
    const jar = this.cookies.get(url.host) ?? new Map<string, string>();
    this.cookies.set(url.host, jar);
    const headers = new Headers(init.headers);
    headers.set('cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; '));
    const real = url.origin === PUBLIC_URL ? new URL(url.pathname + url.search, api.url) : url;
    const response = await fetch(real, { ...init, headers, redirect: 'manual' });
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';');
      const at = pair.indexOf('=');
      if (pair.slice(at + 1) === '') jar.delete(pair.slice(0, at));
      else jar.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return response;
  }

  post(path: string, body: unknown): Promise<Response> {
    const headers = { 'content-type': 'application/json' };
    return this.request(new URL(path, PUBLIC_URL), { method: 'POST', headers, body: JSON.stringify(body) });
  }

  me(): Promise<Response> {
    return this.request(new URL('/api/v1/me', PUBLIC_URL));
  }

  /** Signs in at the provider, through its pages, and comes back. */
  async signIn(subject: string, invitation?: string): Promise<string> {
    const { url } = (await (await this.post(START, { invitation })).json()) as { url: string };
    const login = await this.go(url);
    const consent = await this.go(new URL(actionOf(login.text), login.url).href, {
      prompt: 'login',
      login: subject,
      password: 'any',
    });
    const back = await this.go(new URL(actionOf(consent.text), consent.url).href, { prompt: 'consent' });
    return back.url;
  }
}

const actionOf = (page: string): string => /action="([^"]+)"/.exec(page)?.[1] ?? '';

async function invitation(role: string): Promise<string> {
  const { body } = await api.call<MadeLink>('/api/v1/invitations', {
    method: 'POST',
    token: api.adminToken,
    body: { role, note: 'from the test' },
  });
  return body.path.split('#')[1] ?? '';
}

describe('signing in through an OpenID provider', () => {
  it('is offered by its name', async () => {
    expect((await api.call('/api/v1/session/methods')).body).toEqual({ oidc: { name: 'House login' } });
  });

  it('turns somebody away who is not invited', async () => {
    const browser = new Browser();
    expect(await browser.signIn('stranger')).toBe(`${PUBLIC_URL}/?sign-in=unknown`);
    expect((await browser.me()).status).toBe(401);
  });

  it('makes an account of an invitation, and knows its person the next time', async () => {
    const first = new Browser();
    expect(await first.signIn('ada', await invitation('submitter'))).toBe(`${PUBLIC_URL}/`);
    const me = (await (await first.me()).json()) as Me;
    expect(me).toMatchObject({
      user: { login: 'ada-example', name: 'Dr. ada', hasPassword: false },
      projects: [{ name: 'default', role: 'submitter' }],
    });
    const again = new Browser();
    expect(await again.signIn('ada')).toBe(`${PUBLIC_URL}/`);
    expect(((await (await again.me()).json()) as Me).user?.id).toBe(me.user?.id);
  });

  it('finds another login when the provider’s is taken', async () => {
    await api.call('/api/v1/invitations/accept', {
      method: 'POST',
      body: {
        secret: await invitation('viewer'),
        account: { login: 'bob-example', name: 'Another Bob', password: 'a long enough password' },
      },
    });
    const browser = new Browser();
    await browser.signIn('bob', await invitation('viewer'));
    expect(((await (await browser.me()).json()) as Me).user?.login).toBe('bob-example-2');
  });

  it('does not take an invitation twice', async () => {
    const secret = await invitation('viewer');
    await new Browser().signIn('carol', secret);
    expect(await new Browser().signIn('dave', secret)).toBe(`${PUBLIC_URL}/?sign-in=invitation`);
  });

  it.each([
    ['no cookie of its own', undefined],
    ['another state', { state: 'x', nonce: 'y', verifier: 'z'.repeat(43) }],
    ['a cookie that is none', 'nonsense'],
  ])('believes no answer that comes with %s', async (_, pending) => {
    const cookie = pending === undefined ? '' : Buffer.from(JSON.stringify(pending)).toString('base64url');
    const answer = await api.call(`${START}/callback?code=abc&state=def`, { cookie: `bootlab-oidc=${cookie}` });
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe('/?sign-in=failed');
    expect(answer.headers.getSetCookie().join()).not.toMatch(/^bootlab=./);
  });

  it('lets everybody in whom the provider knows, when the lab says so', async () => {
    const strict = api;
    api = await startTestApi({ BOOTLAB_OIDC_JOIN: 'default:viewer' });
    const browser = new Browser();
    expect(await browser.signIn('erin')).toBe(`${PUBLIC_URL}/`);
    expect(await (await browser.me()).json()).toMatchObject({ projects: [{ name: 'default', role: 'viewer' }] });
    await api.stop();
    api = strict;
  });

  it('says that the provider does not answer', async () => {
    const { server } = provider;
    const answering = server.listeners('request');
    server.removeAllListeners('request').on('request', (_, response: { writeHead(s: number): { end(): void } }) => {
      response.writeHead(500).end();
    });
    const alone = await startTestApi({ BOOTLAB_OIDC_ISSUER: `${provider.issuer}/` });
    const answer = await alone.call<Problem>(START, { method: 'POST', body: {} });
    expect(answer).toMatchObject({ status: 503, type: expect.stringContaining('problem+json') });
    await alone.stop();
    server.removeAllListeners('request');
    for (const listener of answering) server.on('request', listener as () => void);
  });
});
