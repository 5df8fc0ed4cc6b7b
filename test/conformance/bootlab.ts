import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProcess } from '@bootlab/emulator/testkit';

const program = new URL('../../apps/cli/bin/bootlab.mjs', import.meta.url).pathname;

/** A finished run of the command line as a user runs it: the built program in a process of its own. */
export interface CliRun {
  status: number | undefined;
  output: string;
  errors: string;
  wallMs: number;
}

export interface BootRun extends CliRun {
  /** The `--log` file as it is. */
  log: string;
  /** The `--stats` file; empty when the run never began. */
  stats: Partial<{
    outcome: string;
    reason: string;
    ramSha256: string;
    instructions: number;
    virtualSeconds: number;
    peakRssBytes: number;
  }>;
}

/** @param environment beside this process's */
export async function bootlab(
  args: readonly string[],
  timeoutMs = 20_000,
  input?: string,
  environment: NodeJS.ProcessEnv = {},
): Promise<CliRun> {
  const run = await runProcess(process.execPath, [program, ...args], {
    timeoutMs,
    ...(input === undefined ? {} : { input }),
    env: { ...process.env, NODE_OPTIONS: '', ...environment },
  });
  return { status: run.exitCode, output: run.output, errors: run.errors, wallMs: run.wallMs };
}

/** `bootlab boot --board malta` with a log and statistics. */
export async function bootMalta(args: readonly string[], timeoutMs = 20_000): Promise<BootRun> {
  const folder = mkdtempSync(join(tmpdir(), 'bootlab-conformance-'));
  try {
    const [log, stats] = [join(folder, 'log'), join(folder, 'stats')];
    const run = await bootlab(['boot', '--board', 'malta', '--log', log, '--stats', stats, ...args], timeoutMs);
    const read = (path: string): string => {
      try {
        return readFileSync(path, 'utf8');
      } catch {
        return ''; // refused before it began
      }
    };
    return { ...run, log: read(log), stats: JSON.parse(read(stats) || '{}') as BootRun['stats'] };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Path of the program, for tests that need the process itself. */
export const bootlabProgram = program;
