import { rm } from 'node:fs/promises';
import type { CacheFolder, TranslationHub } from '@bootlab/emulator/threads';
import { DelayedError, WaitingError, type Job as BullJob } from 'bullmq';
import { countCases, DEFAULT_RETRIES, endedSteps, judge, placedResults, toJobStep, type Verdict } from '@bootlab/lab';
import {
  artifactKey,
  BoardQuotaError,
  consoleStream,
  controlStream,
  followControl,
  patiently,
  StreamConflictError,
  type BlobStore,
  type Claim,
  type ConsoleLogs,
  type FinishedRun,
  type JobStore,
  type LabConfig,
  type Logger,
  type LiveStreams,
  type QueuedJob,
  type StoredArtifact,
  type Tracing,
  type TraceSpan,
} from '@bootlab/lab/server';
import { BoardHost, type BoardEnd } from './board-host.js';
import { boardTask } from './board-task.js';
import type { BoardThreads } from './board-threads.js';
import { FindingsRecorder } from './findings-recorder.js';
import type { LeftArtifacts } from './protocol.js';
import type { WorkerMetrics } from './worker-metrics.js';

// A job whose workers keep dying is likely what kills them.
const MAX_LOST_WORKERS = 3;
// How soon a job tries again whose project runs all the boards it may; spread, so that not all try at once.
const QUOTA_WAIT_MS = 400;
const QUOTA_WAIT_SPREAD_MS = 400;
/** Before a job is tried again after an infrastructure error: doubled each time. */
const RETRY_MS = 1000;
/** How soon a job is offered again that could not be taken because the database is away. */
const AWAY_MS = 2000;

export interface ProcessorServices {
  config: LabConfig;
  jobs: JobStore;
  logs: ConsoleLogs;
  blobs: BlobStore;
  streams: LiveStreams;
  workerName: string;
  log: Logger;
  metrics: WorkerMetrics;
  /** Boards share what they translate. */
  translations: TranslationHub;
  /** Where interpreters are kept from job to job. */
  interpreters?: CacheFolder | undefined;
  /** What boards run in. */
  threads: BoardThreads;
  tracing: Tracing;
}

type StopCause = 'lost' | 'shutdown';

interface ActiveRun {
  host: BoardHost;
  stopped: StopCause | undefined;
  /** Why nobody can reach this run any more: it was stopped for that. */
  controlError: Error | undefined;
}

/** Takes jobs from the queue through their boards to their ends. */
export class JobProcessor {
  private readonly active = new Map<string, ActiveRun>();
  private closing = false;

  constructor(private readonly services: ProcessorServices) {}

  /** How many boards run now. */
  get running(): number {
    return this.active.size;
  }

  /** BullMQ's processor. What it throws is the queue's business only; a job's outcome is in the database. */
  async process(bullJob: BullJob<QueuedJob>, token?: string): Promise<void> {
    const { jobs, logs, streams, workerName, log } = this.services;
    const { jobId } = bullJob.data;
    let controlNext: number;
    let claim: Claim | undefined;
    try {
      // Read before claiming: a cancellation is either in the claim or behind this position.
      controlNext = await streams.next(controlStream(jobId));
      claim = await jobs.claim(jobId, workerName, await logs.nextSeq(jobId));
    } catch (error) {
      return this.delay(error, bullJob, token);
    }
    if (!claim) return; // it ended while it waited
    const controlFrom = claim.attempt === 1 ? 0 : controlNext; // keys of a lost attempt are not typed again
    log.info({ jobId, attempt: claim.attempt, board: claim.spec.board }, 'job starts');
    const span = this.traceOf(claim);
    const handOver = await this.attempt(claim, controlFrom, span).finally(() => span.end());
    if (handOver === 'wait') {
      await bullJob.moveToWait(token);
      throw new WaitingError();
    }
    if (handOver !== undefined) {
      await bullJob.moveToDelayed(Date.now() + handOver.delayMs, token);
      throw new DelayedError();
    }
  }

  /** The span of an attempt, and beside it how long the job waited for its first one. */
  private traceOf({ jobId, spec, attempt, traceparent, createdAt }: Claim): TraceSpan {
    const { tracing } = this.services;
    const facts = { 'bootlab.job.id': jobId, 'bootlab.job.attempt': attempt, 'bootlab.board': spec.board };
    if (attempt === 1) tracing.start('job waits', { parent: traceparent, startedAt: createdAt, facts }).end();
    return tracing.start('job runs', { parent: traceparent, kind: 'consumer', facts });
  }

  /** A part of an attempt. */
  private async part<T>(name: string, { traceparent }: TraceSpan, work: () => Promise<T>): Promise<T> {
    const span = this.services.tracing.start(name, { parent: traceparent });
    try {
      const result = await work();
      span.end();
      return result;
    } catch (error) {
      span.end(error instanceof Error ? error.message : String(error));
      throw error;
    }
  }

  /** Lets the queue offer a job again a little later: its project may run no more boards, or the database is away. */
  private async delay(error: unknown, bullJob: BullJob<QueuedJob>, token: string | undefined): Promise<never> {
    let waitMs = AWAY_MS;
    if (error instanceof BoardQuotaError) waitMs = Math.round(QUOTA_WAIT_MS + Math.random() * QUOTA_WAIT_SPREAD_MS);
    else this.services.log.warn({ jobId: bullJob.data.jobId, err: error }, 'job could not be taken yet');
    await bullJob.moveToDelayed(Date.now() + waitMs, token);
    throw new DelayedError();
  }

  /** The queue has given these jobs to somebody else. */
  abandon(jobIds: readonly string[]): void {
    for (const jobId of jobIds) this.stop(jobId, 'lost');
  }

  /** Stops all boards; their jobs go back into the queue. */
  shutDown(): void {
    this.closing = true;
    for (const jobId of this.active.keys()) this.stop(jobId, 'shutdown');
  }

  private stop(jobId: string, cause: StopCause): void {
    const run = this.active.get(jobId);
    if (!run) return;
    run.stopped ??= cause;
    run.host.abort();
  }

  /** @returns how the job goes back into the queue; undefined when it does not */
  private async attempt(
    claim: Claim,
    controlFrom: number,
    span: TraceSpan,
  ): Promise<'wait' | { delayMs: number } | undefined> {
    const { jobs, log } = this.services;
    const { jobId } = claim;
    try {
      const stopped = await this.runClaimed(claim, controlFrom, span);
      if (stopped !== 'shutdown') return stopped === 'retry' ? this.retryDelay(claim) : undefined;
      await jobs.release(claim);
      return 'wait';
    } catch (error) {
      if (error instanceof StreamConflictError) {
        log.warn({ jobId }, error.message); // the other worker brings it to its end
        return undefined;
      }
      const reason = `The worker could not run the job: ${error instanceof Error ? error.message : String(error)}`;
      log.error({ jobId, err: error }, 'the worker could not run the job');
      const verdict: Verdict = { outcome: 'infra', reason };
      if (await this.triedAgain(claim, verdict)) return this.retryDelay(claim);
      await this.finish(claim, verdict, NO_RUN);
      return undefined;
    }
  }

  private async runClaimed(
    claim: Claim,
    controlFrom: number,
    span: TraceSpan,
  ): Promise<StopCause | 'retry' | undefined> {
    const { jobId, spec } = claim;
    if (claim.cancelRequested) {
      await this.finish(claim, { outcome: 'cancelled', reason: 'Cancelled before it ran' }, NO_RUN);
      return undefined;
    }
    if (claim.lostWorkers >= MAX_LOST_WORKERS) {
      const reason = `${claim.lostWorkers} workers were lost while they ran this job; it is not tried again`;
      await this.finish(claim, { outcome: 'infra', reason }, NO_RUN);
      return undefined;
    }
    const { logs, jobs, log, blobs, config, threads } = this.services;
    const writer = await this.patiently(() => logs.openWriter(jobId, claim.attempt));
    const task = await this.part('images are fetched', span, () =>
      this.patiently(() => boardTask(claim, config, blobs)),
    );
    const recorder = new FindingsRecorder(jobs, claim, spec, (error) =>
      log.warn({ jobId, err: error }, 'progress was not stored yet'),
    );
    const thread = await threads.lend();
    const startedMs = performance.now();
    const host = new BoardHost(
      { ...task, interpreters: this.services.interpreters },
      {
        console: (spans) => {
          this.services.metrics.printed(spans);
          return writer.append(spans);
        },
        progress: (progress) => recorder.take(progress),
        remark: (line) => log.warn({ jobId }, line),
      },
      thread,
      this.services.translations.connect(),
    );
    const run: ActiveRun = { host, stopped: this.closing ? 'shutdown' : undefined, controlError: undefined };
    this.active.set(jobId, run);
    if (run.stopped) host.abort();
    const controlEnd = new AbortController();
    const control = this.obey(jobId, controlFrom, run, controlEnd.signal);
    let end: BoardEnd | undefined;
    try {
      end = await this.part('board runs', span, () => host.ended);
      const findings = await recorder.close();
      if (run.stopped) return run.stopped;
      if (run.controlError) throw run.controlError;
      await writer.close();
      const { failOn, timeoutNs } = task;
      const verdict = judge(end.report.end, { ...end.report, failOn, timeoutNs });
      span.facts({
        'bootlab.job.outcome': verdict.outcome,
        'bootlab.virtual_ns': end.report.virtualNs,
        'bootlab.instructions': end.report.instructions,
      });
      if (await this.triedAgain(claim, verdict)) return 'retry';
      const left = end;
      const ended = { ...finishedRun(end, findings, claim), wallMs: performance.now() - startedMs };
      await this.part('results are stored', span, async () => {
        await this.finish(claim, verdict, { ...ended, ...(await this.store(claim, left)) });
      });
      return undefined;
    } finally {
      this.active.delete(jobId);
      controlEnd.abort();
      await control;
      // Those that were not stored: the run is done again, or is somebody else's.
      for (const { file } of end?.artifacts ?? []) await rm(file, { force: true });
    }
  }

  /**
   * Puts a job back after an infrastructure error, as often as it may be. Another host, or a quieter hour, may do
   * better; what the guest did would be the same again.
   */
  private async triedAgain(claim: Claim, verdict: Verdict): Promise<boolean> {
    const { outcome, reason } = verdict;
    if (outcome !== 'infra' || claim.infraErrors >= (claim.spec.retries ?? DEFAULT_RETRIES)) return false;
    if (!(await this.patiently(() => this.services.jobs.release(claim, { outcome, reason })))) return false;
    this.services.log.warn({ jobId: claim.jobId, reason }, 'job is tried again');
    this.services.metrics.retried();
    return true;
  }

  private retryDelay = ({ infraErrors }: Claim): { delayMs: number } => ({ delayMs: RETRY_MS * 2 ** infraErrors });

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

  /** Puts artifacts into the blob store, where the project has room for them. */
  private async store(
    claim: Claim,
    { artifacts, missingArtifacts }: LeftArtifacts,
  ): Promise<Required<Pick<FinishedRun, 'artifacts' | 'missingArtifacts'>>> {
    const { blobs, jobs } = this.services;
    const stored: StoredArtifact[] = [];
    const missing = [...missingArtifacts];
    let storedBytes = 0;
    for (const { name, file, sizeBytes, sha256 } of artifacts) {
      const refusal = await this.patiently(() => jobs.refusalOf(claim, storedBytes + sizeBytes));
      if (refusal !== undefined) {
        missing.push({ name, reason: refusal });
        await rm(file, { force: true });
        continue;
      }
      const blobKey = artifactKey(claim.jobId, claim.attempt, name);
      await blobs.putFile(blobKey, file);
      storedBytes += sizeBytes;
      stored.push({ name, contentType: 'application/octet-stream', sizeBytes, sha256, blobKey });
    }
    return { artifacts: stored, missingArtifacts: missing };
  }

  private async finish(claim: Claim, verdict: Verdict, run: FinishedRun): Promise<void> {
    const { jobs, streams, log } = this.services;
    const finished = await this.patiently(() => jobs.finish(claim, verdict, run));
    if (finished) {
      await this.discard(finished.refused);
      log.info(
        { jobId: claim.jobId, outcome: verdict.outcome, reason: verdict.reason, wallMs: run.wallMs },
        'job ended',
      );
      this.services.metrics.ended(verdict.outcome, run);
    } else if (!(await this.hasFinished(claim, verdict))) {
      await this.discard(run.artifacts ?? []);
      return;
    }
    // The log is in the blob store by now; readers find it there.
    await this.patiently(() => streams.delete(consoleStream(claim.jobId)));
    await this.patiently(() => streams.delete(controlStream(claim.jobId)));
  }

  /** Whether this attempt has ended the job although it did not hear so: the database died before it could answer. */
  private async hasFinished({ jobId, attempt }: Claim, { outcome }: Verdict): Promise<boolean> {
    const job = await this.patiently(() => this.services.jobs.get(jobId));
    const run = job?.runs.find((candidate) => candidate.attempt === attempt);
    return job?.state === 'ended' && job.attempts === attempt && run?.outcome === outcome;
  }

  /** Deletes artifacts that no job has. */
  private async discard(artifacts: readonly StoredArtifact[]): Promise<void> {
    for (const { blobKey } of artifacts) {
      await this.services.blobs
        .delete(blobKey)
        .catch((error: unknown) => this.services.log.warn({ blobKey, err: error }, 'an artifact was not deleted'));
    }
  }

  /** What a run came to must not be lost because a service is away for a moment. */
  private patiently<T>(act: () => Promise<T>): Promise<T> {
    return patiently(act, {
      failed: (error) => this.services.log.warn({ err: error }, 'it is tried again'),
      unless: (error) => error instanceof StreamConflictError,
      over: () => this.closing,
    });
  }
}

const NO_RUN: FinishedRun = { virtualNs: 0, instructions: 0, wallMs: 0 };

function finishedRun(
  { report, reported, results }: BoardEnd,
  findings: Awaited<ReturnType<FindingsRecorder['close']>>,
  { spec }: Claim,
): Omit<FinishedRun, 'wallMs'> {
  const { virtualNs, instructions, ramSha256 } = report;
  const run = { virtualNs, instructions, ramSha256, results: [...findings.results, ...results] };
  // Of a board that broke, what it had found out before stands.
  if (!reported) return { ...run, steps: endedSteps(findings.steps), counts: findings.counts };
  const all = placedResults({ ...report, failOn: spec.results?.fail_on });
  return {
    ...run,
    steps: endedSteps(report.steps.map(toJobStep)),
    counts: countCases(all.map(({ result }) => result)),
  };
}
