import { randomUUID } from 'node:crypto';
import type {
  ImageRole,
  Job,
  JobQuery,
  JobSpec,
  JobState,
  JobStep,
  MissingArtifact,
  Outcome,
  ResultCounts,
  Variables,
  Verdict,
} from '../index.js';
import { pendingSteps, storable, type PlacedResult } from '../index.js';
import type { Database } from './database.js';
import { Prisma } from './generated/client.js';
import { jobInclude, RESULTS_PER_INSERT, toJob, toResultRow } from './job-rows.js';
import { admitBytes, boardMayStart, QuotaExceededError } from './people/quotas.js';
import { escapeLike } from './like.js';
import { jobTopic, projectTopic, WEBHOOKS_TOPIC } from './topics.js';
import { tellWebhooks } from './webhook-store.js';
import type { LiveStreams } from './streams/live-streams.js';

export interface NewJob {
  projectId: string;
  name: string;
  spec: JobSpec;
  consoles: readonly string[];
  images: readonly { role: ImageRole; position: number; imageId: string }[];
  /** The values of the matrix that made it. */
  combination?: Variables;
}

/** What the jobs of one submission have in common. */
export interface SubmissionFacts {
  /** The job file, where it makes several jobs. */
  group?: { name: string; definition: string };
  /** The client's key, and a digest of what it asked for with it. */
  idempotency?: { key: string; fingerprint: string };
  /** The span of the request that makes them. */
  traceparent?: string | undefined;
}

/** The key of a submission was used before; `fingerprint` tells whether for the same. */
export interface RepeatedSubmission {
  readonly repeated: { fingerprint: string; jobIds: string[] };
}

/** One worker's hold on a job: whatever it writes counts only while nobody claimed the job after it. */
export interface Claim {
  readonly jobId: string;
  readonly projectId: string;
  readonly attempt: number;
  readonly spec: JobSpec;
  readonly images: Job['images'];
  /** Files that steps copy into the guest, by the position of the step. */
  readonly uploads: ReadonlyMap<number, { sha256: string }>;
  /** Cancelled before this claim: perhaps while no worker listened. */
  readonly cancelRequested: boolean;
  /** How many workers died while they ran this job. */
  readonly lostWorkers: number;
  /** How many attempts ended with an infrastructure error. */
  readonly infraErrors: number;
  /** The span of the request that submitted it. */
  readonly traceparent: string | null;
  readonly createdAt: Date;
}

export interface Progress {
  virtualNs: number;
  instructions: number;
}

/** What a run has found out since its last report. */
export interface Findings {
  steps?: readonly JobStep[] | undefined;
  /** Of all results so far. */
  counts?: ResultCounts | undefined;
  /** New ones; storing one again changes nothing. */
  results?: readonly PlacedResult[];
}

export interface StoredArtifact {
  name: string;
  contentType: string;
  sizeBytes: number;
  sha256: string;
  blobKey: string;
}

export interface FinishedRun extends Progress, Findings {
  wallMs: number;
  ramSha256?: string | undefined;
  /** What the worker has put into the blob store. */
  artifacts?: readonly StoredArtifact[];
  missingArtifacts?: readonly MissingArtifact[];
}

/** What became of the artifacts of a job that was ended: those that no row names are to be deleted. */
export interface FinishedJob {
  readonly refused: readonly StoredArtifact[];
}

/** All boards that the job's project may run at the same time are running: the job has to wait. */
export class BoardQuotaError extends Error {
  override readonly name = 'BoardQuotaError';
}

const UNIQUE_VIOLATION = 'P2002';
// A repetition comes after a lost answer, not after days.
const IDEMPOTENCY_MS = 24 * 3_600_000;

/** The jobs in the database. Every change of state happens here, in one conditional statement each. */
export class JobStore {
  constructor(
    private readonly database: Database,
    private readonly streams: LiveStreams,
  ) {}

  async create(job: NewJob): Promise<Job> {
    const made = await this.createAll(job.projectId, [job]);
    const created = 'repeated' in made ? undefined : await this.get(made.jobIds[0] ?? '');
    if (!created) throw new Error('A job that was just made is gone');
    return created;
  }

  /** Makes the jobs of one submission: all, or none when its key was used before. */
  async createAll(
    projectId: string,
    jobs: readonly NewJob[],
    { group, idempotency, traceparent }: SubmissionFacts = {},
  ): Promise<{ jobIds: string[] } | RepeatedSubmission> {
    const jobIds = jobs.map(() => randomUUID());
    const groupId = group ? randomUUID() : null;
    const idOf = (index: number): string => jobIds[index] ?? '';
    // Stands in the list of jobs in the order of the matrix, whatever the clock's resolution.
    const createdMs = Date.now();
    const rows = jobs.map((job, index) => ({
      id: idOf(index),
      projectId,
      name: job.name,
      spec: job.spec,
      board: job.spec.board,
      groupId,
      groupPosition: index,
      combination: job.combination ?? {},
      consoles: [...job.consoles],
      steps: pendingSteps(job.spec),
      traceparent: traceparent ?? null,
      createdAt: new Date(createdMs + index),
    }));
    const images = jobs.flatMap((job, index) => job.images.map((use) => ({ ...use, jobId: idOf(index) })));
    try {
      await this.database.$transaction([
        ...(idempotency
          ? [
              this.database.idempotencyKey.deleteMany({
                where: { createdAt: { lt: new Date(Date.now() - IDEMPOTENCY_MS) } },
              }),
              this.database.idempotencyKey.create({ data: { projectId, ...idempotency, jobIds } }),
            ]
          : []),
        ...(group && groupId ? [this.database.jobGroup.create({ data: { id: groupId, projectId, ...group } })] : []),
        this.database.job.createMany({ data: rows }),
        this.database.jobImage.createMany({ data: images }),
      ]);
    } catch (error) {
      const repeated = idempotency && isUniqueViolation(error) && (await this.submitted(projectId, idempotency.key));
      if (!repeated) throw error;
      return { repeated };
    }
    await this.streams.announce(projectTopic(projectId));
    return { jobIds };
  }

  /** What an Idempotency-Key was used for. */
  async submitted(projectId: string, key: string): Promise<RepeatedSubmission['repeated'] | undefined> {
    const row = await this.database.idempotencyKey.findUnique({ where: { projectId_key: { projectId, key } } });
    return row ? { fingerprint: row.fingerprint, jobIds: row.jobIds } : undefined;
  }

  async find(projectId: string, jobId: string): Promise<Job | undefined> {
    const row = await this.database.job.findFirst({ where: { id: jobId, projectId }, include: jobInclude });
    return row ? toJob(row) : undefined;
  }

  async get(jobId: string): Promise<Job | undefined> {
    const row = await this.database.job.findUnique({ where: { id: jobId }, include: jobInclude });
    return row ? toJob(row) : undefined;
  }

  /** Newest first. `cursor` is the id of the last job of the page before. */
  async list(projectId: string, query: JobQuery): Promise<{ items: Job[]; nextCursor: string | null }> {
    const rows = await this.database.job.findMany({
      where: {
        projectId,
        ...(query.state && { state: query.state }),
        ...(query.outcome && { outcome: query.outcome }),
        ...(query.board && { board: query.board }),
        ...(query.group && { groupId: query.group }),
        ...(query.name && { name: { contains: escapeLike(query.name), mode: 'insensitive' } }),
      },
      orderBy: [{ createdAt: 'desc' }, { id: 'asc' }],
      take: query.limit + 1,
      ...(query.cursor && { cursor: { id: query.cursor }, skip: 1 }),
      include: jobInclude,
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
    const claim = await this.database.$transaction(async (tx): Promise<Claim | undefined> => {
      if (!(await boardMayStart(tx, jobId))) throw new BoardQuotaError(`Job ${jobId} waits for a board of its project`);
      const { count } = await tx.job.updateMany({
        where: { id: jobId, state: { not: 'ended' } },
        data: {
          state: 'running',
          startedAt: new Date(),
          attempts: { increment: 1 },
          logFirstSeq: firstSeq,
          ...NOTHING_FOUND,
        },
      });
      if (count === 0) return undefined;
      const row = await tx.job.findUniqueOrThrow({ where: { id: jobId }, include: jobInclude });
      const job = toJob(row);
      await tx.job.update({ where: { id: jobId }, data: { steps: pendingSteps(job.spec) } });
      await tx.result.deleteMany({ where: { jobId } });
      await tx.machine.updateMany({
        where: { jobId, state: 'running' },
        data: { state: 'lost', endedAt: new Date(), reason: 'Its worker was lost' },
      });
      const lostWorkers = await tx.machine.count({ where: { jobId, state: 'lost' } });
      await tx.machine.create({ data: { jobId, attempt: row.attempts, board: job.spec.board, worker } });
      if (row.attempts === 1) await tellWebhooks(tx, jobId, 'job.started');
      const uploads = row.images.filter(({ role }) => role === 'upload');
      return {
        jobId,
        projectId: row.projectId,
        attempt: row.attempts,
        spec: job.spec,
        images: job.images,
        uploads: new Map(uploads.map(({ position, image }) => [position, { sha256: image.sha256 }])),
        cancelRequested: row.cancelRequestedAt !== null,
        lostWorkers,
        infraErrors: row.machines.filter(({ outcome }) => outcome === 'infra').length,
        traceparent: row.traceparent,
        createdAt: row.createdAt,
      };
    });
    if (claim) await this.changed(claim);
    return claim;
  }

  /** Stores what a run has found out so far. False when the job no longer is this worker's. */
  async record(claim: Claim, progress: Progress & Findings): Promise<boolean> {
    const held = await this.database.$transaction(async (tx) => {
      const { count } = await tx.job.updateMany({
        where: { id: claim.jobId, attempts: claim.attempt, state: 'running' },
        data: { ...counters(progress), ...found(progress) },
      });
      if (count > 0) await storeResults(tx, claim.jobId, progress.results);
      return count > 0;
    });
    if (held) await this.changed(claim);
    return held;
  }

  /**
   * Puts a claimed job back: because its worker goes away, or because of an infrastructure error, after which it is
   * tried again. False when the job no longer was this worker's.
   */
  async release(claim: Claim, because?: { outcome: Outcome; reason: string }): Promise<boolean> {
    const [{ count }] = await this.database.$transaction([
      this.database.job.updateMany({
        where: { id: claim.jobId, attempts: claim.attempt, state: 'running' },
        data: { state: 'queued', startedAt: null, steps: pendingSteps(claim.spec), ...NOTHING_FOUND },
      }),
      this.database.machine.updateMany({
        where: { jobId: claim.jobId, attempt: claim.attempt, state: 'running' },
        data: {
          state: 'ended',
          endedAt: new Date(),
          outcome: because?.outcome ?? null,
          reason: because ? storable(because.reason) : 'Its worker went away and handed the job back',
        },
      }),
    ]);
    if (count > 0) await this.changed(claim);
    return count > 0;
  }

  /** Why a job's project has no room for so many bytes more; undefined when it has. */
  async refusalOf({ projectId }: Claim, sizeBytes: number): Promise<string | undefined> {
    try {
      await admitBytes(this.database, projectId, sizeBytes);
      return undefined;
    } catch (error) {
      if (error instanceof QuotaExceededError) return error.message;
      throw error;
    }
  }

  /**
   * Ends a job on behalf of the worker that runs it; artifacts for which its project has no storage left are refused.
   * @returns undefined when the job no longer was that worker's to end
   */
  async finish(claim: Claim, verdict: Verdict, run: FinishedRun): Promise<FinishedJob | undefined> {
    const endedAt = new Date();
    const finished = await this.database.$transaction(async (tx): Promise<FinishedJob | undefined> => {
      const { count } = await tx.job.updateMany({
        where: { id: claim.jobId, attempts: claim.attempt, state: 'running' },
        data: {
          state: 'ended',
          ...judged(verdict),
          endedAt,
          ...counters(run),
          ...found(run),
          wallMs: Math.round(run.wallMs),
        },
      });
      if (count === 0) return undefined;
      await storeResults(tx, claim.jobId, run.results);
      const refused = await storeArtifacts(tx, claim, run);
      await tx.machine.updateMany({
        where: { jobId: claim.jobId, attempt: claim.attempt },
        data: {
          state: 'ended',
          endedAt,
          ...counters(run),
          ramSha256: run.ramSha256 ?? null,
          outcome: verdict.outcome,
          reason: storable(verdict.reason),
        },
      });
      await tellWebhooks(tx, claim.jobId, 'job.ended');
      return { refused };
    });
    if (finished) await this.changed(claim);
    return finished;
  }

  /** Ends a job that no worker runs. False when it had ended already, or is not in one of `states`. */
  async endUnclaimed(jobId: string, verdict: Verdict, states: JobState[] = ['queued', 'running']): Promise<boolean> {
    const endedAt = new Date();
    const row = await this.database.$transaction(async (tx) => {
      const [ended] = await tx.job.updateManyAndReturn({
        where: { id: jobId, state: { in: states } },
        data: { state: 'ended', ...judged(verdict), endedAt },
        select: { projectId: true },
      });
      if (!ended) return undefined;
      await tx.machine.updateMany({ where: { jobId, state: 'running' }, data: { state: 'lost', endedAt } });
      await tellWebhooks(tx, jobId, 'job.ended');
      return ended;
    });
    if (!row) return false;
    await this.changed({ jobId, projectId: row.projectId });
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

  /** How many jobs wait and run now. */
  async countUnfinished(): Promise<Record<'queued' | 'running', number>> {
    const rows = await this.database.job.groupBy({ by: ['state'], where: { state: { not: 'ended' } }, _count: true });
    const counts = { queued: 0, running: 0 };
    for (const { state, _count } of rows) if (state !== 'ended') counts[state] = _count;
    return counts;
  }

  private async changed({ jobId, projectId }: Pick<Claim, 'jobId' | 'projectId'>): Promise<void> {
    await this.streams.announce(jobTopic(jobId));
    await this.streams.announce(projectTopic(projectId));
    await this.streams.announce(WEBHOOKS_TOPIC);
  }
}

async function storeResults(
  tx: Prisma.TransactionClient,
  jobId: string,
  results: readonly PlacedResult[] = [],
): Promise<void> {
  for (let first = 0; first < results.length; first += RESULTS_PER_INSERT) {
    const portion = results.slice(first, first + RESULTS_PER_INSERT);
    await tx.result.createMany({ data: portion.map((placed) => toResultRow(jobId, placed)), skipDuplicates: true });
  }
}

/** @returns those that the project has no room for; the job says so */
async function storeArtifacts(
  tx: Prisma.TransactionClient,
  { jobId, projectId }: Claim,
  { artifacts = [], missingArtifacts = [] }: FinishedRun,
): Promise<StoredArtifact[]> {
  const missing = [...missingArtifacts];
  const refused: StoredArtifact[] = [];
  for (const artifact of artifacts) {
    try {
      await admitBytes(tx, projectId, artifact.sizeBytes);
      await tx.artifact.create({ data: { ...artifact, jobId } });
    } catch (error) {
      if (!(error instanceof QuotaExceededError)) throw error;
      refused.push(artifact);
      missing.push({ name: artifact.name, reason: error.message });
    }
  }
  if (missing.length > 0) await tx.job.update({ where: { id: jobId }, data: { missingArtifacts: missing } });
  return refused;
}

/** What a new attempt begins with. */
const NOTHING_FOUND = {
  virtualNs: 0,
  instructions: 0,
  passCount: 0,
  failCount: 0,
  skipCount: 0,
  errorCount: 0,
};

const found = ({ steps, counts }: Findings) => ({
  ...(steps && { steps: [...steps] }),
  ...(counts && {
    passCount: counts.pass,
    failCount: counts.fail,
    skipCount: counts.skip,
    errorCount: counts.error,
  }),
});

const judged = ({ outcome, reason, lines, console }: Verdict) => ({
  outcome,
  reason: storable(reason),
  ...(lines &&
    console !== undefined && { evidenceConsole: console, evidenceFirst: lines.first, evidenceLast: lines.last }),
});

const counters = ({ virtualNs, instructions }: Progress) => ({
  virtualNs: Math.round(virtualNs),
  instructions: Math.round(instructions),
});

const isUniqueViolation = (error: unknown): boolean =>
  error instanceof Prisma.PrismaClientKnownRequestError && error.code === UNIQUE_VIOLATION;
