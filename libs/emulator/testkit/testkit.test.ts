import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { maltaGuest } from './guests.js';
import { cacheFolder, findProgram, MissingPrerequisite, requireProgram } from './prerequisites.js';
import { runProcess } from './process.js';
import { qemuMaltaArguments } from './qemu.js';

let folder: string;
const environment = { ...process.env };
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bootlab-testkit-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  process.env = { ...environment };
});

describe('prerequisites', () => {
  it('finds programs on PATH', () => {
    expect(findProgram('sh')).toMatch(/\/sh$/);
    expect(findProgram('no-such-program')).toBeUndefined();
  });

  it('names the missing program and the package that has it', () => {
    expect(() => requireProgram('no-such-program', 'some-package')).toThrow(MissingPrerequisite);
    expect(() => requireProgram('no-such-program', 'some-package')).toThrow(/no-such-program.*some-package/);
  });

  it('keeps its cache where BOOTLAB_CACHE says', () => {
    process.env['BOOTLAB_CACHE'] = folder;
    expect(cacheFolder('guests')).toBe(join(folder, 'guests'));
  });

  it('takes guests from the cache and names a file that is not there', () => {
    process.env['BOOTLAB_CACHE'] = folder;
    expect(() => maltaGuest('big')).toThrow(/malta-be.kernel.*npm run setup/);
    const guest = join(folder, 'guests', 'malta-el');
    mkdirSync(guest, { recursive: true });
    for (const file of ['kernel', 'initrd.cpio.gz']) writeFileSync(join(guest, file), '');
    expect(maltaGuest('little')).toEqual({ kernel: join(guest, 'kernel'), initrd: join(guest, 'initrd.cpio.gz') });
  });
});

describe('runProcess', () => {
  it('collects output, errors, input and exit status', async () => {
    const run = await runProcess('sh', ['-c', 'cat; echo bad >&2; exit 3'], { timeoutMs: 10_000, input: 'hello' });
    expect(run).toMatchObject({ output: 'hello', errors: 'bad\n', exitCode: 3, timedOut: false });
  });

  it('times marks, also one that comes in two pieces', async () => {
    const run = await runProcess('sh', ['-c', 'printf REA; sleep 0.1; printf DY; sleep 0.1'], {
      timeoutMs: 10_000,
      marks: { ready: /READY/, never: /NEVER/ },
    });
    expect(Object.keys(run.marks)).toEqual(['ready']);
    expect(run.marks['ready']).toBeGreaterThanOrEqual(90);
    expect(run.marks['ready']).toBeLessThan(run.wallMs);
  });

  it('kills what does not end in time', async () => {
    const run = await runProcess('sleep', ['60'], { timeoutMs: 100 });
    expect(run).toMatchObject({ timedOut: true, exitCode: undefined });
  });

  it('rejects when the program does not exist', async () => {
    await expect(runProcess(join(folder, 'nothing'), [], { timeoutMs: 1000 })).rejects.toThrow(/ENOENT/);
  });
});

describe('qemuMaltaArguments', () => {
  it('names kernel, initrd and command line only where given', () => {
    expect(qemuMaltaArguments({ byteOrder: 'little', kernel: 'K' })).not.toContain('-initrd');
    const args = qemuMaltaArguments({ byteOrder: 'big', kernel: 'K', initrd: 'I', cmdline: 'a b', memoryMiB: 64 });
    expect(args.slice(args.indexOf('-kernel'))).toEqual(['-kernel', 'K', '-initrd', 'I', '-append', 'a b']);
    expect(args).toEqual(expect.arrayContaining(['-m', '64', '-no-reboot']));
  });
});
