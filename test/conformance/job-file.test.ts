import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { describeWith, guest } from '../support/requirements.js';
import { bootlab, type CliRun } from './bootlab.js';

// Job files as a user runs them, on a real kernel and its shell, and on a real boot loader.

const FIVE_MINUTES = 300_000;
jest.setTimeout(FIVE_MINUTES);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bootlab-job-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function run(text: string, args: readonly string[] = []): Promise<CliRun & { results: Results }> {
  const file = join(folder, 'job.yml');
  const json = join(folder, 'results.json');
  writeFileSync(file, text);
  const ended = await bootlab(['test', file, '--json', json, ...args], FIVE_MINUTES);
  return { ...ended, results: JSON.parse(readFileSync(json, 'utf8')) as Results };
}

interface Results {
  jobs: {
    outcome: string;
    reason: string;
    virtualNs: number;
    results: { suite: string; name: string; status: string; message: string | null }[];
  }[];
}

// BusyBox finds most of its commands through /proc/self/exe.
const SHELL_STEPS = `
  - run: /bin/busybox mkdir -p /proc /tmp
  - run: /bin/busybox mount -t proc proc /proc
  - run: /bin/busybox --install -s /bin
`;

describeWith('malta-be', 'a job file with a disk', () => {
  const { kernel, initrd } = guest('malta-be');

  it('leaves the disk that the guest wrote to, and the image as it was', async () => {
    const disk = Buffer.alloc(2 ** 20, 'before  ');
    writeFileSync(join(folder, 'disk.img'), disk);
    const text = `board: malta
images: { kernel: ${kernel}, initrd: ${initrd}, drives: [./disk.img] }
cmdline: console=ttyS0 corpus=shell
artifacts: [{ disk: sda, as: output.img }]
steps:
  - run: echo written by the guest | dd of=/dev/sda bs=512 seek=3 conv=notrunc,sync && sync
`;
    const out = join(folder, 'out');
    const { output, results } = await run(text, ['--artifacts', out]);
    expect([results.jobs[0]?.outcome, output]).toEqual(['pass', expect.anything()]);
    const left = readFileSync(join(out, 'output.img'));
    expect(left.subarray(1536, 1558).toString()).toBe('written by the guest\n\0');
    expect(left.subarray(0, 1536).equals(disk.subarray(0, 1536))).toBe(true);
    expect(left.subarray(2048).equals(disk.subarray(2048))).toBe(true);
    expect(readFileSync(join(folder, 'disk.img')).equals(disk)).toBe(true);
  });
});

describeWith('malta-el', 'a job file on Linux', () => {
  const { kernel, initrd } = guest('malta-el');
  const head = `board: malta
images: { kernel: ${kernel}, initrd: ${initrd} }
cmdline: console=ttyS0 rdinit=/bin/sh
steps:
`;

  it('runs commands, tests and uploads in the guest’s shell, the same every time', async () => {
    writeFileSync(join(folder, 'tool.sh'), '#!/bin/sh\nprintf "tool says \\342\\202\\254\\n"\nexit 3\n');
    const text = `${head}${SHELL_STEPS}
  - run: uname -r
    expect: '^6\\.'
  - run: if then
    exit: 2
  - run: |
      for i in 1 2 3; do
      	echo "line $i 'q' ü"
      done
    expect: line 3 'q' ü
  - upload: ./tool.sh
    to: /tmp/tool.sh
    mode: "755"
  - run: /tmp/tool.sh
    expect: tool says €
    exit: 3
  - run: cd /tmp
  - run: pwd
    expect: ^/tmp$
  - test: 'printf "TAP version 13\\n1..3\\nok 1 - a\\nok 2 - b # SKIP none\\nnot ok 3 - c\\n"'
    format: tap
    name: unit
    on_fail: continue
  - test: exit 4 | sh -c "exit 4"
    format: exit-code
    exit: any
    name: status
`;
    const [first, second] = [await run(text), await run(text)];
    const [job] = first.results.jobs;
    expect(job?.results.filter(({ suite }) => suite !== 'steps')).toMatchObject([
      { suite: 'unit', name: 'a', status: 'pass' },
      { suite: 'unit', name: 'b', status: 'skip' },
      { suite: 'unit', name: 'c', status: 'fail' },
      { suite: 'status', status: 'skip' },
    ]);
    const failed = job?.results.filter(({ suite, status }) => suite === 'steps' && status === 'fail');
    expect(failed).toMatchObject([{ name: 'unit', message: '1 of 2 cases failed: c' }]);
    expect(first.status).toBe(1);
    expect(second.results).toEqual(first.results);
  });

  it('lets a panic’s trace out, and fails with it', async () => {
    const { status, results } = await run(`${head}
  - run: uname -a
  - send: "exit 3\\n"
  - expect: never printed
`);
    const [job] = results.jobs;
    expect(job?.reason).toMatch(/kernel-panic: Kernel panic - not syncing: Attempted to kill init/);
    expect(job?.results.at(-1)?.message).toMatch(/---\[ end Kernel panic/);
    expect(job?.virtualNs).toBeLessThan(100e9); // long before the time-out of 5 minutes
    expect(status).toBe(1);
  });

  it('resets and power-cycles the board', async () => {
    const { status } = await run(`${head}
  - run: uname -a
  - reset: true
  - expect: Linux version
  - power: cycle
  - expect: Linux version
  - run: uname -a
`);
    expect(status).toBe(0);
  });

  it('runs a LAVA job definition', async () => {
    const lava = `
device_type: malta
job_name: smoke
actions:
- deploy:
    to: tmpfs
    images:
      kernel: { image_arg: '-kernel {kernel} -append "console=ttyS0 rdinit=/bin/sh"', url: 'file://${kernel}' }
      initrd: { image_arg: '-initrd {initrd}', url: 'file://${initrd}', compression: gz }
- boot:
    method: qemu
    prompts: ['/ # ']
    auto_login:
      login_prompt: built-in shell
      username: ''
      login_commands:
      - /bin/busybox mkdir -p /proc /tmp
      - /bin/busybox mount -t proc proc /proc
      - /bin/busybox --install -s /bin
- test:
    definitions:
    - from: inline
      name: smoke
      path: inline/smoke.yaml
      repository:
        run:
          steps:
          - lava-test-case pwd --shell pwd
          - lava-test-case bad --shell "ls /nowhere"
`;
    const { status, results } = await run(lava, ['--lava']);
    expect(results.jobs[0]?.results.filter(({ suite }) => suite === 'smoke')).toMatchObject([
      { name: 'pwd', status: 'pass' },
      { name: 'bad', status: 'fail' },
    ]);
    expect(status).toBe(1);
  });
});

describeWith('u-boot', 'a job file on U-Boot', () => {
  it('runs commands in its shell', async () => {
    const { status, output } = await run(`board: malta
images: { firmware: /usr/lib/u-boot/maltael/u-boot.bin }
shell: u-boot
prompt: 'malta(el)?.? # $'
steps:
  - run: version
    expect: U-Boot
  - run: "false"
    exit: 1
  - reset: true
  - run: echo again
    expect: again
`);
    expect(output).toMatch(/pass: All steps were done/);
    expect(status).toBe(0);
  });
});
