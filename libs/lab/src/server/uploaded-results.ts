import type { Result, ResultCounts } from '../index.js';
import type { Database } from './database.js';
import { RESULTS_PER_INSERT, storedResult } from './job-rows.js';
import type { LiveStreams } from './streams/live-streams.js';
import { jobTopic, projectTopic } from './topics.js';

/** Rows that one job may have, its own and uploaded ones: they are read at once by comparisons and exports. */
const MAX_RESULTS = 200_000;

/** Results of a job that were found out elsewhere: they change its counts, and never its outcome. */
export class UploadedResults {
  constructor(
    private readonly database: Database,
    private readonly streams: LiveStreams,
  ) {}

  /**
   * Adds results behind those that the job has.
   * @returns what the job's results then are; or why not: a run that goes on numbers its results itself
   */
  async add(
    job: { id: string; projectId: string },
    results: readonly Result[],
  ): Promise<ResultCounts | 'not-ended' | 'too-many'> {
    const added = await this.database.$transaction(async (tx) => {
      // One upload after the other: each takes the places behind the last.
      const [row] = await tx.$queryRaw<{ state: string }[]>`
        SELECT "state"::text FROM "Job" WHERE "id" = ${job.id}::uuid FOR UPDATE`;
      if (row?.state !== 'ended') return 'not-ended';
      const { _max: max, _count: count } = await tx.result.aggregate({
        where: { jobId: job.id },
        _max: { position: true },
        _count: true,
      });
      if (count + results.length > MAX_RESULTS) return 'too-many';
      const first = (max.position ?? -1) + 1;
      const rows = results.map((result, index) => storedResult(job.id, first + index, result));
      for (let from = 0; from < rows.length; from += RESULTS_PER_INSERT) {
        await tx.result.createMany({ data: rows.slice(from, from + RESULTS_PER_INSERT) });
      }
      const number = (outcome: Result['outcome']) => results.filter((each) => each.outcome === outcome).length;
      const { passCount, failCount, skipCount, errorCount } = await tx.job.update({
        where: { id: job.id },
        data: {
          passCount: { increment: number('pass') },
          failCount: { increment: number('fail') },
          skipCount: { increment: number('skip') },
          errorCount: { increment: number('error') },
        },
      });
      return { pass: passCount, fail: failCount, skip: skipCount, error: errorCount };
    });
    if (typeof added === 'object') {
      await this.streams.announce(jobTopic(job.id));
      await this.streams.announce(projectTopic(job.projectId));
    }
    return added;
  }
}
