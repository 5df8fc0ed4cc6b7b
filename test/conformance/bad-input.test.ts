import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { bootlab, bootlabProgram, bootMalta } from './bootlab.js';
import type { ElfShape } from '../support/kernel-elf.js';
import { kernelElf } from '../support/kernel-elf.js';
import {
  addu,
  jr,
  jump,
  lui,
  memory,
  ori,
  sb,
  sll,
  srl,
  T0,
  T1,
  T2,
  UART_IN_T0,
  WAIT,
  xor,
} from '../support/mips-words.js';

jest.setTimeout(60_000);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bootlab-bad-input-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function file(bytes: Uint8Array): string {
  const path = join(folder, `file${files++}`);
  writeFileSync(path, bytes);
  return path;
}

const LOADS_AND_STORES = 'lb lh lw lbu lhu sb sh sw lwl lwr swl swr'.split(' ');

const little: ElfShape = { byteOrder: 'little' };
const idle = jump(0);

describe('images that cannot work are refused with exit status 2 and the option that is wrong', () => {
  const elf = kernelElf(idle, little);
  it.each<[string, () => string[], RegExp]>([
    ['nothing to boot', () => [], /--kernel|--firmware/],
    ['an empty kernel', () => ['--kernel', file(new Uint8Array())], /--kernel: /],
    [
      'a kernel that is no ELF file',
      () => ['--kernel', file(new TextEncoder().encode('#!/bin/sh\n'.repeat(100)))],
      /--kernel: .*ELF/,
    ],
    ['an ELF header cut short', () => ['--kernel', file(elf.slice(0, 40))], /--kernel: /],
    ['an ELF file without its program', () => ['--kernel', file(elf.slice(0, 84))], /--kernel: /],
    [
      'another architecture',
      () => ['--kernel', file(kernelElf(idle, { ...little, machine: 62 }))],
      /--kernel: .*(x86-64|machine|architecture)/i,
    ],
    [
      'a kernel larger than memory',
      () => ['--memory', '32M', '--kernel', file(kernelElf(idle, { ...little, memoryBytes: 64 << 20 }))],
      /--(kernel|memory): /,
    ],
    [
      'an initrd larger than memory',
      () => ['--memory', '16M', '--kernel', file(elf), '--initrd', file(new Uint8Array(20 << 20))],
      /--(initrd|memory): /,
    ],
    [
      'an initrd that is not there',
      () => ['--kernel', file(elf), '--initrd', join(folder, 'nowhere')],
      /--initrd: cannot read.*nowhere/,
    ],
    ['an initrd without a kernel', () => ['--firmware', 'selftest', '--initrd', file(elf)], /--initrd: /],
    ['an unknown CPU', () => ['--cpu', '24Kx', '--kernel', file(elf)], /--cpu: .*24Kf/],
    ['too much memory', () => ['--memory', '64G', '--kernel', file(elf)], /--memory: /],
    ['a pattern that does not compile', () => ['--kernel', file(elf), '--expect', '(['], /--expect/],
    [
      'more drives than the board has',
      () => [
        '--kernel',
        file(elf),
        ...Array<string[]>(9)
          .fill(['--drive', file(new Uint8Array(512))])
          .flat(),
      ],
      /--drive: /,
    ],
  ])('%s', async (_name, args, message) => {
    const run = await bootMalta(args());
    expect(run.errors).toMatch(message);
    expect(run.errors).not.toMatch(/internal error|^ +at /m);
    expect(run.status).toBe(2);
  });

  it('knows no board that is not in the catalogue', async () => {
    const run = await bootlab(['boot', '--board', 'malta2', '--kernel', 'x']);
    expect(run).toMatchObject({ status: 2, errors: expect.stringMatching(/--board.*malta2.*malta/s) as unknown });
  });
});

describe('a guest that misbehaves ends with a reason', () => {
  const run = (words: readonly number[], shape: ElfShape = little): ReturnType<typeof bootMalta> =>
    bootMalta(['--kernel', file(kernelElf(words, shape)), '--timeout', '100ms'], 60_000);

  it.each<[string, number]>([
    ['unmapped kseg2', 0xc0de],
    ['empty bus', 0xb700],
    ['user space without a TLB entry', 0x0040],
    ['the UART', 0xb800],
  ])('jumps into %s', async (_name, upper) => {
    const { status, stats } = await run([lui(T0, upper), ...jr(T0)]);
    expect(stats.outcome).toMatch(/fail|timeout/);
    expect(stats.reason).toBeTruthy();
    expect(status).toBe(1);
  });

  it.each(['little', 'big'] as const)('hammers every device with every width, %s-endian', async (byteOrder) => {
    // t0: xorshift32 state; t1: an address between 0xb0000000 and 0xbfffffff; the exception handler is this very loop.
    const setup = [lui(T0, 0x1234), ori(T0, T0, 0x5678)];
    const step = [sll(T1, T0, 13), xor(T0, T0, T1), srl(T1, T0, 17), xor(T0, T0, T1), sll(T1, T0, 5), xor(T0, T0, T1)];
    const body = LOADS_AND_STORES.flatMap((name) => [
      ...step,
      srl(T1, T0, 4),
      lui(T2, 0xb000),
      addu(T1, T1, T2),
      memory(name, name.startsWith('s') ? T0 : 2, T1),
    ]);
    const { status, stats } = await run([...setup, ...body, ...jump(setup.length)], { byteOrder });
    expect(stats.reason).toBeTruthy();
    expect(status).toBe(1);
  });

  it('waits for ever with interrupts off', async () => {
    const { status, stats } = await run([WAIT, ...jump(0)]);
    expect(stats.reason).toBeTruthy();
    expect(status).toBe(1);
  });

  it('fills its console at full speed; terminal and log get the same bytes', async () => {
    const flood = [...UART_IN_T0, ori(T1, 0, 0x2e), sb(T1, T0), ...jump(3)];
    const { status, stats, output, log } = await run(flood);
    expect(stats.outcome).toBe('timeout');
    expect(stats.virtualSeconds).toBeCloseTo(0.1, 3);
    expect(output).toMatch(/^\.{1000,}$/);
    const logged = log
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { data: string }).data);
    expect(logged.join('')).toBe(output);
    expect(stats.peakRssBytes).toBeLessThan(1 << 30);
    expect(status).toBe(1);
  });
});

describe('signals', () => {
  it.each<[NodeJS.Signals, number]>([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('%s ends a busy guest within a second and leaves complete files', async (signal, status) => {
    const stats = join(folder, `stats-${signal}`);
    const hello = [...UART_IN_T0, ori(T1, 0, 0x2e), sb(T1, T0), ...jump(4)];
    const args = [
      'boot',
      '--board',
      'malta',
      '--kernel',
      file(kernelElf(hello, little)),
      '--timeout',
      '10m',
      '--stats',
      stats,
    ];
    const child = spawn(process.execPath, [bootlabProgram, ...args], { env: { ...process.env, NODE_OPTIONS: '' } });
    await once(child.stdout, 'data');
    const sentAt = performance.now();
    child.kill(signal);
    const [code] = (await once(child, 'exit')) as [number | null];
    expect(code).toBe(status);
    expect(performance.now() - sentAt).toBeLessThan(2000);
    expect(JSON.parse(readFileSync(stats, 'utf8'))).toMatchObject({
      outcome: 'cancelled',
      reason: `Ended by ${signal}`,
    });
  });
});

describe('a reader that goes away', () => {
  it('ends a command as SIGPIPE would, without a word', async () => {
    const child = spawn(process.execPath, [bootlabProgram, '--help'], { env: { ...process.env, NODE_OPTIONS: '' } });
    child.stdout.destroy(); // long before the first line is written
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    const [status] = (await once(child, 'close')) as [number | null];
    expect([status, errors]).toEqual([141, '']);
  });
});
