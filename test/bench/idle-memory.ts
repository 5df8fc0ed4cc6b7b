import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MissingPrerequisite, maltaGuest, qemuMaltaArguments, qemuSystemMips } from '@bootlab/emulator/testkit';
import { repositoryFolder, tail, WARMING_RUNS, withTranslations } from './bootlab.js';
import type { Report } from './report.js';
import type { Subject } from './statistics.js';
import { interleave, median, mediansOf } from './statistics.js';

const CMDLINE = 'console=ttyS0 corpus=shell';
/** The guest's shell waits for a command; it may have asked for the terminal's size, too. */
const PROMPT = /\/root # (?:.\[6n)?$/;
const BOOT_LIMIT_MS = 120_000;
/** What is only needed for work is given back meanwhile. */
const SETTLE_MS = 10_000;
const MIB = 2 ** 20;

/** Resident memory of a process with a booted board of 256 MiB that waits for a command, beside QEMU's. */
export function idleMemoryBenchmark(runs: number, progress: (text: string) => void): Promise<Report> {
  if (!existsSync('/proc/self/status')) throw new MissingPrerequisite('/proc', 'Measure on Linux.');
  return withTranslations(async (folder) => {
    const subjects = subjectsOf(folder);
    return reportOf(subjects, await interleave(subjects, runs, progress));
  });
}

/** In the order that `reportOf` knows. */
function subjectsOf(translations: string): Subject<Resident>[] {
  const { kernel, initrd } = maltaGuest('little');
  const program = join(repositoryFolder, 'apps', 'cli', 'bin', 'bootlab.mjs');
  const machine = ['--board', 'malta', '--cpu', '24Kf', '--memory', '256M', '--clock', 'wall', '--timeout', '1h'];
  const images = ['--kernel', kernel, '--initrd', initrd, '--append', CMDLINE];
  const bootlab = (...engine: string[]): Promise<Resident> =>
    residentWhenIdle(process.execPath, [program, 'boot', ...machine, ...images, ...engine], translations);
  const qemu = qemuMaltaArguments({ byteOrder: 'little', kernel, initrd, cmdline: CMDLINE, memoryMiB: 256 });
  return [
    { name: 'bootlab, interpreter', run: () => bootlab('--accel', 'interp') },
    { name: 'bootlab, JIT, cold', run: () => bootlab('--no-cache') },
    { name: 'bootlab, JIT, warm', warmingRuns: WARMING_RUNS, run: () => bootlab() },
    { name: 'qemu-system-mipsel', run: () => residentWhenIdle(qemuSystemMips('little'), qemu, translations) },
  ];
}

function reportOf(subjects: readonly Subject<Resident>[], samples: Resident[][]): Report {
  const middle = (of: (resident: Resident) => number): number[] => samples.map((all) => median(all.map(of)));
  const now = middle(({ nowBytes }) => nowBytes);
  const files = middle(({ fileBytes }) => fileBytes);
  const peak = middle(({ peakBytes }) => peakBytes);
  const [, , warm = NaN, qemu = NaN] = now;
  return {
    title: 'Resident memory of an idle board: Linux on Malta, 256 MiB, at its shell',
    note: `MiB, ${SETTLE_MS / 1000} s after the prompt; ${mediansOf(samples[0]?.length ?? 0)}`,
    columns: ['now', 'of it files', 'at most'],
    rows: subjects.map(({ name }, index) => ({
      name,
      values: [now, files, peak].map((bytes) => (bytes[index] ?? NaN) / MIB),
    })),
    targets: [{ name: "the JIT's memory, warm, as a multiple of QEMU's", value: warm / qemu, atMost: 1 }],
  };
}

interface Resident {
  readonly nowBytes: number;
  /** Mapped from files, which processes share. */
  readonly fileBytes: number;
  readonly peakBytes: number;
}

async function residentWhenIdle(program: string, args: readonly string[], translations: string): Promise<Resident> {
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, BOOTLAB_TRANSLATIONS: translations },
  });
  const ended = once(child, 'close');
  try {
    await untilPrompt(program, child);
    await sleep(SETTLE_MS);
    return residentOf(child.pid as number); // it has started
  } finally {
    child.kill('SIGTERM'); // and what was translated is written
    await ended;
  }
}

async function untilPrompt(program: string, child: ChildProcess): Promise<void> {
  let text = '';
  const limit = AbortSignal.timeout(BOOT_LIMIT_MS);
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  while (!PROMPT.test(text)) {
    if (child.exitCode !== null || limit.aborted) throw new Error(`${program} never got to a prompt:\n${tail(text)}`);
    await sleep(20);
  }
}

function residentOf(pid: number): Resident {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const bytes = (field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024;
  return { nowBytes: bytes('VmRSS'), fileBytes: bytes('RssFile'), peakBytes: bytes('VmHWM') };
}
