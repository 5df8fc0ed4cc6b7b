import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createHash } from 'node:crypto';
import type {
  AuditPage,
  Invitation,
  MadeLink,
  MadeToken,
  Me,
  Member,
  Problem,
  Project,
  Role,
  Session,
  Token,
  User,
} from '@bootlab/lab';
import { DATABASE } from '../lab.module.js';
import { cookieOf, startTestApi, type Answer, type TestApi } from '../testing/test-api.js';

jest.setTimeout(60_000); // a busy machine must not fail them

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
}, 60_000);
afterAll(() => api.stop());

const PASSWORD = 'correct horse battery staple';
const asAdmin = <T>(path: string, method = 'GET', body?: unknown, project = 'default'): Promise<Answer<T>> =>
  api.call<T>(`/api/v1${path}`, {
    method,
    token: api.adminToken,
    headers: { 'bootlab-project': project },
    ...(body !== undefined && { body }),
  });

interface Person {
  id: string;
  login: string;
  cookie: string;
  call<T>(path: string, method?: string, body?: unknown, headers?: Record<string, string>): Promise<Answer<T>>;
}

function personWith(id: string, login: string, cookie: string): Person {
  return {
    id,
    login,
    cookie,
    call: (path, method = 'GET', body, headers = {}) =>
      api.call(`/api/v1${path}`, { method, cookie, headers, ...(body !== undefined && { body }) }),
  };
}

const secretOf = (link: MadeLink): string => link.path.split('#')[1] ?? '';

async function newPerson(login: string, role: Role, project = 'default'): Promise<Person> {
  const { body: link } = await asAdmin<MadeLink>('/invitations', 'POST', { role, note: login }, project);
  const joined = await api.call<Me>('/api/v1/invitations/accept', {
    method: 'POST',
    body: { secret: secretOf(link), account: { login, name: login.toUpperCase(), password: PASSWORD } },
  });
  expect(joined.status).toBe(201);
  return personWith(joined.body.user?.id ?? '', login, cookieOf(joined).cookie);
}

const signIn = (body: unknown) => api.call<Me & Problem>('/api/v1/session', { method: 'POST', body });
const selfTest = { board: 'malta', images: { firmware: 'builtin:malta-selftest-el' } };

describe('signing in', () => {
  let ada: Person;
  beforeAll(async () => {
    ada = await newPerson('ada', 'admin');
  });

  it('sets a cookie that scripts cannot read and other sites cannot send', async () => {
    const answer = await signIn({ login: 'ADA', password: PASSWORD });
    expect(answer).toMatchObject({ status: 201, body: { user: { login: 'ada' }, authentication: 'session' } });
    const { cookie, attributes } = cookieOf(answer);
    expect(attributes).toMatch(/HttpOnly/);
    expect(attributes).toMatch(/SameSite=Strict/);
    expect(attributes).toMatch(/Path=\//);
    const me = await api.call<Me>('/api/v1/me', { cookie });
    expect(me.body.projects).toEqual([
      expect.objectContaining({
        name: 'default',
        role: 'admin',
        scopes: ['read', 'submit', 'images', 'maintain', 'admin'],
      }),
    ]);
  });

  it.each([
    ['a wrong password', { login: 'ada', password: 'wrong' }],
    ['an unknown login', { login: 'nobody-at-all', password: PASSWORD }],
    ['a wrong token', { token: 'blt_wrong' }],
  ])('refuses %s', async (_, credentials) => {
    const answer = await signIn(credentials);
    expect(answer.status).toBe(401);
    expect(answer.body.errors[0]?.mend).not.toBe('');
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  it('takes a token for a session, which ends with the token', async () => {
    const made = await asAdmin<MadeToken>('/tokens', 'POST', { name: 'for a browser', scopes: ['read'] });
    const { cookie } = cookieOf(await signIn({ token: made.body.secret }));
    expect((await api.call('/api/v1/jobs', { cookie })).status).toBe(200);
    expect((await api.call('/api/v1/jobs', { cookie, method: 'POST', body: selfTest })).status).toBe(403);
    await asAdmin(`/tokens/${made.body.token.id}`, 'DELETE');
    expect((await api.call('/api/v1/jobs', { cookie })).status).toBe(401);
  });

  it('keeps passwords as Argon2id and secrets as hashes only', async () => {
    const database = api.app.get(DATABASE);
    const [user] = await database.user.findMany({ where: { login: 'ada' } });
    expect(user?.passwordHash).toMatch(/^\$argon2id\$/);
    const stored = JSON.stringify([await database.session.findMany(), await database.invitation.findMany()]);
    expect(stored).not.toContain(ada.cookie.split('=')[1]);
    expect(stored).toContain(
      createHash('sha256')
        .update(ada.cookie.split('=')[1] ?? '')
        .digest('hex'),
    );
  });

  it('ends when the person signs out, and when the session is old', async () => {
    const { cookie } = cookieOf(await signIn({ login: 'ada', password: PASSWORD }));
    expect((await api.call('/api/v1/session', { method: 'DELETE', cookie })).status).toBe(204);
    expect((await api.call('/api/v1/me', { cookie })).status).toBe(401);
    const old = cookieOf(await signIn({ login: 'ada', password: PASSWORD })).cookie;
    const hash = createHash('sha256')
      .update(old.split('=')[1] ?? '')
      .digest('hex');
    await api.app.get(DATABASE).session.update({ where: { hash }, data: { expiresAt: new Date() } });
    expect((await api.call('/api/v1/me', { cookie: old })).status).toBe(401);
  });

  it('does not obey pages of other sites that use its cookie', async () => {
    const submit = (headers: Record<string, string>) => ada.call<Problem>('/jobs', 'POST', selfTest, headers);
    expect((await submit({ 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await submit({ 'sec-fetch-site': 'same-site' })).status).toBe(403);
    expect((await submit({ origin: 'https://evil.example' })).body.errors[0]?.field).toBe('origin');
    expect((await submit({ origin: 'null' })).status).toBe(403);
    expect((await submit({ origin: api.url })).status).toBe(201);
    expect((await submit({ 'sec-fetch-site': 'same-origin' })).status).toBe(201);
    const withToken = { 'sec-fetch-site': 'cross-site', authorization: `Bearer ${api.adminToken}` };
    expect((await api.call('/api/v1/jobs', { method: 'POST', body: selfTest, headers: withToken })).status).toBe(201);
    const foreign = {
      method: 'POST',
      body: { login: 'ada', password: PASSWORD },
      headers: { origin: 'https://evil.example' },
    };
    expect((await api.call('/api/v1/session', foreign)).status).toBe(403);
  });

  it('shows people their sessions and lets them end those', async () => {
    const other = cookieOf(await signIn({ login: 'ada', password: PASSWORD })).cookie;
    const { body } = await api.call<{ items: Session[] }>('/api/v1/me/sessions', { cookie: other });
    const current = body.items.find((session) => session.current);
    expect(current).toMatchObject({ address: '127.0.0.1', userAgent: 'node' });
    expect((await ada.call(`/me/sessions/${current?.id}`, 'DELETE')).status).toBe(204);
    expect((await api.call('/api/v1/me', { cookie: other })).status).toBe(401);
    expect((await ada.call(`/me/sessions/${current?.id}`, 'DELETE')).status).toBe(404);
  });

  it('changes a password when the old one is right, and signs all others out', async () => {
    const grace = await newPerson('grace', 'viewer');
    const elsewhere = cookieOf(await signIn({ login: 'grace', password: PASSWORD })).cookie;
    const change = (current: string, next: string) => grace.call<Problem>('/me/password', 'POST', { current, next });
    expect((await change('wrong', 'another long password')).body.errors[0]?.field).toBe('current');
    expect((await change(PASSWORD, 'short')).body.errors[0]?.field).toBe('next');
    expect((await change(PASSWORD, 'another long password')).status).toBe(204);
    expect((await api.call('/api/v1/me', { cookie: elsewhere })).status).toBe(401);
    expect((await grace.call('/me')).status).toBe(200);
    expect((await signIn({ login: 'grace', password: PASSWORD })).status).toBe(401);
    expect((await signIn({ login: 'grace', password: 'another long password' })).status).toBe(201);
  });

  it('needs a person, not a token, for what would take an account over', async () => {
    const { body } = await ada.call<MadeToken>('/tokens', 'POST', { name: 'mine', scopes: ['admin'] });
    const withToken = {
      token: body.secret,
      method: 'POST',
      body: { current: PASSWORD, next: 'another long password' },
    };
    expect((await api.call('/api/v1/me/password', withToken)).status).toBe(403);
  });
});

describe('members', () => {
  it.each<[Role, Partial<Record<string, number>>]>([
    ['viewer', { read: 200, submit: 403, images: 403, invite: 403 }],
    ['submitter', { read: 200, submit: 201, images: 201, invite: 403 }],
    ['maintainer', { read: 200, submit: 201, images: 201, invite: 403 }],
    ['admin', { read: 200, submit: 201, images: 201, invite: 201 }],
  ])('may do what their role says: %s', async (role, expected) => {
    const person = await newPerson(`role-${role}`, role);
    const form = new FormData();
    form.set('file', new Blob(['some bytes']), 'a.bin');
    const image = await api.call('/api/v1/images', { method: 'POST', cookie: person.cookie, form });
    expect({
      read: (await person.call('/jobs')).status,
      submit: (await person.call('/jobs', 'POST', selfTest)).status,
      images: image.status,
      invite: (await person.call('/invitations', 'POST', { role: 'viewer', note: 'x' })).status,
    }).toEqual(expected);
  });

  it('change roles at once, also those of tokens', async () => {
    const mary = await newPerson('mary', 'submitter');
    const { body } = await mary.call<MadeToken>('/tokens', 'POST', { name: 'ci', scopes: ['read', 'submit'] });
    const submit = () => api.call('/api/v1/jobs', { method: 'POST', body: selfTest, token: body.secret });
    expect((await submit()).status).toBe(201);
    const changed = await asAdmin<Member>(`/members/${mary.id}`, 'PUT', { role: 'viewer' });
    expect(changed).toMatchObject({ status: 200, body: { login: 'mary', role: 'viewer' } });
    expect((await submit()).status).toBe(403);
    expect((await asAdmin(`/members/${mary.id}`, 'DELETE')).status).toBe(204);
    expect((await submit()).status).toBe(401);
    expect((await mary.call<Problem>('/jobs')).status).toBe(403);
    expect((await asAdmin(`/members/${mary.id}`, 'DELETE')).status).toBe(404);
  });

  it('never leave a project without an admin, unless an operator says so', async () => {
    await asAdmin('/projects', 'POST', { name: 'orphan' });
    const eve = await newPerson('eve', 'admin', 'orphan');
    expect((await eve.call(`/members/${eve.id}`, 'PUT', { role: 'viewer' })).status).toBe(409);
    expect((await eve.call(`/members/${eve.id}`, 'DELETE')).status).toBe(409);
    expect((await eve.call<{ items: Member[] }>('/members')).body.items).toHaveLength(1);
    expect((await asAdmin(`/members/${eve.id}`, 'DELETE', undefined, 'orphan')).status).toBe(204);
  });
});

describe('invitations', () => {
  const invite = (note: string) => asAdmin<MadeLink>('/invitations', 'POST', { role: 'submitter', note });
  const accept = (secret: string, login: string) =>
    api.call<Problem>('/api/v1/invitations/accept', {
      method: 'POST',
      body: { secret, account: { login, name: 'N', password: PASSWORD } },
    });
  const view = (secret: string) => api.call('/api/v1/invitations/view', { method: 'POST', body: { secret } });

  it('work once', async () => {
    const secret = secretOf((await invite('once')).body);
    expect((await view(secret)).body).toEqual({ kind: 'join', project: 'default', role: 'submitter', login: null });
    expect((await accept(secret, 'once')).status).toBe(201);
    expect((await accept(secret, 'twice')).status).toBe(404);
    expect((await view(secret)).status).toBe(404);
  });

  it('are not used up by a login that somebody has', async () => {
    const secret = secretOf((await invite('again')).body);
    expect(await accept(secret, 'ada')).toMatchObject({ status: 409, body: { errors: [{ field: 'account.login' }] } });
    expect((await accept(secret, 'again')).status).toBe(201);
  });

  it.each([
    ['withdrawn', (link: MadeLink) => asAdmin(`/invitations/${link.id}`, 'DELETE')],
    [
      'expired',
      (link: MadeLink) =>
        api.app.get(DATABASE).invitation.update({ where: { id: link.id }, data: { expiresAt: new Date() } }),
    ],
  ])('are no good when %s', async (_, spoil) => {
    const { body: link } = await invite('spoiled');
    await spoil(link);
    expect((await accept(secretOf(link), 'late')).status).toBe(404);
    const { body } = await asAdmin<{ items: Invitation[] }>('/invitations');
    expect(body.items.map(({ id }) => id)).not.toContain(link.id);
  });

  it('take people into further projects, who then choose between them', async () => {
    await asAdmin('/projects', 'POST', { name: 'second' });
    const joan = await newPerson('joan', 'submitter');
    const { body: link } = await asAdmin<MadeLink>('/invitations', 'POST', { role: 'viewer', note: 'joan' }, 'second');
    const joined = await joan.call('/invitations/accept', 'POST', { secret: secretOf(link) });
    expect(joined.status).toBe(201);
    const both = personWith(joan.id, 'joan', cookieOf(joined).cookie);
    const unsaid = await both.call<Problem>('/jobs');
    expect(unsaid.body.errors[0]).toMatchObject({ field: 'project', mend: expect.stringContaining('default, second') });
    expect((await both.call('/jobs?project=default', 'POST', selfTest)).status).toBe(201);
    expect((await both.call('/jobs', 'POST', selfTest, { 'bootlab-project': 'second' })).status).toBe(403);
    expect((await both.call('/jobs?project=orphan')).status).toBe(404);
    expect((await both.call('/jobs?project=a&project=b')).status).toBe(400);
  });

  it('set a new password for somebody who has forgotten it', async () => {
    const anne = await newPerson('anne', 'viewer');
    const { body: link } = await asAdmin<MadeLink>(`/users/${anne.id}/password-link`, 'POST');
    const body = { secret: secretOf(link), password: 'a password to remember' };
    expect((await api.call('/api/v1/invitations/password', { method: 'POST', body })).status).toBe(201);
    expect((await api.call('/api/v1/invitations/password', { method: 'POST', body })).status).toBe(404);
    expect((await anne.call('/me')).status).toBe(401);
    expect((await signIn({ login: 'anne', password: 'a password to remember' })).status).toBe(201);
  });
});

describe('tokens', () => {
  it('are shown once, listed by their beginning, and may only what they say', async () => {
    const made = await asAdmin<MadeToken>('/tokens', 'POST', { name: 'ci', scopes: ['read'], expiresInDays: 7 });
    expect(made.body.secret).toMatch(/^blt_/);
    const { body } = await asAdmin<{ items: Token[] }>('/tokens');
    expect(JSON.stringify(body)).not.toContain(made.body.secret);
    const listed = body.items.find(({ id }) => id === made.body.token.id);
    expect(listed).toMatchObject({
      name: 'ci',
      prefix: made.body.secret.slice(0, 8),
      scopes: ['read'],
      lastUsedAt: null,
    });
    expect((await api.call('/api/v1/jobs', { token: made.body.secret })).status).toBe(200);
    const refused = await api.call<Problem>('/api/v1/jobs', {
      token: made.body.secret,
      method: 'POST',
      body: selfTest,
    });
    expect(refused).toMatchObject({ status: 403, body: { errors: [{ field: 'scope' }] } });
    const again = (await asAdmin<{ items: Token[] }>('/tokens')).body.items.find(({ id }) => id === listed?.id);
    expect(again?.lastUsedAt).not.toBeNull();
  });

  it('expire', async () => {
    const { body } = await asAdmin<MadeToken>('/tokens', 'POST', { name: 'short', scopes: ['read'] });
    const where = { id: body.token.id };
    await api.app.get(DATABASE).token.update({ where, data: { expiresAt: new Date() } });
    expect((await api.call('/api/v1/jobs', { token: body.secret })).status).toBe(401);
  });

  it('cannot be given more than their maker may', async () => {
    const sub = await newPerson('sub', 'submitter');
    const beyond = await sub.call<Problem>('/tokens', 'POST', { name: 'x', scopes: ['read', 'admin', 'operator'] });
    expect(beyond.status).toBe(403);
    expect(beyond.body.errors.map(({ field }) => field)).toEqual(['scopes[1]', 'scopes[2]']);
    const { body } = await sub.call<MadeToken>('/tokens', 'POST', { name: 'x', scopes: ['submit', 'read'] });
    expect(body.token.owner).toBe('sub');
    const breed = { token: body.secret, method: 'POST', body: { name: 'y', scopes: ['read'] } };
    expect((await api.call('/api/v1/tokens', breed)).status).toBe(403);
  });

  it('of others are seen and revoked by admins only', async () => {
    const [bob, carol] = [await newPerson('bob', 'submitter'), await newPerson('carol', 'submitter')];
    const { body } = await bob.call<MadeToken>('/tokens', 'POST', { name: 'bob’s', scopes: ['read'] });
    expect((await carol.call<{ items: Token[] }>('/tokens')).body.items).toEqual([]);
    expect((await carol.call(`/tokens/${body.token.id}`, 'DELETE')).status).toBe(404);
    expect((await asAdmin(`/tokens/${body.token.id}`, 'DELETE')).status).toBe(204);
    expect((await api.call('/api/v1/jobs', { token: body.secret })).status).toBe(401);
  });

  it('of operators are no business of a project’s admins', async () => {
    const boss = await newPerson('boss', 'admin');
    const listed = async (call: () => Promise<Answer<{ items: Token[] }>>) =>
      (await call()).body.items.find(({ name }) => name === 'administrator');
    const token = await listed(() => asAdmin('/tokens'));
    expect(await listed(() => boss.call('/tokens'))).toBeUndefined();
    expect((await boss.call(`/tokens/${token?.id}`, 'DELETE')).status).toBe(404);
    expect((await asAdmin('/me')).status).toBe(200);
  });

  it('keep to their project, but for the operator’s', async () => {
    const { body } = await asAdmin<MadeToken>('/tokens', 'POST', { name: 'bound', scopes: ['read'] });
    expect((await api.call('/api/v1/jobs?project=second', { token: body.secret })).status).toBe(404);
    expect((await asAdmin('/jobs', 'GET', undefined, 'second')).status).toBe(200);
  });
});

describe('operators', () => {
  it('alone make projects, set quotas and see everybody', async () => {
    const ken = await newPerson('ken', 'admin');
    expect((await ken.call('/projects', 'POST', { name: 'kens' })).status).toBe(403);
    expect((await ken.call('/projects/default', 'PATCH', { quota: { boards: 1 } })).status).toBe(403);
    expect((await ken.call('/users')).status).toBe(403);
    const made = await asAdmin<Project>('/projects', 'POST', {
      name: 'kens',
      quota: { boards: 3, storageBytes: 1000 },
    });
    expect(made).toMatchObject({ status: 201, body: { quota: { boards: 3, cpuSeconds: null, storageBytes: 1000 } } });
    expect((await asAdmin('/projects', 'POST', { name: 'kens' })).status).toBe(409);
    expect((await ken.call(`/projects/kens`)).status).toBe(404);
    const { body } = await asAdmin<{ items: User[] }>('/users?limit=200');
    expect(body.items.map(({ login }) => login)).toContain('ken');
  });

  it('make others operators, and disable accounts with all they have', async () => {
    const [olga, oscar] = [await newPerson('olga', 'viewer'), await newPerson('oscar', 'viewer')];
    expect((await asAdmin(`/users/${olga.id}`, 'PATCH', { operator: true })).status).toBe(200);
    expect((await olga.call('/users')).status).toBe(200);
    expect((await olga.call('/jobs?project=orphan')).status).toBe(200);
    const { body } = await oscar.call<MadeToken>('/tokens', 'POST', { name: 't', scopes: ['read'] });
    expect((await olga.call(`/users/${oscar.id}`, 'PATCH', { disabled: true })).body).toMatchObject({ disabled: true });
    expect((await oscar.call('/me')).status).toBe(401);
    expect((await api.call('/api/v1/jobs', { token: body.secret })).status).toBe(401);
    expect((await signIn({ login: 'oscar', password: PASSWORD })).status).toBe(401);
    expect((await olga.call(`/users/${olga.id}`, 'PATCH', { disabled: true })).status).toBe(409);
  });

  it('remove projects that are empty', async () => {
    await asAdmin('/projects', 'POST', { name: 'brief' });
    expect((await asAdmin('/projects/brief', 'DELETE')).status).toBe(204);
    expect((await asAdmin('/projects/brief')).status).toBe(404);
    await asAdmin('/jobs', 'POST', selfTest);
    expect((await asAdmin('/projects/default', 'DELETE')).status).toBe(409);
  });
});

describe('quotas', () => {
  const quota = (project: string, limits: object) => asAdmin(`/projects/${project}`, 'PATCH', { quota: limits });
  const upload = (bytes: number, project: string, fill = 0) => {
    const form = new FormData();
    form.set('file', new Blob([Buffer.alloc(bytes, fill)]), 'disk.img');
    const headers = { 'bootlab-project': project };
    return api.call<Problem>('/api/v1/images', { method: 'POST', token: api.adminToken, form, headers });
  };

  it('refuse images beyond the storage of a project, and count the same bytes once', async () => {
    await asAdmin('/projects', 'POST', { name: 'small', quota: { storageBytes: 3000 } });
    expect((await upload(2000, 'small')).status).toBe(201);
    expect((await upload(2000, 'small')).status).toBe(201); // the same image
    const refused = await upload(2000, 'small', 1);
    expect(refused).toMatchObject({ status: 413, body: { errors: [{ field: 'quota.storageBytes' }] } });
    expect((await asAdmin<Project>('/projects/small')).body.usage.storageBytes).toBe(2000);
    const both = await Promise.all([upload(900, 'small', 2), upload(900, 'small', 3)]);
    expect(both.map(({ status }) => status).sort()).toEqual([201, 413]);
  });

  it('refuse jobs when the seconds of a project are used up, until they leave the period', async () => {
    await asAdmin('/projects', 'POST', { name: 'tired', quota: { cpuSeconds: 10, periodHours: 1 } });
    const submit = () => asAdmin<Problem & { id: string }>('/jobs', 'POST', selfTest, 'tired');
    const { body } = await submit();
    const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000);
    const ended = (minutes: number) =>
      api.app.get(DATABASE).job.update({
        where: { id: body.id },
        data: { state: 'ended', wallMs: 11_000, startedAt: minutesAgo(minutes + 1), endedAt: minutesAgo(minutes) },
      });
    await ended(1);
    const refused = await submit();
    expect(refused).toMatchObject({ status: 429, body: { errors: [{ field: 'quota.cpuSeconds' }] } });
    expect((await asAdmin<Project>('/projects/tired')).body.usage.cpuSeconds).toBe(11);
    await ended(61);
    expect((await submit()).status).toBe(201);
    await quota('tired', { cpuSeconds: 0 });
    expect((await submit()).status).toBe(429);
  });
});

describe('the audit log', () => {
  it('says who did what to what, and from where', async () => {
    const max = await newPerson('max', 'admin');
    const job = await max.call<{ id: string }>('/jobs', 'POST', selfTest, { 'user-agent': 'a browser' });
    await max.call(`/jobs/${job.body.id}/cancel`, 'POST', {});
    await max.call('/projects/default', 'PATCH', { quota: { boards: 1 } });
    const { body } = await max.call<AuditPage>('/audit?actor=max');
    expect(body.items).toMatchObject([
      { action: 'projects.change', target: 'default', status: 403 },
      { actor: 'max', action: 'jobs.cancel', target: job.body.id, status: 200 },
      { action: 'jobs.submit', target: job.body.id, status: 201, address: '127.0.0.1', userAgent: 'a browser' },
      { action: 'invitations.accept' },
    ]);
  });

  it('comes page by page, for admins, and of the whole lab for operators', async () => {
    const [first, nina] = [await asAdmin<AuditPage>('/audit?limit=2'), await newPerson('nina', 'maintainer')];
    const second = await asAdmin<AuditPage>(`/audit?limit=2&cursor=${first.body.nextCursor}`);
    const ids = [...first.body.items, ...second.body.items].map(({ id }) => Number(id));
    expect(ids).toEqual([...ids].sort((a, b) => b - a));
    expect(new Set(ids).size).toBe(4);
    expect((await nina.call('/audit')).status).toBe(403);
    await signIn({ login: 'nina', password: 'wrong' });
    const lab = await asAdmin<AuditPage>('/audit?lab=1&actor=nina');
    expect(lab.body.items[0]).toMatchObject({ action: 'session.refused', status: 401 });
    const ken = cookieOf(await signIn({ login: 'ken', password: PASSWORD })).cookie;
    expect((await api.call('/api/v1/audit', { cookie: ken })).status).toBe(200);
    expect((await api.call('/api/v1/audit?lab=1', { cookie: ken })).status).toBe(403);
  });

  it('holds no secret', async () => {
    const entries = JSON.stringify((await asAdmin<AuditPage>('/audit?lab=1&limit=200')).body);
    expect(entries).not.toMatch(/bl[tsi]_[A-Za-z0-9_-]{20}/);
    expect(entries).not.toContain(PASSWORD);
  });
});
