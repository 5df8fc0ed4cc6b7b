import type {
  BuildMatrix,
  GroupPage,
  HistoryPage,
  HistoryQuery,
  JobBrief,
  JobGroup,
  MatrixQuery,
  Result,
  ResultsQuery,
} from '../index.js';
import type { Database } from './database.js';
import { briefSelect, fromResultRow, jobInclude, toBrief, toJob } from './job-rows.js';
import { escapeLike } from './like.js';

const MAX_CHANGES = 200;

/** What jobs found out, read in many ways. Everything here is within one project. */
export class ResultStore {
  constructor(private readonly database: Database) {}

  /** A page of a job's results, in the order of the run. */
  async page(
    jobId: string,
    { outcome, cursor, limit }: Pick<ResultsQuery, 'outcome' | 'cursor' | 'limit'>,
  ): Promise<{ items: Result[]; nextCursor: string | null }> {
    const rows = await this.database.result.findMany({
      where: { jobId, ...(outcome && { outcome }), ...(cursor !== undefined && { position: { gte: cursor } }) },
      orderBy: { position: 'asc' },
      take: limit + 1,
    });
    const next = rows[limit];
    return { items: rows.slice(0, limit).map(fromResultRow), nextCursor: next ? String(next.position) : null };
  }

  /** All results of a job. */
  async all(jobId: string): Promise<Result[]> {
    const rows = await this.database.result.findMany({ where: { jobId }, orderBy: { position: 'asc' } });
    return rows.map(fromResultRow);
  }

  async brief(projectId: string, jobId: string): Promise<JobBrief | undefined> {
    const row = await this.database.job.findFirst({ where: { id: jobId, projectId }, select: briefSelect });
    return row ? toBrief(row) : undefined;
  }

  /** Jobs that changed after a point in time, in the order of their changes; the newest two hundred at most. */
  async changedSince(projectId: string, since: Date): Promise<(JobBrief & { updatedAt: Date })[]> {
    const rows = await this.database.job.findMany({
      where: { projectId, updatedAt: { gt: since } },
      select: { ...briefSelect, updatedAt: true },
      orderBy: { updatedAt: 'desc' },
      take: MAX_CHANGES,
    });
    return rows.reverse().map((row) => ({ ...toBrief(row), updatedAt: row.updatedAt }));
  }

  /** One test case through the jobs of a project, newest job first. */
  async history(projectId: string, query: HistoryQuery): Promise<HistoryPage> {
    const rows = await this.database.result.findMany({
      where: {
        name: query.name,
        suite: query.suite,
        job: {
          projectId,
          ...(query.board !== undefined && { board: query.board }),
          ...(query.job !== undefined && { name: query.job }),
        },
      },
      orderBy: [{ job: { createdAt: 'desc' } }, { id: 'asc' }],
      take: query.limit + 1,
      ...(query.cursor && { cursor: { id: query.cursor }, skip: 1 }),
      include: { job: { select: briefSelect } },
    });
    const items = rows.slice(0, query.limit);
    return {
      items: items.map((row) => ({ job: toBrief(row.job), result: fromResultRow(row) })),
      nextCursor: rows.length > query.limit ? (items.at(-1)?.id ?? null) : null,
    };
  }

  /** The newest job of each build on each board and CPU. */
  async matrix(projectId: string, { builds, name }: MatrixQuery): Promise<BuildMatrix> {
    const like = name === undefined ? '%' : `%${escapeLike(name)}%`;
    // What is booted: the kernel, or without one the firmware.
    const newest = await this.database.$queryRaw<{ imageId: string; jobId: string }[]>`
      WITH booted AS (
        SELECT DISTINCT ON (j."id") j."id" AS "jobId", u."imageId", j."board", j."spec" ->> 'cpu' AS cpu, j."createdAt"
        FROM "Job" j JOIN "JobImage" u ON u."jobId" = j."id" AND u."role" IN ('kernel', 'firmware')
        WHERE j."projectId" = ${projectId}::uuid AND j."name" ILIKE ${like}
        ORDER BY j."id", u."role"
      ), recent AS (
        SELECT "imageId", max("createdAt") AS latest FROM booted GROUP BY "imageId" ORDER BY latest DESC LIMIT ${builds}
      )
      SELECT DISTINCT ON (r.latest, b."imageId", b."board", b.cpu) b."imageId"::text, b."jobId"::text
      FROM booted b JOIN recent r USING ("imageId")
      ORDER BY r.latest DESC, b."imageId", b."board", b.cpu, b."createdAt" DESC`;
    const [jobs, images] = await Promise.all([
      this.database.job.findMany({ where: { id: { in: newest.map(({ jobId }) => jobId) } }, select: briefSelect }),
      this.database.image.findMany({
        where: { id: { in: newest.map(({ imageId }) => imageId) } },
        select: { id: true, name: true, sha256: true },
      }),
    ]);
    const jobOf = new Map(jobs.map((row) => [row.id, toBrief(row)]));
    const imageOf = new Map(images.map((row) => [row.id, row]));
    return toMatrix(
      newest.flatMap(({ imageId, jobId }) => {
        const [image, job] = [imageOf.get(imageId), jobOf.get(jobId)];
        return image && job ? [{ image, job }] : [];
      }),
    );
  }

  async group(projectId: string, groupId: string): Promise<JobGroup | undefined> {
    const row = await this.database.jobGroup.findFirst({
      where: { id: groupId, projectId },
      include: { jobs: { include: jobInclude, orderBy: { groupPosition: 'asc' } } },
    });
    if (!row) return undefined;
    const { id, name, definition, createdAt, jobs } = row;
    return { id, name, definition, createdAt: createdAt.toISOString(), jobs: jobs.map(toJob) };
  }

  /** Newest first. */
  async groups(projectId: string, query: { cursor?: string | undefined; limit: number }): Promise<GroupPage> {
    const rows = await this.database.jobGroup.findMany({
      where: { projectId },
      orderBy: [{ createdAt: 'desc' }, { id: 'asc' }],
      take: query.limit + 1,
      ...(query.cursor && { cursor: { id: query.cursor }, skip: 1 }),
      include: { jobs: { select: briefSelect, orderBy: { groupPosition: 'asc' } } },
    });
    const items = rows.slice(0, query.limit);
    return {
      items: items.map(({ id, name, createdAt, jobs }) => ({
        id,
        name,
        createdAt: createdAt.toISOString(),
        jobs: jobs.map(toBrief),
      })),
      nextCursor: rows.length > query.limit ? (items.at(-1)?.id ?? null) : null,
    };
  }
}

/** Rows in the order given, columns by board and CPU. */
function toMatrix(cells: readonly { image: BuildMatrix['rows'][number]['image']; job: JobBrief }[]): BuildMatrix {
  const keyOf = ({ board, cpu }: Pick<JobBrief, 'board' | 'cpu'>): string => JSON.stringify([board, cpu ?? '']);
  const columns = [...new Map(cells.map(({ job: { board, cpu } }) => [keyOf({ board, cpu }), { board, cpu }]))]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, column]) => column);
  const rows = new Map<string, BuildMatrix['rows'][number]>();
  for (const { image, job } of cells) {
    const row = rows.get(image.id) ?? { image, cells: columns.map(() => null) };
    rows.set(image.id, row);
    row.cells[columns.findIndex((column) => keyOf(column) === keyOf(job))] = job;
  }
  return { columns, rows: [...rows.values()] };
}
