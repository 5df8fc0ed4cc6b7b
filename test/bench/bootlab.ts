import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ProcessOptions, ProcessRun } from '@bootlab/emulator/testkit';
import { runProcess } from '@bootlab/emulator/testkit';

/** The repository's root, seen from the compiled benchmark in test/bench/dist/bench. */
export const repositoryFolder = fileURLToPath(new URL('../../../..', import.meta.url));

/** What the benchmarks read from `--stats`. */
export interface Stats {
  instructions: number;
  virtualSeconds: number;
  peakRssBytes: number;
}

/** Runs `bootlab boot` with its statistics, as a process of its own like its peers. */
export async function runBootlab(
  args: readonly string[],
  options: ProcessOptions,
): Promise<ProcessRun & { stats: Stats }> {
  const folder = mkdtempSync(join(tmpdir(), 'bootlab-bench-'));
  try {
    const statsFile = join(folder, 'stats.json');
    const program = join(repositoryFolder, 'apps', 'cli', 'bin', 'bootlab.mjs');
    const run = await runProcess(process.execPath, [program, 'boot', '--stats', statsFile, ...args], options);
    if (run.exitCode !== 0)
      throw new Error(`bootlab ended with status ${run.exitCode}:\n${tail(run.output)}\n${tail(run.errors)}`);
    return { ...run, stats: JSON.parse(readFileSync(statsFile, 'utf8')) as Stats };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Runs that leave no more translations to be made than later ones will find anyway: the first finds out what is hot, the
 * second what is hot only without having to wait for the translator.
 */
export const WARMING_RUNS = 2;

/** Lends a folder for translations, which is empty at first. */
export async function withTranslations<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'bootlab-translations-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The end of a console, for error messages. */
export const tail = (text: string): string => text.trimEnd().split('\n').slice(-15).join('\n');

/** Milliseconds to a mark that a run must have reached. @throws Error with the end of its output */
export function markOf(subject: string, run: ProcessRun, mark: string): number {
  const ms = run.marks[mark];
  if (ms === undefined) throw new Error(`${subject} never got to '${mark}':\n${tail(run.output)}\n${tail(run.errors)}`);
  return ms;
}
