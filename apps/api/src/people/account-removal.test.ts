import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import type { AuditPage, MadeLink, MadeToken, Me, Member, Problem, Role } from '@bootlab/lab';
import { DATABASE } from '../lab.module.js';
import { cookieOf, startTestApi, type Answer, type TestApi } from '../testing/test-api.js';

jest.setTimeout(60_000);

const PASSWORD = 'correct horse battery staple';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  for (const name of ['kernel', 'firmware']) await asAdmin('/projects', 'POST', { name });
}, 60_000);
afterAll(() => api.stop());

const call = <T>(
  path: string,
  method: string,
  body: unknown,
  who: { token: string } | { cookie: string },
  project = '',
) =>
  api.call<T>(`/api/v1${path}`, {
    method,
    ...who,
    ...(project !== '' && { headers: { 'bootlab-project': project } }),
    ...(body !== undefined && { body }),
  });
function asAdmin<T>(path: string, method = 'GET', body?: unknown, project = 'default'): Promise<Answer<T>> {
  return call<T>(path, method, body, { token: api.adminToken }, project);
}

interface Person {
  id: string;
  login: string;
  call<T>(path: string, method?: string, body?: unknown, project?: string): Promise<Answer<T>>;
}

async function newPerson(login: string, places: Readonly<Record<string, Role>>): Promise<Person> {
  let cookie: string | undefined;
  let id = '';
  for (const [project, role] of Object.entries(places)) {
    const link = (await asAdmin<MadeLink>('/invitations', 'POST', { role, note: 'somebody' }, project)).body;
    const secret = link.path.split('#')[1] ?? '';
    const account = cookie === undefined ? { account: { login, name: `Dr. ${login}`, password: PASSWORD } } : {};
    const joined = await api.call<Me>('/api/v1/invitations/accept', {
      method: 'POST',
      body: { secret, ...account },
      ...(cookie !== undefined && { cookie }),
    });
    expect([login, project, joined.status]).toEqual([login, project, 201]);
    if (joined.headers.getSetCookie().length > 0) ({ cookie } = cookieOf(joined));
    id = joined.body.user?.id ?? '';
  }
  return {
    id,
    login,
    call: (path, method = 'GET', body, project) => call(path, method, body, { cookie: cookie ?? '' }, project),
  };
}

const leave = (person: Person, deletion: object = {}) =>
  person.call<Problem>('/me/deletion', 'POST', { login: person.login, password: PASSWORD, ...deletion });

it('forgets a person, ends what was his, and keeps what he did without his name', async () => {
  const ada = await newPerson('ada', { kernel: 'submitter' });
  const made = await ada.call<MadeToken>('/tokens', 'POST', { name: 'of ada', scopes: ['read', 'submit'] });
  const token = made.body.secret;
  const spec = { board: 'malta', images: { firmware: 'builtin:malta-selftest-el' } };
  const job = await call<{ id: string }>('/jobs', 'POST', spec, { token });
  await asAdmin<MadeLink>(`/users/${ada.id}/password-link`, 'POST', {});
  expect((await leave(ada)).status).toBe(204);
  expect((await ada.call('/me')).status).toBe(401);
  expect((await call('/jobs', 'GET', undefined, { token })).status).toBe(401);
  expect((await asAdmin(`/jobs/${job.body.id}`, 'GET', undefined, 'kernel')).status).toBe(200);

  const audit = (await asAdmin<AuditPage>('/audit?lab=1&limit=200')).body.items;
  const tombstone = `deleted person ${ada.id.slice(0, 8)}`;
  const his = audit.filter(({ actor }) => actor === tombstone);
  expect(his.map(({ action }) => action)).toEqual(
    expect.arrayContaining(['me.remove', 'jobs.submit', 'tokens.create']),
  );
  for (const entry of his) expect(entry).toMatchObject({ address: '', userAgent: '' });
  // Nothing in the whole database tells of him, but for what he gave projects.
  const database = api.app.get(DATABASE);
  const rows = await Promise.all([
    database.user.findMany(),
    database.member.findMany(),
    database.token.findMany(),
    database.session.findMany(),
    database.invitation.findMany(),
    database.auditEntry.findMany(),
    database.job.findMany(),
  ]);
  const text = JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  for (const telltale of ['"ada"', 'ada (', 'Dr. ada', 'of ada'])
    expect([telltale, text.includes(telltale)]).toEqual([telltale, false]);
  const signIn = { method: 'POST', body: { login: 'ada', password: PASSWORD } };
  expect((await api.call('/api/v1/session', signIn)).status).toBe(401);
});

it('asks for the login and the password once more, and for a person', async () => {
  const eve = await newPerson('eve', { kernel: 'submitter' });
  for (const [deletion, field] of [
    [{ login: 'ada' }, 'login'],
    [{ password: 'wrong' }, 'password'],
    [{ password: undefined }, 'password'],
  ] as const) {
    const { status, body } = await leave(eve, deletion);
    expect([status, body.errors[0]?.field]).toEqual([400, field]);
  }
  const made = await eve.call<MadeToken>('/tokens', 'POST', { name: 'x', scopes: ['read'] });
  const withToken = await call(
    '/me/deletion',
    'POST',
    { login: 'eve', password: PASSWORD },
    { token: made.body.secret },
  );
  expect(withToken.status).toBe(403);
  expect((await eve.call('/me')).status).toBe(200);
});

it('has the last admin of a project hand it over first', async () => {
  const grace = await newPerson('grace', { firmware: 'admin', kernel: 'viewer' });
  const refused = await leave(grace);
  expect(refused).toMatchObject({
    status: 409,
    body: { errors: [{ message: 'Nobody else is an admin of firmware' }] },
  });
  expect(await asAdmin(`/users/${grace.id}`, 'DELETE')).toMatchObject({ status: 409 });
  const alan = await newPerson('alan', { firmware: 'viewer' });
  await asAdmin(`/members/${alan.id}`, 'PUT', { role: 'admin' }, 'firmware');
  await asAdmin(`/users/${alan.id}`, 'PATCH', { disabled: true });
  expect((await leave(grace)).status).toBe(409); // who is disabled looks after nothing
  await asAdmin(`/users/${alan.id}`, 'PATCH', { disabled: false });
  expect((await leave(grace)).status).toBe(204);
  const members = (await asAdmin<{ items: Member[] }>('/members', 'GET', undefined, 'firmware')).body.items;
  expect(members.map(({ login }) => login)).toEqual(['alan']);
});

it('does not let two last admins leave at once, nor the last operator', async () => {
  const both = [await newPerson('one', { default: 'admin' }), await newPerson('two', { default: 'admin' })];
  const statuses = (await Promise.all(both.map((person) => leave(person)))).map(({ status }) => status);
  expect(statuses.sort()).toEqual([204, 409]);
  const operator = await newPerson('operator', { kernel: 'viewer' });
  await asAdmin(`/users/${operator.id}`, 'PATCH', { operator: true });
  expect(await leave(operator)).toMatchObject({ status: 409, body: { detail: expect.stringContaining('operator') } });
  const second = await newPerson('second', { kernel: 'viewer' });
  await asAdmin(`/users/${second.id}`, 'PATCH', { operator: true });
  expect((await leave(operator)).status).toBe(204);
});

it('is what operators do for others, with the act in the audit log', async () => {
  const bob = await newPerson('bob', { kernel: 'submitter' });
  expect((await bob.call(`/users/${bob.id}`, 'DELETE')).status).toBe(403);
  expect((await asAdmin(`/users/${bob.id}`, 'DELETE')).status).toBe(204);
  expect((await bob.call('/me')).status).toBe(401);
  expect((await asAdmin(`/users/${bob.id}`, 'DELETE')).status).toBe(404);
  const [act] = (await asAdmin<AuditPage>('/audit?lab=1&action=users.remove')).body.items;
  expect(act).toMatchObject({ actor: 'token administrator', target: bob.id, status: 204 });
});
