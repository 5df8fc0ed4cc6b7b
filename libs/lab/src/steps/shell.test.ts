import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { checkFileCommand, fitsUBoot, typeCommand, writeFileCommands } from './shell.js';

/** What a real shell makes of the typed lines: output between the last markers, and the exit status. */
function run(shell: string, command: string): { output: string; status: number | undefined } {
  const lines = typeCommand('sh', command, 7);
  const { stdout } = spawnSync(shell, [], { input: lines.map(({ text }) => text).join(''), encoding: 'utf8' });
  const last = lines.at(-1);
  const start = stdout.lastIndexOf(last?.begin ?? '?');
  const rest = stdout.slice(start + (last?.begin.length ?? 0) + 1);
  const end = rest.lastIndexOf('@bl:');
  return { output: rest.slice(0, end), status: last?.ending(rest.trimEnd())?.status };
}

const shells = ['/bin/sh', 'bash', 'dash', 'busybox'].filter((shell) => spawnSync(shell, ['-c', ':']).status === 0);

describe.each(shells)('typed to %s', (shell) => {
  it.each<[string, string, number]>([
    ['echo hello', 'hello\n', 0],
    ['printf x', 'x', 0],
    ['false', '', 1],
    ['(exit 42)', '', 42],
    [`echo 'single' "double" \\$HOME '$HOME' "it's"`, `single double $HOME $HOME it's\n`, 0],
    ['echo a # comment', 'a\n', 0],
    ['cat <<E\nline 1\n\tline 2 ü\nE\n', 'line 1\n\tline 2 ü\n', 0],
    ['for i in 1 2\ndo echo $i\ndone', '1\n2\n', 0],
    ["printf '%s|' '\\' '%b' '\\0101'", '\\|%b|\\0101|', 0],
    [`echo ${'x'.repeat(3000)}`, `${'x'.repeat(3000)}\n`, 0],
    ['cd / && pwd', '/\n', 0],
  ])('%j', (command, output, status) => expect(run(shell, command)).toEqual({ output, status }));

  it.each(['if then', 'echo "', 'done', ')'])('a syntax error ends the command alone: %j', (command) => {
    const { status } = run(shell, command);
    expect(status).toBeGreaterThan(0);
  });

  it('writes files byte for byte', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'bootlab-shell-'));
    try {
      const bytes = Uint8Array.from({ length: 2000 }, (_, index) => (index * 7) & 0xff);
      const file = path.join(folder, "it's a file");
      for (const command of writeFileCommands(bytes, file, '755')) {
        expect(typeCommand('sh', command, 1)).toHaveLength(1);
        expect(run(shell, command).status).toBe(0);
      }
      expect(Buffer.compare(readFileSync(file), bytes)).toBe(0);
      const digest = createHash('sha256').update(bytes).digest('hex');
      expect(run(shell, checkFileCommand(file)).output).toContain(digest);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

it('never types a marker as it is printed, nor a line too long for a line editor', () => {
  for (const command of ['true', 'a\nb', 'é'.repeat(2000)]) {
    for (const { text, begin, ending } of typeCommand('sh', command, 1)) {
      expect(text).not.toContain(begin);
      expect(text.split('').some((_, index) => ending(text.slice(0, index)) !== undefined)).toBe(false);
      expect(text.length).toBeLessThan(1000);
      expect(text.slice(0, -1)).toMatch(/^[ -~]+$/);
    }
  }
});

it('knows what U-Boot can be told', () => {
  expect(fitsUBoot('printenv bootcmd')).toBe(true);
  expect(fitsUBoot('a\nb')).toBe(false);
});
