import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import type { ConsoleChunk, Job, LogQuery } from '@bootlab/lab';
import { ConsoleLogs, JobStore } from '@bootlab/lab/server';

/** Console logs as HTTP bodies. */
@Injectable()
export class JobLogService {
  constructor(
    private readonly logs: ConsoleLogs,
    private readonly jobs: JobStore,
  ) {}

  open(job: Job, query: LogQuery): { contentType: string; body: Readable } {
    const abort = new AbortController();
    const body = Readable.from(this.render(job, query, abort.signal), { objectMode: false });
    body.once('close', () => abort.abort()); // the client may leave while we wait for the guest
    const contentType = query.format === 'jsonl' ? 'application/x-ndjson' : 'application/octet-stream';
    return { contentType, body };
  }

  private async *render(job: Job, query: LogQuery, signal: AbortSignal): AsyncGenerator<Buffer, void> {
    let left = query.limit ?? Infinity;
    for await (const chunks of this.portions(job.id, query, signal)) {
      const wanted = chunks.filter(({ uart }) => query.uart === undefined || uart === query.uart).slice(0, left);
      left -= wanted.length;
      if (wanted.length > 0) yield query.format === 'jsonl' ? jsonLines(wanted) : plainBytes(wanted);
      if (left <= 0) return;
    }
  }

  private async *portions(
    jobId: string,
    query: LogQuery,
    signal: AbortSignal,
  ): AsyncGenerator<readonly ConsoleChunk[], void> {
    if (query.follow === '1' || query.follow === 'true' || query.follow === '') {
      for await (const event of this.logs.watch(jobId, query.from, this.jobs, signal)) {
        if (event.kind === 'chunks') yield event.chunks;
      }
      return;
    }
    let position = query.from;
    for (;;) {
      const chunks = await this.logs.read(jobId, position);
      const last = chunks.at(-1);
      if (!last) return;
      yield chunks;
      position = last.seq + 1;
    }
  }
}

const jsonLines = (chunks: readonly ConsoleChunk[]): Buffer =>
  Buffer.from(chunks.map((chunk) => `${JSON.stringify(chunk)}\n`).join(''));

const plainBytes = (chunks: readonly ConsoleChunk[]): Buffer =>
  Buffer.concat(chunks.map(({ data }) => Buffer.from(data, 'base64')));
