import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import type { Image, Job, MadeLink, Problem } from '@bootlab/lab';
import { describedOperations, type Operation, type Schema } from './testing/openapi.js';
import { startTestApi, type TestApi } from './testing/test-api.js';

jest.setTimeout(240_000); // a busy machine must not fail them

// Requests made from the API's own description, mostly right and wrong in one place, to every operation: whatever comes,
// the lab answers, never with a 5xx, and what it refuses it refuses with a problem that a person can act on. The seed is
// fixed: a run that fails fails again; FUZZ_SEED and FUZZ_RUNS try others.

const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_122);
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 30);

let api: TestApi;
let operations: Operation[];
let schemas: Record<string, Schema>;
/** What is really there: some requests must get past "not found". */
let known: string[];

beforeAll(async () => {
  api = await startTestApi();
  ({ operations, schemas } = await describedOperations(api));
  const spec = { board: 'malta', images: { firmware: 'builtin:malta-selftest-el' } };
  const call = { method: 'POST', token: api.adminToken };
  const job = await api.call<Job>('/api/v1/jobs', { ...call, body: spec });
  const images = await api.call<{ items: Image[] }>('/api/v1/images', { token: api.adminToken });
  const link = await api.call<MadeLink>('/api/v1/invitations', { ...call, body: { role: 'viewer', note: 'x' } });
  await api.call(`/api/v1/jobs/${job.body.id}/cancel`, { ...call, body: {} }); // so that no log is waited for
  known = [job.body.id, images.body.items[0]?.id ?? '', link.body.id, 'malta', 'uart0'];
}, 60_000);
afterAll(() => api.stop());

const NASTY_TEXT = [
  '',
  '\0',
  '../../../../etc/passwd',
  '..\\..\\boot.ini',
  '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
  '%',
  "' OR 1=1 --",
  '${jndi:ldap://x}',
  '<script>alert(1)</script>',
  '__proto__',
  'constructor',
  '\ud800',
  '\u202e💥\r\nX-Injected: 1',
  '00000000-0000-0000-0000-000000000000',
  'sha256:' + 'f'.repeat(64),
  'x'.repeat(3000),
  '(a+)+$',
  'NaN',
  '1e400',
];
const NASTY: unknown[] = [
  ...NASTY_TEXT,
  null,
  true,
  -1,
  0.5,
  2 ** 53,
  1e308,
  [],
  {},
  [[[[[[]]]]]],
  JSON.parse('{"__proto__": {"polluted": true}}'),
  { toString: 'x' },
];

const BODILESS = ['GET', 'HEAD'];

const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, '\ufffd');

const nasty = fc.oneof(fc.constantFrom(...NASTY), fc.jsonValue());

/** Values of a schema; now and then, at any depth, something else. */
function valuesOf(schema: Schema, depth = 0): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 12, arbitrary: properValuesOf(schema, depth) }, { weight: 1, arbitrary: nasty });
}

function properValuesOf(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  // Beside properties, they are rules for objects.
  const choices = schema.properties ? undefined : (schema.anyOf ?? schema.oneOf);
  if (schema.$ref !== undefined) return valuesOf(schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {}, depth + 1);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (choices) return fc.oneof(...choices.map((choice) => valuesOf(choice, depth + 1)));
  switch (schema.type) {
    case 'boolean':
      return fc.boolean();
    case 'integer':
    case 'number':
      return numbersOf(schema);
    case 'string':
      return textsOf(schema);
    case 'array':
      if (depth > 6) return fc.constant([]);
      return fc.array(valuesOf(schema.items ?? {}, depth + 1), { minLength: schema.minItems ?? 0, maxLength: 4 });
    case 'object':
      return fc.oneof(...kindsOf(schema).map((kind) => objectsOf(kind, depth)));
    default:
      return nasty;
  }
}

function numbersOf({ type, minimum = -1000, maximum = 1000 }: Schema): fc.Arbitrary<number> {
  const max = Math.max(minimum, Math.min(maximum, minimum + 1e9));
  return type === 'integer'
    ? fc.integer({ min: Math.max(-(2 ** 31), Math.ceil(minimum)), max: Math.min(2 ** 31 - 1, Math.floor(max)) })
    : fc.double({ min: minimum, max, noNaN: true });
}

/** What fast-check cannot follow; a text that breaks it is as good here. */
const LOOKAHEAD = /\(\?!(?:[^()]|\([^()]*\))*\)/g;

function textsOf({ format, pattern, minLength = 0, maxLength = 60 }: Schema): fc.Arbitrary<string> {
  if (format === 'uuid') return fc.oneof(fc.uuid(), fc.constantFrom(...known));
  if (pattern !== undefined)
    return fc.oneof(fc.stringMatching(new RegExp(pattern.replace(LOOKAHEAD, ''))), fc.string());
  const texts = fc.string({ unit: 'grapheme', minLength, maxLength: Math.max(minLength, Math.min(maxLength, 200)) });
  return fc.oneof(texts, fc.constantFrom(...NASTY_TEXT, ...known));
}

/** The kinds of objects that a schema tells apart by the keys they need, and those they do not have. */
function kindsOf({ oneOf = [{}], ...schema }: Schema): Schema[] {
  return oneOf.map(({ required = [], not }) => {
    const strange = (not?.anyOf ?? []).flatMap((rule) => rule.required ?? []);
    const properties = Object.entries(schema.properties ?? {}).filter(([name]) => !strange.includes(name));
    return {
      ...schema,
      properties: Object.fromEntries(properties),
      required: [...(schema.required ?? []), ...required],
    };
  });
}

function objectsOf(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  const properties = Object.entries(schema.properties ?? {}).filter(
    ([name]) => depth < 5 || schema.required?.includes(name),
  );
  const model = Object.fromEntries(properties.map(([name, member]) => [name, valuesOf(member, depth + 1)]));
  const record = fc.record(model, { requiredKeys: (schema.required ?? []).filter((name) => name in model) });
  const others = fc.dictionary(fc.string({ maxLength: 10 }), nasty, { maxKeys: 2 });
  return fc
    .tuple(record, fc.oneof({ weight: 8, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: others }))
    .map(([proper, extra]) => ({ ...proper, ...extra }));
}

interface Request {
  path: string;
  body: unknown;
  raw: string | undefined;
}

/** Path segments as bytes on the wire: encoded, or as they are where HTTP allows that. */
const segments = () =>
  fc.oneof(
    fc.constantFrom(...known),
    fc.constantFrom(...NASTY_TEXT.filter((text) => text !== '')).map((text) => encodeURIComponent(wellFormed(text))),
    fc.constantFrom('%', '%zz', '%00', '%c0%af', '..%2f..', ';', '~'),
    fc.string().map(encodeURIComponent),
  );

function requestsTo(operation: Operation): fc.Arbitrary<Request> {
  const names = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');
  const queries = operation.parameters.filter((parameter) => parameter.in === 'query');
  const schema = operation.bodies['application/json'];
  const query = fc.record(
    Object.fromEntries(queries.map((parameter) => [parameter.name, valuesOf(parameter.schema ?? {})])),
    { requiredKeys: [] },
  );
  return fc
    .record({
      segments: fc.tuple(...names.map(segments)),
      query: fc.tuple(query, fc.dictionary(fc.string({ maxLength: 5 }), fc.string(), { maxKeys: 1 })),
      body: schema ? valuesOf(schema) : fc.constant(undefined),
      raw: fc.option(fc.constantFrom('', '{', '[]', 'null', '"x"', '{"a":1,"a":2}', '\ufeff{}', '[['.repeat(5000)), {
        nil: undefined,
        freq: 20,
      }),
    })
    .map(({ segments: values, query: [proper, junk], body, raw }) => {
      let path = operation.path;
      names.forEach((name, index) => (path = path.replace(`{${name}}`, String(values[index]))));
      const search = new URLSearchParams();
      for (const [name, value] of Object.entries({ ...proper, ...junk })) {
        const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
        search.append(name, wellFormed(text).slice(0, 2000));
      }
      // Would wait for the end of a job that runs.
      search.delete('follow');
      search.delete('wait');
      return { path: search.size > 0 ? `${path}?${search}` : path, body, raw: schema ? raw : undefined };
    });
}

interface Reply {
  status: number;
  type: string;
  /** Undefined where HTTP has none. */
  text: string | undefined;
}

async function send(operation: Operation, request: Request): Promise<Reply> {
  const headers = new Headers({ authorization: `Bearer ${api.adminToken}` });
  const hasBody = !BODILESS.includes(operation.method) && (request.raw !== undefined || request.body !== undefined);
  if (hasBody) headers.set('content-type', 'application/json');
  const response = await fetch(api.url + request.path, {
    method: operation.method,
    headers,
    redirect: 'manual',
    ...(hasBody && { body: request.raw ?? JSON.stringify(request.body) ?? null }),
  });
  const type = response.headers.get('content-type') ?? '';
  // A stream of events has no end.
  const isStream = type.startsWith('text/event-stream');
  if (isStream) await response.body?.cancel();
  return {
    status: response.status,
    type,
    text: operation.method === 'HEAD' || isStream ? undefined : await response.text(),
  };
}

function expectBearable({ status, type, text }: Reply): void {
  expect(status).toBeLessThan(500);
  if (status < 400 || text === undefined) return;
  expect(type).toMatch('application/problem+json');
  const problem = JSON.parse(text) as Problem;
  expect(problem).toMatchObject({ status, title: expect.any(String), detail: expect.stringMatching(/./) });
  for (const error of problem.errors) {
    expect(error).toMatchObject({ field: expect.any(String), message: expect.stringMatching(/./) });
    expect(error.mend).not.toBe('');
  }
}

// What the requests must not do, because the others need it.
const LEFT_OUT: Readonly<Record<string, string>> = {
  'DELETE /api/v1/tokens/{id}':
    'would revoke the token that all requests use, if its id came up; see isolation.test.ts',
};

describe('every operation bears whatever comes', () => {
  it('has operations to try', () => {
    expect(operations.length).toBeGreaterThan(30);
    const keys = operations.map(({ key }) => key);
    expect(Object.keys(LEFT_OUT).filter((key) => !keys.includes(key))).toEqual([]);
  });

  it('made from its description', async () => {
    const failures: string[] = [];
    const statuses = new Map<number, number>();
    for (const operation of operations.filter(({ key }) => !(key in LEFT_OUT))) {
      const property = fc.asyncProperty(requestsTo(operation), async (request) => {
        const answer = await send(operation, request);
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        expectBearable(answer);
      });
      const result = await fc.check(property, { seed: SEED, numRuns: RUNS, endOnFailure: true });
      if (result.failed) {
        const error = result.errorInstance instanceof Error ? result.errorInstance.message : '';
        failures.push(`${operation.key}: ${JSON.stringify(result.counterexample)}\n${error}`);
      }
    }
    expect(failures).toEqual([]);
    // The requests reach the code behind validation and look-up, too.
    for (const status of [200, 201, 204, 400, 404])
      expect([status, statuses.get(status) ?? 0]).not.toEqual([status, 0]);
  });
});

it.each<[string, string, object | undefined, string]>([
  ['a NUL in the query', '/api/v1/audit?actor=%00', undefined, 'actor'],
  ['a NUL in a text', '/api/v1/tokens', { name: 'a\0b', scopes: ['read'] }, 'name'],
  ['half a character', '/api/v1/tokens', { name: '\ud800', scopes: ['read'] }, 'name'],
  ['a NUL in a list', '/api/v1/tokens', { name: 'a', scopes: ['\0'] }, 'scopes[0]'],
  ['a NUL in a key', '/api/v1/tokens', { name: 'a', scopes: ['read'], 'a\0': 'x' }, 'body'],
])('refuses %s, which no database stores', async (_, path, body, field) => {
  const method = body ? 'POST' : 'GET';
  const answer = await api.call<Problem>(path, { token: api.adminToken, method, ...(body && { body }) });
  expect(answer.status).toBe(400);
  expect(answer.body.errors.map((error) => error.field)).toEqual([field]);
});

it('has nothing under a name that no database stores', async () => {
  expect((await api.call('/api/v1/projects/%00', { token: api.adminToken })).status).toBe(404);
});

describe('forms', () => {
  const post = async (path: string, contentType: string, body: string) => {
    const headers = { authorization: `Bearer ${api.adminToken}`, 'content-type': contentType };
    const response = await fetch(api.url + path, { method: 'POST', headers, body });
    return { status: response.status, type: response.headers.get('content-type') ?? '', text: await response.text() };
  };
  const part = (disposition: string, content: string) =>
    `--b\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${content}\r\n`;

  it.each<[string, string, string]>([
    ['without a boundary', 'multipart/form-data', part('name="a"', 'x')],
    ['with another boundary', 'multipart/form-data; boundary=other', part('name="a"', 'x')],
    ['that end in the middle of a part', 'multipart/form-data; boundary=b', part('name="a"; filename="a"', 'x')],
    ['that end in the middle of a header', 'multipart/form-data; boundary=b', '--b\r\nContent-Dispo'],
    ['with nothing in them', 'multipart/form-data; boundary=b', ''],
    ['with only an end', 'multipart/form-data; boundary=b', '--b--\r\n'],
    ['with a part without a name', 'multipart/form-data; boundary=b', `${part('filename="a"', 'x')}--b--\r\n`],
    [
      'with a name that is too long',
      'multipart/form-data; boundary=b',
      `${part(`name="${'n'.repeat(5000)}"`, 'x')}--b--\r\n`,
    ],
    ['with a name that is dangerous', 'multipart/form-data; boundary=b', `${part('name="__proto__"', 'x')}--b--\r\n`],
    [
      'with too many parts',
      'multipart/form-data; boundary=b',
      `${Array.from({ length: 2000 }, (_, i) => part(`name="f${i}"; filename="f"`, 'x')).join('')}--b--\r\n`,
    ],
    [
      'with headers that are too long',
      'multipart/form-data; boundary=b',
      `--b\r\nX: ${'y'.repeat(100_000)}\r\n\r\nx\r\n--b--\r\n`,
    ],
  ])('%s are refused', async (_, contentType, body) => {
    for (const path of ['/api/v1/images', '/api/v1/jobs']) {
      const answer = await post(path, contentType, body);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expectBearable(answer);
    }
  });

  it.each(['../../../tmp/escaped', '/etc/passwd', '..\\..\\escaped', 'a\0b', '.', '..', '', 'x'.repeat(5000)])(
    'with the file name %j store the file and no path',
    async (name) => {
      const body = `${part(`name="file"; filename="${name}"`, `bytes of ${name.length}`)}--b--\r\n`;
      const answer = await post('/api/v1/images', 'multipart/form-data; boundary=b', body);
      expectBearable(answer);
      if (answer.status >= 400) return;
      const { items } = JSON.parse(answer.text) as { items: Image[] };
      expect(items[0]?.name).not.toMatch(/[/\\\0]/);
      expect(items[0]?.name.length).toBeLessThanOrEqual(255);
    },
  );
});
