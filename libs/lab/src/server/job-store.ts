import type { Image, Job, JobQuery, JobSpec, JobState, ImageRole, Result, Verdict } from '../index.js';
import type { Database } from './database.js';
import type { Prisma } from './generated/client.js';
import { toImage } from './image-store.js';
import { boardMayStart } from './people/quotas.js';
import { jobTopic } from './topics.js';
import type { LiveStreams } from './streams/live-streams.js';

const include = {
  images: { include: { image: true }, orderBy: { position: 'asc' } },
  results: { orderBy: { position: 'asc' } },
} satisfies Prisma.JobInclude;

type JobRow = Prisma.JobGetPayload<{ include: typeof include }>;

export interface NewJob {
  projectId: string;
  name: string;
  spec: JobSpec;
  consoles: readonly string[];
  images: readonly { role: ImageRole; position: number; imageId: string }[];
}

/** One worker's hold on a job: whatever it writes counts only while nobody claimed the job after it. */
export interface Claim {
  readonly jobId: string;
  readonly attempt: number;
  readonly spec: JobSpec;
  readonly images: Job['images'];
  /** Cancelled before this claim: perhaps while no worker listened. */
  readonly cancelRequested: boolean;
  /** How many workers died while they ran this job. */
  readonly lostWorkers: number;
}

export interface Progress {
  virtualNs: number;
  instructions: number;
}

/** All boards that the job's project may run at the same time are running: the job has to wait. */
export class BoardQuotaError extends Error {
  override readonly name = 'BoardQuotaError';
}

/** The jobs in the database. Every change of state happens here, in one conditional statement each. */
export class JobStore {
  constructor(
    private readonly database: Database,
    private readonly streams: LiveStreams,
  ) {}

  async create(job: NewJob): Promise<Job> {
    const row = await this.database.job.create({
      data: {
        projectId: job.projectId,
        name: job.name,
        spec: job.spec,
        consoles: [...job.consoles],
        images: { create: [...job.images] },
      },
      include,
    });
    return toJob(row);
  }

  async find(projectId: string, jobId: string): Promise<Job | undefined> {
    const row = await this.database.job.findFirst({ where: { id: jobId, projectId }, include });
    return row ? toJob(row) : undefined;
  }

  async get(jobId: string): Promise<Job | undefined> {
    const row = await this.database.job.findUnique({ where: { id: jobId }, include });
    return row ? toJob(row) : undefined;
  }

  /** Newest first. `cursor` is the id of the last job of the page before. */
  async list(projectId: string, query: JobQuery): Promise<{ items: Job[]; nextCursor: string | null }> {
    const rows = await this.database.job.findMany({
      where: {
        projectId,
        ...(query.state && { state: query.state }),
        ...(query.outcome && { outcome: query.outcome }),
      },
      orderBy: [{ createdAt: 'desc' }, { id: 'asc' }],
      take: query.limit + 1,
      ...(query.cursor && { cursor: { id: query.cursor }, skip: 1 }),
      include,
    });
    const items = rows.slice(0, query.limit).map(toJob);
    return { items, nextCursor: rows.length > query.limit ? (items.at(-1)?.id ?? null) : null };
  }

  async state(jobId: string): Promise<JobState | undefined> {
    return (await this.database.job.findUnique({ where: { id: jobId }, select: { state: true } }))?.state;
  }

  /**
   * Takes a job for a worker; undefined when it has ended meanwhile or never was.
   * @throws BoardQuotaError
   */
  async claim(jobId: string, worker: string, firstSeq: number): Promise<Claim | undefined> {
    const claim = await this.database.$transaction(async (tx) => {
      if (!(await boardMayStart(tx, jobId))) throw new BoardQuotaError(`Job ${jobId} waits for a board of its project`);
      const { count } = await tx.job.updateMany({
        where: { id: jobId, state: { not: 'ended' } },
        data: {
          state: 'running',
          startedAt: new Date(),
          attempts: { increment: 1 },
          logFirstSeq: firstSeq,
          virtualNs: 0,
          instructions: 0,
        },
      });
      if (count === 0) return undefined;
      const row = await tx.job.findUniqueOrThrow({ where: { id: jobId }, include });
      const job = toJob(row);
      await tx.machine.updateMany({
        where: { jobId, state: 'running' },
        data: { state: 'lost', endedAt: new Date() },
      });
      const lostWorkers = await tx.machine.count({ where: { jobId, state: 'lost' } });
      await tx.machine.create({ data: { jobId, attempt: row.attempts, board: job.spec.board, worker } });
      return {
        jobId,
        attempt: row.attempts,
        spec: job.spec,
        images: job.images,
        cancelRequested: row.cancelRequestedAt !== null,
        lostWorkers,
      };
    });
    if (claim) await this.streams.announce(jobTopic(jobId));
    return claim;
  }

  async progress(claim: Claim, progress: Progress): Promise<void> {
    const { count } = await this.database.job.updateMany({
      where: { id: claim.jobId, attempts: claim.attempt, state: 'running' },
      data: counters(progress),
    });
    if (count > 0) await this.streams.announce(jobTopic(claim.jobId));
  }

  /** Puts a claimed job back because its worker goes away; another one starts it anew. */
  async release(claim: Claim): Promise<void> {
    await this.database.$transaction([
      this.database.job.updateMany({
        where: { id: claim.jobId, attempts: claim.attempt, state: 'running' },
        data: { state: 'queued', startedAt: null },
      }),
      this.database.machine.updateMany({
        where: { jobId: claim.jobId, attempt: claim.attempt, state: 'running' },
        data: { state: 'ended', endedAt: new Date() },
      }),
    ]);
    await this.streams.announce(jobTopic(claim.jobId));
  }

  /** Ends a job on behalf of the worker that runs it. False when it no longer was that worker's to end. */
  async finish(
    claim: Claim,
    verdict: Verdict,
    run: Progress & { wallMs: number; ramSha256?: string | undefined; results: readonly Result[] },
  ): Promise<boolean> {
    const ended = await this.database.$transaction(async (tx) => {
      const { count } = await tx.job.updateMany({
        where: { id: claim.jobId, attempts: claim.attempt, state: 'running' },
        data: {
          state: 'ended',
          outcome: verdict.outcome,
          reason: verdict.reason,
          endedAt: new Date(),
          ...counters(run),
          wallMs: Math.round(run.wallMs),
        },
      });
      if (count === 0) return false;
      await tx.result.createMany({
        data: run.results.map((result, position) => ({
          ...result,
          jobId: claim.jobId,
          position,
          startNs: bigOrNull(result.startNs),
          durationNs: bigOrNull(result.durationNs),
        })),
      });
      await tx.machine.updateMany({
        where: { jobId: claim.jobId, attempt: claim.attempt },
        data: { state: 'ended', endedAt: new Date(), ...counters(run), ramSha256: run.ramSha256 ?? null },
      });
      return true;
    });
    if (ended) await this.streams.announce(jobTopic(claim.jobId));
    return ended;
  }

  /** Ends a job that no worker runs. False when it had ended already, or is not in one of `states`. */
  async endUnclaimed(jobId: string, verdict: Verdict, states: JobState[] = ['queued', 'running']): Promise<boolean> {
    const { count } = await this.database.job.updateMany({
      where: { id: jobId, state: { in: states } },
      data: { state: 'ended', outcome: verdict.outcome, reason: verdict.reason, endedAt: new Date() },
    });
    if (count === 0) return false;
    await this.database.machine.updateMany({
      where: { jobId, state: 'running' },
      data: { state: 'lost', endedAt: new Date() },
    });
    await this.streams.announce(jobTopic(jobId));
    return true;
  }

  async requestCancel(jobId: string): Promise<void> {
    await this.database.job.updateMany({
      where: { id: jobId, cancelRequestedAt: null },
      data: { cancelRequestedAt: new Date() },
    });
  }

  /** Jobs that have not ended and are older than `ageMs`: what the reconciliation looks after. */
  async unfinished(ageMs: number): Promise<{ id: string; state: JobState }[]> {
    return this.database.job.findMany({
      where: { state: { not: 'ended' }, createdAt: { lt: new Date(Date.now() - ageMs) } },
      select: { id: true, state: true },
      orderBy: { createdAt: 'asc' },
      take: 1000,
    });
  }
}

const counters = ({ virtualNs, instructions }: Progress) => ({
  virtualNs: Math.round(virtualNs),
  instructions: Math.round(instructions),
});

const bigOrNull = (value: number | null): bigint | null => (value === null ? null : BigInt(Math.round(value)));
const numberOrNull = (value: bigint | null): number | null => (value === null ? null : Number(value));

function toJob(row: JobRow): Job {
  const imagesOf = (role: ImageRole): Image[] =>
    row.images.filter((use) => use.role === role).map((use) => toImage(use.image));
  return {
    id: row.id,
    name: row.name,
    state: row.state,
    outcome: row.outcome,
    reason: row.reason,
    spec: row.spec as unknown as JobSpec, // validated by jobSpecSchema before it was stored
    images: {
      kernel: imagesOf('kernel')[0],
      initrd: imagesOf('initrd')[0],
      firmware: imagesOf('firmware')[0],
      drives: imagesOf('drive'),
    },
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    endedAt: row.endedAt?.toISOString() ?? null,
    virtualNs: Number(row.virtualNs),
    instructions: Number(row.instructions),
    wallMs: Number(row.wallMs),
    attempts: row.attempts,
    consoles: row.consoles,
    results: row.results.map((result) => ({
      suite: result.suite,
      name: result.name,
      outcome: result.outcome,
      detail: result.detail,
      startNs: numberOrNull(result.startNs),
      durationNs: numberOrNull(result.durationNs),
    })),
  };
}
