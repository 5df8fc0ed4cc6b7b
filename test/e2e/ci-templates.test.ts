// The GitHub Action and the GitLab template, run as their runners run them: each step's own script in the runner's
// shell, with the environment that the runner makes of inputs and variables, against a whole lab.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { parse } from 'yaml';
import { startLab, type Lab } from '../support/lab.js';

jest.setTimeout(120_000);

const repository = fileURLToPath(new URL('../..', import.meta.url));
const START_LIMIT_MS = 320_000;

let lab: Lab;
let workspace: string;
let token: string;

beforeAll(async () => {
  workspace = mkdtempSync(join(tmpdir(), 'bootlab-ci-'));
  lab = await startLab(repository);
  token = new URLSearchParams(new URL(lab.signInUrl).hash.slice(1)).get('token') ?? '';
  mkdirSync(join(workspace, 'jobs'));
  const job = (name: string, expected: string, rest = ''): void =>
    writeFileSync(
      join(workspace, 'jobs', name),
      `board: malta\nimages: { firmware: builtin:malta-selftest-el }\nvariables: { word: '${expected}' }\n` +
        `timeout: 20s\nsteps: [{ expect: '\${{ word }}' }]\n${rest}`,
    );
  job('pass.yml', 'SELFTEST: PASS');
  job('variable.yml', 'never printed');
  job('invalid.yml', 'x', 'memmory: 1G\n');
}, START_LIMIT_MS);
afterAll(async () => {
  await lab?.stop();
  rmSync(workspace, { recursive: true, force: true });
}, 60_000);

interface Run {
  status: number | null;
  output: string;
}

type Variables = Record<string, string>;

/** What every runner starts with; the path has Node, and no `bootlab`. */
const bare = (): Variables => ({
  PATH: [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(delimiter),
  HOME: workspace,
  CI: 'true',
});

async function shell(command: string, args: string[], script: string, env: Variables, until?: RegExp): Promise<Run> {
  const file = join(workspace, 'step.sh');
  writeFileSync(file, script);
  const child = spawn(command, [...args, file], { cwd: workspace, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (until?.test(output) && !child.killed) child.kill('SIGTERM');
    });
  }
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, output };
}

describe('the GitHub Action', () => {
  const folder = join(repository, 'ci', 'github');
  const action = parse(readFileSync(join(folder, 'action.yml'), 'utf8')) as {
    inputs: Record<string, { default?: string; required?: boolean }>;
    outputs: Record<string, { value: string }>;
    runs: { using: string; steps: { id?: string; shell: string; env: Variables; run: string }[] };
  };

  /** One run of the action's steps, as a composite action runs. */
  async function runAction(given: Variables, until?: RegExp) {
    const inputs = Object.fromEntries(
      Object.entries(action.inputs).map(([name, { default: usual }]) => [name, given[name] ?? usual ?? '']),
    );
    const files = { GITHUB_PATH: 'path', GITHUB_OUTPUT: 'output', GITHUB_STEP_SUMMARY: 'summary' };
    const env: Variables = { ...bare(), GITHUB_ACTIONS: 'true' };
    for (const [name, file] of Object.entries(files)) {
      env[name] = join(workspace, file);
      writeFileSync(join(workspace, file), '');
    }
    const evaluate = (text: string): string =>
      text.replace(/\$\{\{ *(inputs|github)\.([\w-]+) *\}\}/g, (_, context: string, name: string) =>
        context === 'github' ? folder : (inputs[name] ?? ''),
      );
    let output = '';
    let status: number | null = 0;
    for (const step of action.runs.steps) {
      expect(step.run).not.toContain('${{'); // inputs in a script would be read as its text
      const added = readFileSync(join(workspace, 'path'), 'utf8').split('\n').filter(Boolean).reverse();
      const stepEnv = Object.fromEntries(Object.entries(step.env).map(([name, value]) => [name, evaluate(value)]));
      const path = [...added, env['PATH']].join(delimiter);
      // What "shell: bash" means to a runner.
      const args = ['--noprofile', '--norc', '-eo', 'pipefail'];
      const run = await shell(step.shell, args, step.run, { ...env, ...stepEnv, PATH: path }, until);
      output += run.output;
      status = run.status;
      if (status !== 0) break;
    }
    const lines = readFileSync(join(workspace, 'output'), 'utf8').split('\n').filter(Boolean);
    const outputs = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    return { status, output, outputs, summary: readFileSync(join(workspace, 'summary'), 'utf8') };
  }

  const to = (job: string, more: Variables = {}): Variables => ({ url: lab.url, token, job: `jobs/${job}`, ...more });

  it('passes with a job, and says where it is', async () => {
    const { status, output, outputs, summary } = await runAction(to('pass.yml'));
    expect(status).toBe(0);
    expect(output).toMatch(/^pass: /m);
    expect(outputs).toEqual({ url: expect.stringContaining(`${lab.url}/jobs/`), 'exit-status': '0' });
    expect(Object.values(action.outputs).map(({ value }) => /outputs\.([\w-]+)/.exec(value)?.[1])).toEqual(
      Object.keys(outputs),
    );
    expect(summary).toContain('`jobs/pass.yml` passed, [see the job]');
    expect(readFileSync(join(workspace, 'bootlab-results.xml'), 'utf8')).toContain('<testsuites');
    expect(output).not.toContain(token);
  });

  it('hands variables over, one a line', async () => {
    const variables = '\nword=SELFTEST: PASS\n';
    expect((await runAction(to('variable.yml', { variables }))).status).toBe(0);
  });

  it('fails with a job, with an annotation', async () => {
    const { status, output, outputs } = await runAction(to('variable.yml', { junit: 'fail.xml', console: 'true' }));
    expect(status).toBe(1);
    expect(output).toContain('SELFTEST: PASS'); // what the console printed
    expect(output).toContain('::error title=Bootlab::jobs/variable.yml failed: http');
    expect(outputs['exit-status']).toBe('1');
    expect(readFileSync(join(workspace, 'fail.xml'), 'utf8')).toMatch(/<(failure|error)/);
  });

  it.each<[string, () => Variables, number, string]>([
    ['an invalid job', () => to('invalid.yml'), 2, 'memmory'],
    ['a wrong token', () => to('pass.yml', { token: 'blt_wrong' }), 2, 'token'],
    ['no lab', () => to('pass.yml', { url: 'http://127.0.0.1:1' }), 3, 'does not answer'],
    ['a variable that is code', () => to('pass.yml', { variables: '$(touch hacked)=1' }), 2, 'no variable'],
  ])('tells %s by its status', async (_, inputs, status, message) => {
    const run = await runAction(inputs());
    expect(run.status).toBe(status);
    expect(run.output).toContain(message);
    expect(run.outputs).toMatchObject({ url: '', 'exit-status': String(status) });
  });

  it('cancels the job with the workflow', async () => {
    writeFileSync(
      join(workspace, 'jobs', 'long.yml'),
      'board: malta\nimages: { firmware: builtin:malta-selftest-el }\nclock: wall\nsteps: [{ wait: 5m }]\ntimeout: 10m\n',
    );
    const { status, output, outputs } = await runAction(to('long.yml'), /: running/);
    expect(status).toBe(128 + 15);
    expect(output).toContain('The job was cancelled.');
    expect(outputs['exit-status']).toBe('143');
  });
});

describe('the GitLab template', () => {
  const template = (
    parse(readFileSync(join(repository, 'ci', 'gitlab', 'bootlab.yml'), 'utf8')) as {
      '.bootlab': { variables: Variables; script: string[]; retry: { exit_codes: number }; artifacts: unknown };
    }
  )['.bootlab'];

  /** A runner gives the lines of the script to one POSIX shell, which ends at the first that fails. */
  const runJob = (variables: Variables): Promise<Run> => {
    const path = [join(repository, 'node_modules', '.bin'), bare()['PATH']].join(delimiter);
    const env = {
      ...bare(),
      PATH: path,
      ...template.variables,
      BOOTLAB_URL: lab.url,
      BOOTLAB_TOKEN: token,
      ...variables,
    };
    return shell('sh', ['-e'], template.script.join('\n'), env);
  };

  it('passes and fails with the job, and writes its results where GitLab looks for them', async () => {
    const passed = await runJob({ BOOTLAB_JOB: 'jobs/pass.yml', BOOTLAB_JUNIT: 'gitlab.xml' });
    expect(passed.output).toMatch(/^pass: /m);
    expect(passed.status).toBe(0);
    expect(readFileSync(join(workspace, 'gitlab.xml'), 'utf8')).toContain('<testsuites');
    expect((await runJob({ BOOTLAB_JOB: 'jobs/variable.yml' })).status).toBe(1);
    expect(JSON.stringify(template.artifacts)).toContain('"junit":"$BOOTLAB_JUNIT"');
  });

  it('hands variables over', async () => {
    const variables = { BOOTLAB_JOB: 'jobs/variable.yml', BOOTLAB_VARIABLES: 'word=SELFTEST: PASS\n' };
    expect((await runJob(variables)).status).toBe(0);
  });

  it('tries again what is the lab’s fault, and nothing else', async () => {
    const noLab = await runJob({ BOOTLAB_JOB: 'jobs/pass.yml', BOOTLAB_URL: 'http://127.0.0.1:1' });
    expect(noLab.status).toBe(template.retry.exit_codes);
    expect((await runJob({ BOOTLAB_JOB: 'jobs/invalid.yml' })).status).toBe(2);
  });
});
