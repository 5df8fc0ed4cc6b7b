import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { buildMipsProgram, runProcess } from '@bootlab/emulator/testkit';
import { describeWith } from '../support/requirements.js';
import { execProgram } from './user/exec.js';

const sources = new URL('user', import.meta.url).pathname;

/**
 * A test program from `user/`, built static, and what Linux on MIPS prints when it runs. Of what those execute that test translations,
 * a part is, else they would test nothing.
 */
const PROGRAMS: readonly { readonly name: string; readonly status: number; readonly translated?: true }[] = [
  { name: 'signals', status: 0 },
  { name: 'traps', status: 0 },
  { name: 'threads', status: 3 },
  { name: 'memory', status: 0 },
  { name: 'file-mappings', status: 0 },
  { name: 'processes', status: 0 },
  { name: 'ipc', status: 0 },
  { name: 'scheduling', status: 0 },
  { name: 'inotify', status: 0 },
  { name: 'core', status: 0 },
  { name: 'ptrace', status: 0 },
  { name: 'process-handles', status: 0 },
  { name: 'futex-requeue', status: 0 },
  { name: 'queue-thread', status: 0 },
  { name: 'capabilities', status: 0 },
  { name: 'unaligned-pairs', status: 0, translated: true },
  { name: 'any-address', status: 0, translated: true },
  { name: 'calls', status: 0, translated: true },
  { name: 'access-groups', status: 0, translated: true },
  { name: 'kept-registers', status: 0, translated: true },
  { name: 'rounds', status: 0, translated: true },
  { name: 'low-pages', status: 0, translated: true },
];

const ARCHITECTURES = [
  { arch: 'mipsel', byteOrder: 'little' },
  { arch: 'mips', byteOrder: 'big' },
] as const;

const build = (name: string, byteOrder: 'little' | 'big'): Promise<string> =>
  buildMipsProgram({
    name: `user-${name}-${byteOrder}`,
    byteOrder,
    sources: [join(sources, `${name}.c`)],
    flags: ['-O1', '-static', '-pthread'],
  });

const expectedOf = (name: string): string => readFileSync(join(sources, `${name}.expected`), 'utf8');

const lines = (text: string): string[] => text.split('\n').toSorted();

describeWith('cross-mips', 'Linux user mode: kernel', () => {
  for (const { arch, byteOrder } of ARCHITECTURES) {
    it.each(PROGRAMS)(`${arch}: $name`, async ({ name, status, translated }) => {
      const run = await execProgram(['--arch', arch, await build(name, byteOrder)]);
      expect(run.output).toBe(expectedOf(name));
      expect(run.status).toBe(status);
      if (translated) expect(run.stats.jit?.share).toBeGreaterThan(0.1);
    });
  }

  // The second run joins what the first one translated in pieces, and only then has some calls within translations.
  it('calls and returns are the same in kept translations', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bootlab-translations-'));
    try {
      const program = await build('calls', 'little');
      for (let i = 0; i < 3; i++) {
        const run = await execProgram(['--arch', 'mipsel', program], undefined, { BOOTLAB_TRANSLATIONS: folder });
        expect(run).toMatchObject({ status: 0, output: expectedOf('calls') });
      }
      expect(readdirSync(folder)).not.toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  // What the kernel completes takes a program one instruction, whoever does it; of two halves of an access each takes one.
  it.each(
    ARCHITECTURES.flatMap((architecture) => [
      { ...architecture, name: 'any-address' },
      { ...architecture, name: 'unaligned-pairs' },
    ]),
  )('$arch: $name takes as long interpreted as translated', async ({ arch, byteOrder, name }) => {
    const program = await build(name, byteOrder);
    const [interpreted, translated] = await Promise.all(
      ['interp', 'jit'].map((accel) => execProgram(['--arch', arch, '--accel', accel, program])),
    );
    const { instructions, virtualSeconds, pageFaults } = interpreted?.stats ?? {};
    expect(instructions).toBeGreaterThan(0);
    expect(translated?.stats).toMatchObject({ instructions, virtualSeconds, pageFaults });
  });

  it.each(['threads', 'processes', 'scheduling', 'ptrace'])('%s runs the same way every time', async (name) => {
    const program = await build(name, 'little');
    const first = await execProgram(['--arch', 'mipsel', program]);
    const second = await execProgram(['--arch', 'mipsel', program]);
    expect(first.stats.instructions).toBeGreaterThan(0);
    expect(second.stats).toMatchObject({
      instructions: first.stats.instructions,
      virtualSeconds: first.stats.virtualSeconds,
      syscalls: first.stats.syscalls,
      pageFaults: first.stats.pageFaults,
      peakMemoryBytes: first.stats.peakMemoryBytes,
    });
    expect(second.output).toBe(first.output);
  });
});

describeWith('cross-mips', 'what Linux user mode has not', () => {
  it('is ENOSYS, and a line says so', async () => {
    const program = await build('missing', 'little');
    const run = await execProgram(['--arch', 'mipsel', program]);
    expect(run.errors).toBe(
      'bootlab: the system call userfaultfd is not implemented; the program is told ENOSYS\nuserfaultfd: Function not implemented\n',
    );
  });

  it('is told for some numbers, not for all that a program may try', async () => {
    const program = await build('unknown-calls', 'little');
    const run = await execProgram(['--arch', 'mipsel', program]);
    expect(run.output).toBe('1000\n');
    const lines = run.errors.trimEnd().split('\n');
    expect(lines).toHaveLength(101);
    expect(lines[0]).toBe('bootlab: the system call syscall_100000 is not implemented; the program is told ENOSYS');
    expect(lines[100]).toContain('syscall_unknown');
  });
});

describeWith(['cross-mips', 'qemu-user'], 'Linux user mode beside qemu-user', () => {
  it.each(ARCHITECTURES)('$arch: signals as there', async ({ arch, byteOrder }) => {
    const reference = await runProcess(`qemu-${arch}`, [await build('signals', byteOrder)], { timeoutMs: 30_000 });
    // There a child's SIGCHLD and the end of waiting for it race, and one that comes while another is pending is lost
    // (signal(7), "Queueing and delivery semantics for standard signals").
    const [there, expected] = [reference.output, expectedOf('signals')].map((text) => lines(text));
    const isChildSignal = (line: string): boolean => line.startsWith('child code ');
    expect(there?.filter((line) => !isChildSignal(line))).toEqual(expected?.filter((line) => !isChildSignal(line)));
    expect(expected).toEqual(expect.arrayContaining(there?.filter(isChildSignal) ?? []));
    expect(there?.filter(isChildSignal).length).toBeGreaterThan(0);
  });
});
