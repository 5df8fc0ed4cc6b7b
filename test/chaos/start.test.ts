// `npm start` as a person has it: ready with one command, data kept, and nothing left behind, however it ends.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Job } from '@bootlab/lab';
import { eventually, temporaryFolder } from '@bootlab/lab/testing';
import { freePort } from '../support/lab.js';

const START = fileURLToPath(new URL('../../scripts/start.mjs', import.meta.url));
const START_LIMIT_MS = 240_000; // it may have to build first

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

interface Running {
  child: ChildProcess;
  url: string;
  token: string;
}

function environment(port: number): NodeJS.ProcessEnv {
  return {
    ...process.env,
    BOOTLAB_DATA: folder.path,
    PORT: String(port),
    // The lab brings everything itself, and is started by nobody's npm.
    DATABASE_URL: undefined,
    REDIS_URL: undefined,
    BLOB_URL: undefined,
    NODE_OPTIONS: undefined,
    npm_lifecycle_event: undefined,
  };
}

async function start(): Promise<Running> {
  const child = spawn(process.execPath, [START], { env: environment(await freePort()) });
  let output = '';
  child.stdout.on('data', (data) => (output += String(data)));
  child.stderr.on('data', (data) => (output += String(data)));
  const link = await eventually(
    () => {
      if (child.exitCode !== null) throw new Error(`npm start ended:\n${output}`);
      return output.includes('Ctrl-C') && /(http:\S+)\/#token=(\S+)/.exec(output);
    },
    'the lab to be ready',
    START_LIMIT_MS,
  );
  return { child, url: link[1] ?? '', token: link[2] ?? '' };
}

/** Processes that belong to the lab of this test: its data folder is in their environment or on their command line. */
function processesOfTheLab(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        const all = command + readFileSync(`/proc/${pid}/environ`, 'utf8');
        return all.includes(folder.path) ? [`${pid} ${command}`] : [];
      } catch {
        return []; // it ended while we looked, or is somebody else's
      }
    });
}

async function call<T>({ url, token }: Running, path: string, body?: unknown): Promise<T> {
  const response = await fetch(url + path, {
    headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
  });
  return (await response.json()) as T;
}

const onLinux = process.platform === 'linux' ? describe : describe.skip;
onLinux('npm start (looks at /proc)', () => {
  let first: Running;
  let job: Job;

  it('brings up a lab that runs a job', async () => {
    first = await start();
    const spec = {
      board: 'malta',
      images: { firmware: 'builtin:malta-selftest-el' },
      steps: [{ expect: 'SELFTEST: PASS' }],
    };
    job = await call<Job>(first, '/api/v1/jobs', spec);
    const ended = await eventually(
      async () => {
        const now = await call<Job>(first, `/api/v1/jobs/${job.id}`);
        return now.state === 'ended' && now;
      },
      'the job to end',
      60_000,
    );
    expect(ended).toMatchObject({ outcome: 'pass', counts: { pass: 1, fail: 0 } });
  }, 300_000);

  it('refuses a second lab on the same data, with a reason', async () => {
    const second = spawn(process.execPath, [START], { env: environment(await freePort()) });
    let errors = '';
    second.stderr.on('data', (data) => (errors += String(data)));
    const [code] = (await once(second, 'close')) as [number];
    expect(code).toBe(1);
    expect(errors).toMatch(/in use|already/);
    expect((await fetch(`${first.url}/healthz`)).status).toBe(200);
  }, 60_000);

  it('leaves no process when it is killed outright', async () => {
    expect(processesOfTheLab().length).toBeGreaterThan(3);
    first.child.kill('SIGKILL');
    await eventually(() => processesOfTheLab().length === 0, 'every process to end', 20_000);
  }, 30_000);

  it('finds its data at the second start, and ends cleanly on Ctrl-C', async () => {
    const second = await start();
    expect(second.token).toBe(first.token);
    expect(await call<Job>(second, `/api/v1/jobs/${job.id}`)).toMatchObject({ id: job.id, outcome: 'pass' });
    second.child.kill('SIGINT');
    const [code] = (await once(second.child, 'exit')) as [number];
    expect(code).toBe(0);
    expect(processesOfTheLab()).toEqual([]);
  }, 300_000);
});
