import type { ByteOrder } from '@bootlab/emulator/core';
import { maltaGuest, runQemuMalta } from '@bootlab/emulator/testkit';
import { markOf, runBootlab } from './bootlab.js';
import type { Report } from './report.js';
import { interleave, median } from './statistics.js';

const TIMEOUT_MS = 300_000;
/** How many times QEMU's wall time a boot to BOOT-OK may take with the interpreter alone. */
const TARGET_RATIO = 2.5;
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
  const subjects = [
    {
      name: 'bootlab, interpreter',
      run: async (): Promise<Sample> => {
        const machine = [
          '--board',
          'malta',
          '--cpu',
          '24Kf',
          '--memory',
          '256M',
          '--accel',
          'interp',
          '--timeout',
          '1h',
        ];
        const run = await runBootlab(
          [...machine, '--kernel', kernel, '--initrd', initrd, '--append', CMDLINE],
          options,
        );
        const { instructions, virtualSeconds } = run.stats;
        return { ...sampleOf('bootlab', run), instructions, virtualSeconds };
      },
    },
    {
      name: qemu,
      run: async (): Promise<Sample> =>
        sampleOf(qemu, await runQemuMalta({ byteOrder, kernel, initrd, cmdline: CMDLINE, memoryMiB: 256, ...options })),
    },
  ];
  const samples = await interleave(subjects, runs, (name, round) => progress(`${name}, run ${round} of ${runs}`));
  const middle = (index: number, of: (sample: Sample) => number): number => median(samples[index]?.map(of) ?? []);
  const ratio = (of: (sample: Sample) => number): number => middle(0, of) / middle(1, of);
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
      { name: 'ratio', values: [ratio(booted), ratio(tested)] },
    ],
    targets: [
      { name: "bootlab's time to BOOT-OK as a multiple of QEMU's", value: ratio(booted), atMost: TARGET_RATIO },
    ],
  };
}

function sampleOf(subject: string, run: Parameters<typeof markOf>[1]): Sample {
  return {
    bootedSeconds: markOf(subject, run, 'booted') / 1000,
    testedSeconds: markOf(subject, run, 'tested') / 1000,
  };
}
