import type { Report, Row } from './report.js';
import { geometricMean, median, mediansOf, medianRatio } from './statistics.js';

/** How many times qemu-mipsel's time the seven works may take with the interpreter alone, geometric mean. */
const INTERPRETER_TARGET = 6;
/** How many times as fast as qemu-mipsel these and the integer benchmark are wanted with the JIT, which knows them from earlier runs. */
const JIT_TARGET = 1.4;

export const ENGINES = ['JIT, cold', 'JIT, warm', 'interpreter', 'qemu-mipsel', 'native'] as const;
export type EngineName = (typeof ENGINES)[number];
/** Of each round. */
export type Seconds = Readonly<Partial<Record<EngineName, readonly number[]>>>;

/** What a program took on each engine. */
export interface TimedWork {
  readonly name: string;
  readonly seconds: Seconds;
}

/**
 * What programs in user mode come to beside qemu-mipsel. The JIT's number is over Debian's programs and the integer benchmark, the
 * interpreter's, which is older, over Debian's programs.
 */
export function userReport(works: readonly TimedWork[], integer: TimedWork, runs: number): Report {
  const all = [...works, integer];
  const meanRow = (name: string, of: readonly TimedWork[]): Row => ({
    name: `geometric mean of ${name}`,
    values: [
      ...ENGINES.map(() => undefined),
      ...RATIOS.map((ratio) => geometricMean(of.map(({ seconds }) => ratio(seconds)))),
    ],
  });
  const [ofWorks, ofAll] = [meanRow(`Debian's ${works.length}`, works), meanRow(`all ${all.length}`, all)];
  return {
    title: "Linux user mode: Debian's programs for mipsel, and the integer benchmark",
    note: `wall seconds with the start of the process, ${mediansOf(runs)}, ratios of single rounds; the outputs are the same`,
    columns: [...ENGINES, "speed / QEMU's, cold", 'warm', "interpreter's time / QEMU's"],
    rows: [
      ...all.map(({ name, seconds }) => ({
        name,
        values: [
          ...ENGINES.map((engine) => seconds[engine] && median(seconds[engine])),
          ...RATIOS.map((of) => of(seconds)),
        ],
      })),
      ofWorks,
      ofAll,
    ],
    targets: [
      {
        name: `the JIT's speed, warm, as a multiple of qemu-mipsel's, all ${all.length}`,
        value: ofAll.values.at(-2) ?? NaN,
        atLeast: JIT_TARGET,
      },
      {
        name: `the interpreter's time as a multiple of qemu-mipsel's, Debian's ${works.length}`,
        value: ofWorks.values.at(-1) ?? NaN,
        atMost: INTERPRETER_TARGET,
      },
    ],
  };
}

const jitSpeed =
  (jit: 'JIT, cold' | 'JIT, warm') =>
  ({ 'qemu-mipsel': qemu = [], [jit]: own = [] }: Seconds): number =>
    medianRatio(qemu, own);
const interpreterTimes = ({ interpreter = [], 'qemu-mipsel': qemu = [] }: Seconds): number =>
  medianRatio(interpreter, qemu);
/** In the order of the columns after the engines'. */
const RATIOS = [jitSpeed('JIT, cold'), jitSpeed('JIT, warm'), interpreterTimes];
