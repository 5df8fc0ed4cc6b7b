// What the pages can do about projects and people, by command line against a whole lab: the built program in a process of its own.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { runProcess } from '@bootlab/emulator/testkit';
import { eventually } from '@bootlab/lab/testing';
import { startLab, type Lab } from '../support/lab.js';

jest.setTimeout(120_000);

const repository = fileURLToPath(new URL('../..', import.meta.url));
const program = join(repository, 'apps', 'cli', 'bin', 'bootlab.mjs');
const START_LIMIT_MS = 320_000;
const PASSWORD = 'correct horse battery staple';

let lab: Lab;
let token: string;
let receiver: Server;
const heard: { event: string }[] = [];

beforeAll(async () => {
  receiver = createServer((request, response) => {
    void text(request).then((body) => {
      heard.push(JSON.parse(body) as { event: string });
      response.writeHead(204).end();
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  lab = await startLab(repository, { BOOTLAB_WEBHOOK_HOSTS: receiverHost(), BOOTLAB_SIGN_IN_LIMIT: '1000' });
  token = new URL(lab.signInUrl).hash.replace('#token=', '');
}, START_LIMIT_MS);
afterAll(async () => {
  await lab?.stop();
  receiver?.close();
}, 60_000);

const receiverHost = (): string => `127.0.0.1:${(receiver.address() as AddressInfo).port}`;

interface Run {
  status: number | undefined;
  output: string;
  errors: string;
}

async function bootlab(...args: string[]): Promise<Run> {
  return bootlabAs(token, ...args);
}

async function bootlabAs(as: string, ...args: string[]): Promise<Run> {
  const env = { PATH: process.env['PATH'], BOOTLAB_URL: lab.url, BOOTLAB_TOKEN: as, BOOTLAB_CONFIG: '/nowhere' };
  const run = await runProcess(process.execPath, [program, ...args], { timeoutMs: 100_000, env });
  return { status: run.exitCode, output: run.output, errors: run.errors };
}

/** What a command prints when all is well. */
async function said(...args: string[]): Promise<string> {
  const run = await bootlab(...args);
  expect({ args, ...run }).toMatchObject({ status: 0, errors: '' });
  return run.output;
}
const listed = async <T>(...args: string[]): Promise<T> => JSON.parse(await said(...args, '--json')) as T;

/** Makes an account with the link that was printed. */
async function accept(output: string, login: string): Promise<void> {
  const secret = /\/invitation#(\S+)/.exec(output)?.[1];
  const answer = await fetch(`${lab.url}/api/v1/invitations/accept`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ secret, account: { login, name: `Dr. ${login}`, password: PASSWORD } }),
  });
  expect(answer.status).toBe(201);
}
const signIn = async (login: string, password: string): Promise<number> => {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ login, password });
  return (await fetch(`${lab.url}/api/v1/session`, { method: 'POST', headers, body })).status;
};

describe('badges', () => {
  it('are made, listed and removed', async () => {
    const markdown = await said('badges', 'add', '--label', 'malta [next]', '--job-name', 'nightly');
    const [, label, picture = '', jobs] = /^\[!\[(.*)\]\((.*)\)\]\((.*)\)\n$/.exec(markdown) ?? [];
    expect([label, jobs]).toEqual(['malta \\[next\\]', `${lab.url}/jobs?name=nightly`]);
    expect(await (await fetch(picture)).text()).toContain('no job yet');
    expect(await said('badges')).toContain(picture);
    expect(await said('badges', 'rm', 'malta [next]')).toBe('malta [next]: removed\n');
    expect((await fetch(picture)).status).toBe(404);
    expect(await listed('badges')).toEqual([]);
  });
});

describe('webhooks', () => {
  it('are made, tried, switched, read and removed', async () => {
    const url = `http://${receiverHost()}/hook`;
    const made = await said('webhooks', 'add', url, '--event', 'job.started', '--event', 'job.ended');
    expect(made).toMatch(/^webhook [0-9a-f-]{36}\nKey of its signatures, shown this once: \S{20,}\n$/);
    expect(await said('webhooks')).toMatch(/ on +job.started,job.ended .*\/hook/);
    const id = /delivery (\S+):/.exec(await said('webhooks', 'ping', url))?.[1] ?? '';
    await eventually(() => heard.length === 1, 'the ping');
    expect(heard[0]?.event).toBe('ping');
    await said('webhooks', 'repeat', url, id);
    await eventually(() => heard.length === 2, 'the message once more');
    await eventually(
      async () => /ping +delivered +1 .*HTTP 204/.test((await bootlab('webhooks', 'log', url)).output),
      'the log of it',
    );
    expect(await said('webhooks', 'off', url)).toBe(`${url}: switched off\n`);
    expect(await listed('webhooks')).toMatchObject([{ url, active: false }]);
    expect(await said('webhooks', 'rm', url)).toContain('removed');
    const gone = await bootlab('webhooks', 'ping', url);
    expect(gone).toMatchObject({ status: 2 });
    expect(gone.errors).toContain(`there is no webhook "${url}". There are: none.`);
  });

  it('with an address that is none are refused at their field', async () => {
    const run = await bootlab('webhooks', 'add', 'ftp://example.org');
    expect(run.status).toBe(2);
    expect(run.errors).toMatch(/^bootlab: url: /);
    const event = await bootlab('webhooks', 'add', 'http://example.org', '--event', 'job.begun');
    expect(event).toMatchObject({ status: 2 });
    expect(event.errors).toContain('job.started or job.ended');
  });
});

describe('members', () => {
  it('come by a link, get another role, and go', async () => {
    const link = await said('members', 'invite', 'Ada, kernel team', '--role', 'viewer', '--expires', '2d');
    expect(await said('members', 'invitations')).toMatch(/viewer .*Ada, kernel team/);
    await accept(link, 'ada');
    expect(await said('members')).toMatch(/^ada +viewer .*Dr. ada$/m);
    expect(await said('members', 'role', 'ada', 'maintainer')).toBe('ada: maintainer\n');
    expect(await listed('members')).toMatchObject([{ login: 'ada', role: 'maintainer' }]);
    await said('members', 'invite', 'Nobody');
    expect(await said('members', 'withdraw', 'Nobody')).toBe('Nobody: withdrawn\n');
    expect(await listed('members', 'invitations')).toEqual([]);
    expect(await said('members', 'rm', 'ada')).toContain('no member any more');
    const again = await bootlab('members', 'role', 'ada', 'admin');
    expect(again.status).toBe(2);
    expect(again.errors).toContain('there is no member "ada"');
  });
});

describe('tokens', () => {
  it('are printed once, may what they say, and are revoked', async () => {
    const secret = (await said('tokens', 'add', 'reader', '--may', 'read', '--expires', '30d')).trim();
    expect(secret).toMatch(/^blt_/);
    expect(await said('tokens')).toMatch(/ read +- .*reader/);
    expect(await said('tokens')).not.toContain(secret);
    expect((await bootlabAs(secret, 'whoami')).output).toMatch(/^token reader at .*\n.*\ndefault +- +read$/m);
    expect(await bootlabAs(secret, 'members', 'invite', 'x')).toMatchObject({ status: 2 });
    expect(await said('tokens', 'revoke', 'reader')).toBe('reader: revoked\n');
    expect(await bootlabAs(secret, 'jobs')).toMatchObject({ status: 2 });
    await said('tokens', 'add', 'for good', '--expires', 'none');
    expect(await said('tokens')).toMatch(/ read,submit +- +never +never +for good$/m);
    const bad = await bootlab('tokens', 'add', 'x', '--expires', '90s');
    expect(bad.errors).toContain('Write whole days');
  });
});

describe('results', () => {
  it('of another tool are added to a job that has ended', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bootlab-cli-results-'));
    const spec = join(folder, 'job.yml');
    const document = join(folder, 'junit.xml');
    writeFileSync(
      spec,
      'board: malta\nimages: { firmware: builtin:malta-selftest-el }\nsteps: [{ expect: PASS, name: boot }]\n',
    );
    writeFileSync(
      document,
      '<testsuite name="net"><testcase name="ping"/><testcase name="route"><error/></testcase></testsuite>',
    );
    const id = /\/jobs\/([0-9a-f-]{36})/.exec(await said('submit', spec, '--wait'))?.[1] ?? '';
    expect(await said('results', id)).toMatch(/^RESULT +LINES +CASE\npass +1-\d+ +steps\/boot\n1 pass\n$/);
    const added = await bootlab('results', id, '--add', document, '--suite', 'rig');
    expect(added).toMatchObject({ status: 1, output: `${document}: 2 results added\n2 pass, 1 error\n` });
    expect((await bootlab('results', id)).output).toMatch(/^error +- +rig\/net\/route$/m);
    expect((await bootlab('results', id, '--format', 'junit')).output).toContain('name="route"');
    const bad = await bootlab('results', id, '--add', spec);
    expect(bad).toMatchObject({ status: 2 });
    expect(bad.errors).toContain('body: The document has no test case. Send JUnit XML');
    rmSync(folder, { recursive: true });
  });
});

describe('the lab', () => {
  it('has people, whom operators look after', async () => {
    await accept(await said('members', 'invite', 'Grace'), 'grace');
    expect(await said('users', 'promote', 'grace')).toBe('grace: operator\n');
    expect(await said('users')).toMatch(/^grace +operator /m);
    await said('users', 'demote', 'grace');
    expect(await said('users', 'disable', 'grace')).toBe('grace: disabled\n');
    expect(await signIn('grace', PASSWORD)).toBe(401);
    await said('users', 'enable', 'grace');
    const secret = /\/invitation#(\S+)/.exec(await said('users', 'password-link', 'grace'))?.[1];
    const password = 'another horse, another battery';
    const body = JSON.stringify({ secret, password });
    const headers = { 'content-type': 'application/json' };
    const set = await fetch(`${lab.url}/api/v1/invitations/password`, { method: 'POST', headers, body });
    expect(set.status).toBe(201);
    expect(await signIn('grace', password)).toBe(201);
    expect(await said('users', 'rm', 'grace')).toContain('deleted for good');
    expect(await signIn('grace', password)).toBe(401);
  });

  it('has projects with quotas', async () => {
    await said('projects', 'add', 'second');
    await said(
      'projects',
      'quota',
      'second',
      '--boards',
      '2',
      '--board-time',
      '10h',
      '--period',
      '7d',
      '--storage',
      '1G',
    );
    expect(await said('projects')).toMatch(/^second +0 of 2 +0.0 h of 10.0 h +7 d +.* of 1.0 GiB$/m);
    await said('projects', 'quota', 'second', '--boards', 'none');
    const [quota] = (await listed<{ name: string; quota: object }[]>('projects')).filter(
      ({ name }) => name === 'second',
    );
    expect(quota?.quota).toMatchObject({ boards: null, cpuSeconds: 36_000, periodHours: 168, storageBytes: 2 ** 30 });
    await said('projects', 'rm', 'second');
    expect(await listed<object[]>('projects')).toHaveLength(1);
  });

  it('writes down who changed what', async () => {
    const output = await said('audit', '--action', 'tokens.revoke', '--limit', '5');
    expect(output.split('\n')).toHaveLength(3);
    expect(output).toMatch(/token administrator +tokens.revoke +done +127.0.0.1/);
    expect(await listed<object[]>('audit', '--lab', '--limit', '3')).toHaveLength(3);
  });
});
