import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Milliseconds without work before each run that is measured. On a machine that others use as well, a hash of half a second took 14 %
 * longer right behind seconds of other work than behind a rest (decision 19).
 */
const REST_MS = 1000;

/** What reports say of how {@link interleave} has measured. */
export const mediansOf = (rounds: number): string => `medians of ${rounds} interleaved runs with a rest before each`;

/** Middle of the values, the mean of the two middle ones for an even count. @throws RangeError without values */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which the fraction `q` (0..1) of all values lies, interpolated linearly. @throws RangeError without values */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const position = q * (sorted.length - 1);
  const below = sorted[Math.floor(position)];
  const above = sorted[Math.ceil(position)];
  if (below === undefined || above === undefined) throw new RangeError('there is no quantile of no values');
  return below + (above - below) * (position - Math.floor(position));
}

/**
 * The middle of the ratios of what was measured in the same rounds, as by {@link interleave}: where a machine is faster in some
 * minutes than in others, the medians of both may come from different ones. NaN where one was not measured.
 */
export const medianRatio = (values: readonly number[], others: readonly number[]): number =>
  Math.min(values.length, others.length) === 0
    ? NaN
    : median(values.map((value, round) => value / (others[round] ?? NaN)));

/** The mean of ratios: swapping what is compared with what turns it into its inverse. */
export const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/** Something that can be run again and again to be measured. */
export interface Subject<T> {
  name: string;
  /** How many runs come before anything is measured, for what it keeps from run to run. Default: none. */
  warmingRuns?: number;
  run(): Promise<T>;
}

/**
 * Warms up what is to be measured warm, then runs every subject `rounds` times, taking turns, so that whatever slows the
 * machine down for a while slows all of them and not the one that happened to run. Every second round is run backwards, and each run
 * has a rest before it, so that none suffers from what another leaves behind.
 * @param progress is told of each run before it starts
 * @param restMs milliseconds before each run that is measured
 * @returns the samples of each subject, in the order of `subjects`
 */
export async function interleave<T>(
  subjects: readonly Subject<T>[],
  rounds: number,
  progress: (text: string) => void,
  restMs = REST_MS,
): Promise<T[][]> {
  for (const subject of subjects) {
    const warmingRuns = subject.warmingRuns ?? 0;
    for (let run = 1; run <= warmingRuns; run++) {
      progress(`${subject.name}, warming run ${run} of ${warmingRuns}`);
      await subject.run();
    }
  }
  const samples = subjects.map((): T[] => []);
  for (let round = 1; round <= rounds; round++) {
    const forwards = [...subjects.entries()];
    for (const [index, subject] of round % 2 === 1 ? forwards : forwards.toReversed()) {
      progress(`${subject.name}, run ${round} of ${rounds}`);
      await sleep(restMs);
      samples[index]?.push(await subject.run());
    }
  }
  return samples;
}
