import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CliRun } from '../bootlab.js';
import { bootlab } from '../bootlab.js';

export interface ExecRun extends CliRun {
  /** The `--stats` file; empty when the program never began. */
  stats: Partial<{
    instructions: number;
    virtualSeconds: number;
    syscalls: Record<string, number>;
    pageFaults: number;
    peakMemoryBytes: number;
    /** What part of the instructions translations executed. */
    jit: { share: number };
  }>;
}

/** `bootlab exec` with statistics. @param environment of the command line, beside this process's */
export async function execProgram(
  args: readonly string[],
  timeoutMs = 50_000,
  environment: NodeJS.ProcessEnv = {},
): Promise<ExecRun> {
  const folder = mkdtempSync(join(tmpdir(), 'bootlab-exec-'));
  const stats = join(folder, 'stats.json');
  try {
    const run = await bootlab(['exec', '--stats', stats, ...args], timeoutMs, undefined, environment);
    const written = readFileSync(stats, 'utf8');
    return { ...run, stats: written === '' ? {} : (JSON.parse(written) as ExecRun['stats']) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
