import { dirname } from 'node:path';
import { expect, it } from '@jest/globals';
import { buildMipsProgram } from '@bootlab/emulator/testkit';
import { debianDebuggersRoot, describeWith } from '../support/requirements.js';
import { bootlab } from './bootlab.js';

const sources = new URL('user', import.meta.url).pathname;

/** Debian's debuggers are programs like others: they run beside what they look at, in the guest. */
describeWith('debian-debuggers', 'in the guest', () => {
  const exec = (folder: string, ...command: string[]) =>
    bootlab(
      [
        ...['exec', '--arch', 'mipsel', '--root', debianDebuggersRoot, '--overlay', '--env', 'LC_ALL=C'],
        ...['--bind', `${folder}:/work:ro`, '--bind', `${sources}:/scripts:ro`, '--', ...command],
      ],
      150_000,
    );

  it('strace follows a shell and its children', async () => {
    const run = await exec(sources, 'strace', '-f', '-e', 'trace=%process,write', 'sh', '-c', 'echo a | cat; exit 3');
    expect(run).toMatchObject({ status: 3, output: 'a\n' });
    const lines = run.errors.split('\n').map((line) => line.replace(/^\[pid +\d+\] /, ''));
    expect(lines[0]).toMatch(
      /^execve\("\/\S*bin\/sh", \["sh", "-c", "echo a \| cat; exit 3"\], 0x\w+ \/\* \d+ vars \*\/\) = 0$/,
    );
    expect(lines.filter((line) => /strace: Process \d+ attached$/.test(line))).toHaveLength(2);
    expect(lines.filter((line) => /write\(1, "a\\n", 2\) += 2$/.test(line))).toHaveLength(2);
    expect(lines.filter((line) => /^\+\+\+ exited with 0 \+\+\+$/.test(line))).toHaveLength(2);
    expect(lines).toContain('exit_group(3)                           = ?');
    expect(lines.at(-2)).toBe('+++ exited with 3 +++');
    expect(run.errors).not.toMatch(/bootlab:|ptrace/);
  }, 200_000);

  it('strace counts the calls', async () => {
    const run = await exec(
      sources,
      'strace',
      '-f',
      '-c',
      '-o',
      '/tmp/counts',
      'sh',
      '-c',
      'ls / > /dev/null; ls / > /dev/null',
    );
    expect(run).toMatchObject({ status: 0, errors: '' });
  }, 200_000);

  describeWith('cross-mips', 'with a program with debug information', () => {
    it('gdb stops it, looks at it, changes it, and sees its threads and its end', async () => {
      const program = await buildMipsProgram({
        name: 'user-debugged',
        byteOrder: 'little',
        sources: [`${sources}/debugged.c`],
        flags: ['-g', '-O0', '-pthread'],
      });
      const name = program.slice(dirname(program).length + 1);
      const run = await exec(dirname(program), 'gdb', '-nx', '-batch', '-x', '/scripts/debugged.gdb', `/work/${name}`);
      const steps = [
        /^Breakpoint 1, distance \(p=0x[0-9a-f]+, scale=10\) at \S+debugged\.c:\d+$/m,
        /^#0 {2}distance \(p=0x[0-9a-f]+, scale=10\) at /m,
        /^\$1 = \{x = 1, y = 2, weight = 2\.25\}$/m,
        /^Value returned is \$2 = 500$/m,
        /^Thread 2 "\S+" hit Breakpoint 1, distance \(p=0x[0-9a-f]+, scale=10\)/m,
        /^\* 2 .* distance \(p=0x/m,
        /^\$3 = 0\.5$/m,
        /^thread 250, calls 2$/m,
        /received signal SIGSEGV, Segmentation fault\.$/m,
        /^(0x[0-9a-f]+ in )?main \(\) at \S+debugged\.c:\d+$/m,
      ];
      let at = 0;
      for (const step of steps) {
        const rest = run.output.slice(at);
        expect(rest).toMatch(step);
        at += rest.search(step);
      }
      expect(run.output).toContain('distance 500\n');
      expect(run.errors).not.toContain('bootlab:');
    }, 200_000);
  });
});
