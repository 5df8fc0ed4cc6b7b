import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { artifacts } from './artifacts.js';
import { LabClient } from './client.js';

const CONTENT = Buffer.alloc(200_000, 'artifact ');
const INFO = {
  name: 'disk.img',
  contentType: 'application/octet-stream',
  sizeBytes: CONTENT.length,
  sha256: createHash('sha256').update(CONTENT).digest('hex'),
  createdAt: '2026-01-01T00:00:00.000Z',
};

let folder: string;
let server: Server;
let list: object;
/** What answers the next requests for the file; then it is sent as it is. */
let answers: ((request: IncomingMessage, response: ServerResponse) => void)[];
let asked: (string | undefined)[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bootlab-cli-artifacts-'));
  list = { items: [INFO], missing: [{ name: 'none.xml', reason: 'There is nothing at\x1b[2J /none.xml' }] };
  answers = [];
  asked = [];
  server = createServer((request, response) => {
    if (request.url === '/api/v1/jobs/j/artifacts') {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(list));
      return;
    }
    asked.push(request.headers.range);
    const answer = answers.shift();
    if (answer) answer(request, response);
    else whole(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true });
});

/** As the lab answers: all of it, or from where the client wants it on. */
function whole({ headers }: IncomingMessage, response: ServerResponse): void {
  const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
  response.writeHead(from > 0 && headers['if-range'] === `"${INFO.sha256}"` ? 206 : 200).end(CONTENT.subarray(from));
}

/** The line breaks after so many bytes. */
const broken = (bytes: number) => (_: IncomingMessage, response: ServerResponse) => {
  response.writeHead(200, { 'content-length': CONTENT.length });
  response.write(CONTENT.subarray(0, bytes), () => setTimeout(() => response.destroy(), 50));
};

async function run(options: { names?: string[]; save?: string; json?: boolean } = {}) {
  const { port } = server.address() as AddressInfo;
  const client = new LabClient({ url: `http://127.0.0.1:${port}`, token: 't', project: undefined }, '1');
  const out = new PassThrough();
  const status = await artifacts(client, 'j', { names: [], json: false, ...options }, { out, live: false });
  return { status, out: String(out.read() ?? '') };
}

it('are listed, with what is missing, and nothing that steers a terminal', async () => {
  const { out } = await run();
  expect(out).toMatch(/^NAME +SIZE +SHA-256\ndisk\.img +195\.3 KiB +[0-9a-f]{64}\n/);
  expect(out).toContain('none.xml is not there: There is nothing at\ufffd[2J /none.xml\n');
  expect(JSON.parse((await run({ json: true })).out)).toMatchObject({ items: [INFO], missing: [{}] });
});

it('are saved, in the place of older ones', async () => {
  mkdirSync(join(folder, 'new'));
  writeFileSync(join(folder, 'new', 'disk.img'), 'old');
  await run({ save: join(folder, 'new'), names: ['disk.img'] });
  expect(readFileSync(join(folder, 'new', 'disk.img')).equals(CONTENT)).toBe(true);
  expect(readdirSync(join(folder, 'new'))).toEqual(['disk.img']);
});

it('are saved nowhere where there can be no such folder, and the option is named', async () => {
  writeFileSync(join(folder, 'file'), '');
  await expect(run({ save: join(folder, 'file', 'in') })).rejects.toThrow(/^--save: cannot create the folder: /);
});

it('go on where the line broke', async () => {
  answers = [broken(70_000), broken(0)];
  await run({ save: folder });
  expect(readFileSync(join(folder, 'disk.img')).equals(CONTENT)).toBe(true);
  expect(asked).toEqual([undefined, 'bytes=70000-', undefined]);
});

it('are refused when they are not what the lab said', async () => {
  answers = [(_, response) => void response.end(Buffer.alloc(CONTENT.length))];
  await expect(run({ save: folder })).rejects.toMatchObject({
    exitCode: 3,
    message: expect.stringContaining('digest'),
  });
  expect(readdirSync(folder)).toEqual([]);
});

it('are never written anywhere else, whatever the lab calls them', async () => {
  for (const name of ['../escaped', '/tmp/escaped', '..', '.hidden', 'a/b', '']) {
    list = { items: [{ ...INFO, name }], missing: [] };
    await expect(run({ save: join(folder, 'in') })).rejects.toThrow('is no file name');
  }
  expect(existsSync(join(folder, 'escaped'))).toBe(false);
  expect(asked).toEqual([]);
});

it('that are not there are named, with the reason', async () => {
  await expect(run({ names: ['none.xml'] })).rejects.toThrow(
    /no artifact none\.xml \(There is nothing .*It has: disk\.img/,
  );
});
