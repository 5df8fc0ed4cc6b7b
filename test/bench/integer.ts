import type { ProcessRun } from '@bootlab/emulator/testkit';
import { runQemuMalta, runQemuUser } from '@bootlab/emulator/testkit';
import { markOf, runBootlab, WARMING_RUNS, withTranslations } from './bootlab.js';
import { buildIntegerProgram, checkResult } from './integer-program.js';
import type { Report } from './report.js';
import type { Subject } from './statistics.js';
import { interleave, median, mediansOf, medianRatio } from './statistics.js';

const TIMEOUT_MS = 300_000;
/** Guest instructions a second that the interpreter alone must reach on the development machine, in millions. */
const TARGET_MIPS = 300;
/** QEMU's time as a multiple of ours that translated code must reach. */
const TARGET_JIT_SPEED = 1.2;
const MARKS = { start: /BENCH-START/, done: /BENCH-DONE/ };

/** One run: seconds between the program's own marks, and how many instructions the board counted, where it counts. */
interface Sample {
  seconds: number;
  instructions?: number;
}

/** The integer workload on our interpreter and JIT, on QEMU's Malta board, and under QEMU's user-mode emulation. */
export async function integerBenchmark(runs: number, progress: (text: string) => void): Promise<Report> {
  const bareMetal = await buildIntegerProgram('malta');
  const linux = await buildIntegerProgram('linux');
  const title = 'Integer benchmark: lists, matrix, state machine, CRC-32';
  return withTranslations((translations) =>
    compare(title, runs, progress, [
      ...onBootlab(bareMetal, translations, checkResult),
      onQemu(bareMetal, checkResult),
      inQemuUser(linux),
    ]),
  );
}

/**
 * Any other bare-metal Malta program that prints BENCH-START and BENCH-DONE around what is to be timed, on our
 * engines and on QEMU's Malta board.
 */
export function programBenchmark(elf: string, runs: number, progress: (text: string) => void): Promise<Report> {
  return withTranslations((translations) =>
    compare(`Program ${elf}`, runs, progress, [...onBootlab(elf, translations), onQemu(elf)]),
  );
}

function onBootlab(elf: string, translations: string, check?: (run: ProcessRun) => void): Subject<Sample>[] {
  const subject = (name: string, ...engine: string[]): Subject<Sample> => ({
    name: `bootlab, ${name}`,
    run: async () => {
      const args = ['--board', 'malta', '--cpu', '24Kf', '--kernel', elf, '--timeout', '1h', ...engine];
      const env = { ...process.env, BOOTLAB_TRANSLATIONS: translations };
      const options = { timeoutMs: TIMEOUT_MS, marks: MARKS, env };
      const run = await runBootlab([...args, '--expect', 'BENCH-DONE'], options);
      check?.(run);
      return { ...sampleOf('bootlab', run), instructions: run.stats.instructions };
    },
  });
  return [
    subject('interpreter', '--accel', 'interp'),
    subject('JIT, cold', '--no-cache'),
    { ...subject('JIT, warm'), warmingRuns: WARMING_RUNS },
  ];
}

const onQemu = (kernel: string, check?: (run: ProcessRun) => void): Subject<Sample> => ({
  name: 'qemu-system-mipsel',
  run: async () => {
    const run = await runQemuMalta({ byteOrder: 'little', kernel, timeoutMs: TIMEOUT_MS, marks: MARKS });
    check?.(run);
    return sampleOf('qemu-system-mipsel', run);
  },
});

const inQemuUser = (program: string): Subject<Sample> => ({
  name: 'qemu-mipsel (user mode, no MMU)',
  run: async () => {
    const run = await runQemuUser(program, { byteOrder: 'little', timeoutMs: TIMEOUT_MS, marks: MARKS });
    checkResult(run);
    return sampleOf('qemu-mipsel', run);
  },
});

function sampleOf(subject: string, run: ProcessRun): Sample {
  return { seconds: (markOf(subject, run, 'done') - markOf(subject, run, 'start')) / 1000 };
}

async function compare(
  title: string,
  runs: number,
  progress: (text: string) => void,
  subjects: readonly Subject<Sample>[],
): Promise<Report> {
  const samples = await interleave(subjects, runs, progress);
  const instructions = samples.flat().find((sample) => sample.instructions !== undefined)?.instructions ?? 0;
  const seconds = samples.map((ofSubject) => ofSubject.map((sample) => sample.seconds));
  const [interpreter = [], cold = [], warm = [], qemu = []] = seconds;
  const mips = (wall: readonly number[]): number => instructions / median(wall) / 1e6;
  return {
    title,
    note: `${(instructions / 1e6).toFixed(0)} M guest instructions, counted by bootlab; ${mediansOf(runs)}, ratios of single rounds`,
    columns: ['seconds', 'M instructions/s', 'JIT time / this, cold', 'warm'],
    rows: subjects.map(({ name }, index) => {
      const wall = seconds[index] ?? [];
      return { name, values: [median(wall), mips(wall), medianRatio(cold, wall), medianRatio(warm, wall)] };
    }),
    targets: [
      { name: "the interpreter's speed in M instructions/s", value: mips(interpreter), atLeast: TARGET_MIPS },
      {
        name: "the JIT's speed, warm, as a multiple of QEMU's",
        value: medianRatio(qemu, warm),
        atLeast: TARGET_JIT_SPEED,
      },
    ],
  };
}
