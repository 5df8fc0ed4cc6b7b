// The command line against a whole lab, as a person and as a pipeline use it: the built program in a process of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { runProcess } from '@bootlab/emulator/testkit';
import { ECHO } from '../support/echo-guest.js';
import { startLab, type Lab } from '../support/lab.js';

jest.setTimeout(120_000);

const repository = fileURLToPath(new URL('../..', import.meta.url));
const program = join(repository, 'apps', 'cli', 'bin', 'bootlab.mjs');
const START_LIMIT_MS = 320_000;

let lab: Lab;
let folder: string;
let config: string;
let token: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bootlab-cli-'));
  config = join(folder, 'config', 'config.json');
  lab = await startLab(repository);
  token = new URLSearchParams(new URL(lab.signInUrl).hash.slice(1)).get('token') ?? '';
  const login = await bootlab(['login', lab.signInUrl]);
  expect(login).toMatchObject({ status: 0, errors: '' });
  file('echo.elf', ECHO);
  job('pass.yml', [...selfTest, 'name: self-test', 'steps:', '  - expect: "SELFTEST: PASS"']);
  job('fail.yml', [...selfTest, 'timeout: 20s', 'steps:', '  - expect: "never printed"']);
  job('long.yml', ['board: malta', 'images: { kernel: ./echo.elf }', 'clock: wall', 'timeout: 10m']);
}, START_LIMIT_MS);
afterAll(async () => {
  await lab?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
}

interface Run {
  status: number | undefined;
  output: string;
  errors: string;
}

const environment = (given: Record<string, string> = {}) => ({
  PATH: process.env['PATH'],
  HOME: folder,
  BOOTLAB_CONFIG: config,
  ...given,
});

async function bootlab(args: string[], env: Record<string, string> = {}, input?: string): Promise<Run> {
  const run = await runProcess(process.execPath, [program, ...args], {
    timeoutMs: 100_000,
    ...(input === undefined ? {} : { input }),
    env: environment(env),
  });
  return { status: run.exitCode, output: run.output, errors: run.errors };
}

const job = (name: string, lines: string[]): string => file(name, `${lines.join('\n')}\n`);
const selfTest = ['board: malta', 'images: { firmware: builtin:malta-selftest-el }'];
const idIn = (output: string): string => /\/jobs\/([0-9a-f-]{36})/.exec(output)?.[1] ?? '';

describe('logging in', () => {
  it('keeps the token where nobody else can read it', () => {
    expect(statSync(config).mode & 0o777).toBe(0o600);
    expect(readFileSync(config, 'utf8')).toContain(token);
    chmodSync(config, 0o644);
  });

  it('takes the token from a pipe, and mends the file’s mode', async () => {
    const { status, output } = await bootlab(['login', lab.url], {}, `${token}\n`);
    expect(status).toBe(0);
    expect(output).toContain(`Logged in to ${lab.url}`);
    expect(output).not.toContain(token);
    expect(statSync(config).mode & 0o777).toBe(0o600);
  });

  it('refuses a wrong token, and keeps the right one', async () => {
    const wrong = await bootlab(['login', lab.url], {}, 'blt_wrong\n');
    expect(wrong).toMatchObject({ status: 2 });
    expect(wrong.errors).toContain('does not know this token');
    expect((await bootlab(['jobs'])).status).toBe(0);
  });

  it('says what is missing', async () => {
    const nowhere = { BOOTLAB_CONFIG: join(folder, 'none.json') };
    const none = await bootlab(['jobs'], nowhere);
    expect(none).toMatchObject({ status: 2 });
    expect(none.errors).toContain("Use 'bootlab login URL'");
    const noToken = await bootlab(['jobs'], { ...nowhere, BOOTLAB_URL: lab.url });
    expect(noToken.errors).toContain('there is no token');
    expect((await bootlab(['jobs'], { ...nowhere, BOOTLAB_URL: lab.url, BOOTLAB_TOKEN: token })).status).toBe(0);
  });

  it('logs out', async () => {
    const own = { BOOTLAB_CONFIG: join(folder, 'own.json') };
    await bootlab(['login', lab.signInUrl], own);
    expect((await bootlab(['logout'], own)).output).toBe(`Logged out of ${lab.url}.\n`);
    expect(readFileSync(own.BOOTLAB_CONFIG, 'utf8')).not.toContain(token);
    expect((await bootlab(['logout'], own)).status).toBe(2);
  });
});

describe('submit', () => {
  it('runs a job and tells its steps a line each; 0 for a pass', async () => {
    const junit = join(folder, 'pass.xml');
    const path = join(folder, 'pass.yml');
    const run = await bootlab(['submit', path, '--wait', '--junit', junit]);
    expect(run).toMatchObject({ status: 0, errors: '' });
    expect(run.output).toContain(`${lab.url}/jobs/`);
    expect(run.output).toMatch(/ok +expect SELFTEST: PASS/);
    expect(run.output).toMatch(/^pass: /m);
    expect(run.output).not.toContain('\x1b');
    expect(readFileSync(junit, 'utf8')).toMatch(/<testsuites.*tests="[1-9]/s);
  });

  it('ends with 1 for a failure, and the results say why', async () => {
    const junit = join(folder, 'fail.xml');
    const path = join(folder, 'fail.yml');
    const run = await bootlab(['submit', path, '--wait', '--junit', junit]);
    expect(run.status).toBe(1);
    expect(run.output).toMatch(/^(fail|timeout): /m);
    expect(readFileSync(junit, 'utf8')).toMatch(/<(failure|error)/);
  });

  it('uploads what the lab lacks, once', async () => {
    file('new.elf', Uint8Array.of(...ECHO, 0));
    const path = job('files/new.yml', ['board: malta', 'images: { kernel: ../new.elf }', 'steps: [{ expect: ">" }]']);
    const first = await bootlab(['submit', path, '--wait']);
    expect(first).toMatchObject({ status: 0 });
    expect(first.output).toContain('new.elf: uploading');
    const second = await bootlab(['submit', path, '--wait']);
    expect(second.output).toContain('new.elf: the lab has it');
    expect(second.status).toBe(0);
  });

  it('keeps the jobs of a matrix together, whatever names their files', async () => {
    file('echo-el.elf', ECHO);
    const lines = ['board: malta', 'variables: { cpu: 24Kf, kind: el }', 'steps: [{ expect: ">" }]'];
    const junit = join(folder, 'matrix.xml');
    const whole = [...lines, 'images: { kernel: ./echo.elf }', 'matrix: { cpu: [24Kf, 34Kf] }'];
    const matrix = await bootlab(['submit', job('matrix.yml', whole), '--wait', '--junit', junit]);
    expect(matrix).toMatchObject({ status: 0 });
    expect(matrix.output.match(/\[[12]\/2\] pass/g)).toHaveLength(2);
    expect(readFileSync(junit, 'utf8').match(/<testsuites/g)).toHaveLength(1);
    const pieces = [...lines, "images: { kernel: './echo-${{ kind }}.elf' }"];
    expect((await bootlab(['submit', job('pieces.yml', pieces), '--wait', '--var', 'kind=el'])).status).toBe(0);
    const missing = await bootlab(['submit', job('pieces.yml', pieces), '--wait', '--var', 'kind=eb']);
    expect(missing).toMatchObject({ status: 2 });
    expect(missing.errors).toContain('echo-eb.elf');
  });

  it.each<[string, string[], string]>([
    ['a key that does not exist', [...selfTest, 'memmory: 1G'], 'invalid.yml:3:1: memmory: Unknown key'],
    ['a board that only the lab can refuse', ['board: maltese', 'images: { firmware: builtin:x }'], 'board'],
    ['YAML that is none', ['board: [malta'], 'invalid.yml:'],
    ['a file that is not there', ['board: malta', 'images: { kernel: ./nowhere }'], 'nowhere'],
  ])('ends with 2 for %s', async (_, lines, message) => {
    const run = await bootlab(['submit', job('invalid.yml', lines), '--wait']);
    expect(run.status).toBe(2);
    expect(run.errors).toContain(message);
  });

  it('ends with 3 when there is no lab, and with 2 when the token is none', async () => {
    const path = join(folder, 'pass.yml');
    const nobody = await bootlab(['submit', path], { BOOTLAB_URL: 'http://127.0.0.1:1', BOOTLAB_TOKEN: 'x' });
    expect(nobody).toMatchObject({ status: 3 });
    expect(nobody.errors).toContain('does not answer');
    expect((await bootlab(['submit', path], { BOOTLAB_TOKEN: 'blt_wrong' })).status).toBe(2);
  });

  it('cancels the job when the pipeline is cancelled', async () => {
    const path = join(folder, 'long.yml');
    const child = spawn(process.execPath, [program, 'submit', path, '--wait'], { env: environment() });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (!child.killed && output.includes(': running')) child.kill('SIGTERM');
    });
    const [status] = (await once(child, 'close')) as [number];
    expect(status).toBe(128 + 15);
    expect(output).toContain('The job was cancelled.');
    const watched = await bootlab(['watch', idIn(output)]);
    expect(watched).toMatchObject({ status: 3 });
    expect(watched.output).toMatch(/^cancelled: /m);
  });
});

describe('jobs of the lab', () => {
  it('are listed, watched, compared and cancelled', async () => {
    const good = idIn((await bootlab(['submit', join(folder, 'pass.yml')])).output);
    const bad = idIn((await bootlab(['submit', join(folder, 'fail.yml'), '--var', 'x=1'])).output);
    expect(bad).toBe(''); // the file has no variable x
    const failed = idIn((await bootlab(['submit', join(folder, 'fail.yml')])).output);
    expect((await bootlab(['watch', good, '--console'])).output).toContain('SELFTEST: PASS');
    expect((await bootlab(['watch', good, failed])).status).toBe(1);
    const list = await bootlab(['jobs', '--board', 'malta', '--outcome', 'pass', '--limit', '5']);
    expect(list.output).toMatch(/^JOB +STATE +BOARD/);
    expect(list.output).toContain(good);
    const json = JSON.parse((await bootlab(['jobs', '--json', '--limit', '1'])).output) as { id: string }[];
    expect(json).toHaveLength(1);
    expect((await bootlab(['compare', good, good])).status).toBe(0);
    const worse = await bootlab(['compare', good, failed]);
    expect(worse.status).toBe(1);
    expect(worse.output).toMatch(/^base +[0-9a-f-]+ +pass/m);
    expect((await bootlab(['cancel', failed])).output).toMatch(new RegExp(`^${failed}: (fail|timeout)`));
    expect((await bootlab(['watch', 'nonsense'])).status).toBe(2);
  });

  it('leave files, which are listed and saved', async () => {
    const disk = Buffer.alloc(600 * 512, 'disk ');
    file('disk.raw', disk);
    const lines = [
      'board: malta',
      'images: { firmware: builtin:malta-selftest-el, drives: [./disk.raw] }',
      'artifacts: [{ disk: sda, as: output.img }]',
    ];
    const folders = { first: join(folder, 'left'), second: join(folder, 'left-again') };
    const run = await bootlab(['submit', job('leaves.yml', lines), '--artifacts', folders.first]);
    expect(run).toMatchObject({ status: 0, errors: '' });
    expect(readFileSync(join(folders.first, 'output.img')).equals(disk)).toBe(true);
    const id = idIn(run.output);
    expect((await bootlab(['artifacts', id])).output).toMatch(/^output\.img +300\.0 KiB +[0-9a-f]{64}$/m);
    expect((await bootlab(['artifacts', id, 'output.img', '--save', folders.second])).status).toBe(0);
    expect(readFileSync(join(folders.second, 'output.img')).equals(disk)).toBe(true);
    expect((await bootlab(['artifacts', id, 'other.img'])).errors).toContain('It has: output.img.');
    const matrix = job('leaves-two.yml', [...lines, 'matrix: { cpu: [24Kf, 34Kf] }']);
    expect((await bootlab(['submit', matrix, '--artifacts', folders.first])).status).toBe(0);
    for (const place of ['1', '2']) expect(existsSync(join(folders.first, place, 'output.img'))).toBe(true);
    const local = await bootlab(['test', join(folder, 'leaves.yml'), '--artifacts', join(folder, 'here')]);
    expect(local.status).toBe(0);
    expect(readFileSync(join(folder, 'here', 'output.img')).equals(disk)).toBe(true);
  });

  it('run on its boards', async () => {
    expect((await bootlab(['boards', '--server'])).output).toMatch(/^malta +mips/m);
    expect((await bootlab(['boards', '--server', '--json'])).output).toContain('"id": "malta"');
  });
});

describe('images of the lab', () => {
  it('are added, listed, given back and removed', async () => {
    const path = file('disk.img', 'x'.repeat(5000));
    const added = await bootlab(['images', 'add', path]);
    expect(added).toMatchObject({ status: 0, errors: '' });
    const digest = /sha256:([0-9a-f]{64})/.exec(added.output)?.[1] ?? '';
    expect((await bootlab(['images', 'add', path])).output).toContain('the lab has it');
    expect((await bootlab(['images'])).output).toContain(`sha256:${digest.slice(0, 12)}`);
    const copy = join(folder, 'copy.img');
    expect((await bootlab(['images', 'get', digest.slice(0, 12), copy])).status).toBe(0);
    expect(readFileSync(copy, 'utf8')).toBe('x'.repeat(5000));
    expect((await bootlab(['images', 'rm', `sha256:${digest}`])).output).toBe('disk.img: removed\n');
    expect((await bootlab(['images', 'rm', digest.slice(0, 12)])).status).toBe(2);
  });

  it('are unpacked and checked', async () => {
    const path = file('packed.img.gz', gzipSync('inside'));
    const added = await bootlab(['images', 'add', path, '--unpack', '--name', 'inside.img']);
    expect(added).toMatchObject({ status: 0 });
    expect(added.output).toContain('inside.img  sha256:');
    const wrong = await bootlab(['images', 'add', path, '--sha256', '0'.repeat(64)]);
    expect(wrong).toMatchObject({ status: 2 });
    expect(wrong.errors).toContain('has the digest');
  });

  it('are imported by the lab, which says what it does not fetch', async () => {
    const refused = await bootlab(['images', 'add', 'http://169.254.169.254/latest']);
    expect(refused).toMatchObject({ status: 2 });
    expect(refused.errors).toContain('not on the public internet');
  });

  it('of the catalogue need apt, and say so', async () => {
    const { status, errors } = await bootlab(['images', 'add', 'debian-malta'], { PATH: '/nowhere' });
    expect(status).toBe(2);
    expect(errors).toContain('which this machine does not have');
  });
});

describe('a terminal', () => {
  /** Runs a command in a pseudo-terminal made by script(1), and types, or does something else, when it shows what is expected. */
  async function inTerminal(
    args: string,
    dialogue: readonly (readonly [expected: string, reaction: string | (() => void)])[],
  ): Promise<{ seen: string; status: number }> {
    const command = `'${process.execPath}' '${program}' ${args}`;
    const env = { ...environment(), TERM: 'xterm' };
    const terminal = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], { env });
    const ended = once(terminal, 'close') as Promise<[number | null]>;
    const pending = [...dialogue];
    let seen = '';
    let from = 0;
    terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
      seen += text;
      for (let next = pending[0]; next; next = pending[0]) {
        const at = seen.indexOf(next[0], from);
        if (at === -1) return;
        from = at + next[0].length;
        pending.shift();
        if (typeof next[1] === 'string') terminal.stdin.write(next[1]);
        else next[1]();
      }
    });
    const [status] = await ended;
    return { seen, status: status ?? -1 };
  }

  it('is a console of a job until Ctrl-A x', async () => {
    const id = idIn((await bootlab(['submit', join(folder, 'long.yml')])).output);
    const { seen, status } = await inTerminal(`console ${id}`, [
      ['>', 'abc'],
      ['abc', '\x03'],
      ['\x03', '\x01x'],
    ]);
    expect(status).toBe(0);
    expect(seen).toContain('left; the job goes on');
    // All that was printed comes again; the job's end is the console's.
    let cancelled: Promise<unknown> | undefined;
    const again = await inTerminal(`console ${id}`, [
      ['>abc\x03', 'd'],
      ['d', () => (cancelled = bootlab(['cancel', id]))],
    ]);
    await cancelled;
    expect(again.seen).toContain('>abc\x03d');
    expect(again.status).toBe(3);
    expect((await bootlab(['console', id, '--uart', 'none'])).errors).toContain('Use one of: uart0');
  });

  it('shows the steps in place, and a bar for uploads', async () => {
    const live = await inTerminal(`submit '${join(folder, 'pass.yml')}' --wait`, []);
    expect(live.status).toBe(0);
    expect(live.seen).toContain('\x1b[2K');
    expect(live.seen).toContain('\x1b[32mok');
    const big = file('big.img', Buffer.alloc(3_000_000, 'b'));
    const upload = await inTerminal(`images add '${big}'`, []);
    expect(upload.seen).toContain('100%');
  });

  it('does not show a token that is typed', async () => {
    const typed = await inTerminal(`login ${lab.url}`, [['not shown', `${token}\r`]]);
    expect(typed.status).toBe(0);
    expect(typed.seen).not.toContain(token);
  });
});

describe('completion', () => {
  const shells = [
    ['bash', ['--norc', '-c']],
    ['zsh', ['-f', '-c']],
    ['fish', ['--no-config', '-c']],
  ] as const;

  it.each(shells)('is a script that %s reads', async (shell, options) => {
    const { status, output } = await bootlab(['completion', shell]);
    expect(status).toBe(0);
    const installed = ['/bin', '/usr/bin'].some((place) => existsSync(join(place, shell)));
    if (!installed) return expect(output).toContain('__complete'); // nothing here can read it
    const checked = await runProcess(
      shell,
      [...options, shell === 'zsh' ? `autoload -U compinit; compinit -u -D\n${output}` : output],
      {
        timeoutMs: 20_000,
        env: environment(),
      },
    );
    expect(checked).toMatchObject({ exitCode: 0, errors: '' });
  });

  it.each<[string, string[], string[]]>([
    ['commands', ['su'], ['submit']],
    ['commands that nothing else begins like', ['web'], ['webhooks']],
    ['commands below commands', ['images', ''], ['list', 'add', 'rm', 'get']],
    ['commands of webhooks', ['webhooks', 'r'], ['repeat', 'rm']],
    ['roles', ['members', 'role', 'ada', 'a'], ['admin']],
    ['roles of an option', ['members', 'invite', 'x', '--role', 's'], ['submitter']],
    ['options', ['submit', '--j'], ['--junit', '--json']],
    ['values of options', ['jobs', '--state', 'r'], ['running']],
    ['values of arguments', ['completion', ''], ['bash', 'zsh', 'fish']],
    ['files', ['submit', ''], [':files']],
    ['files of options', ['submit', '--junit', ''], [':files']],
    ['nothing for what it cannot know', ['cancel', ''], []],
  ])('proposes %s', async (_, words, proposals) => {
    const { output } = await bootlab(['__complete', ...words]);
    expect(output.split('\n').filter(Boolean)).toEqual(proposals);
  });

  it('works in bash', async () => {
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'bootlab'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`, { mode: 0o755 });
    const { output: script } = await bootlab(['completion', 'bash']);
    const ask = `${script}\nCOMP_WORDS=(bootlab images a); COMP_CWORD=2; _bootlab; echo "\${COMPREPLY[@]}"`;
    const { output } = await runProcess('bash', ['--norc', '-c', ask], {
      timeoutMs: 20_000,
      env: environment({ PATH: `${bin}:${process.env['PATH']}` }),
    });
    expect(output).toBe('add\n');
  });
});
