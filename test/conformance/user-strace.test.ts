import { expect, it } from '@jest/globals';
import { debianDebuggersRoot, describeWith } from '../support/requirements.js';
import { bootlab } from './bootlab.js';

/** Debian's strace is a program like others: it runs beside what it looks at, in the guest. */
describeWith('debian-debuggers', "Debian's strace in the guest", () => {
  const exec = (...command: string[]) =>
    bootlab(['exec', '--arch', 'mipsel', '--root', debianDebuggersRoot, '--overlay', '--', ...command], 50_000);

  it('follows a shell and its children', async () => {
    const run = await exec('strace', '-f', '-e', 'trace=%process,write', 'sh', '-c', 'echo a | cat; exit 3');
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
  });

  it('counts the calls', async () => {
    const run = await exec(
      'sh',
      '-c',
      "strace -f -c -o /tmp/counts sh -c 'ls / > /dev/null; ls /none'; cat /tmp/counts",
    );
    expect(run.status).toBe(0);
    expect(run.errors).toMatch(/^ls: cannot access '\/none': No such file or directory\n$/);
    expect(run.output).toMatch(/^ +\S+ +\S+ +\d+ +3 +execve$/m);
    expect(run.output).toMatch(/^ +\S+ +\S+ +\d+ +2 +clone$/m);
    expect(run.output).toMatch(/ total$/m);
  });
});
