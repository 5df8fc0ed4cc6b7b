import { DelayedError, WaitingError, type Job as BullJob } from 'bullmq';
import {
  DEFAULT_TIMEOUT,
  judge,
  parseDuration,
  parseSize,
  storedResults,
  type JobSpec,
  type RunReport,
  type Verdict,
} from '@bootlab/lab';
import {
  BoardQuotaError,
  consoleStream,
  controlStream,
  followControl,
  imageKey,
  StreamConflictError,
  type BlobStore,
  type Claim,
  type ConsoleLogs,
  type JobStore,
  type LabConfig,
  type LiveStreams,
  type QueuedJob,
} from '@bootlab/lab/server';
import { BoardHost } from './board-host.js';
import type { BoardTask } from './protocol.js';

// A job whose workers keep dying is likely what kills them.
const MAX_LOST_WORKERS = 3;
// How soon a job tries again whose project runs all the boards it may; spread, so that not all try at once.
const QUOTA_WAIT_MS = 400;
const QUOTA_WAIT_SPREAD_MS = 400;

export interface ProcessorServices {
  config: LabConfig;
  jobs: JobStore;
  logs: ConsoleLogs;
  blobs: BlobStore;
  streams: LiveStreams;
  workerName: string;
  log: (message: string) => void;
  /** Entry of the board threads; another one in tests. */
  boardEntry?: URL;
}

type StopCause = 'lost' | 'shutdown' | 'retry';

interface ActiveRun {
  host: BoardHost;
  stopped: StopCause | undefined;
  /** Why nobody can reach this run any more: it was stopped for that. */
  controlError: Error | undefined;
}

/** Takes jobs from the queue through their boards to their ends. */
export class JobProcessor {
  private readonly active = new Map<string, ActiveRun>();

  constructor(private readonly services: ProcessorServices) {}

  /** BullMQ's processor. What it throws is the queue's business only; a job's outcome is in the database. */
  async process(bullJob: BullJob<QueuedJob>, token?: string): Promise<void> {
    const { jobs, logs, streams, workerName, log } = this.services;
    const { jobId } = bullJob.data;
    // Read before claiming: a cancellation is either in the claim or behind this position.
    const controlNext = await streams.next(controlStream(jobId));
    const claim = await jobs
      .claim(jobId, workerName, await logs.nextSeq(jobId))
      .catch((error: unknown) => this.delayOverQuota(error, bullJob, token));
    if (!claim) return; // it ended while it waited
    const controlFrom = claim.attempt === 1 ? 0 : controlNext; // keys of a lost attempt are not typed again
    log(`job ${jobId}: starts (attempt ${claim.attempt})`);
    try {
      const stopped = await this.runClaimed(claim, controlFrom);
      if (stopped === 'shutdown' || stopped === 'retry') {
        await jobs.release(claim);
        await bullJob.moveToWait(token);
        throw new WaitingError();
      }
    } catch (error) {
      if (error instanceof WaitingError) throw error;
      if (error instanceof StreamConflictError) {
        log(`job ${jobId}: ${error.message}`); // the other worker brings it to its end
        return;
      }
      const reason = `The worker could not run the job: ${error instanceof Error ? error.message : String(error)}`;
      log(`job ${jobId}: ${error instanceof Error ? (error.stack ?? reason) : reason}`);
      await this.finish(claim, { outcome: 'infra', reason }, undefined, 0);
    }
  }

  /** Lets the queue offer a job again a little later when its project may run no more boards now. */
  private async delayOverQuota(error: unknown, bullJob: BullJob<QueuedJob>, token: string | undefined): Promise<never> {
    if (!(error instanceof BoardQuotaError)) throw error;
    const waitMs = Math.round(QUOTA_WAIT_MS + Math.random() * QUOTA_WAIT_SPREAD_MS);
    await bullJob.moveToDelayed(Date.now() + waitMs, token);
    throw new DelayedError();
  }

  /** The queue has given these jobs to somebody else. */
  abandon(jobIds: readonly string[]): void {
    for (const jobId of jobIds) this.stop(jobId, 'lost');
  }

  /** Stops all boards; their jobs go back into the queue. */
  shutDown(): void {
    for (const jobId of this.active.keys()) this.stop(jobId, 'shutdown');
  }

  private stop(jobId: string, cause: StopCause): void {
    const run = this.active.get(jobId);
    if (!run) return;
    run.stopped ??= cause;
    run.host.abort();
  }

  private async runClaimed(claim: Claim, controlFrom: number): Promise<StopCause | undefined> {
    const { jobId } = claim;
    if (claim.cancelRequested) {
      await this.finish(claim, { outcome: 'cancelled', reason: 'Cancelled before it ran' }, undefined, 0);
      return undefined;
    }
    if (claim.lostWorkers >= MAX_LOST_WORKERS) {
      const reason = `${claim.lostWorkers} workers were lost while they ran this job; it is not tried again`;
      await this.finish(claim, { outcome: 'infra', reason }, undefined, 0);
      return undefined;
    }
    const writer = await this.services.logs.openWriter(jobId, await this.services.logs.nextSeq(jobId));
    const task = await this.taskFor(claim);
    const startedMs = performance.now();
    const host = new BoardHost(
      task,
      {
        console: (spans) => writer.append(spans),
        progress: (progress) => {
          this.services.jobs.progress(claim, progress).catch((error: unknown) => {
            this.services.log(`job ${jobId}: progress was not stored: ${String(error)}`);
          });
        },
      },
      { heapBytes: this.services.config.boardHeapBytes },
      this.services.boardEntry,
    );
    const run: ActiveRun = { host, stopped: undefined, controlError: undefined };
    this.active.set(jobId, run);
    const controlEnd = new AbortController();
    const control = this.obey(jobId, controlFrom, run, controlEnd.signal);
    try {
      const report = await host.ended;
      if (run.stopped) return run.stopped;
      if (run.controlError) throw run.controlError;
      await writer.close();
      const { failOn, timeoutNs } = task;
      const verdict = judge(report.end, { ...report, failOn, timeoutNs });
      // Another host, or a quieter hour, may do better; what the guest did would be the same again.
      if (verdict.outcome === 'infra' && claim.attempt <= (claim.spec.retries ?? 0)) {
        this.services.log(`job ${jobId}: ${verdict.reason}; it is tried again`);
        return 'retry';
      }
      await this.finish(claim, verdict, report, performance.now() - startedMs);
      return undefined;
    } finally {
      this.active.delete(jobId);
      controlEnd.abort();
      await control;
    }
  }

  /** Passes on what comes through the control stream, until the run is over. */
  private async obey(jobId: string, from: number, run: ActiveRun, signal: AbortSignal): Promise<void> {
    try {
      for await (const message of followControl(this.services.streams, jobId, from, signal)) {
        if (message.type === 'cancel') run.host.abort();
        else run.host.input(message.uart, Buffer.from(message.data, 'base64'));
      }
    } catch (error) {
      run.controlError = new Error('its control stream was lost', { cause: error });
      run.host.abort();
    }
  }

  private async taskFor({ spec, images }: Claim): Promise<Omit<BoardTask, 'credit'>> {
    const { blobs, config } = this.services;
    const file = (sha256: string): Promise<string> => blobs.localPath(imageKey(sha256));
    const files: BoardTask['files'] = {
      ...(images.kernel && { kernel: await file(images.kernel.sha256) }),
      ...(images.initrd && { initrd: await file(images.initrd.sha256) }),
      ...(images.firmware && { firmware: await file(images.firmware.sha256) }),
      drives: await Promise.all(images.drives.map((drive) => file(drive.sha256))),
    };
    const timeoutNs = parseDuration(spec.timeout ?? DEFAULT_TIMEOUT);
    return {
      board: spec.board,
      cpu: spec.cpu,
      memoryBytes: spec.memory === undefined ? undefined : parseSize(spec.memory),
      cmdline: spec.cmdline,
      files,
      clock: spec.clock ?? 'virtual',
      timeoutNs,
      // On the wall clock, time passes on the host as in the guest: the guard is what the host may take on top of it.
      wallGuardMs: wallGuardOf(spec, config.wallGuardMs) + (spec.clock === 'wall' ? timeoutNs / 1e6 : 0),
      consoleLimitBytes: config.consoleLimitBytes,
      steps: spec.steps ?? [],
      shell: spec.shell,
      prompt: spec.prompt,
      onReboot: spec.on_reboot,
      failOn: spec.results?.fail_on,
    };
  }

  private async finish(claim: Claim, verdict: Verdict, report: RunReport | undefined, wallMs: number): Promise<void> {
    const { jobs, streams, log } = this.services;
    const ended = await jobs.finish(claim, verdict, {
      virtualNs: report?.virtualNs ?? 0,
      instructions: report?.instructions ?? 0,
      ramSha256: report?.ramSha256,
      wallMs,
      results: report ? storedResults({ ...report, failOn: claim.spec.results?.fail_on }) : [],
    });
    if (!ended) return;
    log(`job ${claim.jobId}: ${verdict.outcome}: ${verdict.reason}`);
    // The log is in the blob store by now; readers find it there.
    await streams.delete(consoleStream(claim.jobId));
    await streams.delete(controlStream(claim.jobId));
  }
}

/** A job may want to be given up earlier than the lab would, never later. */
function wallGuardOf(spec: JobSpec, labMs: number): number {
  return spec.wall_guard === undefined ? labMs : Math.min(labMs, parseDuration(spec.wall_guard) / 1e6);
}
