import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { Job } from '@bootlab/lab';
import { LabClient } from './client.js';
import { exitCodeOf } from './follow.js';
import { columns, printable, sizeText } from './output.js';
import { LineReporter, LiveReporter } from './report.js';
import { currentConnection, forgetLab, parseLabUrl, rememberLab, settingsFile } from './settings.js';
import { JobFile } from './submission.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bootlab-cli-lab-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('settings', () => {
  const env = () => ({ XDG_CONFIG_HOME: folder });
  const lab = { url: 'http://lab:8080', token: 'blt_secret', project: undefined };

  it('are a file for its owner alone, wherever it was before', () => {
    const file = settingsFile(env());
    mkdirSync(join(folder, 'bootlab'));
    writeFileSync(file, '{}', { mode: 0o666 });
    rememberLab(env(), lab);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(currentConnection(env())).toEqual(lab);
  });

  it('give way to the environment', () => {
    rememberLab(env(), { ...lab, project: 'kernel' });
    const given = { ...env(), BOOTLAB_URL: 'http://other', BOOTLAB_TOKEN: 't', BOOTLAB_PROJECT: 'p' };
    expect(currentConnection(given)).toEqual({ url: 'http://other', token: 't', project: 'p' });
    expect(() => currentConnection({ ...env(), BOOTLAB_URL: 'http://other' })).toThrow('no token for http://other');
    expect(currentConnection({ ...env(), BOOTLAB_URL: 'http://lab:8080/' })).toMatchObject({ token: 'blt_secret' });
  });

  it('hold several labs, of which the last one is used', () => {
    rememberLab(env(), lab);
    rememberLab(env(), { ...lab, url: 'http://second' });
    expect(currentConnection(env()).url).toBe('http://second');
    expect(forgetLab(env(), undefined)).toBe('http://second');
    expect(currentConnection(env()).url).toBe('http://lab:8080');
    expect(forgetLab(env(), 'http://never')).toBeUndefined();
  });

  it('that are damaged are said to be so', () => {
    mkdirSync(join(folder, 'bootlab'));
    writeFileSync(settingsFile(env()), '{');
    expect(() => currentConnection(env())).toThrow('is damaged');
  });

  it.each([
    ['http://lab:8080/', 'http://lab:8080', undefined],
    ['lab:8080', 'http://lab:8080', undefined],
    ['https://host/lab/', 'https://host/lab', undefined],
    ['http://lab:8080/#token=blt_x', 'http://lab:8080', 'blt_x'],
  ])('read the address %s', (text, url, token) => {
    expect(parseLabUrl(text)).toEqual({ url, token });
  });

  it.each(['ftp://lab', 'http://', 'a b'])('refuse the address %s', (text) => {
    expect(() => parseLabUrl(text)).toThrow('is not the address of a lab');
  });
});

describe('what is submitted', () => {
  const write = (text: string): string => {
    const file = join(folder, 'job.yml');
    writeFileSync(file, text);
    return file;
  };
  const digest = 'a'.repeat(64);
  const digests = (...names: string[]) => new Map(names.map((name) => [name, digest]));

  it('names files by digest, and leaves everything else as it was written', () => {
    const text = [
      'board: malta # the board',
      'images: { kernel: ./vmlinux, drives: [../disk.img, "builtin:x"] }',
      'steps:',
      '  - upload: ./tests.tar',
      '    to: /tmp',
    ].join('\n');
    const file = JobFile.read(write(text), {});
    const local = file.localFiles();
    expect([...local.keys()].sort()).toEqual(['../disk.img', './tests.tar', './vmlinux']);
    expect(local.get('../disk.img')).toBe(join(folder, '..', 'disk.img'));
    const [sent = ''] = file.submission(digests(...local.keys())).texts;
    expect(sent).toContain('board: malta # the board');
    expect(sent).toContain(`kernel: sha256:${digest}`);
    expect(sent).toContain('builtin:x');
    expect(sent).toMatch(new RegExp(`upload: sha256:${digest}\n +to: /tmp`));
    expect(sent).not.toContain('./');
  });

  it('keeps a matrix whose values are files', () => {
    const file = JobFile.read(write('board: malta\nimages: {}\nmatrix: { kernel: [./a, ./b], cpu: [24Kf] }'), {});
    expect(file.jobCount).toBe(2);
    const { texts } = file.submission(digests('./a', './b'));
    expect(texts).toHaveLength(1);
    expect(texts[0]).toContain('matrix:');
  });

  it('is several jobs where paths come together only in each', () => {
    const text = "board: malta\nvariables: { v: a }\nmatrix: { v: [a, b] }\nimages: { kernel: './${{ v }}/vmlinux' }";
    const { texts } = JobFile.read(write(text), {}).submission(digests('./a/vmlinux', './b/vmlinux'));
    expect(texts.map((each) => JSON.parse(each) as unknown)).toEqual(
      ['a', 'b'].map(() => ({ board: 'malta', images: { kernel: `sha256:${digest}` } })),
    );
  });

  it('has the values of --var in it', () => {
    const text = 'board: malta\nvariables: { v: a }\nmatrix: { v: [a, b] }\nimages: {}\ncmdline: "x=${{ v }}"';
    const [sent = '', ...more] = JobFile.read(write(text), { v: 'c' }).submission(new Map()).texts;
    expect(more).toEqual([]);
    expect(sent).toContain('v: c');
    expect(sent).not.toContain('[a, b]');
  });

  it('is refused with line and column', () => {
    expect(() => JobFile.read(write('board: malta\nimages: {}\nboord: x'), {})).toThrow(
      /job\.yml:3:1: boord: Unknown key/,
    );
  });
});

describe('a lab', () => {
  let server: Server;
  let answers: ((url: string) => [number, unknown])[];
  const asked: string[] = [];

  beforeEach(async () => {
    asked.length = 0;
    server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers['bootlab-project'] ?? ''}`);
      const [status, body] = answers.shift()?.(request.url ?? '') ?? [200, {}];
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => void server.close());

  const client = () =>
    new LabClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 't', project: 'p' }, '1');
  const problem = (status: number, errors: object[] = []) =>
    [status, { type: 'about:blank', title: 'T', status, detail: 'the detail', errors }] as [number, unknown];

  it('that is being restarted is asked again, for what may be asked twice', async () => {
    answers = [() => [503, ''], () => [200, { ok: true }]];
    expect(await client().json('/jobs')).toEqual({ ok: true });
    expect(asked).toEqual(['GET /api/v1/jobs p', 'GET /api/v1/jobs p']);
    answers = [() => [503, '']];
    await expect(client().post('/jobs/x/cancel', {})).rejects.toMatchObject({ exitCode: 3, status: 503 });
    answers = [() => [502, ''], () => [200, {}]];
    await client().post('/jobs', {}, { repeatable: true });
  });

  it('that refuses says what and how to mend it', async () => {
    const field = { field: 'memory', message: 'Too much', mend: 'Use at most 1G.' };
    answers = [() => problem(422, [field, { ...field, field: 'cpu', message: 'Unknown.' }])];
    await expect(client().json('/jobs')).rejects.toMatchObject({
      exitCode: 2,
      message: 'memory: Too much. Use at most 1G.\nbootlab: cpu: Unknown. Use at most 1G.',
    });
    answers = [() => problem(404)];
    await expect(client().json('/jobs')).rejects.toMatchObject({ exitCode: 2, message: 'the detail' });
    answers = [() => problem(500)];
    await expect(client().json('/jobs')).rejects.toMatchObject({ exitCode: 3 });
    answers = [() => [418, 'a proxy']];
    await expect(client().json('/jobs')).rejects.toThrow('the lab answered 418');
  });
});

describe('what is printed', () => {
  const step = (index: number, status: Job['steps'][number]['status']): Job['steps'][number] => ({
    index,
    kind: 'run',
    name: null,
    text: `command ${index}`,
    status,
    startNs: 1e9,
    doneNs: status === 'pass' || status === 'fail' ? 2.5e9 : null,
    message: status === 'fail' ? 'exit status \x1b[31m1' : null,
    exitStatus: null,
    console: null,
    lines: null,
    counts: { pass: 0, fail: 0, skip: 0, error: 0 },
  });
  const job = (change: Partial<Job>): Job => ({
    id: 'j',
    name: 'boot\x1b[2J',
    state: 'running',
    outcome: null,
    reason: null,
    evidence: null,
    spec: { board: 'malta', images: {} },
    groupId: null,
    combination: {},
    images: { drives: [] },
    createdAt: '2026-01-01T00:00:00.000Z',
    startedAt: '2026-01-01T00:00:00.000Z',
    endedAt: null,
    updatedAt: '2026-01-01T00:00:00.000Z',
    virtualNs: 3e9,
    instructions: 0,
    wallMs: 500,
    attempts: 1,
    runs: [],
    consoles: ['uart0'],
    steps: [],
    counts: { pass: 2, fail: 1, skip: 0, error: 0 },
    artifacts: [],
    missingArtifacts: [],
    ...change,
  });
  const printer = () => {
    const out = Object.assign(new PassThrough(), { isTTY: true, columns: 60 });
    return { out, text: () => String(out.read() ?? '') };
  };
  const ended = job({
    state: 'ended',
    outcome: 'fail',
    reason: 'Step 2 failed',
    steps: [step(0, 'pass'), step(1, 'fail')],
  });

  it('in a log is a line for each thing, once, without control characters', () => {
    const { out, text } = printer();
    const reporter = new LineReporter({ out, live: false });
    reporter.update([job({ state: 'queued', startedAt: null, attempts: 0 })]);
    reporter.update([job({ steps: [step(0, 'pass'), step(1, 'running')] })]);
    reporter.update([ended]);
    reporter.update([ended]);
    expect(text().split('\n')).toEqual([
      'boot\ufffd[2J on malta: queued',
      'boot\ufffd[2J on malta: running',
      '  ok       run command 0 (1.500 s)',
      '  FAILED   run command 1 (1.500 s): exit status \ufffd[31m1',
      'fail: Step 2 failed [2 pass, 1 fail] (3.000 s virtual, 0.5 s wall)',
      '',
    ]);
  });

  it('tells the jobs of a matrix apart, and attempts', () => {
    const { out, text } = printer();
    new LineReporter({ out, live: false }).update([job({ id: 'a' }), job({ id: 'b', attempts: 2 })]);
    expect(text()).toContain('[2/2] boot\ufffd[2J on malta: running (attempt 2)');
  });

  it('on a terminal is redrawn in place, within its width', () => {
    const { out, text } = printer();
    const reporter = new LiveReporter({ out, live: true });
    reporter.update([job({ steps: [step(0, 'running')] })]);
    expect(text().match(/\n/g)).toHaveLength(3);
    reporter.update([job({ steps: [{ ...step(0, 'pass'), text: 'x'.repeat(200) }] })]);
    const second = text();
    expect(second.startsWith('\x1b[3A')).toBe(true);
    // eslint-disable-next-line no-control-regex -- the codes are what is taken out
    for (const line of second.replace(/\x1b\[[\d]*[A-Km]/g, '').split('\n')) expect(line.length).toBeLessThan(60);
  });

  it('shows the steps around the one that runs, however many there are', () => {
    const { out, text } = printer();
    const steps = Array.from({ length: 100 }, (_, index) =>
      step(index, index < 50 ? 'pass' : index === 50 ? 'running' : 'pending'),
    );
    new LiveReporter({ out, live: true }).update([job({ steps })]);
    const shown = text();
    expect(shown).toContain('command 50');
    expect(shown.split('\n').length).toBeLessThan(25);
  });

  it('is aligned, sized and harmless', () => {
    expect(
      columns([
        ['A', 'B'],
        ['long', 'x'],
      ]),
    ).toBe('A     B\nlong  x\n');
    expect([0, 1023, 1024, 5 * 2 ** 20].map(sizeText)).toEqual(['0 B', '1023 B', '1.0 KiB', '5.0 MiB']);
    expect(printable('a\x07b\tc')).toBe('a\ufffdb c');
  });

  it.each([
    [['pass', 'pass'], 0],
    [['pass', 'fail'], 1],
    [['timeout'], 1],
    [['infra', 'fail'], 1],
    [['pass', 'infra'], 3],
    [['cancelled'], 3],
  ] as const)('ends %j with %i', (outcomes, status) => {
    expect(exitCodeOf([...outcomes])).toBe(status);
  });
});
