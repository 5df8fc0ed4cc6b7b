import type { ByteOrder } from '@bootlab/emulator/core';
import { maltaGuest, runQemuMalta } from '@bootlab/emulator/testkit';
import { markOf, runBootlab } from './bootlab.js';
import type { Report } from './report.js';
import type { Subject } from './statistics.js';
import { interleave, median } from './statistics.js';

const TIMEOUT_MS = 300_000;
/** How many times QEMU's wall time a boot to BOOT-OK may take with the interpreter alone. */
const TARGET_RATIO = 2.5;
/** The same with translated code, from a cold start. */
const TARGET_JIT_RATIO = 1;
/** Index of QEMU among the subjects. */
const QEMU = 2;
const CMDLINE = 'console=ttyS0';
const MARKS = { booted: /BOOT-OK/, tested: /TEST-DONE/ };

interface Sample {
  bootedSeconds: number;
  testedSeconds: number;
  instructions?: number;
  virtualSeconds?: number;
}

/** Linux on Malta with its self-testing initramfs: wall time to the shell's level and to the end of the self-test. */
export async function bootBenchmark(
  byteOrder: ByteOrder,
  runs: number,
  progress: (text: string) => void,
): Promise<Report> {
  const { kernel, initrd } = maltaGuest(byteOrder);
  const qemu = byteOrder === 'little' ? 'qemu-system-mipsel' : 'qemu-system-mips';
  const options = { timeoutMs: TIMEOUT_MS, marks: MARKS };
  const onBootlab = (name: string, accel: 'interp' | 'jit'): Subject<Sample> => ({
    name,
    run: async () => {
      const machine = ['--board', 'malta', '--cpu', '24Kf', '--memory', '256M', '--accel', accel, '--timeout', '1h'];
      const images = ['--kernel', kernel, '--initrd', initrd, '--append', CMDLINE];
      const run = await runBootlab([...machine, ...images], options);
      const { instructions, virtualSeconds } = run.stats;
      return { ...sampleOf('bootlab', run), instructions, virtualSeconds };
    },
  });
  const subjects: Subject<Sample>[] = [
    onBootlab('bootlab, interpreter', 'interp'),
    onBootlab('bootlab, JIT, cold', 'jit'),
    {
      name: qemu,
      run: async (): Promise<Sample> =>
        sampleOf(qemu, await runQemuMalta({ byteOrder, kernel, initrd, cmdline: CMDLINE, memoryMiB: 256, ...options })),
    },
  ];
  const samples = await interleave(subjects, runs, (name, round) => progress(`${name}, run ${round} of ${runs}`));
  const middle = (index: number, of: (sample: Sample) => number): number => median(samples[index]?.map(of) ?? []);
  const ratio = (index: number, of: (sample: Sample) => number): number => middle(index, of) / middle(QEMU, of);
  const booted = (sample: Sample): number => sample.bootedSeconds;
  const tested = (sample: Sample): number => sample.testedSeconds;
  const ours = samples[0]?.[0];
  return {
    title: `Linux on Malta, ${byteOrder}-endian`,
    note:
      `wall seconds, medians of ${runs} interleaved runs; bootlab executed ${((ours?.instructions ?? 0) / 1e9).toFixed(2)} G ` +
      `instructions in ${(ours?.virtualSeconds ?? 0).toFixed(1)} virtual seconds until power-off`,
    columns: ['to BOOT-OK', 'to TEST-DONE'],
    rows: [
      ...subjects.map(({ name }, index) => ({ name, values: [middle(index, booted), middle(index, tested)] })),
      { name: 'interpreter / QEMU', values: [ratio(0, booted), ratio(0, tested)] },
      { name: 'JIT / QEMU', values: [ratio(1, booted), ratio(1, tested)] },
    ],
    targets: [
      {
        name: "the interpreter's time to BOOT-OK as a multiple of QEMU's",
        value: ratio(0, booted),
        atMost: TARGET_RATIO,
      },
      { name: "the JIT's time to BOOT-OK as a multiple of QEMU's", value: ratio(1, booted), atMost: TARGET_JIT_RATIO },
    ],
  };
}

function sampleOf(subject: string, run: Parameters<typeof markOf>[1]): Sample {
  return {
    bootedSeconds: markOf(subject, run, 'booted') / 1000,
    testedSeconds: markOf(subject, run, 'tested') / 1000,
  };
}
