// `bootlab images add debian-malta` for real: packages from the Debian archive, into a lab, and booted there.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { runProcess } from '@bootlab/emulator/testkit';
import { startLab, type Lab } from '../support/lab.js';

jest.setTimeout(600_000);

const repository = fileURLToPath(new URL('../..', import.meta.url));
const program = join(repository, 'apps', 'cli', 'bin', 'bootlab.mjs');

describe('catalogue images', () => {
  let lab: Lab;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bootlab-catalogue-'));
    lab = await startLab(repository);
  }, 320_000);
  afterAll(async () => {
    await lab?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function bootlab(...args: string[]) {
    const token = new URLSearchParams(new URL(lab.signInUrl).hash.slice(1)).get('token') ?? '';
    return runProcess(process.execPath, [program, ...args], {
      timeoutMs: 400_000,
      env: { PATH: process.env['PATH'], HOME: folder, BOOTLAB_URL: lab.url, BOOTLAB_TOKEN: token },
    });
  }

  it('are made from Debian’s packages, and boot to a shell', async () => {
    const added = await bootlab('images', 'add', 'debian-malta');
    expect(added).toMatchObject({ exitCode: 0, errors: '' });
    const digest = (name: string): string =>
      new RegExp(`^debian-malta-${name}\\S*  (sha256:[0-9a-f]{64})$`, 'm').exec(added.output)?.[1] ?? '';
    const job = join(folder, 'job.yml');
    const images = { kernel: digest('vmlinuz'), initrd: digest('initrd') };
    const steps = [{ run: 'uname -m', expect: 'mips' }];
    writeFileSync(job, JSON.stringify({ board: 'malta', images, cmdline: 'console=ttyS0', steps }));
    const run = await bootlab('submit', job, '--wait');
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.output).toMatch(/ok +run uname -m/);
  });
});
