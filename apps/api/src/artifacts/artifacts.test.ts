import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { createHash } from 'node:crypto';
import type { ArtifactList, Job, MadeToken, Problem, Project } from '@bootlab/lab';
import { artifactKey, ArtifactStore, type BlobStore } from '@bootlab/lab/server';
import { BLOBS, DATABASE } from '../lab.module.js';
import { startJobsApi, type JobsApi } from '../testing/test-jobs.js';

jest.setTimeout(60_000);

const CONTENT = 'as the guest left it';
const SHA256 = createHash('sha256').update(CONTENT).digest('hex');

let api: JobsApi;
let jobId: string;
let blobKey: string;
beforeAll(async () => {
  api = await startJobsApi();
}, 60_000);
afterAll(() => api.stop());

/** A job that has left a file, and has not left another. */
beforeEach(async () => {
  const { id, finish } = await api.run();
  jobId = id;
  blobKey = artifactKey(id, 1, 'disk.img');
  await api.app.get<BlobStore>(BLOBS).put(blobKey, Buffer.from(CONTENT));
  const contentType = 'application/octet-stream';
  const artifact = { name: 'disk.img', contentType, sizeBytes: CONTENT.length, sha256: SHA256, blobKey };
  const missingArtifacts = [{ name: 'none.xml', reason: 'There is nothing at /none.xml after the run' }];
  await finish(undefined, { artifacts: [artifact], missingArtifacts });
});

const get = <T>(name: string, headers: Record<string, string> = {}) =>
  api.call<T>(`/api/v1/jobs/${jobId}/artifacts/${name}`, { headers });

it('are listed, with why others are not there', async () => {
  const expected = [{ name: 'disk.img', sizeBytes: CONTENT.length, sha256: SHA256 }];
  const { body } = await api.call<ArtifactList>(`/api/v1/jobs/${jobId}/artifacts`);
  expect(body.items).toMatchObject(expected);
  expect(body.missing).toEqual([{ name: 'none.xml', reason: 'There is nothing at /none.xml after the run' }]);
  const job = (await api.call<Job>(`/api/v1/jobs/${jobId}`)).body;
  expect(job).toMatchObject({ artifacts: expected, missingArtifacts: body.missing });
  expect(JSON.stringify(job)).not.toContain(blobKey);
});

it('are fetched as files that no browser opens, with their digests', async () => {
  const { status, headers, body } = await get<string>('disk.img');
  expect([status, body]).toEqual([200, CONTENT]);
  expect(Object.fromEntries(headers)).toMatchObject({
    'content-disposition': 'attachment; filename="disk.img"',
    'content-length': String(CONTENT.length),
    'content-type': 'application/octet-stream',
    'accept-ranges': 'bytes',
    'x-content-type-options': 'nosniff',
    'content-security-policy': 'sandbox',
    etag: `"${SHA256}"`,
    'repr-digest': `sha-256=:${Buffer.from(SHA256, 'hex').toString('base64')}:`,
  });
  expect((await get('disk.img', { 'if-none-match': `"${SHA256}"` })).status).toBe(304);
});

it.each([
  ['bytes=3-5', 206, CONTENT.slice(3, 6), 'bytes 3-5/20'],
  ['bytes=15-', 206, CONTENT.slice(15), 'bytes 15-19/20'],
  ['bytes=-4', 206, CONTENT.slice(-4), 'bytes 16-19/20'],
  ['bytes=0-99999999', 206, CONTENT, 'bytes 0-19/20'],
  ['bytes=0-1,4-5', 200, CONTENT, null],
  ['lines=1-2', 200, CONTENT, null],
  ['nonsense', 200, CONTENT, null],
])('are fetched in part: %s', async (range, expected, text, contentRange) => {
  const { status, headers, body } = await get<string>('disk.img', { range });
  expect([status, body, headers.get('content-range')]).toEqual([expected, text, contentRange]);
  expect(headers.get('content-length')).toBe(String(text.length));
});

it('say what there is when a part is asked for that there is not', async () => {
  for (const range of ['bytes=20-', 'bytes=900-1000', 'bytes=-0']) {
    const { status, headers, body } = await get<Problem>('disk.img', { range });
    expect([range, status, headers.get('content-range')]).toEqual([range, 416, 'bytes */20']);
    expect(body.detail).toContain('20 bytes');
  }
});

it('are fetched whole by whoever has the beginning of something else', async () => {
  const range = 'bytes=10-';
  expect((await get('disk.img', { range, 'if-range': `"${SHA256}"` })).status).toBe(206);
  expect(await get('disk.img', { range, 'if-range': '"another"' })).toMatchObject({ status: 200, body: CONTENT });
});

it('are not described by the answer that says they cannot be read', async () => {
  await api.app.get<BlobStore>(BLOBS).delete(blobKey);
  const { status, headers, body } = await get<Problem>('disk.img', { range: 'bytes=3-5' });
  expect([status, headers.get('content-type')]).toEqual([500, expect.stringContaining('application/problem+json')]);
  expect(body.detail).toContain('its log says why');
  expect(headers.get('etag')).not.toContain(SHA256);
  const ofFiles = ['repr-digest', 'content-range', 'content-disposition', 'accept-ranges'];
  expect(ofFiles.filter((name) => headers.has(name))).toEqual([]);
});

it('are the job’s only: no other name leads anywhere', async () => {
  const nowhere = ['other.img', '..%2F..%2Fdisk.img', `..%2F..%2F${encodeURIComponent(blobKey)}`, '%00', '..', '.'];
  for (const name of nowhere) expect([name, (await get(name)).status]).toEqual([name, 404]);
  expect((await get<Problem>('none.xml')).body.detail).toContain('There is nothing at /none.xml');
});

it('are deleted by maintainers, which frees storage, and the job says so', async () => {
  const path = `/api/v1/jobs/${jobId}/artifacts/disk.img`;
  const asSubmitter = { name: 'ci', scopes: ['read', 'submit', 'images'] };
  const { secret } = (await api.post<MadeToken>('/api/v1/tokens', asSubmitter)).body;
  const refused = await api.call(path, { method: 'DELETE', headers: { authorization: `Bearer ${secret}` } });
  expect(refused.status).toBe(403);
  const storage = async () => (await api.call<Project>('/api/v1/projects/default')).body.usage.storageBytes;
  const before = await storage();
  expect((await api.call(path, { method: 'DELETE' })).status).toBe(204);
  expect(before - (await storage())).toBe(CONTENT.length);
  expect(await api.app.get<BlobStore>(BLOBS).has(blobKey)).toBe(false);
  expect((await api.call<Job>(`/api/v1/jobs/${jobId}`)).body).toMatchObject({
    artifacts: [],
    missingArtifacts: [
      { name: 'none.xml' },
      { name: 'disk.img', reason: 'It was deleted by a maintainer of the project' },
    ],
  });
  expect((await api.call(path, { method: 'DELETE' })).status).toBe(404);
});

it('go when they are older than the lab keeps them, also when two hosts look at once', async () => {
  const store = api.app.get(ArtifactStore);
  await store.collect(90 * 86_400_000);
  expect((await get('disk.img')).status).toBe(200);
  const old = new Date(Date.now() - 91 * 86_400_000);
  await api.app.get(DATABASE).artifact.updateMany({ where: { jobId }, data: { createdAt: old } });
  const [one, two] = await Promise.all([store.collect(90 * 86_400_000), store.collect(90 * 86_400_000)]);
  expect([one.removed + two.removed, one.errors, two.errors]).toEqual([1, [], []]);
  expect((await get<Problem>('disk.img')).body.detail).toContain('Artifacts are kept for 90 days');
  expect(await api.app.get<BlobStore>(BLOBS).has(blobKey)).toBe(false);
});
