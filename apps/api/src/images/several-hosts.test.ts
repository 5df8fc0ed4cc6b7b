import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { ImageTransfer } from '@bootlab/lab';
import { AdvisoryLocks, ArtifactStore } from '@bootlab/lab/server';
import { eventually } from '@bootlab/lab/testing';
import { createApp } from '../app.js';
import { startTestApi, type TestApi } from '../testing/test-api.js';
import { ImageJanitor } from './image-janitor.js';

jest.setTimeout(90_000);

// Two APIs on one database and one folder, without anything in front that sends a client to the same one again.

const TUS = { 'tus-resumable': '1.0.0' };
const BYTES = randomBytes(400_000);
const HALF = 150_000;

let first: TestApi;
let second: { app: NestFastifyApplication; url: string };
beforeAll(async () => {
  first = await startTestApi();
  const app = await createApp({ logLevels: ['error'] }); // the environment is the first one's
  await app.listen(0, '127.0.0.1');
  second = { app, url: await app.getUrl() };
}, 90_000);
afterAll(async () => {
  await second.app.close();
  await first.stop();
});

const authorization = () => `Bearer ${first.adminToken}`;
const ask = (url: string, path: string, init: RequestInit = {}) =>
  fetch(url + path, { ...init, headers: { ...TUS, authorization: authorization(), ...init.headers } });

/** Begins an upload at an API; its path. */
async function begin(url: string): Promise<string> {
  const headers = { 'upload-length': String(BYTES.length), 'upload-metadata': `filename ${btoa('disk.img')}` };
  const answer = await ask(url, '/api/v1/uploads', { method: 'POST', headers });
  expect(answer.status).toBe(201);
  return answer.headers.get('location') ?? '';
}
const append = (url: string, path: string, from: number, to: number) =>
  ask(url, path, {
    method: 'PATCH',
    headers: { 'upload-offset': String(from), 'content-type': 'application/offset+octet-stream' },
    body: BYTES.subarray(from, to),
  });
async function offsetAt(url: string, path: string): Promise<number> {
  return Number((await ask(url, path, { method: 'HEAD' })).headers.get('upload-offset'));
}
/** The digest of what became of an upload, as either API tells it. */
async function storedDigest(path: string): Promise<string> {
  const id = path.split('/').at(-1) ?? '';
  const transfer = await eventually(async () => {
    const answer = await ask(second.url, `/api/v1/images/transfers/${id}`);
    const body = (await answer.json()) as ImageTransfer;
    return body.state === 'stored' || body.state === 'failed' ? body : undefined;
  }, 'the end of the upload');
  return transfer.image?.sha256 ?? transfer.state;
}
const DIGEST = createHash('sha256').update(BYTES).digest('hex');

it('take pieces of one upload in turn', async () => {
  const path = await begin(first.url);
  expect((await append(first.url, path, 0, HALF)).status).toBe(204);
  expect(await offsetAt(second.url, path)).toBe(HALF);
  expect((await append(second.url, path, HALF, HALF + 1000)).status).toBe(204);
  expect((await append(first.url, path, HALF, BYTES.length)).status).toBe(409); // what it knew is old
  expect(await offsetAt(first.url, path)).toBe(HALF + 1000);
  expect((await append(first.url, path, HALF + 1000, BYTES.length)).status).toBe(204);
  expect(await storedDigest(path)).toBe(DIGEST);
});

it('let a client go on at the other one while the first still waits for its broken line', async () => {
  const path = await begin(first.url);
  const { port } = new URL(first.url);
  const socket = connect(Number(port), '127.0.0.1');
  await once(socket, 'connect');
  const head = [
    `PATCH ${path} HTTP/1.1`,
    'host: lab',
    `authorization: ${authorization()}`,
    'tus-resumable: 1.0.0',
    'upload-offset: 0',
    'content-type: application/offset+octet-stream',
    `content-length: ${BYTES.length}`,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  socket.write(BYTES.subarray(0, HALF));
  const locks = second.app.get(AdvisoryLocks);
  await eventually(async () => {
    const lock = await locks.tryTake(`upload:${path.split('/').at(-1)}`);
    await lock?.release();
    return lock === undefined;
  }, 'the first one to hold the upload');
  const offset = await offsetAt(second.url, path);
  expect(offset).toBeLessThanOrEqual(HALF);
  // What the first one still receives no longer counts.
  socket.write(Buffer.alloc(10_000, 'x'));
  expect((await append(second.url, path, offset, BYTES.length)).status).toBe(204);
  expect(await storedDigest(path)).toBe(DIGEST);
  socket.destroy();
});

it('are told of the end by either one, and only one of them takes the file over', async () => {
  const path = await begin(second.url);
  expect((await append(second.url, path, 0, BYTES.length)).status).toBe(204);
  const offsets = await Promise.all([first.url, second.url, first.url].map((url) => offsetAt(url, path)));
  expect(offsets).toEqual([BYTES.length, BYTES.length, BYTES.length]);
  expect(await storedDigest(path)).toBe(DIGEST);
});

it('tidy up what they share one at a time', async () => {
  let collecting = 0;
  let most = 0;
  let times = 0;
  const runs: Promise<void>[] = [];
  for (const app of [first.app, second.app]) {
    const store = app.get(ArtifactStore);
    const collect = store.collect.bind(store);
    jest.spyOn(store, 'collect').mockImplementation(async (retentionMs) => {
      times++;
      most = Math.max(most, ++collecting);
      await Promise.race([...runs, new Promise((resolve) => setTimeout(resolve, 3000))]); // the other one gives up meanwhile
      collecting--;
      return collect(retentionMs);
    });
  }
  runs.push(...[first.app, second.app].map((app) => app.get(ImageJanitor).run()));
  await Promise.all(runs);
  expect([times, most]).toEqual([1, 1]);
  await second.app.get(ImageJanitor).run();
  expect([times, most]).toEqual([2, 1]);
});
