import type { ByteOrder } from '@bootlab/emulator/core';
import { maltaGuest, runQemuMalta } from '@bootlab/emulator/testkit';
import { markOf, runBootlab, WARMING_RUNS, withTranslations } from './bootlab.js';
import type { Report } from './report.js';
import type { Subject } from './statistics.js';
import { interleave, median, mediansOf, medianRatio } from './statistics.js';

const TIMEOUT_MS = 300_000;
/** How many times QEMU's wall time a boot to BOOT-OK may take with the interpreter alone. */
const TARGET_RATIO = 2.5;
/** The same with translated code: when all of it has to be translated, and with what earlier runs left. */
const TARGET_COLD_RATIO = 1;
const TARGET_WARM_RATIO = 1 / 1.5;
/** QEMU's time as a multiple of ours that the self-test must reach, once its code is translated. */
const TARGET_SELF_TEST_SPEED = 1.2;
/** Indices of the subjects. */
const [INTERPRETER, COLD, WARM, QEMU] = [0, 1, 2, 3];
const CMDLINE = 'console=ttyS0';
const MARKS = { booted: /BOOT-OK/, tested: /TEST-DONE/ };

interface Sample {
  bootedSeconds: number;
  testedSeconds: number;
  instructions?: number;
  virtualSeconds?: number;
}

/** Linux on Malta with its self-testing initramfs: wall time to the shell's level and to the end of the self-test. */
export function bootBenchmark(byteOrder: ByteOrder, runs: number, progress: (text: string) => void): Promise<Report> {
  return withTranslations(async (translations) => {
    const subjects = subjectsOf(byteOrder, translations);
    return reportOf(byteOrder, subjects, await interleave(subjects, runs, progress));
  });
}

/** In the order of the indices above. */
function subjectsOf(byteOrder: ByteOrder, translations: string): Subject<Sample>[] {
  const { kernel, initrd } = maltaGuest(byteOrder);
  const qemu = byteOrder === 'little' ? 'qemu-system-mipsel' : 'qemu-system-mips';
  const env = { ...process.env, BOOTLAB_TRANSLATIONS: translations };
  const options = { timeoutMs: TIMEOUT_MS, marks: MARKS, env };
  const onBootlab = (name: string, ...engine: string[]): Subject<Sample> => ({
    name,
    run: async () => {
      const machine = ['--board', 'malta', '--cpu', '24Kf', '--memory', '256M', '--timeout', '1h', ...engine];
      const images = ['--kernel', kernel, '--initrd', initrd, '--append', CMDLINE];
      const run = await runBootlab([...machine, ...images], options);
      const { instructions, virtualSeconds } = run.stats;
      return { ...sampleOf('bootlab', run), instructions, virtualSeconds };
    },
  });
  return [
    onBootlab('bootlab, interpreter', '--accel', 'interp'),
    onBootlab('bootlab, JIT, cold', '--no-cache'),
    { ...onBootlab('bootlab, JIT, warm'), warmingRuns: WARMING_RUNS },
    {
      name: qemu,
      run: async (): Promise<Sample> =>
        sampleOf(qemu, await runQemuMalta({ byteOrder, kernel, initrd, cmdline: CMDLINE, memoryMiB: 256, ...options })),
    },
  ];
}

function reportOf(byteOrder: ByteOrder, subjects: readonly Subject<Sample>[], samples: Sample[][]): Report {
  const all = (index: number, of: (sample: Sample) => number): number[] => samples[index]?.map(of) ?? [];
  const ratio = (index: number, of: (sample: Sample) => number): number => medianRatio(all(index, of), all(QEMU, of));
  const booted = (sample: Sample): number => sample.bootedSeconds;
  const tested = (sample: Sample): number => sample.testedSeconds;
  const selfTest = (sample: Sample): number => sample.testedSeconds - sample.bootedSeconds;
  const works = [booted, tested, selfTest];
  const ours = samples[0]?.[0];
  return {
    title: `Linux on Malta, ${byteOrder}-endian`,
    note:
      `wall seconds, ${mediansOf(samples[0]?.length ?? 0)}, ratios of single rounds; bootlab executed ` +
      `${((ours?.instructions ?? 0) / 1e9).toFixed(2)} G instructions in ${(ours?.virtualSeconds ?? 0).toFixed(1)} virtual seconds until power-off`,
    columns: ['to BOOT-OK', 'to TEST-DONE', 'self-test alone'],
    rows: [
      ...subjects.map(({ name }, index) => ({ name, values: works.map((work) => median(all(index, work))) })),
      { name: 'interpreter / QEMU', values: works.map((work) => ratio(INTERPRETER, work)) },
      { name: 'JIT, cold / QEMU', values: works.map((work) => ratio(COLD, work)) },
      { name: 'JIT, warm / QEMU', values: works.map((work) => ratio(WARM, work)) },
    ],
    targets: [
      {
        name: "the interpreter's time to BOOT-OK as a multiple of QEMU's",
        value: ratio(INTERPRETER, booted),
        atMost: TARGET_RATIO,
      },
      {
        name: "the JIT's time to BOOT-OK, cold, as a multiple of QEMU's",
        value: ratio(COLD, booted),
        atMost: TARGET_COLD_RATIO,
      },
      {
        name: 'the same with a warm translation cache',
        value: ratio(WARM, booted),
        atMost: TARGET_WARM_RATIO,
      },
      {
        name: "the self-test's speed, warm, as a multiple of QEMU's",
        value: 1 / ratio(WARM, selfTest),
        atLeast: TARGET_SELF_TEST_SPEED,
      },
    ],
  };
}

function sampleOf(subject: string, run: Parameters<typeof markOf>[1]): Sample {
  return {
    bootedSeconds: markOf(subject, run, 'booted') / 1000,
    testedSeconds: markOf(subject, run, 'tested') / 1000,
  };
}
