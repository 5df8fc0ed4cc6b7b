import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { temporaryFolder } from '../testing/index.js';
import { imageKey, openBlobStore, type BlobStore } from './blobs.js';

jest.setTimeout(60_000); // a busy machine must not fail them

/** As much of S3 as a blob store uses, in memory. */
async function startObjectStore(): Promise<{ server: Server; objects: Map<string, Buffer>; url: string }> {
  const objects = new Map<string, Buffer>();
  const server = createServer((request, response) => {
    void (async () => {
      const key = new URL(request.url ?? '/', 'http://localhost').pathname;
      const object = objects.get(key);
      if (request.method === 'PUT') objects.set(key, await bodyOf(request));
      else if (request.method === 'DELETE') objects.delete(key);
      else if (!object) response.statusCode = 404;
      const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
      const part = start === undefined ? object : object?.subarray(Number(start), Number(end) + 1);
      response.end(request.method === 'GET' ? part : undefined);
    })();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, objects, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** The object in a PUT: plain, or in the SDK's chunks with a checksum behind them ("aws-chunked"). */
async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const body = await buffer(request);
  if (!String(request.headers['content-encoding'] ?? '').includes('aws-chunked')) return body;
  const parts: Buffer[] = [];
  for (let offset = 0; ;) {
    const lineEnd = body.indexOf('\r\n', offset);
    const size = parseInt(body.toString('latin1', offset, lineEnd), 16);
    if (!size) return Buffer.concat(parts);
    parts.push(body.subarray(lineEnd + 2, lineEnd + 2 + size));
    offset = lineEnd + 2 + size + 2;
  }
}

function contract(open: (folder: string) => Promise<BlobStore>): void {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let blobs: BlobStore;
  beforeAll(async () => {
    folder = await temporaryFolder();
    blobs = await open(folder.path);
  });
  afterAll(() => folder.remove());

  const key = () => imageKey(randomUUID());

  it('gives back what was put, also as a file', async () => {
    const name = key();
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, i) => i & 0xff));
    expect(await blobs.has(name)).toBe(false);
    await blobs.put(name, bytes);
    expect(await blobs.has(name)).toBe(true);
    expect(await buffer(await blobs.read(name))).toEqual(bytes);
    expect(await buffer(await blobs.read(name, { start: 255, end: 257 }))).toEqual(Buffer.of(255, 0, 1));
    expect(await readFile(await blobs.localPath(name))).toEqual(bytes);
    expect(await readFile(await blobs.localPath(name))).toEqual(bytes); // a second time from where the first put it
  });

  it('takes over a staged file, and the same one again', async () => {
    const name = key();
    for (let i = 0; i < 2; i++) {
      const staged = path.join(blobs.stagingDir, randomUUID());
      await writeFile(staged, 'the same bytes');
      await blobs.putFile(name, staged);
      await expect(readFile(staged)).rejects.toThrow('ENOENT');
    }
    expect((await buffer(await blobs.read(name))).toString()).toBe('the same bytes');
  });

  it('forgets what is deleted, and says so of what it has not', async () => {
    const name = key();
    await blobs.put(name, Buffer.from('x'));
    await blobs.delete(name);
    expect(await blobs.has(name)).toBe(false);
    await expect(blobs.read(name)).rejects.toThrow();
    await expect(blobs.localPath(name)).rejects.toThrow();
    await blobs.delete(name);
  });
}

describe('blobs in a folder', () => contract((folder) => openBlobStore(pathToFileURL(folder).href)));

describe('blobs in S3', () => {
  let store: Awaited<ReturnType<typeof startObjectStore>>;
  beforeAll(async () => {
    store = await startObjectStore();
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
  });
  afterAll(() => {
    store.server.close();
    store.server.closeAllConnections();
  });
  contract((folder) => {
    process.env['BOOTLAB_CACHE'] = folder;
    return openBlobStore(`s3://bucket/some/prefix?region=eu-central-1&endpoint=${encodeURIComponent(store.url)}`);
  });

  it('keeps objects under the bucket and prefix', () => {
    const keys = [...store.objects.keys()];
    expect(keys.length).toBeGreaterThan(0);
    expect(keys.every((key) => key.startsWith('/bucket/some/prefix/images/'))).toBe(true);
  });
});

it('refuses other schemes', async () => {
  await expect(openBlobStore('ftp://host/folder')).rejects.toThrow('use file:///folder or s3://bucket/prefix');
});
