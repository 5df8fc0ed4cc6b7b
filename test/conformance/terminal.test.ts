import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { runProcess } from '@bootlab/emulator/testkit';
import { bootlabProgram } from './bootlab.js';
import { ECHO } from '../support/echo-guest.js';

jest.setTimeout(60_000);

let folder: string;
let echo: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bootlab-terminal-'));
  echo = join(folder, 'echo.elf');
  writeFileSync(echo, ECHO);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a real terminal', () => {
  /** Types each text when the one before it was answered, in a pseudo-terminal made by script(1). */
  async function type(
    dialogue: readonly (readonly [typed: string, answer: string])[],
  ): Promise<{ seen: string; status: number }> {
    const command = `'${process.execPath}' '${bootlabProgram}' boot --board malta --kernel '${echo}'`;
    const environment = { ...process.env, NODE_OPTIONS: '' };
    const terminal = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], { env: environment });
    const ended = once(terminal, 'close') as Promise<[number | null]>;
    let seen = '';
    const pending = [...dialogue];
    let expected = '>';
    terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
      seen += text;
      while (seen.includes(expected)) {
        const next = pending.shift();
        if (!next) return;
        terminal.stdin.write(next[0]);
        expected = next[1];
      }
    });
    const [status] = await ended;
    return { seen, status: status ?? -1 };
  }

  it('gives every key but Ctrl-A to the guest, and ends on Ctrl-A x', async () => {
    const { seen, status } = await type([
      ['abc', 'abc'],
      ['\x03\x1a\x04', '\x03\x1a\x04'],
      ['\x01a!', '\x01!'],
      ['\x01h?', 'quit Bootlab'],
      ['\x01x', 'Ended from the keyboard'],
    ]);
    expect(seen).toContain('>abc\x03\x1a\x04\x01!');
    expect(status).toBe(0);
  });
});

describe('a pipe', () => {
  it('is passed on as it is, Ctrl-A included, and its end does not end the run', async () => {
    const args = [bootlabProgram, 'boot', '--board', 'malta', '--kernel', echo, '--timeout', '5s'];
    const run = await runProcess(process.execPath, args, { timeoutMs: 50_000, input: 'abc\x01x\r\n' });
    expect(run.output).toBe('>abc\x01x\r\n');
    expect(run.errors).toMatch(/still running after 5s of virtual time/);
    expect(run.exitCode).toBe(1);
  });
});
