import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import 'reflect-metadata';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdir, utimes, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ROLE_SCOPES, type Image, type ImagePage, type ImageTransfer, type Job, type Problem } from '@bootlab/lab';
import { TokenStore, type Database } from '@bootlab/lab/server';
import { eventually } from '@bootlab/lab/testing';
import { DATABASE } from '../lab.module.js';
import { ADMIN_TOKEN, startTestApi, UPLOAD_LIMIT, type TestApi } from '../testing/test-api.js';
import { ImageJanitor } from './image-janitor.js';

jest.setTimeout(60_000); // a busy machine must not fail them

let api: TestApi;
let app: NestFastifyApplication;
let url: string;
let files: Server;
let filesUrl: string;
let stranger: string;
const served = new Map<string, Buffer>();

beforeAll(async () => {
  files = createServer((request, response) => {
    const bytes = served.get(request.url ?? '');
    if (request.url === '/slow') response.write('some');
    else if (request.url === '/redirect') response.writeHead(302, { location: 'http://127.0.0.1:1/secret' }).end();
    else response.writeHead(bytes ? 200 : 404).end(bytes);
  }).listen(0, '127.0.0.1');
  await once(files, 'listening');
  filesUrl = `http://localhost:${(files.address() as AddressInfo).port}`;
  api = await startTestApi({ BOOTLAB_IMPORT_HOSTS: new URL(filesUrl).host });
  ({ app, url } = api);
  await addStranger();
}, 60_000);
afterAll(async () => {
  files.close();
  files.closeAllConnections();
  await api.stop();
});

/** A token of a second project that may do everything there. */
async function addStranger(): Promise<void> {
  const project = await app.get<Database>(DATABASE).project.create({ data: { name: 'strangers' } });
  const rights = { name: 'stranger', scopes: [...ROLE_SCOPES.admin], expiresInDays: null };
  stranger = (await app.get(TokenStore).create(project.id, undefined, rights)).secret;
}

interface Answer<T> {
  status: number;
  headers: Headers;
  body: T;
}

async function call<T>(path: string, init: RequestInit = {}, token = ADMIN_TOKEN): Promise<Answer<T>> {
  const headers = new Headers(init.headers);
  headers.set('authorization', `Bearer ${token}`);
  if (typeof init.body === 'string' && !headers.has('content-type')) headers.set('content-type', 'application/json');
  const response = await fetch(new URL(path, url), { ...init, headers });
  const text = await response.text();
  const json = (response.headers.get('content-type') ?? '').includes('json');
  return {
    status: response.status,
    headers: response.headers,
    body: (json && text !== '' ? JSON.parse(text) : text) as T,
  };
}
const send = <T>(method: string, path: string, body: unknown, token?: string) =>
  call<T>(path, { method, body: JSON.stringify(body) }, token);

const digestOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const TUS = { 'tus-resumable': '1.0.0' };
const metadata = (values: Record<string, string>) =>
  Object.entries(values)
    .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
    .join(',');

async function begin(sizeBytes: number, values: Record<string, string> = {}, token?: string) {
  const given = Object.keys(values).length > 0 && { 'upload-metadata': metadata(values) };
  const headers = { ...TUS, 'upload-length': String(sizeBytes), ...given };
  return call<Problem>('/api/v1/uploads', { method: 'POST', headers }, token);
}
const append = (location: string, offset: number, bytes: Buffer, token?: string) =>
  call<Problem>(
    location,
    {
      method: 'PATCH',
      headers: { ...TUS, 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' },
      body: new Uint8Array(bytes),
    },
    token,
  );
const offsetOf = async (location: string) => {
  const { status, headers } = await call(location, { method: 'HEAD', headers: TUS });
  return { status, offset: headers.get('upload-offset'), length: headers.get('upload-length') };
};
const locationOf = ({ headers }: Answer<unknown>) => headers.get('location') ?? '';

const idOf = (location: string) => location.split('/').at(-1) ?? '';
const transfer = async (id: string) => (await call<ImageTransfer>(`/api/v1/images/transfers/${id}`)).body;
const ended = (id: string) =>
  eventually(async () => {
    const now = await transfer(id);
    return now.state !== 'receiving' && now.state !== 'checking' && now;
  }, `the end of transfer ${id}`);

async function upload(bytes: Buffer, values: Record<string, string> = {}): Promise<ImageTransfer> {
  const location = locationOf(await begin(bytes.length, values));
  expect((await append(location, 0, bytes)).status).toBe(204);
  return ended(idOf(location));
}
async function importFrom(body: object): Promise<ImageTransfer> {
  const started = await send<ImageTransfer>('POST', '/api/v1/images/imports', body);
  expect(started.status).toBe(202);
  return ended(started.body.id);
}
const leftovers = async () => [
  ...(await readdir(`${api.folder}/staging`)),
  ...(await readdir(`${api.folder}/uploads`)),
];

describe('a resumable upload', () => {
  it('goes on where it stopped, and becomes an image', async () => {
    const bytes = randomBytes(100_000);
    const begun = await begin(bytes.length, { filename: 'disk.img', sha256: digestOf(bytes) });
    expect(begun.status).toBe(201);
    const location = locationOf(begun);
    expect(location).toMatch(/^\/api\/v1\/uploads\/[0-9a-f-]{36}$/);
    expect((await append(location, 0, bytes.subarray(0, 60_000))).status).toBe(204);
    expect(await offsetOf(location)).toEqual({ status: 200, offset: '60000', length: '100000' });
    expect((await append(location, 60_000, bytes.subarray(60_000))).status).toBe(204);
    const done = await ended(idOf(location));
    expect(done).toMatchObject({ kind: 'upload', name: 'disk.img', state: 'stored', receivedBytes: 100_000 });
    expect(done.image).toMatchObject({ name: 'disk.img', sha256: digestOf(bytes), origin: 'Uploaded' });
    expect(await leftovers()).toEqual([]);
  });

  it('goes on when the connection broke in the middle of a piece', async () => {
    const bytes = randomBytes(200_000);
    const location = locationOf(await begin(bytes.length));
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const head = [
      `PATCH ${location} HTTP/1.1`,
      'Host: lab',
      `Authorization: Bearer ${ADMIN_TOKEN}`,
      'Tus-Resumable: 1.0.0',
      'Upload-Offset: 0',
      'Content-Type: application/offset+octet-stream',
      `Content-Length: ${bytes.length}`,
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
    socket.write(bytes.subarray(0, 100_000));
    await eventually(async () => Number((await offsetOf(location)).offset) === 100_000, 'half of the upload');
    socket.destroy();
    const offset = await eventually(async () => {
      const answer = await append(location, 100_000, bytes.subarray(100_000));
      return answer.status === 204 ? 100_000 : undefined; // 423 while the lab has not noticed the broken connection
    }, 'the lab to go on');
    expect(offset).toBe(100_000);
    expect((await ended(idOf(location))).image?.sha256).toBe(digestOf(bytes));
  });

  it('tells a client that missed the answer to its last bytes that it is done', async () => {
    const bytes = randomBytes(1000);
    const location = locationOf(await begin(bytes.length));
    await append(location, 0, bytes);
    await ended(idOf(location));
    expect(await offsetOf(location)).toEqual({ status: 200, offset: '1000', length: '1000' });
    expect((await append(location, 1000, Buffer.alloc(1))).status).toBe(410);
  });

  it('is taken over also when the lab was stopped right after its last byte', async () => {
    const bytes = randomBytes(1000);
    const location = locationOf(await begin(bytes.length));
    await append(location, 0, bytes.subarray(0, 999));
    await writeFile(`${api.folder}/uploads/${idOf(location)}`, bytes); // the byte arrived, and nothing else happened
    expect(await offsetOf(location)).toMatchObject({ status: 200, offset: '1000' });
    expect((await ended(idOf(location))).image?.sha256).toBe(digestOf(bytes));
  });

  it('stores the same bytes once', async () => {
    const bytes = randomBytes(5000);
    const [first, second] = [await upload(bytes, { filename: 'a' }), await upload(bytes, { filename: 'b' })];
    expect(second.image?.id).toBe(first.image?.id);
  });

  it('refuses bytes that do not have the given digest', async () => {
    const done = await upload(randomBytes(1000), { sha256: `sha256:${'0'.repeat(64)}` });
    expect(done).toMatchObject({ state: 'failed', image: null, errors: [{ field: 'sha256' }] });
    expect(await leftovers()).toEqual([]);
  });

  it('is given up when its owner says so', async () => {
    const location = locationOf(await begin(1000));
    await append(location, 0, randomBytes(500));
    expect((await call(location, { method: 'DELETE', headers: TUS })).status).toBe(204);
    expect((await transfer(idOf(location))).state).toBe('cancelled');
    expect((await offsetOf(location)).status).toBe(410);
    expect(await leftovers()).toEqual([]);
    const another = locationOf(await begin(1000));
    const cancelled = await call<ImageTransfer>(`/api/v1/images/transfers/${idOf(another)}`, { method: 'DELETE' });
    expect(cancelled.body.state).toBe('cancelled');
    expect((await append(another, 0, randomBytes(1000))).status).toBe(410);
    expect(await leftovers()).toEqual([]);
  });

  it('is nobody else’s', async () => {
    const location = locationOf(await begin(1000));
    expect((await append(location, 0, randomBytes(1000), stranger)).status).toBe(404);
    expect((await call(location, { method: 'HEAD', headers: TUS }, stranger)).status).toBe(404);
    expect((await call(location, { method: 'DELETE', headers: TUS }, stranger)).status).toBe(404);
    const path = `/api/v1/images/transfers/${idOf(location)}`;
    expect((await call(path, {}, stranger)).status).toBe(404);
    expect((await call(path, { method: 'DELETE' }, stranger)).status).toBe(404);
    const list = await call<{ items: ImageTransfer[] }>('/api/v1/images/transfers', {}, stranger);
    expect(list.body.items).toEqual([]);
    expect((await transfer(idOf(location))).state).toBe('receiving');
    await call(location, { method: 'DELETE', headers: TUS });
  });

  it('expires, and leaves nothing behind', async () => {
    const location = locationOf(await begin(1000));
    await append(location, 0, randomBytes(500));
    const id = idOf(location);
    const past = new Date(Date.now() - 25 * 3_600_000);
    await app.get<Database>(DATABASE).imageTransfer.update({ where: { id }, data: { createdAt: past } });
    const config = `${api.folder}/uploads/${id}.json`;
    const { readFile } = await import('node:fs/promises');
    const stored = JSON.parse(await readFile(config, 'utf8')) as { creation_date: string };
    await writeFile(config, JSON.stringify({ ...stored, creation_date: past.toISOString() }));
    await app.get(ImageJanitor).run();
    expect(await transfer(id)).toMatchObject({ state: 'failed' });
    expect((await readdir(`${api.folder}/uploads`)).filter((name) => name.startsWith(id))).toEqual([]);
    expect((await append(location, 500, randomBytes(500))).status).toBe(410);
  });
});

describe('hostile uploads', () => {
  it.each<[string, string, RequestInit, number[]]>([
    ['no version', '/api/v1/uploads', { method: 'POST', headers: { 'upload-length': '1' } }, [412]],
    ['another version', '/api/v1/uploads', { method: 'POST', headers: { 'tus-resumable': '9.9' } }, [412]],
    ['no length', '/api/v1/uploads', { method: 'POST', headers: TUS }, [400]],
    ['a length that is none', '/api/v1/uploads', { method: 'POST', headers: { ...TUS, 'upload-length': 'x' } }, [400]],
    ['a negative length', '/api/v1/uploads', { method: 'POST', headers: { ...TUS, 'upload-length': '-1' } }, [400]],
    [
      'a length beyond the limit',
      '/api/v1/uploads',
      { method: 'POST', headers: { ...TUS, 'upload-length': String(UPLOAD_LIMIT + 1) } },
      [413],
    ],
    [
      'metadata that is none',
      '/api/v1/uploads',
      { method: 'POST', headers: { ...TUS, 'upload-length': '1', 'upload-metadata': 'filename ###,,,' } },
      [400],
    ],
    [
      'a digest that is none',
      '/api/v1/uploads',
      { method: 'POST', headers: { ...TUS, 'upload-length': '1', 'upload-metadata': metadata({ sha256: 'abc' }) } },
      [400],
    ],
    ['an id that is none', '/api/v1/uploads/nope', { method: 'HEAD', headers: TUS }, [404]],
    ['an id of nobody', `/api/v1/uploads/${randomUUID()}`, { method: 'HEAD', headers: TUS }, [404]],
    ['an id that climbs', '/api/v1/uploads/..%2F..%2Fetc%2Fpasswd', { method: 'HEAD', headers: TUS }, [404]],
    ['a NUL in the id', '/api/v1/uploads/%00', { method: 'DELETE', headers: TUS }, [404]],
    ['another method', '/api/v1/uploads', { method: 'PUT', headers: TUS }, [404, 405]],
    ['GET of the list', '/api/v1/uploads', { method: 'GET', headers: TUS }, [404, 405]],
  ])('are refused: %s', async (_, path, init, statuses) => {
    const { status } = await call(path, init);
    expect(statuses).toContain(status);
  });

  it.each<[string, Record<string, string>, number]>([
    ['at a wrong offset', { 'upload-offset': '5' }, 409],
    ['without an offset', {}, 403],
    ['at a negative offset', { 'upload-offset': '-1' }, 400],
    ['of another type', { 'upload-offset': '0', 'content-type': 'text/plain' }, 400],
  ])('refuses a piece %s', async (_, headers, status) => {
    const location = locationOf(await begin(100));
    const init = {
      method: 'PATCH',
      headers: { ...TUS, 'content-type': 'application/offset+octet-stream', ...headers },
      body: new Uint8Array(10),
    };
    expect((await call(location, init)).status).toBe(status);
    expect(await offsetOf(location)).toMatchObject({ offset: '0' });
    await call(location, { method: 'DELETE', headers: TUS });
  });

  it('takes no more than was announced', async () => {
    const location = locationOf(await begin(100));
    expect((await append(location, 0, randomBytes(200))).status).toBe(413);
    await call(location, { method: 'DELETE', headers: TUS });
  });

  it('answers with problem+json', async () => {
    const { headers, body } = await begin(UPLOAD_LIMIT + 1);
    expect(headers.get('content-type')).toMatch('application/problem+json');
    expect(body).toMatchObject({ status: 413, errors: [] });
    const bad = await begin(1, { sha256: 'abc' });
    expect(bad.body.errors[0]).toMatchObject({ field: 'upload-metadata.sha256' });
  });

  it.each([
    ['../../../../etc/passwd', 'passwd'],
    ['..\\..\\windows\\system.ini', 'system.ini'],
    ['/', 'unnamed'],
    ['..', 'unnamed'],
    ['\u001b[31mred\u0000\u202e.img', '[31mred.img'],
    ['a'.repeat(500), 'a'.repeat(200)],
  ])('names %j %j, and writes nowhere else', async (given, name) => {
    const done = await upload(randomBytes(64), { filename: given });
    expect(done.image?.name).toBe(name);
    const tree = (await readdir(api.folder)).sort();
    expect(tree).toEqual(['images', 'staging', 'uploads']);
  });

  it('lets nobody open uploads without end', async () => {
    const begun: string[] = [];
    for (;;) {
      const answer = await begin(10, {}, stranger);
      if (answer.status === 429) break;
      expect(answer.status).toBe(201);
      begun.push(locationOf(answer));
      expect(begun.length).toBeLessThan(100);
    }
    for (const location of begun) await call(location, { method: 'DELETE', headers: TUS }, stranger);
  });
});

describe('malformed forms', () => {
  const post = (body: string, type = 'multipart/form-data; boundary=x') =>
    call<Problem>('/api/v1/images', { method: 'POST', body, headers: { 'content-type': type } });
  const part = (disposition: string, content = 'bytes') =>
    `--x\r\ncontent-disposition: form-data; ${disposition}\r\ncontent-type: application/octet-stream\r\n\r\n${content}\r\n`;

  it.each([
    ['no boundary', part('name="a"; filename="a"') + '--x--\r\n', 'multipart/form-data'],
    ['an empty boundary', part('name="a"; filename="a"') + '--x--\r\n', 'multipart/form-data; boundary='],
    ['no end', part('name="a"; filename="a"'), undefined],
    ['no part at all', '--x--\r\n', undefined],
    ['no body', '', undefined],
    ['no line ends', '--x content-disposition: form-data; name=a', undefined],
    ['headers without end', `--x\r\n${'a: b\r\n'.repeat(10_000)}`, undefined],
    ['a header of 100 KB', `--x\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`, undefined],
    ['the same field twice', part('name="a"; filename="a"') + part('name="a"; filename="b"') + '--x--\r\n', undefined],
    ['a field named __proto__', part('name="__proto__"; filename="a"') + '--x--\r\n', undefined],
    ['too many files', Array.from({ length: 30 }, (_, i) => part(`name="f${i}"; filename="f"`)).join(''), undefined],
  ])('are refused: %s', async (_, body, type) => {
    const { status } = await post(body, type);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(await readdir(`${api.folder}/staging`)).toEqual([]);
  });

  it('take the last part of a file name that climbs', async () => {
    const answer = await call<{ items: Image[] }>('/api/v1/images', {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
      body: part('name="a"; filename="../../../etc/cron.d/evil"', randomUUID()) + '--x--\r\n',
    });
    expect(answer.status).toBe(201);
    expect(answer.body.items[0]?.name).toBe('evil');
  });
});

describe('unpacking', () => {
  it('stores what is inside, and says so', async () => {
    const inside = Buffer.concat([Buffer.from('070701'), randomBytes(10_000)]);
    const packed = gzipSync(inside);
    const done = await upload(packed, { filename: 'initrd.cpio.gz', sha256: digestOf(packed), unpack: '1' });
    expect(done.image).toMatchObject({ name: 'initrd.cpio', type: 'cpio', sha256: digestOf(inside) });
    expect(done.image?.origin).toContain(`unpacked from initrd.cpio.gz (gzip, sha256:${digestOf(packed)})`);
    expect(await leftovers()).toEqual([]);
  });

  it('keeps the file as it is unless asked, and says what is inside', async () => {
    const packed = gzipSync(Buffer.concat([Buffer.from('070701'), randomBytes(2000)]));
    const done = await upload(packed, { filename: 'initrd.gz' });
    expect(done.image).toMatchObject({ name: 'initrd.gz', type: 'gzip', sha256: digestOf(packed) });
    expect(done.image?.description).toContain('cpio archive');
  });

  it('stores what is not compressed as it is', async () => {
    const bytes = randomBytes(100);
    expect((await upload(bytes, { unpack: '1' })).image?.sha256).toBe(digestOf(bytes));
  });

  it('refuses what grows beyond the limit, and what is damaged', async () => {
    const bomb = gzipSync(Buffer.alloc(UPLOAD_LIMIT + 1));
    expect(await upload(bomb, { unpack: '1' })).toMatchObject({ state: 'failed', errors: [{ field: 'unpack' }] });
    const cut = gzipSync(randomBytes(1000)).subarray(0, 500);
    expect(await upload(cut, { unpack: '1' })).toMatchObject({ state: 'failed', errors: [{ field: 'unpack' }] });
    expect(await leftovers()).toEqual([]);
  });
});

describe('an import', () => {
  it('downloads what a URL names', async () => {
    const bytes = randomBytes(50_000);
    served.set('/images/my%20disk.img?x=1', bytes);
    const from = `${filesUrl}/images/my%20disk.img?x=1`;
    const done = await importFrom({ url: from, sha256: `sha256:${digestOf(bytes)}` });
    expect(done).toMatchObject({ kind: 'import', state: 'stored', url: from, name: 'my disk.img', sizeBytes: 50_000 });
    expect(done.image).toMatchObject({ sha256: digestOf(bytes), origin: `Imported from ${from}` });
  });

  it('unpacks, and takes the name given', async () => {
    const inside = randomBytes(500);
    served.set('/kernel.gz', gzipSync(inside));
    const done = await importFrom({ url: `${filesUrl}/kernel.gz`, name: 'my-kernel', unpack: true });
    expect(done.image).toMatchObject({ name: 'my-kernel', sha256: digestOf(inside) });
  });

  it.each<[string, () => object, string, string]>([
    ['a wrong digest', () => ({ url: `${filesUrl}/kernel.gz`, sha256: '0'.repeat(64) }), 'sha256', 'has the digest'],
    ['a file that is not there', () => ({ url: `${filesUrl}/none` }), 'url', 'answered 404'],
    ['a file that is too large', () => ({ url: `${filesUrl}/large` }), 'url', 'larger than this lab takes'],
    ['this host', () => ({ url: url }), 'url', 'not on the public internet'],
    ['the metadata service', () => ({ url: 'http://169.254.169.254/' }), 'url', 'not on the public internet'],
    ['a redirect to this host', () => ({ url: `${filesUrl}/redirect` }), 'url', 'not on the public internet'],
    ['a local file', () => ({ url: 'file:///etc/passwd' }), 'url', 'not fetched'],
  ])('fails for %s, and says why', async (_, body, field, message) => {
    served.set('/large', Buffer.alloc(UPLOAD_LIMIT + 1));
    const done = await importFrom(body());
    expect(done).toMatchObject({ state: 'failed', image: null, errors: [{ field }] });
    expect(done.errors[0]?.message).toContain(message);
    expect(await leftovers()).toEqual([]);
  });

  it.each([
    ['no URL', {}, 'url'],
    ['what is no URL', { url: 'nonsense' }, 'url'],
    ['an unknown key', { url: 'http://a/', follow: true }, 'follow'],
    ['a digest that is none', { url: 'http://a/', sha256: 'x' }, 'sha256'],
  ])('is refused at once: %s', async (_, body, field) => {
    const answer = await send<Problem>('POST', '/api/v1/images/imports', body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((error) => error.field)).toEqual([field]);
  });

  it('can be cancelled', async () => {
    const { body } = await send<ImageTransfer>('POST', '/api/v1/images/imports', { url: `${filesUrl}/slow` });
    const cancelled = await call<ImageTransfer>(`/api/v1/images/transfers/${body.id}`, { method: 'DELETE' });
    expect(cancelled.body.state).toBe('cancelled');
    await eventually(async () => (await leftovers()).length === 0, 'the staged file to go');
    expect((await transfer(body.id)).state).toBe('cancelled');
  });
});

describe('the library', () => {
  it('gives back the bytes, as a file to save', async () => {
    const bytes = randomBytes(3000);
    const { image } = await upload(bytes, { filename: 'ke"r%nel€.img' });
    for (const reference of [image?.id, `sha256:${image?.sha256}`]) {
      const response = await fetch(`${url}/api/v1/images/${reference}/content`, {
        headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
      });
      expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
      expect(response.headers.get('content-length')).toBe('3000');
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      expect(response.headers.get('content-disposition')).toBe(
        `attachment; filename="ke_r_nel_.img"; filename*=UTF-8''ke%22r%25nel%E2%82%AC.img`,
      );
    }
    expect((await call(`/api/v1/images/${image?.id}/content`, {}, stranger)).status).toBe(404);
  });

  it('renames and keeps', async () => {
    const { image } = await upload(randomBytes(10));
    const changed = await send<Image>('PATCH', `/api/v1/images/${image?.id}`, { name: '../new', kept: true });
    expect(changed.body).toMatchObject({ name: 'new', kept: true });
    expect((await send('PATCH', `/api/v1/images/${image?.id}`, { sha256: 'x' })).status).toBe(400);
    expect((await send('PATCH', `/api/v1/images/${image?.id}`, { kept: true }, stranger)).status).toBe(404);
  });

  it('removes, unless a job needs the image', async () => {
    const spec = { board: 'malta', images: { firmware: 'builtin:malta-selftest-el' } };
    const job = (await send<Job>('POST', '/api/v1/jobs', spec)).body;
    const id = job.images.firmware?.id ?? '';
    const path = `/api/v1/images/${id}`;
    expect((await call(path, { method: 'DELETE' }, stranger)).status).toBe(404);
    const refused = await call<Problem>(path, { method: 'DELETE' });
    expect(refused).toMatchObject({ status: 409 });
    expect(refused.body.detail).toContain(job.id);
    await send('POST', `/api/v1/jobs/${job.id}/cancel`, {});
    expect((await call(path, { method: 'DELETE' })).status).toBe(204);
    expect((await call(path, { method: 'DELETE' })).status).toBe(404);
    const { items } = (await call<ImagePage>('/api/v1/images?limit=200')).body;
    expect(items.map((image) => image.id)).not.toContain(id);
    expect((await call<Image>(path)).body.removedAt).not.toBeNull();
    expect((await call(`${path}/content`)).status).toBe(404);
    expect((await send('POST', '/api/v1/jobs', job.spec)).status).toBe(422);
    expect((await send('POST', '/api/v1/jobs', spec)).status).toBe(201); // built in, so it is stored anew
  });

  it('keeps images as long as the project wants', async () => {
    expect((await call('/api/v1/images/retention')).body).toEqual({ days: null });
    expect((await send('PUT', '/api/v1/images/retention', { days: 7 })).body).toEqual({ days: 7 });
    expect((await call('/api/v1/images/retention')).body).toEqual({ days: 7 });
    expect((await call('/api/v1/images/retention', {}, stranger)).body).toEqual({ days: null });
    const bad = await send<Problem>('PUT', '/api/v1/images/retention', { days: 0 });
    expect(bad).toMatchObject({ status: 400, body: { errors: [{ field: 'days' }] } });
  });
});

describe('rights and quotas', () => {
  it('lets viewers look, and change nothing', async () => {
    const database = app.get<Database>(DATABASE);
    const { projectId } = await database.token.findFirstOrThrow({ where: { name: 'administrator' } });
    const rights = { name: 'viewer', scopes: [...ROLE_SCOPES.viewer], expiresInDays: null };
    const { secret: viewer } = await app.get(TokenStore).create(projectId, undefined, rights);
    const { image } = await upload(randomBytes(10));
    expect((await call(`/api/v1/images/${image?.id}/content`, {}, viewer)).status).toBe(200);
    expect((await begin(10, {}, viewer)).status).toBe(403);
    const location = locationOf(await begin(10));
    expect((await append(location, 0, randomBytes(10), viewer)).status).toBe(403);
    await call(location, { method: 'DELETE', headers: TUS });
    expect((await send('POST', '/api/v1/images/imports', { url: 'http://a/' }, viewer)).status).toBe(403);
    expect((await send('PATCH', `/api/v1/images/${image?.id}`, { kept: true }, viewer)).status).toBe(403);
    expect((await call(`/api/v1/images/${image?.id}`, { method: 'DELETE' }, viewer)).status).toBe(403);
    expect((await send('PUT', '/api/v1/images/retention', { days: 1 }, viewer)).status).toBe(403);
  });

  it('keeps a project within its storage, and gives removed images back to it', async () => {
    const database = app.get<Database>(DATABASE);
    await database.project.updateMany({ where: { name: 'strangers' }, data: { quotaStorageBytes: 1000 } });
    const put = async (bytes: Buffer) => {
      const data = new FormData();
      data.set('file', new Blob([new Uint8Array(bytes)]), 'file');
      return call<{ items: Image[] } & Problem>('/api/v1/images', { method: 'POST', body: data }, stranger);
    };
    const first = await put(randomBytes(900));
    expect(first.status).toBe(201);
    expect((await begin(200, {}, stranger)).body.errors[0]?.field).toBe('quota.storageBytes');
    expect((await put(randomBytes(200))).status).toBe(413);
    await call(`/api/v1/images/${first.body.items[0]?.id}`, { method: 'DELETE' }, stranger);
    expect((await put(randomBytes(200))).status).toBe(201);
    await database.project.updateMany({ where: { name: 'strangers' }, data: { quotaStorageBytes: null } });
  });
});

describe('the janitor', () => {
  it('removes staging files that a killed lab left behind, and no others', async () => {
    const [old, young] = [`${api.folder}/staging/old`, `${api.folder}/staging/young`];
    for (const file of [old, young]) await writeFile(file, 'x');
    const past = new Date(Date.now() - 25 * 3_600_000);
    await utimes(old, past, past);
    await app.get(ImageJanitor).run();
    expect(await readdir(`${api.folder}/staging`)).toEqual(['young']);
  });

  it('fails what a lab worked on that is gone', async () => {
    const database = app.get<Database>(DATABASE);
    const { projectId } = await database.token.findFirstOrThrow({ where: { name: 'administrator' } });
    const { id } = await database.imageTransfer.create({
      data: { projectId, kind: 'import', name: 'x', url: 'http://x/', state: 'receiving' },
    });
    await app.get(ImageJanitor).run();
    expect((await transfer(id)).state).toBe('receiving');
    await database.$executeRaw`UPDATE "ImageTransfer" SET "updatedAt" = now() - interval '6 minutes' WHERE id = ${id}::uuid`;
    await app.get(ImageJanitor).run();
    expect(await transfer(id)).toMatchObject({ state: 'failed', errors: [{ mend: 'Send it again.' }] });
  });
});
