import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import type { Image, Job, MadeLink, MadeToken, Me, Problem, ServerMessage } from '@bootlab/lab';
import { ConsoleLogs, JobStore, type BlobStore } from '@bootlab/lab/server';
import WebSocket from 'ws';
import { BLOBS, DATABASE } from './lab.module.js';
import { describedOperations, type Operation } from './testing/openapi.js';
import { cookieOf, startTestApi, type Answer, type Call, type TestApi } from './testing/test-api.js';

jest.setTimeout(60_000); // a busy machine must not fail them

// One project can never see or touch what is another's. Every operation of the API's own description has a case below;
// a new operation without one fails the first test.

const SECRET = 'confidential-of-theirs';

/** What the project "theirs" has, whose ids the project "ours" has got hold of. */
interface Theirs {
  job: string;
  image: string;
  digest: string;
  token: string;
  invitation: string;
  member: string;
  group: string;
  transfer: string;
  upload: string;
  badge: string;
  webhook: string;
  delivery: string;
}

type Case =
  /** About one thing: not found with another project's token. `owner` is what its own token gets, if not 2xx. */
  | {
      kind: 'thing';
      paths: (theirs: Theirs) => string[];
      body?: unknown;
      headers?: Record<string, string>;
      owner?: number;
    }
  /** A list: shows nothing of another project's. `path` adds a query. */
  | { kind: 'list'; query?: string }
  /** For operators of the lab: members and tokens of projects are turned away. */
  | { kind: 'operator'; path?: (theirs: Theirs) => string; body?: unknown }
  /** Makes something in one's own project; the tests further down say what it must not make use of. */
  | { kind: 'makes' }
  /** Has nothing of any project in it. */
  | { kind: 'common'; why: string };

const thing = (paths: (theirs: Theirs) => string[], body?: unknown): Case => ({ kind: 'thing', paths, body });
const common = (why: string): Case => ({ kind: 'common', why });
/** A part of the tus protocol; `owner` as above. */
const upload = (owner?: number): Case => ({
  kind: 'thing',
  paths: ({ upload: id }) => [`/api/v1/uploads/${id}`],
  headers: { 'tus-resumable': '1.0.0' },
  ...(owner !== undefined && { owner }),
});
const job = (rest = '', body?: unknown): Case => thing(({ job: id }) => [`/api/v1/jobs/${id}${rest}`], body);

const CASES: Readonly<Record<string, Case>> = {
  'GET /healthz': common('says that the process lives'),
  'GET /api/v1/healthz': common('says that the process lives'),
  'GET /readyz': common('counts workers and waiting jobs of the whole lab'),
  'GET /api/v1/readyz': common('counts workers and waiting jobs of the whole lab'),
  'GET /metrics': { kind: 'operator' },
  'GET /api/v1/schemas/job.json': common('says what a job file is'),
  'GET /api/v1/boards': common('the catalogue'),
  'GET /api/v1/boards/{id}': common('the catalogue'),

  'GET /api/v1/images': { kind: 'list' },
  'POST /api/v1/images': { kind: 'makes' },
  'GET /api/v1/images/{id}': thing(({ image, digest }) => [
    `/api/v1/images/${image}`,
    `/api/v1/images/sha256:${digest}`,
  ]),

  'GET /api/v1/images/{id}/content': thing(({ image, digest }) => [
    `/api/v1/images/${image}/content`,
    `/api/v1/images/sha256:${digest}/content`,
  ]),
  'PATCH /api/v1/images/{id}': thing(({ image }) => [`/api/v1/images/${image}`], { name: SECRET }),
  'DELETE /api/v1/images/{id}': thing(({ image }) => [`/api/v1/images/${image}`]),
  'GET /api/v1/images/retention': { kind: 'list' },
  'PUT /api/v1/images/retention': { kind: 'makes' },
  'POST /api/v1/images/imports': { kind: 'makes' },
  'GET /api/v1/images/transfers': { kind: 'list' },
  'GET /api/v1/images/transfers/{id}': thing(({ transfer }) => [`/api/v1/images/transfers/${transfer}`]),
  'DELETE /api/v1/images/transfers/{id}': thing(({ transfer }) => [`/api/v1/images/transfers/${transfer}`]),
  'POST /api/v1/uploads': { kind: 'makes' },
  'OPTIONS /api/v1/uploads': common('what of the protocol the lab speaks'),
  'HEAD /api/v1/uploads/{id}': upload(),
  'PATCH /api/v1/uploads/{id}': upload(403), // found, and refused for want of Upload-Offset
  'DELETE /api/v1/uploads/{id}': upload(),

  'GET /api/v1/jobs': { kind: 'list' },
  'POST /api/v1/jobs': { kind: 'makes' },
  'POST /api/v1/jobs/validate': { kind: 'makes' },
  'GET /api/v1/jobs/{id}': job(),
  'GET /api/v1/jobs/{id}/log': thing(({ job: id }) => [
    `/api/v1/jobs/${id}/log?format=text`,
    `/api/v1/jobs/${id}/log?from=0&limit=1`,
  ]),
  'GET /api/v1/jobs/{id}/log/lines': job('/log/lines?console=uart0'),
  'GET /api/v1/jobs/{id}/results': thing(({ job: id }) => [
    `/api/v1/jobs/${id}/results`,
    `/api/v1/jobs/${id}/results?format=junit`,
  ]),
  'POST /api/v1/jobs/{id}/results': {
    kind: 'thing',
    paths: ({ job: id }) => [`/api/v1/jobs/${id}/results`],
    body: {},
    owner: 415, // found, and refused for JSON
  },
  'GET /api/v1/jobs/{id}/artifacts': job('/artifacts'),
  'GET /api/v1/jobs/{id}/artifacts/{name}': job(`/artifacts/${SECRET}`),
  'DELETE /api/v1/jobs/{id}/artifacts/{name}': job(`/artifacts/${SECRET}`),
  'POST /api/v1/jobs/{id}/cancel': job('/cancel', {}),
  'GET /api/v1/groups': { kind: 'list' },
  'GET /api/v1/groups/{id}': thing(({ group }) => [`/api/v1/groups/${group}`]),
  'GET /api/v1/groups/{id}/results': thing(({ group }) => [`/api/v1/groups/${group}/results?format=json`]),
  'GET /api/v1/compare': thing(({ job: id }) => [`/api/v1/compare?base=${id}&head=${id}`]),
  'GET /api/v1/history': { kind: 'list', query: `?suite=${SECRET}&name=${SECRET}` },
  'GET /api/v1/matrix': { kind: 'list' },
  'GET /api/v1/events': common('a stream; it is listened to below'),
  'GET /api/v1/jobs/{id}/events': common('a stream; it is asked for below'),

  'GET /api/v1/badges': { kind: 'list' },
  'POST /api/v1/badges': { kind: 'makes' },
  'DELETE /api/v1/badges/{id}': thing(({ badge }) => [`/api/v1/badges/${badge}`]),
  'GET /badges/{file}': common('whoever knows the address may see the picture'),

  'GET /api/v1/webhooks': { kind: 'list' },
  'POST /api/v1/webhooks': { kind: 'makes' },
  'PATCH /api/v1/webhooks/{id}': thing(({ webhook }) => [`/api/v1/webhooks/${webhook}`], { active: false }),
  'GET /api/v1/webhooks/{id}/deliveries': thing(({ webhook }) => [`/api/v1/webhooks/${webhook}/deliveries`]),
  'POST /api/v1/webhooks/{id}/ping': thing(({ webhook }) => [`/api/v1/webhooks/${webhook}/ping`], {}),
  'POST /api/v1/webhooks/{id}/deliveries/{delivery}/repeat': thing(
    ({ webhook, delivery }) => [`/api/v1/webhooks/${webhook}/deliveries/${delivery}/repeat`],
    {},
  ),
  'DELETE /api/v1/webhooks/{id}': thing(({ webhook }) => [`/api/v1/webhooks/${webhook}`]),

  'GET /api/v1/session/methods': common('settings of the lab'),
  'POST /api/v1/session': common('whoever signs in shows who he is'),
  'DELETE /api/v1/session': common('ends the session whose cookie comes with it'),
  'POST /api/v1/session/oidc': common('whoever signs in shows who he is'),
  'GET /api/v1/session/oidc/callback': common('whoever signs in shows who he is'),

  'GET /api/v1/me': { kind: 'list' },
  'PATCH /api/v1/me': common('changes the person who is signed in'),
  'POST /api/v1/me/password': common('changes the person who is signed in'),
  'POST /api/v1/me/deletion': common('changes the person who is signed in'),
  'GET /api/v1/me/sessions': common('of the person who is signed in; people.test.ts tries another’s'),
  'DELETE /api/v1/me/sessions/{id}': common('of the person who is signed in; people.test.ts tries another’s'),

  'GET /api/v1/projects': { kind: 'list' },
  'POST /api/v1/projects': { kind: 'operator', body: { name: 'mine' } },
  'GET /api/v1/projects/{project}': thing(() => ['/api/v1/projects/theirs']),
  'PATCH /api/v1/projects/{project}': thing(() => ['/api/v1/projects/theirs'], { name: 'theirs' }),
  'DELETE /api/v1/projects/{project}': { kind: 'operator', path: () => '/api/v1/projects/theirs' },

  'GET /api/v1/members': { kind: 'list' },
  'PUT /api/v1/members/{userId}': thing(({ member }) => [`/api/v1/members/${member}`], { role: 'viewer' }),
  'DELETE /api/v1/members/{userId}': thing(({ member }) => [`/api/v1/members/${member}`]),

  'GET /api/v1/invitations': { kind: 'list' },
  'POST /api/v1/invitations': { kind: 'makes' },
  'DELETE /api/v1/invitations/{id}': thing(({ invitation }) => [`/api/v1/invitations/${invitation}`]),
  'POST /api/v1/invitations/view': common('whoever has the secret is invited'),
  'POST /api/v1/invitations/accept': common('whoever has the secret is invited'),
  'POST /api/v1/invitations/password': common('whoever has the secret may set the password'),

  'GET /api/v1/tokens': { kind: 'list' },
  'POST /api/v1/tokens': { kind: 'makes' },
  'DELETE /api/v1/tokens/{id}': thing(({ token }) => [`/api/v1/tokens/${token}`]),

  'GET /api/v1/users': { kind: 'operator' },
  'PATCH /api/v1/users/{id}': { kind: 'operator', path: ({ member }) => `/api/v1/users/${member}`, body: {} },
  'DELETE /api/v1/users/{id}': { kind: 'operator', path: ({ member }) => `/api/v1/users/${member}` },
  'POST /api/v1/users/{id}/password-link': {
    kind: 'operator',
    path: ({ member }) => `/api/v1/users/${member}/password-link`,
  },

  'GET /api/v1/audit': { kind: 'list' },
};

const FIRMWARE = { board: 'malta', images: { firmware: 'builtin:malta-selftest-el' } };
const ALL_IN_PROJECT = ['read', 'submit', 'images', 'maintain', 'admin'];

let api: TestApi;
let operations: Operation[];
let theirs: Theirs;
let theirToken: string;
let ourToken: string;
/** Everything that tells of theirs: none of it may stand in an answer to us. */
let telltales: string[];

const as = <T>(token: string, method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  api.call<T>(path, { method, token, headers, ...(body !== undefined && { body }) } satisfies Call);

async function tokenOf(project: string): Promise<MadeToken> {
  await as(api.adminToken, 'POST', '/api/v1/projects', { name: project });
  const token = { name: project === 'theirs' ? SECRET : 'plain', scopes: ALL_IN_PROJECT };
  const headers = { 'bootlab-project': project };
  return (await as<MadeToken>(api.adminToken, 'POST', '/api/v1/tokens', token, headers)).body;
}

async function uploadAs(token: string, text: string): Promise<Image | undefined> {
  const form = new FormData();
  form.set('file', new Blob([text]), `${text}.bin`);
  const answer = await api.call<{ items: Image[] }>('/api/v1/images', { method: 'POST', token, form });
  return answer.body.items[0];
}

beforeAll(async () => {
  api = await startTestApi();
  ({ operations } = await describedOperations(api));
  const made = await tokenOf('theirs');
  theirToken = made.secret;
  ourToken = (await tokenOf('ours')).secret;
  const submitted = await as<Job>(theirToken, 'POST', '/api/v1/jobs', { ...FIRMWARE, name: SECRET });
  const image = await uploadAs(theirToken, SECRET);
  const invite = { role: 'viewer', note: SECRET };
  const link = await as<MadeLink>(theirToken, 'POST', '/api/v1/invitations', invite);
  const other = await as<MadeLink>(theirToken, 'POST', '/api/v1/invitations', invite);
  const account = { login: SECRET, name: SECRET, password: 'a long enough password' };
  const joined = await as<Me>(theirToken, 'POST', '/api/v1/invitations/accept', {
    secret: other.body.path.split('#')[1],
    account,
  });
  const matrix = { ...FIRMWARE, name: SECRET, matrix: { cpu: ['24Kf', '34Kf'] } };
  const several = await as<Job>(theirToken, 'POST', '/api/v1/jobs', matrix);
  const badge = await as<{ id: string }>(theirToken, 'POST', '/api/v1/badges', { label: SECRET });
  const url = `https://${SECRET}.invalid/`;
  const hook = await as<{ id: string }>(theirToken, 'POST', '/api/v1/webhooks', { url });
  const ping = await as<{ id: string }>(theirToken, 'POST', `/api/v1/webhooks/${hook.body.id}/ping`, {});
  theirs = {
    job: submitted.body.id,
    image: image?.id ?? '',
    digest: image?.sha256 ?? '',
    token: made.token.id,
    invitation: link.body.id,
    member: joined.body.user?.id ?? '',
    group: several.body.groupId ?? '',
    transfer: await beginUpload(),
    upload: await beginUpload(),
    badge: badge.body.id,
    webhook: hook.body.id,
    delivery: ping.body.id,
  };
  telltales = [SECRET, '"theirs"', ...Object.values(theirs)];
  expect(telltales.every((text) => text.length > 5)).toBe(true);
  await printed(theirs.job);
}, 60_000);
afterAll(() => api.stop());

/** Begins a resumable upload as theirs; its id. */
async function beginUpload(): Promise<string> {
  const name = Buffer.from(SECRET).toString('base64');
  const headers = { 'tus-resumable': '1.0.0', 'upload-length': '100', 'upload-metadata': `filename ${name}` };
  const answer = await as(theirToken, 'POST', '/api/v1/uploads', undefined, headers);
  return answer.headers.get('location')?.split('/').at(-1) ?? '';
}

/** Plays a worker: the job runs, has printed something and left a file and a result. */
async function printed(jobId: string): Promise<void> {
  await api.app.get(JobStore).claim(jobId, 'test', 0);
  const writer = await api.app.get(ConsoleLogs).openWriter(jobId, 1);
  await writer.append([{ uart: 'uart0', tNs: 1, data: Buffer.from(SECRET) }]);
  const blobKey = `artifacts/${jobId}/${SECRET}`;
  await api.app.get<BlobStore>(BLOBS).put(blobKey, Buffer.from(SECRET));
  const file = { name: SECRET, contentType: 'text/plain', sizeBytes: SECRET.length, sha256: '0'.repeat(64), blobKey };
  await api.app.get(DATABASE).artifact.create({ data: { jobId, ...file } });
  const result = { suite: SECRET, name: SECRET, position: 0, outcome: 'pass' } as const;
  await api.app.get(DATABASE).result.create({ data: { jobId, ...result } });
}

const told = (answer: Answer<unknown>): string[] => {
  const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
  return telltales.filter((telltale) => text.includes(telltale));
};
const casesOf = <K extends Case['kind']>(kind: K) =>
  Object.entries(CASES).flatMap(([key, found]) => {
    const [method = '', path = ''] = key.split(' ');
    return found.kind === kind ? [{ key, method, path, found: found as Extract<Case, { kind: K }> }] : [];
  });

it('has a case for every operation of the API, and none that is gone', () => {
  expect(Object.keys(CASES).sort()).toEqual(operations.map(({ key }) => key).sort());
});

describe('another project’s token', () => {
  it.each(casesOf('thing'))('finds nothing: $key', async ({ method, found }) => {
    for (const path of found.paths(theirs)) {
      const asked = found.paths({ ...theirs }).indexOf(path);
      const answer = await as<Problem>(ourToken, method, path, found.body, found.headers);
      expect([path, answer.status]).toEqual([path, 404]);
      // What it says is what it says of things that never were, but for the id that was asked for.
      const nowhere = Object.fromEntries(
        Object.keys(theirs).map((name) => [
          name,
          name === 'digest' ? '0'.repeat(64) : '00000000-0000-0000-0000-000000000000',
        ]),
      ) as unknown as Theirs;
      const never = await as<Problem>(ourToken, method, found.paths(nowhere)[asked] ?? '', found.body, found.headers);
      expect(never.status).toBe(404);
      if (method !== 'HEAD')
        expect(answer.body.detail.replace(/"[^"]*"/g, '')).toBe(never.body.detail.replace(/"[^"]*"/g, ''));
    }
  });

  it.each(casesOf('list'))('sees nothing of it in $key', async ({ method, path, found }) => {
    const answer = await as(ourToken, method, path + (found.query ?? ''));
    expect(answer.status).toBe(200);
    expect(told(answer)).toEqual([]);
  });

  it.each(casesOf('list').filter(({ path }) => !/\/(me|projects)$/.test(path)))(
    'may not name that project in $key',
    async ({ method, path }) => {
      expect((await as(ourToken, method, path, undefined, { 'bootlab-project': 'theirs' })).status).toBe(404);
      expect((await as(ourToken, method, `${path}?project=theirs`)).status).toBe(404);
    },
  );

  it.each(casesOf('operator'))('is turned away from $key', async ({ method, path, found }) => {
    const answer = await as(ourToken, method, found.path?.(theirs) ?? path, found.body);
    expect(answer.status).toBe(403);
    expect(told(answer)).toEqual([]);
  });

  it('makes no use of that project’s images', async () => {
    for (const reference of [theirs.image, `sha256:${theirs.digest}`]) {
      const answer = await as<Problem>(ourToken, 'POST', '/api/v1/jobs', {
        board: 'malta',
        images: { kernel: reference },
      });
      expect(answer).toMatchObject({ status: 422, body: { errors: [{ field: 'images.kernel' }] } });
    }
  });

  it('compares none of its own jobs with that project’s', async () => {
    const ours = (await as<Job>(ourToken, 'POST', '/api/v1/jobs', FIRMWARE)).body.id;
    for (const [base, head] of [
      [ours, theirs.job],
      [theirs.job, ours],
    ]) {
      expect((await as(ourToken, 'GET', `/api/v1/compare?base=${base}&head=${head}`)).status).toBe(404);
    }
  });

  it('gets an image of its own when it uploads the same bytes, and learns nothing of the other', async () => {
    const ours = await uploadAs(ourToken, SECRET);
    expect(ours?.sha256).toBe(theirs.digest);
    expect(ours?.id).not.toBe(theirs.image);
    expect((await as(ourToken, 'GET', `/api/v1/images/${theirs.image}`)).status).toBe(404);
  });
});

describe('another project’s console', () => {
  async function watch(first: object, headers: Record<string, string> = {}): Promise<[number, ServerMessage[]]> {
    const socket = new WebSocket(`${api.url.replace('http', 'ws')}/api/v1/jobs/${theirs.job}/console`, { headers });
    const messages: ServerMessage[] = [];
    socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString()) as ServerMessage));
    await once(socket, 'open');
    socket.send(JSON.stringify(first));
    socket.send(JSON.stringify({ type: 'input', uart: 'uart0', data: 'YQ==' }));
    const [code] = (await once(socket, 'close')) as [number];
    return [code, messages];
  }

  it('is not there', async () => {
    const [code, messages] = await watch({ type: 'auth', token: ourToken });
    expect(code).toBe(4404);
    expect(JSON.stringify(messages)).not.toContain(SECRET);
    expect((await watch({ type: 'auth', token: ourToken, project: 'theirs' }))[0]).toBe(4404);
  });

  it('is not opened by a page of another site, whatever cookie comes along', async () => {
    const signIn = { method: 'POST', body: { token: theirToken } };
    const { cookie } = cookieOf(await api.call('/api/v1/session', signIn));
    const [code, messages] = await watch({ type: 'auth' }, { cookie, origin: 'https://evil.example' });
    expect(code).toBe(4401);
    expect(messages).toMatchObject([{ type: 'error' }]);
  });

  it('is shown, but not typed into, without the scope for it', async () => {
    const reader = { name: 'reader', scopes: ['read'] };
    const { body } = await as<MadeToken>(theirToken, 'POST', '/api/v1/tokens', reader);
    const [code, messages] = await watch({ type: 'auth', token: body.secret });
    expect(messages[0]).toMatchObject({ type: 'ready' });
    expect(code).toBe(4403);
  });
});

describe('another project’s events', () => {
  it('are not told', async () => {
    const abort = new AbortController();
    const headers = { authorization: `Bearer ${ourToken}`, 'last-event-id': new Date(0).toISOString() };
    const response = await fetch(`${api.url}/api/v1/events`, { headers, signal: abort.signal });
    const ours = (await as<Job>(ourToken, 'POST', '/api/v1/jobs', { ...FIRMWARE, name: 'ours' })).body.id;
    await as(theirToken, 'POST', '/api/v1/jobs', { ...FIRMWARE, name: SECRET });
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString();
      if (text.includes(ours)) break;
    }
    abort.abort();
    expect(telltales.filter((telltale) => text.includes(telltale))).toEqual([]);
  });

  it('of one job are not found', async () => {
    expect((await as(ourToken, 'GET', `/api/v1/jobs/${theirs.job}/events`)).status).toBe(404);
  });
});

// Last, because it removes things; without it a path that is wrong would pass as "not found".
it.each(casesOf('thing'))('is what its own project finds: $key', async ({ method, found }) => {
  for (const path of found.paths(theirs)) {
    const answer = await as(theirToken, method, path, found.body, found.headers);
    expect([path, found.owner ?? answer.status < 300]).toEqual([
      path,
      found.owner === undefined ? true : answer.status,
    ]);
  }
});
