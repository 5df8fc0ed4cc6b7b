import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { runProcess } from '@bootlab/emulator/testkit';
import { HostInput, runProgram } from '@bootlab/emulator/user';
import { describeWith } from '../../support/requirements.js';

/** C programs that print what system calls on files give; QEMU runs the same binary. */
const PROGRAMS = ['files-basic', 'files-waiting', 'files-sockets'];

describeWith(['cross-mips', 'qemu-user'], 'files as QEMU shows them', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'bootlab-files-'));
    mkdirSync(join(folder, 'tmp'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const cases = PROGRAMS.flatMap((program) => (['mipsel', 'mips'] as const).map((arch) => ({ program, arch })));

  it.each(cases)('$program on $arch', async ({ program, arch }) => {
    const binary = join(folder, `${program}-${arch}`);
    const source = new URL(`${program}.c`, import.meta.url).pathname;
    const options = ['-O1', '-static', '-w', '-D_FILE_OFFSET_BITS=64', '-o', binary, source];
    const compiled = await runProcess(`${arch}-linux-gnu-gcc`, options, { timeoutMs: 60_000 });
    expect(compiled).toMatchObject({ exitCode: 0, errors: '' });
    const reference = await runProcess(`qemu-${arch}`, [binary], { timeoutMs: 30_000 });

    for (const files of [{ root: '/' }, { root: '/', overlay: true }]) {
      const stdin = new HostInput();
      stdin.end();
      let output = '';
      const result = await runProgram({
        arch,
        program: binary,
        files: { ...files, stdin, stdout: (bytes) => (output += Buffer.from(bytes).toString()) },
      });
      expect(output).toBe(reference.output);
      expect(result).toMatchObject({ kind: 'exited', code: reference.exitCode });
    }
  });
});
