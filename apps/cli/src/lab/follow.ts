import type { Job, Outcome } from '@bootlab/lab';
import { ExitCode, LabError } from '../exit-codes.js';
import type { LabClient } from './client.js';
import { JobEvents } from './job-events.js';
import type { Reporter } from './report.js';

/** How often jobs are asked for while the lab does not tell of changes by itself… */
const POLL_MS = 1000;
/** …and while it does: in case that one got lost. */
const LIVE_POLL_MS = 20_000;
/** A lab that is restarted, or a line that is down for a moment, is waited for this long. */
const PATIENCE_MS = 120_000;

/** Follows jobs to their ends. @throws LabError when the lab stays away, and the reason of `signal` */
export async function followJobs(
  client: LabClient,
  ids: readonly string[],
  reporter: Reporter,
  signal: AbortSignal,
): Promise<Job[]> {
  const jobs = new Map<string, Job>();
  const ended = new AbortController();
  const events = JobEvents.listen(client, AbortSignal.any([signal, ended.signal]));
  let heardAt = performance.now();
  let asked: readonly string[] = ids;
  try {
    for (;;) {
      // What happens from here on is told of, if the line holds.
      const live = events.live;
      for (const id of asked) {
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
      const changed = await events.wait(live && known.length === ids.length ? LIVE_POLL_MS : POLL_MS, signal);
      asked = live && events.live && changed.size > 0 ? ids.filter((id) => changed.has(id)) : ids;
    }
  } finally {
    ended.abort();
  }
}

/** 0 every job passed; 1 one failed or timed out; 3 none did, but one was cancelled or broke with the lab. */
export function exitCodeOf(outcomes: readonly (Outcome | null)[]): number {
  if (outcomes.some((outcome) => outcome === 'fail' || outcome === 'timeout')) return ExitCode.fail;
  return outcomes.every((outcome) => outcome === 'pass') ? ExitCode.pass : ExitCode.internal;
}
