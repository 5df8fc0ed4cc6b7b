import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { runQemuMalta } from '@bootlab/emulator/testkit';
import { ENGINES } from '../../support/engines.js';
import { describeWith } from '../../support/requirements.js';
import type { ByteOrder } from './programs.js';
import { boot, buildProgram, MEMORY_MIB, runToEnd } from './programs.js';

// The privileged architecture from the outside: bare-metal programs print one line per experiment, and the lines must be
// QEMU's. Where QEMU differs from the manual or from our CPU, the programs leave the difference out:
// docs/decisions/0016-system-conformance.md.

const PROGRAMS = [
  { program: 'exceptions', about: 'exceptions, delay slots, nesting, interrupts, timer', lines: 250 },
  { program: 'tlb', about: 'TLB, address spaces, user and supervisor mode, LL and SC', lines: 250 },
  { program: 'code', about: 'code that changes', lines: 10 },
] as const;

const linesOf = (output: string): string[] => output.trim().split(/\r?\n/);

async function qemuOutput(byteOrder: ByteOrder, kernel: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'bootlab-mips-system-'));
  const serialFile = join(folder, 'serial');
  try {
    const { timedOut } = await runQemuMalta({
      byteOrder,
      cpu: '24Kf',
      kernel,
      memoryMiB: MEMORY_MIB,
      serialFile,
      timeoutMs: 120_000,
    });
    expect(timedOut).toBe(false);
    return readFileSync(serialFile, 'latin1');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describeWith(['qemu-system', 'cross-mips'], 'the privileged architecture on the Malta board', () => {
  describe.each(['little', 'big'] as const)('%s-endian', (byteOrder) => {
    describe.each(PROGRAMS)('$about', ({ program, lines }) => {
      let kernel: string;
      let expected: string[];
      beforeAll(async () => {
        kernel = await buildProgram(program, byteOrder);
        expected = linesOf(await qemuOutput(byteOrder, kernel));
      }, 300_000);

      it.each(ENGINES)(
        'behaves as on QEMU: $engineName',
        async ({ engine }) => {
          const { end, output } = await runToEnd(await boot(kernel, {}, engine), { wallGuardMs: 120_000 });
          expect(linesOf(output)).toEqual(expected);
          expect(expected.at(-1)).toBe('end of program');
          expect(expected.length).toBeGreaterThanOrEqual(lines);
          expect(end).toEqual({ kind: 'reset' });
        },
        300_000,
      );
    });
  });
});
