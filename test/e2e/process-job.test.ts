import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Job, Problem, Result } from '@bootlab/lab';
import { buildMipsProgram } from '@bootlab/emulator/testkit';
import { bootlab } from '../conformance/bootlab.js';
import { launchChromium, startLab, type Lab } from '../support/lab.js';
import { describeWith } from '../support/requirements.js';

const repository = new URL('../..', import.meta.url).pathname;
const source = new URL('../conformance/user/unit-tests.c', import.meta.url).pathname;
const screenshots = join(repository, 'test-results', 'e2e');
const hello = new URL('../conformance/user/hello.c', import.meta.url).pathname;

describeWith('cross-mips', 'jobs that run a program', () => {
  let lab: Lab;
  let folder: string;
  let program: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bootlab-process-'));
    program = await buildMipsProgram({
      name: 'user-unit-tests',
      byteOrder: 'little',
      sources: [source],
      flags: ['-O1', '-static'],
    });
    mkdirSync(join(folder, 'root', 'etc'), { recursive: true });
    writeFileSync(join(folder, 'root', 'etc', 'greeting'), 'hello from the root\n');
    writeFileSync(join(folder, 'evil'), 'x');
    const tar = (...args: string[]) => execFileSync('tar', ['--owner=0', '--group=0', ...args], { cwd: folder });
    tar('-czf', 'root.tar.gz', '-C', 'root', '.');
    tar('-cf', 'hostile.tar', '-P', '--transform', 's,^,../../,', 'evil');
    execFileSync('ln', ['-s', '/etc', join(folder, 'way')]);
    tar('-cf', 'link.tar', 'way');
    rmSync(join(folder, 'way'));
    mkdirSync(join(folder, 'way'));
    writeFileSync(join(folder, 'way', 'passwd'), 'x');
    tar('-rf', 'link.tar', 'way/passwd');
    lab = await startLab(repository);
  }, 360_000);
  afterAll(async () => {
    await lab.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  const call = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const token = new URL(lab.signInUrl).hash.replace('#token=', '');
    return fetch(`${lab.url}/api/v1${path}`, {
      ...init,
      headers: { ...init.headers, authorization: `Bearer ${token}` },
    });
  };

  /** Submits with the program, and other files by their names in the folder or with their bytes. */
  const post = async (spec: object, files: Readonly<Record<string, string | Uint8Array>> = {}): Promise<Response> => {
    const form = new FormData();
    form.set('spec', JSON.stringify({ kind: 'process', arch: 'mipsel', program: 'upload:program', ...spec }));
    form.set('program', new Blob([readFileSync(program)]), 'unit-tests');
    for (const [field, given] of Object.entries(files)) {
      const bytes = typeof given === 'string' ? readFileSync(join(folder, given)) : given;
      form.set(field, new Blob([new Uint8Array(bytes)]), typeof given === 'string' ? given : field);
    }
    return call('/jobs', { method: 'POST', body: form });
  };

  /** The job once it has ended, however long a busy machine takes. */
  const ended = async (id: string): Promise<Job> => {
    for (;;) {
      const job = (await (await call(`/jobs/${id}?wait=60s`)).json()) as Job;
      if (job.state === 'ended') return job;
    }
  };

  /** Submits as `post` does, and waits for the end. */
  const submit = async (spec: object, files: Readonly<Record<string, string | Uint8Array>> = {}): Promise<Job> => {
    const response = await post(spec, files);
    const made = (await response.json()) as Job & Problem;
    expect(made).toMatchObject({ id: expect.any(String) }); // a worker may have it already: its state says nothing
    return ended(made.id);
  };

  const log = async ({ id }: Job, uart: string): Promise<string> =>
    (await call(`/jobs/${id}/log?format=text&uart=${uart}`)).text();

  it('give outputs, status, usage and the cases that the program printed', async () => {
    const spec = { arguments: ['pass'], environment: { LEVEL: '3' }, root: 'upload:root', results: { format: 'tap' } };
    const job = await submit(spec, { root: 'root.tar.gz' });
    expect(job).toMatchObject({
      name: 'unit-tests on mipsel',
      state: 'ended',
      outcome: 'pass',
      reason: 'The program exited with status 0',
      consoles: ['stdout', 'stderr'],
      counts: { pass: 3, fail: 0, skip: 1, error: 0 },
      steps: [{ kind: 'test', status: 'pass', exitStatus: 0 }],
    });
    expect(job.instructions).toBeGreaterThan(1000);
    expect(await log(job, 'stdout')).toBe(
      'TAP version 13\n1..3\nok 1 - starts\nok 2 - adds\nok 3 - ends # SKIP not today\n',
    );
    expect(await log(job, 'stderr')).toBe('greeting: hello from the root, LEVEL=3, uid 0\n');
    const results = (await (await call(`/jobs/${job.id}/results`)).json()) as { items: Result[] };
    expect(results.items.map(({ suite, name, outcome }) => [suite, name, outcome])).toEqual([
      ['steps', '1: test "upload:program pass"'.replace('upload:program', job.spec.program ?? ''), 'pass'],
      ['step 1', 'starts', 'pass'],
      ['step 1', 'adds', 'pass'],
      ['step 1', 'ends', 'skip'],
    ]);
    const usage = await (await call(`/jobs/${job.id}/artifacts/usage.json`)).text();
    expect(JSON.parse(usage)).toMatchObject({ instructions: job.instructions });
    // The stored spec names every file by its digest: it can be submitted again, and does the same.
    const again = await call('/jobs', {
      method: 'POST',
      body: JSON.stringify(job.spec),
      headers: { 'content-type': 'application/json' },
    });
    const { id } = (await again.json()) as Job;
    expect(await ended(id)).toMatchObject({
      outcome: 'pass',
      instructions: job.instructions,
      virtualNs: job.virtualNs,
    });
  }, 120_000);

  it('leave the files that they ask for, and say which were not there', async () => {
    const artifacts = [
      { path: '/etc/greeting', as: 'greeting.txt' },
      { path: '/etc', as: 'etc.tar' },
      { path: '/out/none.xml', as: 'none.xml' },
    ];
    const job = await submit({ arguments: ['pass'], root: 'upload:root', artifacts }, { root: 'root.tar.gz' });
    expect(job.artifacts.map(({ name }) => name)).toEqual(['etc.tar', 'greeting.txt', 'usage.json']);
    expect(job.missingArtifacts).toEqual([
      { name: 'none.xml', reason: 'There is nothing at /out/none.xml after the run' },
    ]);
    const fetched = async (name: string) =>
      Buffer.from(await (await call(`/jobs/${job.id}/artifacts/${name}`)).arrayBuffer());
    expect((await fetched('greeting.txt')).toString()).toBe('hello from the root\n');
    writeFileSync(join(folder, 'etc.tar'), await fetched('etc.tar'));
    const listed = execFileSync('tar', ['-xOf', join(folder, 'etc.tar'), 'greeting']);
    expect(listed.toString()).toBe('hello from the root\n');
    // The same without a lab gives the same bytes.
    writeFileSync(join(folder, 'unit-tests'), readFileSync(program));
    const file = join(folder, 'artifacts.json');
    const spec = {
      kind: 'process',
      arch: 'mipsel',
      program: './unit-tests',
      arguments: ['pass'],
      root: './root.tar.gz',
    };
    writeFileSync(file, JSON.stringify({ ...spec, artifacts }));
    const out = join(folder, 'out');
    for (let again = 0; again < 2; again++) {
      const run = await bootlab(['test', file, '--artifacts', out], 60_000);
      expect(run.errors).toContain('artifact none.xml: There is nothing at /out/none.xml');
    }
    expect(readFileSync(join(out, 'etc.tar')).equals(await fetched('etc.tar'))).toBe(true);
    expect(readFileSync(join(out, 'usage.json')).length).toBeGreaterThan(10);
  }, 120_000);

  it.each([
    [
      'fail',
      { outcome: 'fail', reason: '1 of 3 tests failed, the first of them "adds"; the program exited with status 0' },
    ],
    ['status', { outcome: 'fail', reason: /^1 of 3 tests failed, .* exited with status 9$/ }],
    ['crash', { outcome: 'fail', reason: 'SIGSEGV ended the program (status 139)', exitStatus: 139 }],
    ['hang', { outcome: 'timeout', reason: 'The program was still running after 2s of virtual time' }],
    ['spin', { outcome: 'timeout', reason: 'The program was still running after 2s of virtual time' }],
  ] as const)(
    'that %s say so',
    async (how, expected) => {
      const job = await submit({ arguments: [how], timeout: '2s', results: { format: 'tap' } });
      expect(job.outcome).toBe(expected.outcome);
      if (typeof expected.reason === 'string') expect(job.reason).toBe(expected.reason);
      else expect(job.reason).toMatch(expected.reason);
      if ('exitStatus' in expected)
        expect(job.steps[0]).toMatchObject({ exitStatus: expected.exitStatus, status: 'fail' });
    },
    120_000,
  );

  it('read standard input from a file or from the job', async () => {
    const text = await submit({ arguments: ['count'], stdin_text: 'two\nlines\n' });
    expect(await log(text, 'stdout')).toBe('10 bytes of input, 2 lines\n');
    const file = await submit({ arguments: ['count'], stdin: 'upload:input' }, { input: Buffer.alloc(300_000, '\n') });
    expect(await log(file, 'stdout')).toBe('300000 bytes of input, 300000 lines\n');
    expect(file.spec.stdin).toMatch(/^sha256:/);
    expect(await log(await submit({ arguments: ['count'] }), 'stdout')).toBe('0 bytes of input, 0 lines\n');
  }, 120_000);

  describe('are refused before they run', () => {
    const refused = async (
      field: string,
      message: RegExp,
      spec: object,
      files: Readonly<Record<string, string | Uint8Array>> = {},
    ): Promise<void> => {
      const response = await post(spec, files);
      expect(response.status).toBe(422);
      const { errors } = (await response.json()) as Problem;
      expect(errors).toMatchObject([
        { field, message: expect.stringMatching(message), mend: expect.stringMatching(/\.$/) },
      ]);
      expect(JSON.stringify(errors)).not.toContain('--');
    };

    it.each([
      ['hostile.tar', /\.\./],
      ['link.tar', /is no directory/],
      ['evil', /no archive that can be unpacked/],
    ])('for the root %s', (name, message) => refused('root', message, { root: 'upload:root' }, { root: name }));

    it('for the byte order', () =>
      refused('program', /little-endian program, and arch mips is big-endian/, { arch: 'mips' }));
    it('for the machine', () =>
      refused('program', /64-bit program for/, {}, { program: readFileSync(process.execPath).subarray(0, 100_000) }));
    it('for a program cut short', () =>
      refused('program', /truncated ELF file/, {}, { program: readFileSync(program).subarray(0, 5000) }));
    it('for text', () =>
      refused('program', /neither an ELF program nor a script/, {}, { program: Buffer.from('hello') }));
    it('for a program that its root has not', () =>
      refused(
        'program',
        /\/bin\/none does not exist/,
        { files: { '/p': 'upload:program' }, program: '/bin/none', root: 'upload:root' },
        { root: 'root.tar.gz' },
      ));
    it('for an interpreter that is missing', async () => {
      const dynamic = readFileSync(
        await buildMipsProgram({ name: 'user-hello-dynamic', byteOrder: 'little', sources: [hello], flags: ['-O1'] }),
      );
      await refused('root', /needs \/lib\/ld\.so\.1, which does not exist/, {}, { program: dynamic });
      await refused(
        'root',
        /needs \/lib\/ld\.so\.1/,
        { root: 'upload:root' },
        { program: dynamic, root: 'root.tar.gz' },
      );
    });
  });

  it('are refused with the field and the mend', async () => {
    const response = await call('/jobs', {
      method: 'POST',
      body: JSON.stringify({ kind: 'process', program: '/bin/true', cpu: '24Kf', steps: [{ wait: '1s' }] }),
      headers: { 'content-type': 'application/json' },
    });
    expect(response.status).toBe(422);
    const { errors } = (await response.json()) as Problem;
    expect(errors.map(({ field }) => field)).toEqual(['cpu', 'steps', 'arch', 'program']);
  });

  describeWith('chromium', 'from the page', () => {
    it('are made with a form, which says what the lab finds wrong, and made again', async () => {
      const browser = await launchChromium();
      try {
        const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
        const errors: string[] = [];
        page.on('pageerror', (error) => errors.push(error.message));
        await page.goto(lab.signInUrl);
        await page.getByRole('heading', { name: 'Jobs', level: 1 }).waitFor();
        await page.goto(`${lab.url}/submit?as=program`);
        const group = page.getByRole('group', { name: 'Program', exact: true });
        const choose = (buffer: Buffer): Promise<void> =>
          group
            .locator('input[type=file]')
            .setInputFiles({ name: 'unit-tests', mimeType: 'application/x-elf', buffer });
        await choose(Buffer.from('hello'));
        await page.getByLabel('Arguments').fill('count');
        await page.getByRole('radio', { name: 'Text', exact: true }).check();
        await page.getByLabel('Text of standard input').fill('three\nlines\nof input\n');
        await page.getByRole('button', { name: 'Start job' }).click();
        await group.getByText(/neither an ELF program nor a script/).waitFor();
        await page.screenshot({ path: join(screenshots, 'program-form.png'), fullPage: true });

        await group.getByRole('button', { name: 'Remove unit-tests' }).click();
        await choose(readFileSync(program));
        await page.getByRole('button', { name: 'Start job' }).click();
        const status = page.getByLabel('Job status');
        await status.getByText('Passed').waitFor({ timeout: 60_000 });
        const job = async (): Promise<Job> =>
          (await (await call(`/jobs/${new URL(page.url()).pathname.split('/').at(-1)}`)).json()) as Job;
        expect(await log(await job(), 'stdout')).toBe('21 bytes of input, 3 lines\n');

        await page.goto(`${lab.url}/submit?from=${(await job()).id}`);
        expect(await page.getByLabel('Text of standard input').inputValue()).toBe('three\nlines\nof input\n');
        await page.getByRole('radio', { name: 'Empty' }).check();
        await page.getByRole('button', { name: 'Start job' }).click();
        await status.getByText('Passed').waitFor({ timeout: 60_000 });
        expect(await log(await job(), 'stdout')).toBe('0 bytes of input, 0 lines\n');
        expect(errors).toEqual([]);
      } finally {
        await browser.close();
      }
    }, 120_000);
  });

  it('run the same without a lab', async () => {
    const file = join(folder, 'job.yaml');
    writeFileSync(join(folder, 'unit-tests'), readFileSync(program));
    writeFileSync(
      file,
      [
        ...[
          'kind: process',
          'arch: mipsel',
          'program: ./unit-tests',
          'arguments: [fail]',
          'environment: { LEVEL: high }',
        ],
        ...['root: ./root.tar.gz', 'results: { format: tap }', ''],
      ].join('\n'),
    );
    const junit = join(folder, 'junit.xml');
    const run = await bootlab(['test', '--junit', junit, file], 60_000);
    expect(run.status).toBe(1);
    expect(run.output).toContain('1 of 3 tests failed, the first of them "adds"');
    expect(readFileSync(junit, 'utf8')).toMatch(/<testcase[^>]*name="adds"[^>]*>\s*<failure/);
  }, 120_000);
});
