import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { runProcess } from '@bootlab/emulator/testkit';
import { debianMipselRoot, describeWith } from '../support/requirements.js';
import { bootlab } from './bootlab.js';

/** Debian's own binaries with their shared libraries; where the host has the program too, its output is the measure. */
const PROGRAMS: readonly { name: string; argv: readonly string[]; input?: string; expected?: string }[] = [
  {
    name: 'bash',
    argv: [
      '/bin/bash',
      '-c',
      'for i in {1..20}; do echo $((i*i)); done | sort -rn | head -3; x=$(seq 5 | tac); echo $x; (exit 3); echo $?',
    ],
  },
  {
    name: 'dash',
    argv: [
      '/bin/dash',
      '-c',
      'trap "echo usr1" USR1; kill -USR1 $$; echo done; a=1; while [ $a -lt 500 ]; do a=$((a*2)); done; echo $a',
    ],
  },
  {
    name: 'busybox',
    argv: ['/bin/busybox', 'sh', '-c', 'busybox seq 1 100 | busybox md5sum'],
    expected: 'd632eba71107bf7bc3ec423eab256d78  -\n',
  },
  {
    name: 'coreutils',
    argv: [
      '/bin/bash',
      '-c',
      'seq 1000 | shuf --random-source=/bin/sh 2>/dev/null | sort -n | sha256sum; printf "%s\n" b a c | sort | paste -sd,; expr 6 \\* 7; date -u -d @0 +%F',
    ],
  },
  {
    name: 'sed',
    argv: ['/bin/sed', '-n', 's/\\([a-z]*\\)-\\([a-z]*\\)/\\2-\\1/p'],
    input: 'left-right\nnothing\nup-down\n',
  },
  {
    name: 'gawk',
    argv: [
      '/usr/bin/gawk',
      'BEGIN { for (i = 1; i < 2000; i++) s += sin(i) / i; printf "%.12f %d\\n", s, length(sprintf("%c", 955)) }',
    ],
    expected: '1.070731721482 1\n',
  },
  {
    name: 'perl',
    argv: [
      '/usr/bin/perl',
      '-e',
      'my %h; $h{$_ % 7} += $_ for 1..5000; print join(",", map {"$_=$h{$_}"} sort keys %h), "\n"; print `echo sub`; my $p = fork; exit 7 unless $p; waitpid $p, 0; print $? >> 8, "\n"',
    ],
  },
  {
    name: 'python3 with threads',
    argv: [
      '/usr/bin/python3',
      '-c',
      'import threading, queue\nq, out, lock = queue.Queue(), [], threading.Lock()\ndef work():\n  while (n := q.get()) is not None:\n    with lock: out.append(n * n)\nts = [threading.Thread(target=work) for _ in range(6)]\n[t.start() for t in ts]\n[q.put(n) for n in range(200)]\n[q.put(None) for _ in ts]\n[t.join() for t in ts]\nprint(len(out), sum(out), 2 ** 100 % 97)',
    ],
    expected: '200 2646700 16\n',
  },
  {
    name: 'lua',
    argv: [
      '/usr/bin/lua5.4',
      '-e',
      'local t = {} for i = 1, 1000 do t[#t + 1] = i * 0.5 end print(#t, table.concat(t, ",", 998), string.format("%.10f", math.exp(1)))',
    ],
    expected: '1000\t499.0,499.5,500.0\t2.7182818285\n',
  },
  {
    name: 'sqlite3',
    argv: [
      '/usr/bin/sqlite3',
      ':memory:',
      'with recursive n(x) as (select 1 union all select x + 1 from n where x < 500) select count(*), sum(x), avg(x) from n;',
    ],
    expected: '500|125250|250.5\n',
  },
  {
    name: 'openssl',
    argv: ['/usr/bin/openssl', 'sha256'],
    input: 'a message\n',
    expected: 'SHA2-256(stdin)= e695449dff919341411d56beff666cad8f9c045c7cea52ccd535446a77aa0635\n',
  },
  ...['gzip', 'bzip2', 'xz', 'zstd'].map((name) => ({
    name,
    argv: ['/bin/bash', '-c', `seq 1 3000 | ${name} -c | ${name} -dc | md5sum`],
    expected: 'ee9762749fc5338b6c9b0948d14219c7  -\n',
  })),
];

describeWith('debian-mipsel', "Debian's programs for mipsel", () => {
  it.each(PROGRAMS)('$name', async ({ argv, input, expected }) => {
    const [program = '', ...args] = argv;
    const run = await bootlab(
      ['exec', '--arch', 'mipsel', '--root', debianMipselRoot, '--overlay', '--', program, ...args],
      50_000,
      input,
    );
    expect(run.errors).toBe('');
    expect(run.output).toBe(expected ?? (await onHost(program, args, input)));
    expect(run.status).toBe(0);
  });
});

const scripts = new URL('programs', import.meta.url).pathname;

/** Scripts that make each program do a good part of what it can, and how it is called with them. */
const SCRIPTS: readonly { name: string; argv: readonly string[]; script: string; input?: string }[] = [
  { name: 'bash', argv: ['/bin/bash'], script: 'bash.sh' },
  { name: 'dash', argv: ['/bin/dash'], script: 'dash.sh' },
  { name: 'busybox', argv: ['busybox', 'sh'], script: 'busybox.sh' },
  { name: 'coreutils', argv: ['/bin/bash'], script: 'coreutils.sh' },
  {
    name: 'sed',
    argv: ['/bin/sed', '-n', '-f'],
    script: 'sed.sed',
    input: 'alpha beta 12\ncc dd 3\n\n# comment\nbook keep 777\nfinal line 9\n\n',
  },
  { name: 'gawk', argv: ['/usr/bin/gawk', '-f'], script: 'gawk.awk' },
  { name: 'perl', argv: ['/usr/bin/perl'], script: 'perl.pl' },
  { name: 'python3', argv: ['/usr/bin/python3.11'], script: 'python.py' },
  { name: 'lua', argv: ['/usr/bin/lua5.4'], script: 'lua.lua' },
  { name: 'sqlite3', argv: ['/usr/bin/sqlite3', ':memory:', '-init'], script: 'sqlite.sql' },
  { name: 'openssl', argv: ['/bin/bash'], script: 'openssl.sh' },
  { name: 'gzip, bzip2, xz, zstd and 7zr', argv: ['/bin/bash'], script: 'compression.sh' },
];

/** The guest's tree has no locales but this one. */
const ENVIRONMENT = { PATH: '/usr/bin:/bin', HOME: '/root', LC_ALL: 'C' };

describeWith(['debian-mipsel', 'host-programs'], "Debian's programs beside the host's own", () => {
  it.each(SCRIPTS)(
    '$name',
    async ({ argv, script, input = '' }) => {
      const [program = '', ...args] = argv;
      const there = await runProcess(program, [...args, join(scripts, script)], {
        timeoutMs: 60_000,
        input,
        env: ENVIRONMENT,
      });
      expect(there).toMatchObject({ exitCode: 0, errors: '' });
      expect(there.output.split('\n').length).toBeGreaterThan(script === 'sed.sed' ? 2 : 10);
      const here = await bootlab(
        [
          ...['exec', '--arch', 'mipsel', '--root', debianMipselRoot, '--overlay', '--bind', `${scripts}:/scripts:ro`],
          ...Object.entries(ENVIRONMENT).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
          ...['--', program, ...args, `/scripts/${script}`],
        ],
        240_000,
        input,
      );
      expect(here).toMatchObject({ output: there.output, errors: '', status: 0 });
    },
    300_000,
  );
});

/** The host's own program of the name, given the same. */
async function onHost(program: string, args: readonly string[], input = ''): Promise<string> {
  const run = await runProcess(program, args, {
    timeoutMs: 20_000,
    input,
    env: { PATH: process.env['PATH'], LANG: 'C.UTF-8' },
  });
  return run.output;
}
