import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { buildMipsProgram } from '@bootlab/emulator/testkit';
import { describeWith } from '../support/requirements.js';
import { bootlab } from './bootlab.js';

const source = new URL('user/hello.c', import.meta.url).pathname;
const launcher = new URL('../../apps/cli/bin/bootlab.mjs', import.meta.url).pathname;

describeWith('cross-mips', 'bootlab exec', () => {
  let folder: string;
  let hello: string;
  let dynamic: string;

  const build = (name: string, flags: readonly string[]): Promise<string> =>
    buildMipsProgram({ name, byteOrder: 'little', sources: [source], flags: ['-O1', ...flags] });

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bootlab-user-exec-'));
    hello = await build('user-hello', ['-static']);
    dynamic = await build('user-hello-dynamic', []);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const file = (name: string, content: Uint8Array | string): string => {
    const path = join(folder, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, content);
    chmodSync(path, 0o755);
    return path;
  };

  it('runs a program and gives its status back', async () => {
    const run = await bootlab(['exec', '--arch', 'mipsel', hello]);
    expect(run).toMatchObject({ status: 7, output: `hello from ${hello}\n`, errors: '' });
  });

  it('sees only what is under the root', async () => {
    const root = join(folder, 'tree');
    mkdirSync(join(root, 'bin'), { recursive: true });
    copyFileSync(hello, join(root, 'bin', 'hello'));
    const run = await bootlab(['exec', '--arch', 'mipsel', '--root', root, 'hello']);
    expect(run).toMatchObject({ status: 7, output: 'hello from hello\n' });
    mkdirSync(join(root, 'hello'));
    const searched = await bootlab(['exec', '--arch', 'mipsel', '--root', root, 'hello']);
    expect(searched).toMatchObject({ status: 7, output: 'hello from hello\n' });
    expect(await bootlab(['exec', '--arch', 'mipsel', '--root', root, hello])).toMatchObject({
      status: 2,
      errors: expect.stringMatching(/does not exist under the root .*--bind HOST:GUEST/),
    });
    const bound = await bootlab([
      'exec',
      '--arch',
      'mipsel',
      '--root',
      root,
      '--overlay',
      '--bind',
      `${hello}:/x:ro`,
      '/x',
    ]);
    expect(bound).toMatchObject({ status: 7, output: 'hello from /x\n' });
  });

  it('traces system calls as strace does', async () => {
    const { errors } = await bootlab(['exec', '--arch', 'mipsel', '--strace', hello]);
    expect(errors).toMatch(/^\[pid 2\] set_tid_address\(0x[0-9a-f]+\) = 2$/m);
    expect(errors).toMatch(/^\[pid 2\] rseq\(.*\) = -1 ENOSYS \(Function not implemented\)$/m);
    expect(errors).toMatch(/^\[pid 2\] write\(1, "hello from .*"\.\.\., \d+\) = \d+$/m);
    expect(errors).toMatch(/^\[pid 2\] exit_group\(7\) = \?$/m);
  });

  describe('says what is wrong with a program, and the mend', () => {
    const refused = async (program: string, message: RegExp, ...options: string[]): Promise<void> => {
      const run = await bootlab(['exec', '--arch', 'mipsel', ...options, '--', program]);
      expect(run.errors).toMatch(message);
      expect(run).toMatchObject({ status: 2, output: '' });
    };

    it('of another architecture', () => refused(process.execPath, /is a 64-bit program for .*--root DIR/));
    it('of the other byte order', async () => {
      const run = await bootlab(['exec', '--arch', 'mips', hello]);
      expect(run.errors).toMatch(/is a little-endian program.*--arch mipsel/);
    });
    it('that is truncated', () =>
      refused(file('short', readFileSync(hello).subarray(0, 5000)), /truncated ELF file: .* the file has 5000/));
    it('that is text', () => refused(file('text', 'hello'), /neither an ELF program nor a script/));
    it('that is a directory', () => refused(tmpdir(), /is a directory.*Name a program file/));
    it('that is a directory, and none is found by its name', () =>
      refused('program', /program is a directory/, '--root', join(file('named/program/x', 'hello'), '../..')));
    it('that does not exist', () => refused('/no/such/program', /does not exist/));
    it('whose interpreter is missing', () =>
      refused(
        '/program',
        /needs \/lib\/ld\.so\.1, which does not exist.*--root DIR.*libc6:mipsel/,
        '--root',
        join(file('bare/program', readFileSync(dynamic)), '..'),
      ));
    it('for another CPU', () => {
      const elf = Buffer.from(readFileSync(hello));
      elf.writeUInt32LE((elf.readUInt32LE(36) & 0x0fffffff) + 0x90000000, 36);
      return refused(file('release6', elf), /built for MIPS32 release 6/);
    });
  });

  it('passes signals on, and ends as the program does', async () => {
    const child = spawn(process.execPath, [launcher, 'exec', '--arch', 'mipsel', hello, 'wait'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output === 'ready\n') child.kill('SIGINT');
      else if (output === 'ready\ncaught 2\n') child.kill('SIGTERM');
    });
    const [status] = (await once(child, 'close')) as [number | null];
    expect(output).toBe('ready\ncaught 2\ncaught 15\n');
    expect(status).toBe(21);
  });
});
