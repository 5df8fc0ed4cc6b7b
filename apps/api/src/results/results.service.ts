import { Injectable } from '@nestjs/common';
import {
  compareResults,
  ConsoleText,
  fromResult,
  junitXml,
  resultsJson,
  tap,
  type BuildMatrix,
  type Comparison,
  type ExportFormat,
  type GroupPage,
  type HistoryPage,
  type HistoryQuery,
  type Job,
  type JobBrief,
  type JobGroup,
  type JobReport,
  type LogLine,
  type LogLines,
  type LogLinesQuery,
  type MatrixQuery,
  type ResultPage,
  ResultUploadError,
  uploadedResults,
  type ResultUpload,
  type ResultUploadQuery,
  type ResultsQuery,
} from '@bootlab/lab';
import { ConsoleLogs, ResultStore, UploadedResults, type Principal } from '@bootlab/lab/server';
import { JobsService, isUuid } from '../jobs/jobs.service.js';
import { invalidField, notFound } from '../problem/problem.js';
import { RESULT_TYPES } from './result-types.js';

const EXPORTS: Readonly<
  Record<ExportFormat, { write: (reports: readonly JobReport[]) => string; contentType: string }>
> = {
  junit: { write: junitXml, contentType: 'application/xml; charset=utf-8' },
  tap: { write: tap, contentType: 'text/plain; charset=utf-8' },
  json: { write: resultsJson, contentType: 'application/json; charset=utf-8' },
};

/** What jobs found out: pages of it, exports, comparisons, histories, and the lines that prove it. */
@Injectable()
export class ResultsService {
  constructor(
    private readonly jobs: JobsService,
    private readonly results: ResultStore,
    private readonly uploads: UploadedResults,
    private readonly logs: ConsoleLogs,
  ) {}

  async page(principal: Principal, jobId: string, query: ResultsQuery): Promise<ResultPage> {
    const { id, counts } = await this.jobs.get(principal, jobId);
    return { counts, ...(await this.results.page(id, query)) };
  }

  /** @param body the document as text; anything else is none. @throws ProblemError 400, 404, 409, 413, 415 */
  async upload(
    { projectId, ...principal }: Principal,
    jobId: string,
    { suite }: ResultUploadQuery,
    body: unknown,
  ): Promise<ResultUpload> {
    const { id } = await this.jobs.get({ projectId, ...principal }, jobId);
    if (typeof body !== 'string') {
      throw invalidField('content-type', 'Results are uploaded as XML', `Send JUnit XML as ${RESULT_TYPES[0]}.`, 415);
    }
    const results = readUpload(body, suite);
    const counts = await this.uploads.add({ id, projectId }, results);
    if (counts === 'not-ended') {
      throw invalidField('id', 'The job has not ended', 'Wait for its end, with ?wait=60s on the job.', 409);
    }
    if (counts === 'too-many') {
      throw invalidField('body', 'The job has too many results', 'Upload fewer, or to a job of their own.', 413);
    }
    return { added: results.length, counts };
  }

  async exported(principal: Principal, jobId: string, format: ExportFormat) {
    return this.export([await this.jobs.get(principal, jobId)], format);
  }

  async exportedGroup(principal: Principal, groupId: string, format: ExportFormat) {
    return this.export((await this.group(principal, groupId)).jobs, format);
  }

  async compare(principal: Principal, base: string, head: string): Promise<Comparison> {
    // One after the other: which of two that are missing is named must not depend on the time they take.
    const before = await this.brief(principal, 'base', base);
    const after = await this.brief(principal, 'head', head);
    const [old, recent] = await Promise.all([this.results.all(base), this.results.all(head)]);
    return { base: before, head: after, ...compareResults(old, recent) };
  }

  history(principal: Principal, query: HistoryQuery): Promise<HistoryPage> {
    return this.results.history(principal.projectId, query);
  }

  matrix(principal: Principal, query: MatrixQuery): Promise<BuildMatrix> {
    return this.results.matrix(principal.projectId, query);
  }

  groups(principal: Principal, query: { cursor?: string | undefined; limit: number }): Promise<GroupPage> {
    return this.results.groups(principal.projectId, query);
  }

  async group(principal: Principal, groupId: string): Promise<JobGroup> {
    const group = isUuid(groupId) ? await this.results.group(principal.projectId, groupId) : undefined;
    if (!group) throw notFound(`group "${groupId}"`);
    return group;
  }

  /** Lines of a console, as results and reasons name them. */
  async lines(principal: Principal, jobId: string, query: LogLinesQuery): Promise<LogLines> {
    const job = await this.jobs.get(principal, jobId);
    const console = query.console ?? job.consoles[0] ?? '';
    if (!job.consoles.includes(console)) {
      throw invalidField(
        'console',
        `This board has no console "${console}"`,
        `Use one of: ${job.consoles.join(', ')}.`,
      );
    }
    return { console, lines: await this.readLines(job, console, query) };
  }

  private async readLines(job: Job, console: string, { first, limit }: LogLinesQuery): Promise<LogLine[]> {
    const lines: LogLine[] = [];
    const text = new ConsoleText({
      plain: () => undefined,
      user: () => undefined,
      userLine: () => undefined,
      logLine: ({ line, tNs, text: words }) => {
        if (line >= first && lines.length < limit) lines.push({ line, t: tNs, text: words });
      },
    });
    for (let position = 0; lines.length < limit;) {
      const chunks = await this.logs.read(job.id, position);
      const last = chunks.at(-1);
      if (!last) break;
      for (const { uart, data, t } of chunks) if (uart === console) text.feed(Buffer.from(data, 'base64'), t);
      position = last.seq + 1;
    }
    if (job.state === 'ended') text.end();
    return lines;
  }

  private async brief(principal: Principal, field: string, jobId: string): Promise<JobBrief> {
    const job = await this.results.brief(principal.projectId, jobId);
    if (job) return job;
    throw invalidField(field, `There is no job "${jobId}"`, 'Name a job of this project.', 404);
  }

  private async export(jobs: readonly Job[], format: ExportFormat): Promise<{ contentType: string; text: string }> {
    const reports: JobReport[] = [];
    for (const job of jobs) reports.push(await this.report(job));
    const { write, contentType } = EXPORTS[format];
    return { contentType, text: write(reports) };
  }

  /** A job that has not ended is no good one in any export: nobody knows yet. */
  private async report({
    id,
    name,
    spec,
    outcome,
    reason,
    evidence,
    virtualNs,
    instructions,
  }: Job): Promise<JobReport> {
    return {
      name,
      board: spec.board,
      verdict: {
        outcome: outcome ?? 'infra',
        reason: reason ?? 'The job has not ended yet',
        ...(evidence && { lines: { first: evidence.first, last: evidence.last }, console: evidence.console }),
      },
      results: (await this.results.all(id)).map(fromResult),
      virtualNs,
      instructions,
    };
  }
}

function readUpload(document: string, suite: string) {
  try {
    return uploadedResults(document, suite);
  } catch (error) {
    if (error instanceof ResultUploadError) throw invalidField('body', error.message, error.mend);
    throw error;
  }
}
