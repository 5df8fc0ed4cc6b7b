import { EventEmitter } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { boardCatalogue, createMachine, runMachine, selfTestFirmware, type MachineConfig } from '@bootlab/emulator';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runCommandLine } from '../command-line.js';

// Job files on the real emulator, with the self-test firmware that comes with the board.

const SELF_TEST = 'board: malta\nimages: { firmware: builtin:malta-selftest-el }\n';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bootlab-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs one command line. */
async function bootlab(
  args: readonly string[],
  prepare?: (host: { stdout: PassThrough & { isTTY?: boolean }; signals: EventEmitter }) => void,
): Promise<{ status: number; out: string; err: string }> {
  const host = {
    stdin: new PassThrough(),
    stdout: new PassThrough() as PassThrough & { isTTY?: boolean },
    stderr: new PassThrough(),
    signals: new EventEmitter(),
  };
  prepare?.(host);
  const engine = {
    boardCatalogue,
    createMachine: (config: MachineConfig) => createMachine(config), // all in this thread, whatever the command wants
    runMachine,
    selfTestFirmware,
  };
  const status = await runCommandLine(args, { version: '1', host, engine });
  const read = (stream: PassThrough): string => String(stream.read() ?? '');
  return { status, out: read(host.stdout), err: read(host.stderr).replaceAll(`${folder}/`, '') };
}

/** Runs a job file. */
function test(
  text: string,
  args: readonly string[] = [],
  prepare?: (host: { stdout: PassThrough & { isTTY?: boolean }; signals: EventEmitter }) => void,
): Promise<{ status: number; out: string; err: string }> {
  const file = join(folder, 'job.yml');
  writeFileSync(file, text);
  return bootlab(['test', file, ...args], prepare);
}

describe('bootlab test: exit status', () => {
  it.each<[string, string, number, RegExp]>([
    ['the guest powers off', '', 0, /pass: The guest powered off/],
    ['steps are done', "steps: [{ expect: 'SELFTEST: PASS' }]\n", 0, /pass: All steps were done/],
    ['a step is never reached', "steps: [{ expect: 'login:' }]\n", 1, /fail: The guest powered off; step 1/],
    ['a step times out', "steps: [{ expect: 'login:', timeout: 1ms }]\n", 1, /timeout: Step 1 .* longer than 1ms/],
    ['the job times out', 'timeout: 1ms\n', 1, /timeout: The guest was still running after 1ms/],
    ['this host is too slow', 'wall_guard: 1ns\n', 3, /infra: The wall-clock guard/],
  ])('%s', async (_, rest, status, message) => {
    const ran = await test(SELF_TEST + rest);
    expect(ran.out).toMatch(message);
    expect(ran.status).toBe(status);
  });

  it('tries again after an infrastructure error, and never after a failure', async () => {
    expect((await test(`${SELF_TEST}wall_guard: 1ns\nretries: 2\n`)).out).toMatch(/attempt 3/);
    expect((await test(`${SELF_TEST}timeout: 1ms\nretries: 2\n`)).out).not.toMatch(/attempt/);
  });

  it('ends on a signal', async () => {
    const ran = await test(SELF_TEST, [], ({ signals }) => {
      signals.on('newListener', (event) => {
        if (event === 'SIGINT') setImmediate(() => signals.emit('SIGINT'));
      });
    });
    expect(ran.out).toMatch(/cancelled: Ended by SIGINT/);
    expect(ran.status).toBe(130);
  });
});

describe('bootlab test: what it tells', () => {
  it('each step as it ends, in virtual time, the same every time', async () => {
    const text = `${SELF_TEST}steps: [{ expect: 'alu +ok', name: ALU }, { wait: 1us }, { expect: PASS }]\n`;
    const [first, second] = [await test(text), await test(text)];
    const lines = (out: string): string[] => out.split('\n').filter((line) => line.startsWith('['));
    expect(lines(first.out)[0]).toMatch(/^\[ +0\.\d{3}\] ok {6}step 1, ALU \(expect "alu \+ok"\)/);
    expect(lines(second.out)).toEqual(lines(first.out));
  });

  it('results as JUnit, TAP and JSON, and the console’s log', async () => {
    const files = ['junit', 'tap', 'json', 'log'].map((name) => [`--${name}`, join(folder, name)]);
    const text = `${SELF_TEST}steps: [{ expect: 'multiply +ok' }, { expect: 'login:' }]\n`;
    expect((await test(text, files.flat())).status).toBe(1);
    const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
    expect(read('junit')).toMatch(/<testsuites name="bootlab" tests="2" failures="1" errors="0" skipped="0"/);
    expect(read('tap')).toMatch(/^TAP version 14\n1\.\.2\nok 1 - .*\nnot ok 2 - /);
    expect(JSON.parse(read('json'))).toMatchObject({ version: 1, jobs: [{ outcome: 'fail', board: 'malta' }] });
    expect(JSON.parse(read('log').split('\n')[0] ?? '')).toMatchObject({ uart: 'uart0', t: expect.any(Number) });
  });

  it('all jobs of a matrix, with their values in their names', async () => {
    const text = `${SELF_TEST}variables: { word: PASS }\nmatrix: { cpu: [24Kf, 4Kc], word: [PASS, NEVER] }
steps: [{ expect: 'SELFTEST: \${{ word }}' }]\n`;
    const ran = await test(text, ['--junit', join(folder, 'junit')]);
    expect(ran.status).toBe(1);
    expect(ran.out).toMatch(/job 3 of 4: job\.yml cpu=4Kc word=PASS on malta/);
    expect(ran.out).toMatch(/2 of 4 jobs passed\n$/);
    expect(readFileSync(join(folder, 'junit'), 'utf8')).toMatch(/tests="4" failures="2"/);
  });

  it('takes values of variables from the command line', async () => {
    const text = `${SELF_TEST}variables: { word: NEVER }\nsteps: [{ expect: 'SELFTEST: \${{ word }}' }]\n`;
    expect((await test(text, ['--var', 'word=PASS'])).status).toBe(0);
  });

  it('a live line at a terminal', async () => {
    const ran = await test(`${SELF_TEST}steps: [{ expect: PASS }]\n`, [], ({ stdout }) => (stdout.isTTY = true));
    const lines = ran.out.split('\r\x1b[2K');
    expect(lines[1]).toMatch(/^\[ +0\.\d+\] \.\.\. +step 1/);
    expect(lines.at(-1)).toContain('] \x1b[32mok     \x1b[0m step 1');
  });

  it('the console, where wanted', async () => {
    expect((await test(SELF_TEST, ['--console'])).out).toContain('SELFTEST: PASS');
  });
});

describe('bootlab test: bad usage is exit status 2, with the place in the file', () => {
  it.each<[string, string[], RegExp]>([
    [`${SELF_TEST}memmory: 1G\n`, [], /job\.yml:3:1: memmory: Unknown key/],
    ['board: pc\nimages: { kernel: ./a }\n', [], /job\.yml:1:1: board: There is no board "pc"\. Use one of: malta/],
    ['board: malta\nimages: { kernel: ./a }\n', [], /job\.yml:2:11: images\.kernel: cannot read the file/],
    [
      `board: malta\nimages: { kernel: 'sha256:${'0'.repeat(64)}' }\n`,
      [],
      /job\.yml:2:11: images\.kernel: .* is in a lab/,
    ],
    [`${SELF_TEST}memory: 8G\n`, [], /job\.yml:3:1: memory: /],
    [SELF_TEST, ['--var', 'x=1'], /variables: The job has no variable "x"/],
    [SELF_TEST, ['--var', 'x'], /--var.*Write name=value/],
    [SELF_TEST, ['--junit', '/nowhere/x'], /--junit: cannot create the file/],
    ['steps: [', [], /job\.yml:1:\d+: /],
  ])('%j %j', async (text, args, message) => {
    const ran = await test(text, args);
    expect(ran.err).toMatch(message);
    expect(ran.status).toBe(2);
  });
});

it('prints the JSON Schema', async () => {
  const { out, status } = await bootlab(['schema']);
  expect(status).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    type: 'object',
    properties: { board: {}, images: {}, arch: { anyOf: [{ enum: ['mipsel', 'mips'] }, {}] } },
  });
});

describe('jobs of other labs', () => {
  const selfTest = (): string => {
    const file = join(folder, 'self-test.elf');
    writeFileSync(file, selfTestFirmware('malta', 'little'));
    return file;
  };
  const lava = (url: string): string => `device_type: malta
job_name: self-test
priority: medium
actions:
- deploy:
    to: tmpfs
    images: { firmware: { image_arg: '-bios {firmware}', url: 'file://${url}' } }
- test:
    monitors:
    - { name: parts, start: Malta self-test, end: 'SELFTEST: PASS', pattern: '^(?P<test_case_id>[a-z]+) +(?P<result>ok|FAIL)' }
`;

  it('runs a LAVA job definition', async () => {
    const { out, status, err } = await test(lava(selfTest()), ['--lava']);
    expect(err).toMatch(/note: /);
    expect(out).toMatch(/pass {2}multiply/);
    expect(status).toBe(0);
  });

  it('refuses one that it cannot run as it is meant', async () => {
    const { err, status } = await test(lava('/x').replace('tmpfs', 'nfs'), ['--lava']);
    expect(err).toMatch(/job\.yml:6:5: actions\[0\]\.deploy\.to: Deploying to nfs is not supported/);
    expect(status).toBe(2);
  });

  it('prints it as a job file, which runs', async () => {
    const file = join(folder, 'lava.yml');
    writeFileSync(file, lava(selfTest()));
    const { out, status } = await bootlab(['convert', file]);
    expect(status).toBe(0);
    expect((await test(out)).status).toBe(0);
  });

  it('reads a tuxrun command line, its "--" included', async () => {
    const disk = join(folder, 'disk');
    writeFileSync(disk, new Uint8Array(512));
    const args = ['--device', 'qemu-mips32el', '--kernel', selfTest(), '--rootfs', disk];
    const { err, out, status } = await bootlab(['tuxrun', ...args, '--timeouts', 'boot=1', '--', 'uname', '-a']);
    expect(err).toMatch(/note: .*release 6/);
    expect(out).toMatch(/tuxrun@qemu-mips32el: command on malta/);
    expect(out).toMatch(/fail: The guest powered off; step 1, boot/);
    expect(status).toBe(1);
    const refused = await bootlab(['tuxrun', '--device', 'qemu-arm64', '--shell']);
    expect(refused.err).toMatch(/--device: .*arm64[^]*--kernel: [^]*--rootfs: [^]*--shell: /);
    expect(refused.status).toBe(2);
  });
});
