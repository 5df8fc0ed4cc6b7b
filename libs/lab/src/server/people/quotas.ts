import { formatDuration, formatSize, type Usage } from '../../index.js';
import type { Database } from '../database.js';
import type { Prisma } from '../generated/client.js';

/** A project has used up what it may. `quota` names which of its limits. */
export class QuotaExceededError extends Error {
  override readonly name = 'QuotaExceededError';

  constructor(
    readonly quota: 'cpuSeconds' | 'storageBytes',
    message: string,
  ) {
    super(message);
  }
}

/** What projects use, against what they may. */
export class Quotas {
  constructor(private readonly database: Database) {}

  async usage(projectId: string): Promise<Usage> {
    const [runningBoards, queuedJobs, cpuSeconds, storageBytes] = await Promise.all([
      this.database.job.count({ where: { projectId, state: 'running' } }),
      this.database.job.count({ where: { projectId, state: 'queued' } }),
      cpuSecondsOf(this.database, projectId),
      storageBytesOf(this.database, projectId),
    ]);
    return { runningBoards, queuedJobs, cpuSeconds, storageBytes };
  }

  /**
   * Before a job is taken: whether the project has seconds left for it to run.
   * @throws QuotaExceededError
   */
  async admitJob(projectId: string): Promise<void> {
    const project = await this.database.project.findUniqueOrThrow({ where: { id: projectId } });
    if (project.quotaCpuSeconds === null) return;
    const used = await cpuSecondsOf(this.database, projectId);
    if (used < project.quotaCpuSeconds) return;
    throw new QuotaExceededError(
      'cpuSeconds',
      `Boards of this project ran ${seconds(used)} within the last ${project.quotaPeriodHours} hours; ` +
        `its quota is ${seconds(project.quotaCpuSeconds)}`,
    );
  }

  /**
   * Before bytes are stored: whether they fit.
   * @throws QuotaExceededError
   */
  async admitBytes(projectId: string, sizeBytes: number): Promise<void> {
    await admitBytes(this.database, projectId, sizeBytes);
  }
}

/**
 * As `Quotas.admitBytes`, within a transaction that stores them: until it ends no other one is admitted, so that two
 * uploads at the same time cannot both take the last free byte.
 */
export async function admitBytes(
  tx: Prisma.TransactionClient | Database,
  projectId: string,
  sizeBytes: number,
): Promise<void> {
  const [project] = await tx.$queryRaw<{ quotaStorageBytes: bigint | null }[]>`
    SELECT "quotaStorageBytes" FROM "Project" WHERE "id" = ${projectId}::uuid FOR UPDATE`;
  const quota = project?.quotaStorageBytes ?? null;
  if (quota === null) return;
  const used = await storageBytesOf(tx, projectId);
  if (used + sizeBytes <= Number(quota)) return;
  throw new QuotaExceededError(
    'storageBytes',
    `This project stores ${formatSize(used)}; with ${formatSize(sizeBytes)} more ` +
      `it would pass its quota of ${formatSize(Number(quota))}`,
  );
}

/**
 * Whether another board of the project may start. Within the transaction that starts it: until that ends no other
 * worker is told yes.
 */
export async function boardMayStart(tx: Prisma.TransactionClient, jobId: string): Promise<boolean> {
  const [project] = await tx.$queryRaw<{ id: string; quotaBoards: number | null }[]>`
    SELECT p."id", p."quotaBoards" FROM "Project" p JOIN "Job" j ON j."projectId" = p."id"
    WHERE j."id" = ${jobId}::uuid AND p."quotaBoards" IS NOT NULL FOR UPDATE OF p`;
  if (!project || project.quotaBoards === null) return true;
  const running = await tx.job.count({ where: { projectId: project.id, state: 'running', id: { not: jobId } } });
  return running < project.quotaBoards;
}

/** Boards occupy a core each while they run, so the seconds are those of the clock on the wall. */
async function cpuSecondsOf(database: Database, projectId: string): Promise<number> {
  const [row] = await database.$queryRaw<{ seconds: number }[]>`
    SELECT COALESCE(SUM(
      CASE WHEN j."state" = 'ended' THEN j."wallMs" / 1000.0
           ELSE EXTRACT(EPOCH FROM now() - j."startedAt") END), 0)::float8 AS seconds
    FROM "Job" j JOIN "Project" p ON p."id" = j."projectId"
    WHERE j."projectId" = ${projectId}::uuid AND j."startedAt" IS NOT NULL AND (
      j."state" = 'running' OR j."endedAt" > now() - make_interval(hours => p."quotaPeriodHours"))`;
  return Math.round((row?.seconds ?? 0) * 1000) / 1000;
}

async function storageBytesOf(database: Prisma.TransactionClient | Database, projectId: string): Promise<number> {
  const [row] = await database.$queryRaw<{ bytes: bigint }[]>`
    SELECT (
      (SELECT COALESCE(SUM("sizeBytes"), 0) FROM "Image" WHERE "projectId" = ${projectId}::uuid AND "removedAt" IS NULL) +
      (SELECT COALESCE(SUM(l."sizeBytes"), 0) FROM "LogSegment" l JOIN "Job" j ON j."id" = l."jobId"
       WHERE j."projectId" = ${projectId}::uuid) +
      (SELECT COALESCE(SUM(a."sizeBytes"), 0) FROM "Artifact" a JOIN "Job" j ON j."id" = a."jobId"
       WHERE j."projectId" = ${projectId}::uuid))::bigint AS bytes`;
  return Number(row?.bytes ?? 0);
}

const seconds = (value: number): string => formatDuration(Math.round(value) * 1e9);
