import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import 'reflect-metadata';
import { createHash, randomUUID } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type {
  Board,
  ConsoleChunk,
  Image,
  ImagePage,
  Job,
  JobPage,
  Problem,
  ServerMessage,
  SubmittedJob,
  ValidationReport,
} from '@bootlab/lab';
import { selfTestFirmware } from '@bootlab/emulator';
import { ConsoleLogs, JobStore } from '@bootlab/lab/server';
import { eventually } from '@bootlab/lab/testing';
import WebSocket from 'ws';
import { Reconciler } from './jobs/reconciler.service.js';
import { QUEUE, type JobQueue } from './lab.module.js';
import { ADMIN_TOKEN, startTestApi, UPLOAD_LIMIT, type TestApi } from './testing/test-api.js';

jest.setTimeout(60_000); // a busy machine must not fail them

// The API as it runs, on a database of its own and without a worker: the tests play the worker's part.

let api: TestApi;
let app: NestFastifyApplication;
let url: string;

beforeAll(async () => {
  api = await startTestApi();
  ({ app, url } = api);
}, 60_000);
afterAll(() => api.stop());

interface Answer<T> {
  status: number;
  type: string;
  body: T;
}

async function call<T>(path: string, init: RequestInit = {}, token: string | null = ADMIN_TOKEN): Promise<Answer<T>> {
  const headers = new Headers(init.headers);
  if (token !== null) headers.set('authorization', `Bearer ${token}`);
  if (typeof init.body === 'string' && !headers.has('content-type')) headers.set('content-type', 'application/json');
  const response = await fetch(url + path, { ...init, headers });
  const type = response.headers.get('content-type') ?? '';
  const text = await response.text();
  return {
    status: response.status,
    type,
    body: (type.includes('json') && !type.includes('ndjson') ? JSON.parse(text) : text) as T,
  };
}

const send = <T>(type: string, body: string) =>
  call<T>('/api/v1/jobs', { method: 'POST', body, headers: { 'content-type': type } });
const post = <T>(path: string, body: unknown) => call<T>(path, { method: 'POST', body: JSON.stringify(body) });

function form(spec: unknown, files: Record<string, Uint8Array>): FormData {
  const data = new FormData();
  // Files first: a form may come in any order.
  for (const [field, bytes] of Object.entries(files))
    data.set(field, new Blob([new Uint8Array(bytes)]), `${field}.elf`);
  data.set('spec', typeof spec === 'string' ? spec : JSON.stringify(spec));
  return data;
}
const submitForm = <T = Problem>(spec: unknown, files: Record<string, Uint8Array>) =>
  call<T>('/api/v1/jobs', { method: 'POST', body: form(spec, files) });

const selfTest = { board: 'malta', images: { firmware: 'builtin:malta-selftest-el' } };
const firmware = () => Buffer.from(new Uint8Array(selfTestFirmware('malta', 'little')));

describe('tokens', () => {
  it.each([
    ['no token', null],
    ['a wrong token', 'blt_wrong'],
  ])('refuses %s', async (_, token) => {
    const answer = await call<Problem>('/api/v1/jobs', {}, token);
    expect(answer.status).toBe(401);
    expect(answer.type).toMatch('application/problem+json');
    expect(answer.body.errors[0]).toMatchObject({ field: 'authorization' });
  });

  it('keeps only a hash', async () => {
    const { DATABASE } = await import('./lab.module.js');
    const rows = await app.get(DATABASE).token.findMany();
    expect(JSON.stringify(rows)).not.toContain(ADMIN_TOKEN);
    expect(rows[0]?.hash).toBe(createHash('sha256').update(ADMIN_TOKEN).digest('hex'));
  });

  it('shows health without a token, under both paths', async () => {
    expect(await call('/healthz', {}, null)).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(await call('/api/v1/healthz', {}, null)).toMatchObject({ status: 200 });
  });
});

describe('boards', () => {
  it('lists the catalogue and shows one', async () => {
    const { body } = await call<{ items: Board[] }>('/api/v1/boards');
    expect(body.items.map(({ id }) => id)).toContain('malta');
    expect((await call<Board>('/api/v1/boards/malta')).body.consoles[0]?.name).toBe('uart0');
    expect((await call<Problem>('/api/v1/boards/nope')).status).toBe(404);
  });
});

describe('images', () => {
  it('stores the same bytes once, typed by inspection', async () => {
    const upload = async (name: string) => {
      const data = new FormData();
      data.set('file', new Blob([firmware()]), name);
      return call<{ items: Image[] }>('/api/v1/images', { method: 'POST', body: data });
    };
    const first = await upload('a.elf');
    const second = await upload('b.elf');
    expect(first.status).toBe(201);
    const [image] = first.body.items;
    expect(image).toMatchObject({ name: 'a.elf', type: 'elf', arch: 'mips', byteOrder: 'little', bits: 32 });
    expect(image?.sha256).toBe(createHash('sha256').update(firmware()).digest('hex'));
    const again = second.body.items[0];
    expect(again).toEqual({ ...image, lastUsedAt: again?.lastUsedAt });
    const list = await call<ImagePage>('/api/v1/images');
    expect(list.body.items.filter(({ sha256 }) => sha256 === image?.sha256)).toHaveLength(1);
    expect((await call<Image>(`/api/v1/images/${image?.id}`)).body).toEqual(again);
    expect((await call<Image>(`/api/v1/images/sha256:${image?.sha256}`)).body).toEqual(again);
  });

  it.each(['nope', 'sha256:00', '00000000-0000-0000-0000-000000000000'])('has no image %s', async (id) => {
    expect((await call<Problem>(`/api/v1/images/${id}`)).status).toBe(404);
  });

  it('refuses an upload that is too large, and one that is none', async () => {
    const data = new FormData();
    data.set('disk', new Blob([Buffer.alloc(UPLOAD_LIMIT + 1)]), 'disk.img');
    const tooLarge = await call<Problem>('/api/v1/images', { method: 'POST', body: data });
    expect(tooLarge).toMatchObject({ status: 413, body: { errors: [{ field: 'disk' }] } });
    expect(await post<Problem>('/api/v1/images', {})).toMatchObject({ status: 415 });
    const empty = new FormData();
    empty.set('note', 'no file');
    expect(await call('/api/v1/images', { method: 'POST', body: empty })).toMatchObject({ status: 400 });
  });
});

describe('submitting a job', () => {
  it('takes JSON that names a built-in image', async () => {
    const { status, body } = await post<Job>('/api/v1/jobs', {
      ...selfTest,
      name: 'health',
      steps: [{ expect: 'PASS' }],
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({ name: 'health', state: 'queued', outcome: null, attempts: 0 });
    expect(body.consoles).toContain('uart0');
    expect(body.spec.images.firmware).toBe(`sha256:${createHash('sha256').update(firmware()).digest('hex')}`);
    expect(await app.get<JobQueue>(QUEUE).getJob(body.id)).toBeDefined();
    const again = await post<Job>('/api/v1/jobs', body.spec);
    expect(again.status).toBe(201); // what a job shows can be submitted as it is
  });

  it('puts variables in before the job is stored', async () => {
    const file = { ...selfTest, variables: { word: 'PASS' }, matrix: { cpu: ['34Kf'] } };
    const { status, body } = await post<Job>('/api/v1/jobs', { ...file, steps: [{ expect: 'SELFTEST: ${{ word }}' }] });
    expect(status).toBe(201);
    expect(body.spec).toMatchObject({ cpu: '34Kf', steps: [{ expect: 'SELFTEST: PASS' }] });
    expect(body.spec).not.toHaveProperty('matrix');
  });

  it('takes a form with files', async () => {
    const spec = { board: 'malta', images: { kernel: 'upload:vmlinux' } };
    const { status, body } = await submitForm<Job>(spec, { vmlinux: firmware() });
    expect(status).toBe(201);
    expect(body.images.kernel).toMatchObject({ type: 'elf' });
  });

  const elf = (change: (bytes: Buffer) => Buffer): Buffer => change(firmware());
  const kernel = { board: 'malta', images: { kernel: 'upload:k' } };

  it.each<[string, unknown, Record<string, Uint8Array>, string]>([
    ['an unknown board', { ...selfTest, board: 'maltese' }, {}, 'board'],
    ['an unknown CPU', { ...selfTest, cpu: '68000' }, {}, 'cpu'],
    ['an unknown key', { ...selfTest, memmory: '1G' }, {}, 'memmory'],
    ['too much memory', { ...selfTest, memory: '4096G' }, {}, 'memory'],
    ['an invalid regular expression', { ...selfTest, steps: [{ expect: '[' }] }, {}, 'steps[0].expect'],
    [
      'an image that is not there',
      { board: 'malta', images: { kernel: `sha256:${'0'.repeat(64)}` } },
      {},
      'images.kernel',
    ],
    [
      'a built-in image that is not there',
      { board: 'malta', images: { firmware: 'builtin:none' } },
      {},
      'images.firmware',
    ],
    [
      'a missing initrd',
      { board: 'malta', images: { kernel: 'upload:k', initrd: 'upload:i' } },
      { k: firmware() },
      'images.initrd',
    ],
    ['a path of the client', { board: 'malta', images: { kernel: './vmlinux' } }, {}, 'images.kernel'],
    ['a variable that is not declared', { ...selfTest, cmdline: '${{ x }}' }, {}, 'cmdline'],
    [
      'a step on a console that is not there',
      { ...selfTest, steps: [{ send: 'a', console: 'x' }] },
      {},
      'steps[0].console',
    ],
    [
      'an upload into the guest that is not there',
      { ...selfTest, steps: [{ upload: 'upload:tool', to: '/a' }] },
      {},
      'steps[0].upload',
    ],
    [
      'a picture where there is no screen',
      { ...selfTest, steps: [{ screenshot: 'a.png' }] },
      {},
      'steps[0].screenshot',
    ],
    ['a snapshot', { ...selfTest, steps: [{ snapshot: 'a' }] }, {}, 'steps[0].snapshot'],
    [
      'an artifact of a drive that is not there',
      { ...selfTest, artifacts: [{ drive: 0, as: 'a.img' }] },
      {},
      'artifacts[0].drive',
    ],
    ['a file the spec does not use', selfTest, { spare: firmware() }, 'spare'],
    ['a NUL in a text', { ...selfTest, steps: [{ send: 'a\0' }] }, {}, 'steps[0].send'],
    ['half a character', { ...selfTest, name: 'a\ud83d' }, {}, 'name'],
    ['nothing to boot', { board: 'malta', images: {} }, {}, 'images.kernel'],
    ['a truncated ELF', kernel, { k: elf((bytes) => bytes.subarray(0, 1000)) }, 'images.kernel'],
    ['an ELF cut inside its header', kernel, { k: elf((bytes) => bytes.subarray(0, 20)) }, 'images.kernel'],
    // e_machine is at offset 18 (System V ABI, chapter 4); 62 is x86-64.
    [
      'an ELF for another architecture',
      kernel,
      { k: elf((bytes) => (bytes.writeUInt16LE(62, 18), bytes)) },
      'images.kernel',
    ],
    [
      'a kernel that is no ELF',
      kernel,
      { k: Buffer.from('#!/bin/sh\necho not a kernel\n'.repeat(100)) },
      'images.kernel',
    ],
    ['a file larger than the lab takes', kernel, { k: Buffer.alloc(UPLOAD_LIMIT + 1) }, 'k'],
    ['a spec that is neither JSON nor YAML', '{', {}, 'body'],
  ])('refuses %s and names the field', async (_, spec, files, field) => {
    const { status, type, body } = await submitForm(spec, files);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(type).toMatch('application/problem+json');
    expect(body.errors.map((error) => error.field)).toEqual([field]);
    expect(body.errors[0]?.message).not.toBe('');
    expect(body.errors[0]?.mend).not.toBe('');
  });

  it('refuses a kernel that does not fit into memory', async () => {
    // p_memsz of the first program header: e_phoff at 28, p_memsz at +20 (System V ABI, chapters 4 and 5).
    const large = elf((bytes) => (bytes.writeUInt32LE(0x0800_0000, bytes.readUInt32LE(28) + 20), bytes));
    const { status, body } = await submitForm({ ...kernel, memory: '64M' }, { k: large });
    expect(status).toBe(422);
    expect(body.errors[0]?.field).toMatch(/^(images\.kernel|memory)$/);
  });

  it('refuses JSON that is none, and other bodies', async () => {
    const malformed = await call<Problem>('/api/v1/jobs', { method: 'POST', body: '{"board":' });
    expect(malformed).toMatchObject({ status: 400, body: { status: 400 } });
    expect(malformed.body.errors).toMatchObject([{ field: 'body', line: 1, column: 10 }]);
    expect(await send('application/xml', '<board/>')).toMatchObject({ status: 415 });
    const elsewhere = { method: 'POST', body: '{"', headers: { 'content-type': 'application/json' } };
    expect(await call<Problem>(`/api/v1/jobs/${randomUUID()}/cancel`, elsewhere)).toMatchObject({ status: 400 });
  });

  it('takes YAML, alone and in a form, with the places of all errors', async () => {
    const yaml = 'board: malta\nimages:\n  firmware: builtin:malta-selftest-el\nsteps:\n  - expect: PASS # the end\n';
    expect(await send<Job>('application/yaml', yaml)).toMatchObject({
      status: 201,
      body: { steps: [{ text: 'PASS' }] },
    });
    expect(await submitForm<Job>(yaml, {})).toMatchObject({ status: 201 });
    const bad = await send<Problem>('text/yaml; charset=utf-8', `${yaml}  - expect: '['\n  - walk: 1\ncpu: 68000\n`);
    expect(bad.status).toBe(400);
    expect(bad.body.errors.map(({ field, line, column }) => [field, line, column])).toEqual([
      ['cpu', 8, 1],
      ['steps[1].expect', 6, 5],
      ['steps[2].walk', 7, 5],
      ['steps[2]', 7, 5],
    ]);
    const late = await send<Problem>('application/yaml', yaml.replace('malta\n', 'malta\ncpu: "68000"\n'));
    expect(late).toMatchObject({ status: 422, body: { errors: [{ field: 'cpu', line: 2, column: 1 }] } });
  });

  it('makes a job of each combination of a matrix, in one group', async () => {
    const file = { ...selfTest, name: 'm', matrix: { cpu: ['24Kf', '34Kf'], memory: ['64M', '128M'] } };
    const { status, body } = await post<SubmittedJob>('/api/v1/jobs', file);
    expect(status).toBe(201);
    expect(body).toMatchObject({ name: 'm cpu=24Kf memory=64M', combination: { cpu: '24Kf', memory: '64M' } });
    const { body: page } = await call<JobPage>(`/api/v1/jobs?group=${body.groupId}`);
    expect(page.items.map(({ id }) => id)).toEqual([...body.jobIds].reverse());
    expect(page.items.map(({ spec }) => `${spec.cpu} ${spec.memory}`).reverse()).toEqual([
      '24Kf 64M',
      '24Kf 128M',
      '34Kf 64M',
      '34Kf 128M',
    ]);
    for (const id of body.jobIds) expect(await app.get<JobQueue>(QUEUE).getJob(id)).toBeDefined();
    expect((await call<Problem>('/api/v1/jobs?group=x')).status).toBe(400);
  });

  it('finds the files of a job file by their names, and pins what steps upload', async () => {
    const job = {
      board: 'malta',
      images: { kernel: './out/k.elf', drives: ['upload:disk'] },
      steps: [{ upload: 'upload:tool', to: '/tool' }],
      artifacts: [{ drive: 0, as: 'disk.img' }],
    };
    const files = { k: firmware(), disk: Buffer.alloc(4096), tool: Buffer.from('tool') };
    const { status, body } = await submitForm<Job>(job, files);
    expect(status).toBe(201);
    const sha256 = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    expect(body.spec.images).toEqual({ kernel: sha256(files.k), drives: [sha256(files.disk)] });
    expect(body.spec.steps).toEqual([{ upload: sha256(files.tool), to: '/tool' }]);
    expect((await post<Job>('/api/v1/jobs', body.spec)).status).toBe(201);
    const claim = await app.get(JobStore).claim(body.id, 'test', 0);
    expect(claim?.uploads).toEqual(new Map([[0, { sha256: sha256(files.tool).slice(7) }]]));
    await app.get(JobStore).endUnclaimed(body.id, { outcome: 'infra', reason: 'Nobody runs it' });
  });

  it('takes LAVA job definitions, and says what it cannot do of one', async () => {
    const lava = `
job_name: boot
device_type: qemu-mipsel
actions:
  - deploy: { to: tmpfs, images: { kernel: { url: builtin:malta-selftest-el, image_arg: '-kernel {kernel}' } } }
  - boot: { method: qemu, prompts: ['PASS'] }
`;
    const taken = await send<Job>('application/x-lava+yaml', lava);
    expect(taken).toMatchObject({ status: 201, body: { name: 'boot', spec: { board: 'malta' } } });
    const form = new FormData();
    form.set('lava', lava.replace('qemu, ', 'u-boot, '));
    const refused = await call<Problem>('/api/v1/jobs', { method: 'POST', body: form });
    expect(refused).toMatchObject({ status: 400, body: { errors: [{ field: 'actions[1].boot.method', line: 6 }] } });
  });

  it('says what is wrong with a job without making one', async () => {
    const before = (await call<JobPage>('/api/v1/jobs?limit=1')).body.items[0]?.id;
    const check = (body: unknown) => post<ValidationReport>('/api/v1/jobs/validate', body);
    const good = await check({ board: 'malta', images: { kernel: './vmlinux' }, matrix: { cpu: ['24Kf', '34Kf'] } });
    expect(good).toMatchObject({ status: 200, body: { valid: true, errors: [] } });
    expect(good.body.jobs.map(({ name }) => name)).toEqual([
      './vmlinux on malta cpu=24Kf',
      './vmlinux on malta cpu=34Kf',
    ]);
    const bad = await check({
      board: 'malta',
      cpu: '68000',
      images: { kernel: `sha256:${'0'.repeat(64)}`, initrd: 'builtin:none' },
      steps: [{ send: 'a', console: 'x' }],
    });
    expect(bad.body.valid).toBe(false);
    expect(bad.body.errors.map(({ field }) => field)).toEqual([
      'cpu',
      'steps[0].console',
      'images.kernel',
      'images.initrd',
    ]);
    expect(bad.body.errors.every(({ line, mend }) => line === 1 && mend !== '')).toBe(true);
    expect((await call<JobPage>('/api/v1/jobs?limit=1')).body.items[0]?.id).toBe(before);
  });

  it('makes nothing of a repeated request with the same key', async () => {
    const withKey = (body: unknown, key: string) =>
      call<SubmittedJob>('/api/v1/jobs', {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'idempotency-key': key },
      });
    const key = randomUUID();
    const answers = await Promise.all([1, 2, 3].map(() => withKey(selfTest, key)));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(await withKey({ ...selfTest, name: 'another' }, key)).toMatchObject({
      status: 422,
      body: { errors: [{ field: 'idempotency-key' }] },
    });
    expect((await withKey(selfTest, randomUUID())).body.id).not.toBe(answers[0]?.body.id);
    expect(await withKey(selfTest, 'with blank')).toMatchObject({ status: 400 });
  });

  it('leaves no staged files behind', async () => {
    const { readdir } = await import('node:fs/promises');
    expect(await readdir(`${api.folder}/staging`)).toEqual([]);
  });
});

describe('jobs', () => {
  it('lists newest first, page by page, and by state', async () => {
    const made: string[] = [];
    for (let i = 0; i < 5; i++) made.unshift((await post<Job>('/api/v1/jobs', { ...selfTest, name: `n${i}` })).body.id);
    const first = (await call<JobPage>('/api/v1/jobs?limit=3')).body;
    const second = (await call<JobPage>(`/api/v1/jobs?limit=3&cursor=${first.nextCursor}`)).body;
    expect([...first.items, ...second.items].slice(0, 5).map(({ id }) => id)).toEqual(made);
    expect((await call<JobPage>('/api/v1/jobs?state=running')).body.items).toEqual([]);
    const bad = await call<Problem>('/api/v1/jobs?state=lost&limit=9999');
    expect(bad.status).toBe(400);
    expect(bad.body.errors.map(({ field }) => field).sort()).toEqual(['limit', 'state']);
    expect(await call('/api/v1/jobs?cursor=nonsense')).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'cursor' }] },
    });
  });

  it('has no job that it has not', async () => {
    expect((await call('/api/v1/jobs/nope')).status).toBe(404);
    expect((await call('/api/v1/jobs/00000000-0000-0000-0000-000000000000/log')).status).toBe(404);
  });

  it('answers when a job has ended, or when the time to wait is over', async () => {
    const { id } = (await post<Job>('/api/v1/jobs', selfTest)).body;
    expect((await call<Job>(`/api/v1/jobs/${id}?wait=50ms`)).body.state).toBe('queued');
    const waiting = call<Job>(`/api/v1/jobs/${id}?wait=60s`);
    await post<Job>(`/api/v1/jobs/${id}/cancel`, {});
    expect((await waiting).body).toMatchObject({ id, state: 'ended', outcome: 'cancelled' });
    expect(await call(`/api/v1/jobs/${id}?wait=1d`)).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'wait' }] },
    });
    const all = await post<SubmittedJob>('/api/v1/jobs?wait=10ms', { ...selfTest, matrix: { cpu: ['24Kf', '34Kf'] } });
    expect(all).toMatchObject({ status: 201, body: { state: 'queued' } });
  });

  it('finds jobs by board and by name', async () => {
    const { id } = (await post<Job>('/api/v1/jobs', { ...selfTest, name: 'Needle 100%' })).body;
    const found = async (query: string) =>
      (await call<JobPage>(`/api/v1/jobs?${query}`)).body.items.map((job) => job.id);
    expect(await found('board=malta&name=needle+100%25')).toEqual([id]);
    expect(await found('board=none')).toEqual([]);
    expect(await found('name=needle_100')).toEqual([]);
  });

  it('cancels a queued job at once, and once', async () => {
    const { id } = (await post<Job>('/api/v1/jobs', selfTest)).body;
    const cancelled = await post<Job>(`/api/v1/jobs/${id}/cancel`, {});
    expect(cancelled).toMatchObject({ status: 200, body: { state: 'ended', outcome: 'cancelled' } });
    expect(await app.get<JobQueue>(QUEUE).getJob(id)).toBeUndefined();
    expect((await post<Job>(`/api/v1/jobs/${id}/cancel`, {})).body).toEqual(cancelled.body);
  });

  it('puts a job back that fell out of the queue', async () => {
    const { id } = (await post<Job>('/api/v1/jobs', selfTest)).body;
    const queue = app.get<JobQueue>(QUEUE);
    await queue.remove(id);
    const { DATABASE } = await import('./lab.module.js');
    await app.get(DATABASE).job.update({ where: { id }, data: { createdAt: new Date(0) } });
    await app.get(Reconciler).run();
    expect(await queue.getJob(id)).toBeDefined();
  });
});

/** A watcher of a console; `messages` is what it was sent. */
async function watch(
  jobId: string,
  first: object,
): Promise<{ socket: WebSocket; messages: ServerMessage[]; closed: Promise<number> }> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/v1/jobs/${jobId}/console`);
  const messages: ServerMessage[] = [];
  socket.on('message', (data) => messages.push(JSON.parse(String(data)) as ServerMessage));
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  await new Promise((resolve) => socket.on('open', resolve));
  socket.send(JSON.stringify(first));
  return { socket, messages, closed };
}

const textOf = (messages: readonly (ServerMessage | ConsoleChunk)[]): string =>
  messages.map((message) => ('data' in message ? Buffer.from(message.data, 'base64').toString() : '')).join('');

describe('logs and consoles', () => {
  const span = (text: string, tNs: number, uart = 'uart0') => ({ uart, tNs, data: Buffer.from(text) });

  /** A running job, with the test as its worker. */
  async function running() {
    const { id } = (await post<Job>('/api/v1/jobs', selfTest)).body;
    await app.get<JobQueue>(QUEUE).remove(id);
    const jobs = app.get(JobStore);
    const claim = await jobs.claim(id, 'test', 0);
    if (!claim) throw new Error('the job could not be claimed');
    const writer = await app.get(ConsoleLogs).openWriter(id, 1);
    const finish = async () => {
      await writer.close();
      await jobs.finish(
        claim,
        { outcome: 'pass', reason: 'done' },
        { virtualNs: 9, instructions: 9, wallMs: 9, results: [] },
      );
    };
    return { id, writer, finish };
  }

  it('gives the log in ranges, as chunks and as text, before and after the end', async () => {
    const { id, writer, finish } = await running();
    await writer.append([span('one\n', 10), span('two\n', 20, 'uart1'), span('three\n', 30)]);
    const check = async () => {
      const lines = (await call<string>(`/api/v1/jobs/${id}/log`)).body.trim().split('\n');
      expect(lines.map((line) => JSON.parse(line) as ConsoleChunk)).toMatchObject([
        { seq: 0, uart: 'uart0', t: 10 },
        { seq: 1, uart: 'uart1', t: 20 },
        { seq: 2, uart: 'uart0', t: 30 },
      ]);
      const text = async (query: string) => (await call<string>(`/api/v1/jobs/${id}/log?format=text&${query}`)).body;
      expect(await text('')).toBe('one\ntwo\nthree\n');
      expect(await text('from=1&limit=1')).toBe('two\n');
      expect(await text('uart=uart0')).toBe('one\nthree\n');
      expect(await text('from=99')).toBe('');
    };
    await check();
    await finish();
    await check();
  });

  it('follows the log until the job ends', async () => {
    const { id, writer, finish } = await running();
    await writer.append([span('early ', 1)]);
    const following = call<string>(`/api/v1/jobs/${id}/log?follow=1&format=text`);
    for (let i = 0; i < 20; i++) await writer.append([span(`${i} `, 2 + i)]);
    await finish();
    expect((await following).body).toBe(`early ${Array.from({ length: 20 }, (_, i) => `${i} `).join('')}`);
  });

  it('shows several watchers history and live output, changes of the job, and the end', async () => {
    const { id, writer, finish } = await running();
    await writer.append([span('past ', 1), span('present ', 2)]);
    const all = await watch(id, { type: 'auth', token: ADMIN_TOKEN });
    const late = await watch(id, { type: 'auth', token: ADMIN_TOKEN, from: 1 });
    await eventually(() => textOf(all.messages).includes('present'), 'the history');
    await writer.append([span('future', 3)]);
    await finish();
    expect(await all.closed).toBe(1000);
    expect(await late.closed).toBe(1000);
    expect(textOf(all.messages)).toBe('past present future');
    expect(textOf(late.messages)).toBe('present future');
    expect(all.messages[0]).toMatchObject({ type: 'ready', job: { id, state: 'running' } });
    expect(all.messages.slice(-2)).toMatchObject([
      { type: 'job', job: { state: 'ended', outcome: 'pass' } },
      { type: 'end' },
    ]);
  });

  it('passes keys to the worker in the order they were typed', async () => {
    const { id, finish } = await running();
    const { socket } = await watch(id, { type: 'auth', token: ADMIN_TOKEN });
    for (const key of 'uname -a\n') {
      socket.send(JSON.stringify({ type: 'input', uart: 'uart0', data: Buffer.from(key).toString('base64') }));
    }
    const { STREAMS } = await import('./lab.module.js');
    const typed = await eventually(async () => {
      const entries = await app.get(STREAMS).read(`control:${id}`, 0);
      return entries.length === 9 && entries;
    }, 'nine keys');
    const keys = typed.map(({ data }: { data: Buffer }) => (JSON.parse(data.toString()) as { data: string }).data);
    expect(keys.map((key: string) => Buffer.from(key, 'base64').toString()).join('')).toBe('uname -a\n');
    await finish();
  });

  it.each<[string, object, number]>([
    ['a wrong token', { type: 'auth', token: 'blt_wrong' }, 4401],
    ['input before the token', { type: 'input', uart: 'uart0', data: 'YQ==' }, 4401],
    ['a message of no known type', { type: 'shout' }, 4400],
  ])('closes on %s, with a reason', async (_, message, code) => {
    const { id } = (await post<Job>('/api/v1/jobs', selfTest)).body;
    const { messages, closed } = await watch(id, message);
    expect(await closed).toBe(code);
    expect(messages).toMatchObject([{ type: 'error' }]);
  });

  it('knows no console of a job that is not there, and no other WebSockets', async () => {
    const { closed } = await watch('00000000-0000-0000-0000-000000000000', { type: 'auth', token: ADMIN_TOKEN });
    expect(await closed).toBe(4404);
    const stray = new WebSocket(`${url.replace('http', 'ws')}/api/v1/elsewhere`);
    const status = await new Promise<number | undefined>((resolve) => {
      stray.on('unexpected-response', (_, response) => resolve(response.statusCode));
      stray.on('error', () => resolve(undefined));
    });
    expect(status).toBe(404);
  });
});

describe('the description of the API', () => {
  it('comes from the same schemas that validate', async () => {
    const { body } = await call<{ paths: object; components: { schemas: Record<string, { properties?: object }> } }>(
      '/api/docs/openapi.json',
      {},
      null,
    );
    expect(Object.keys(body.paths)).toEqual(
      expect.arrayContaining([
        '/api/v1/jobs',
        '/api/v1/jobs/{id}',
        '/api/v1/jobs/{id}/log',
        '/api/v1/images',
        '/healthz',
      ]),
    );
    expect(Object.keys(body.components.schemas['JobSpec']?.properties ?? {})).toContain('steps');
    expect((await call('/api/docs', {}, null)).type).toMatch('text/html');
  });

  it('answers an unknown route with a problem', async () => {
    expect(await call<Problem>('/api/v1/nothing')).toMatchObject({
      status: 404,
      type: expect.stringContaining('problem'),
    });
  });
});

it('a token of another project sees nothing of this one', async () => {
  const { DATABASE } = await import('./lab.module.js');
  const database = app.get(DATABASE);
  const other = await database.project.create({ data: { name: 'other' } });
  const hash = createHash('sha256').update('blt_other-project').digest('hex');
  await database.token.create({ data: { projectId: other.id, name: 'other', hash, scopes: ['read'] } });
  const { id } = (await post<Job>('/api/v1/jobs', selfTest)).body;
  expect((await call<JobPage>('/api/v1/jobs', {}, 'blt_other-project')).body.items).toEqual([]);
  expect((await call(`/api/v1/jobs/${id}`, {}, 'blt_other-project')).status).toBe(404);
  await database.token.updateMany({ where: { hash }, data: { revokedAt: new Date() } });
  expect((await call('/api/v1/jobs', {}, 'blt_other-project')).status).toBe(401);
  expect((await call('/api/v1/jobs')).status).toBe(200);
});
