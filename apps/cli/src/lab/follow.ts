import { setTimeout as sleep } from 'node:timers/promises';
import type { Job, Outcome } from '@bootlab/lab';
import { ExitCode, LabError } from '../exit-codes.js';
import type { LabClient } from './client.js';
import type { Reporter } from './report.js';

const POLL_MS = 1000;
/** A lab that is restarted, or a line that is down for a moment, is waited for this long. */
const PATIENCE_MS = 120_000;

/** Follows jobs to their ends. @throws LabError when the lab stays away, and the reason of `signal` */
export async function followJobs(
  client: LabClient,
  ids: readonly string[],
  reporter: Reporter,
  signal: AbortSignal,
  pollMs = POLL_MS,
): Promise<Job[]> {
  const jobs = new Map<string, Job>();
  let heardAt = performance.now();
  for (;;) {
    for (const id of ids) {
      if (jobs.get(id)?.state === 'ended') continue;
      try {
        jobs.set(id, await client.json<Job>(`/jobs/${encodeURIComponent(id)}`, { signal }));
        heardAt = performance.now();
      } catch (error) {
        signal.throwIfAborted();
        const passing = error instanceof LabError && error.exitCode === ExitCode.internal;
        if (!passing || performance.now() - heardAt > PATIENCE_MS) throw error;
      }
    }
    const known = ids.flatMap((id) => jobs.get(id) ?? []);
    reporter.update(known);
    if (known.length === ids.length && known.every(({ state }) => state === 'ended')) return known;
    await sleep(pollMs, undefined, { signal });
  }
}

/** 0 every job passed; 1 one failed or timed out; 3 none did, but one was cancelled or broke with the lab. */
export function exitCodeOf(outcomes: readonly (Outcome | null)[]): number {
  if (outcomes.some((outcome) => outcome === 'fail' || outcome === 'timeout')) return ExitCode.fail;
  return outcomes.every((outcome) => outcome === 'pass') ? ExitCode.pass : ExitCode.internal;
}
