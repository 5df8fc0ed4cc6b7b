import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { expandJob } from '../spec/index.js';
import { importedJobText, splitWords, type ImportedJob } from './import-result.js';
import { createResultParser, type TestCase } from '../results/index.js';
import { importLavaJob } from './lava.js';
import { installLavaHelpers } from './lava-helpers.js';
import { importTuxrun, tuxrunExitStatus } from './tuxrun.js';

/** A job that is imported whole is one that our own schema takes. */
function specOf(imported: ImportedJob) {
  expect(imported.unsupported).toEqual([]);
  const expanded = expandJob(imported.job);
  if (!expanded.ok) throw new Error(JSON.stringify(expanded.errors));
  return expanded.jobs[0]?.spec;
}
const refused = (imported: ImportedJob): string[] => imported.unsupported.map(({ field }) => field);

const LAVA = `
device_type: qemu
job_name: malta smoke
priority: medium
visibility: public
timeouts:
  job: { minutes: 15, seconds: 30 }
  action: { minutes: 5 }
context: { arch: mipsel, machine: malta, memory: 256, extra_options: ["-no-reboot"] }
actions:
- deploy:
    to: tmpfs
    timeout: { minutes: 5 }
    os: debian
    images:
      kernel:
        image_arg: '-kernel {kernel} -append "console=ttyS0 root=/dev/sda rw"'
        url: file:///images/vmlinux
      rootfs:
        image_arg: -drive format=raw,file={rootfs}
        url: file:///images/root%20fs.ext4
- boot:
    method: qemu
    media: tmpfs
    prompts: ['root@malta:', '/ #']
    auto_login:
      login_prompt: 'malta login:'
      username: root
      password_prompt: 'Password:'
      password: secret
      login_commands: ['su']
- test:
    timeout: { minutes: 3 }
    definitions:
    - from: inline
      name: smoke
      path: inline/smoke.yaml
      parameters: { WHO: "it's me" }
      repository:
        metadata: { format: Lava-Test Test Definition 1.0, name: smoke }
        run:
          steps:
          - lava-test-case pwd --shell pwd
          - lava-test-set start net
    - from: inline
      name: plain
      path: inline/plain.yaml
      repository: { run: { steps: [uname -a, df -h] } }
- test:
    monitors:
    - name: zephyr
      start: 'Booting (1)'
      end: PROJECT EXECUTION
      pattern: '(?P<result>(PASS|FAIL)) - (?P<test_case_id>\\w+)'
      fixupdict: { PASS: pass, FAIL: fail }
- test:
    interactive:
    - name: u-boot
      prompts: ['=> ']
      script:
      - { command: printenv, name: env, successes: [{ message: 'bootcmd=' }] }
      - { command: version }
`;

describe('importLavaJob', () => {
  const imported = importLavaJob(LAVA);

  it('reads devices, images, time-outs, login and all kinds of tests', () => {
    const spec = specOf(imported);
    expect(spec).toMatchObject({
      name: 'malta smoke',
      board: 'malta',
      memory: '256M',
      timeout: '930s',
      cmdline: 'console=ttyS0 root=/dev/sda rw',
      images: { kernel: '/images/vmlinux', drives: ['/images/root fs.ext4'] },
      prompt: '(?:root@malta:|/ #).*$',
    });
    expect(spec?.steps).toMatchObject([
      { expect: 'malta login:' },
      { send: 'root\n' },
      { expect: 'Password:' },
      { send: 'secret\n' },
      { expect: '(?:root@malta:|/ #).*$' },
      { run: 'su' },
      { run: expect.stringContaining('lava-test-case'), name: 'LAVA commands' },
      {
        test: expect.stringMatching(/export WHO='it'\\''s me'\nlava-test-case pwd/),
        format: 'lava-signal',
        name: 'smoke',
        timeout: '180s',
      },
      { run: '( uname -a\ndf -h\n)', name: 'plain' },
      { expect: 'Booting \\(1\\)' },
      { expect: 'PROJECT EXECUTION', format: 'regex', pattern: '(?P<status>(PASS|FAIL)) - (?P<name>\\w+)' },
      { send: 'printenv\n' },
      { expect: '(?:bootcmd=)', name: 'env' },
      { send: 'version\n' },
      { expect: '(?:=> )' },
    ]);
  });

  it('says what it does in another way', () => {
    expect(imported.notes.join('\n')).toMatch(/virtual time/);
    expect(imported.notes.join('\n')).toMatch(/context\.extra_options is not needed/);
  });

  it('writes a job file that reads back as the same job', () => {
    const text = importedJobText(imported);
    expect(text).toMatch(/^# .*\n/);
    expect(text).toContain('board: malta');
  });

  it.each<[string, string, string]>([
    ['another architecture', 'device_type: qemu\ncontext: { arch: x86_64 }\n', 'context.arch'],
    ['another deployment', 'device_type: malta\nactions: [{ deploy: { to: nfs } }]\n', 'actions[0].deploy.to'],
    [
      'another boot method',
      'device_type: malta\nactions: [{ boot: { method: fastboot } }]\n',
      'actions[0].boot.method',
    ],
    [
      'a download',
      'device_type: malta\nactions: [{ deploy: { to: tftp, kernel: { url: "https://a/b" } } }]\n',
      'actions[0].deploy.kernel.url',
    ],
    [
      'a packed disk',
      'device_type: malta\nactions: [{ deploy: { to: tmpfs, images: { d: { url: /d.xz, image_arg: "-hda {d}" } } } }]\n',
      'actions[0].deploy.images.d.url',
    ],
    [
      'a device tree',
      'device_type: malta\nactions: [{ deploy: { to: tmpfs, images: { d: { url: /d, image_arg: "-dtb {d}" } } } }]\n',
      'actions[0].deploy.images.d.image_arg',
    ],
    [
      'a test from git',
      'device_type: malta\nactions: [{ test: { definitions: [{ from: git, repository: "https://a" }] } }]\n',
      'actions[0].test.definitions[0].from',
    ],
    ['an unknown action', 'device_type: malta\nactions: [{ command: { name: x } }]\n', 'actions[0].command'],
    ['an unknown key', 'device_type: malta\nprotocols: { lava-lxc: {} }\n', 'protocols'],
    ['no mapping', 'device_type: malta\nactions: [1]\n', 'actions[0]'],
    ['no YAML', '[', 'body'],
  ])('refuses %s by name, with its place', (_, text, field) => {
    const errors = importLavaJob(text).unsupported;
    expect(errors.map((error) => error.field)).toContain(field);
    expect(errors[0]).toMatchObject({ line: expect.any(Number), mend: expect.stringMatching(/\w/) });
  });
});

it('gives guests LAVA’s commands, whose signals read back as cases', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'bootlab-lava-'));
  try {
    const calls = [
      'lava-test-case pwd --shell pwd',
      'lava-test-case bad --shell "exit 3"',
      'lava-test-set start net',
      'lava-test-case speed --result pass --measurement 93.7 --units Mbit/s',
      'lava-test-set stop',
      'lava-test-reference log --result skip --reference http://a/b',
      'lava-test-raise gave up',
    ];
    const script = [installLavaHelpers(folder), ...calls].join('\n');
    const { stdout, status } = spawnSync('/bin/sh', ['-c', script], { encoding: 'utf8' });
    const cases: TestCase[] = [];
    const parser = createResultParser('lava-signal', { startNs: 0, emit: (each) => cases.push(each) });
    stdout.split('\n').forEach((text, index) => parser.push({ text, tNs: index, line: index + 1 }));
    parser.end(0);
    expect(cases.map(({ path: names, status: result }) => [names.join('/'), result])).toEqual([
      ['pwd', 'pass'],
      ['bad', 'fail'],
      ['net/speed', 'pass'],
      ['log', 'skip'],
      ['raise', 'error'],
    ]);
    expect(cases[2]?.measurement).toEqual({ value: 93.7, unit: 'Mbit/s' });
    expect(status).toBe(1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('importTuxrun', () => {
  const BASE = ['--device', 'qemu-mips32el', '--kernel', '/k/vmlinux', '--rootfs', 'file:///r/rootfs.ext4'];

  it('makes a boot test of device, kernel and root file system', () => {
    expect(specOf(importTuxrun(BASE))).toMatchObject({
      name: 'tuxrun@qemu-mips32el: boot',
      board: 'malta',
      images: { kernel: '/k/vmlinux', drives: ['/r/rootfs.ext4'] },
      cmdline: 'console=ttyS0,115200 rootwait root=/dev/sda debug verbose console_msg_format=syslog',
      steps: [{ name: 'boot', timeout: '15m' }],
    });
  });

  it('takes tests, commands, time-outs and outputs', () => {
    const args = [
      ...BASE,
      '--boot-args',
      'quiet=1',
      '--tests',
      'ltp-smoke',
      'kunit',
      '--timeouts',
      'boot=3',
      'ltp-smoke=9',
    ];
    const imported = importTuxrun([
      ...args,
      '--parameters',
      "A=it's",
      '--results=r.json',
      '--runtime',
      'docker',
      '--',
      'ls',
      '-l',
    ]);
    expect(specOf(imported)).toMatchObject({
      cmdline: expect.stringMatching(/ quiet=1$/),
      steps: [
        { timeout: '3m' },
        { send: 'root\n' },
        { run: "export A='it'\\''s'" },
        { format: 'ltp', name: 'ltp-smoke', timeout: '9m' },
        { format: 'kunit' },
        { run: 'ls -l', name: 'command' },
      ],
    });
    expect(imported.outputs).toEqual({ json: 'r.json' });
    expect(imported.notes.join('\n')).toMatch(/--runtime docker is not needed/);
  });

  it.each<[string[], string]>([
    [['--device', 'qemu-arm64', ...BASE.slice(2)], '--device'],
    [BASE.slice(0, 2).concat('--rootfs', '/r'), '--kernel'],
    [BASE.slice(0, 4), '--rootfs'],
    [[...BASE.slice(0, 4), '--rootfs', '/r.ext4.zst'], '--rootfs'],
    [[...BASE.slice(0, 2), '--kernel', 'https://a/vmlinux', ...BASE.slice(4)], '--kernel'],
    [[...BASE, '--modules', '/m.tar'], '--modules'],
    [[...BASE, '--shell'], '--shell'],
    [[...BASE, '--tests', 'kselftest-net'], '--tests'],
    [[...BASE, '--boot-args'], '--boot-args'],
    [[...BASE, '--kernal', 'x'], '--kernal'],
  ])('%j: refuses %s', (args, option) => expect(refused(importTuxrun(args))).toContain(option));

  it.each([
    [['pass'], 0],
    [['pass', 'fail'], 1],
    [['fail', 'timeout'], 2],
    [['infra'], 2],
  ])('%j is exit status %d', (outcomes, status) => expect(tuxrunExitStatus(outcomes)).toBe(status));
});

it('splits command lines as a shell does', () => {
  expect(splitWords(`-append "a \\"b\\" 'c'" -x 'it''s' d\\ e ""`)).toEqual([
    '-append',
    `a "b" 'c'`,
    '-x',
    'its',
    'd e',
    '',
  ]);
});
