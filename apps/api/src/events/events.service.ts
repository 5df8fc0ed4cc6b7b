import { Inject, Injectable } from '@nestjs/common';
import {
  JobStore,
  jobTopic,
  projectTopic,
  ResultStore,
  Waker,
  type LiveStreams,
  type Principal,
} from '@bootlab/lab/server';
import { STREAMS } from '../lab.module.js';

/** Longest silence on a stream of events: proxies give up connections that say nothing. */
const HEARTBEAT_MS = 15_000;
/** Least time between two looks at a project: a hundred running boards must not ask the database a hundred times. */
const LOOK_MS = 250;
/** Transactions become visible later than the time they carry; so far back is looked again. */
const OVERLAP_MS = 5000;

/** Streams of events in the words of server-sent events (HTML Standard, 9.2). */
@Injectable()
export class EventsService {
  constructor(
    private readonly jobs: JobStore,
    private readonly results: ResultStore,
    @Inject(STREAMS) private readonly streams: LiveStreams,
  ) {}

  /** A job, now and at every change, until it has ended. */
  async *job(jobId: string, signal: AbortSignal): AsyncGenerator<string, void> {
    const waker = new Waker(this.streams, [jobTopic(jobId)], signal);
    const beat = new Heartbeat();
    let shown = '';
    try {
      while (!signal.aborted) {
        const job = await this.jobs.get(jobId);
        if (!job) return;
        const data = JSON.stringify(job);
        if (data !== shown) yield message('job', data, job.updatedAt);
        shown = data;
        if (job.state === 'ended') {
          yield message('end', '{}');
          return;
        }
        await waker.wait();
        yield* beat.due();
      }
    } finally {
      waker.close();
    }
  }

  /**
   * Every job of the project that is made or changes, from `since` on.
   * @param since id of the last event that the client has seen
   */
  async *project({ projectId }: Principal, since: Date, signal: AbortSignal): AsyncGenerator<string, void> {
    const waker = new Waker(this.streams, [projectTopic(projectId)], signal);
    const beat = new Heartbeat();
    const seen = new Map<string, string>();
    let from = since;
    try {
      yield ': listening\n\n';
      while (!signal.aborted) {
        for (const { updatedAt, ...job } of await this.results.changedSince(projectId, from)) {
          const at = updatedAt.toISOString();
          if (seen.get(job.id) === at) continue;
          seen.set(job.id, at);
          yield message('job', JSON.stringify(job), at);
          from = new Date(Math.max(from.getTime(), updatedAt.getTime() - OVERLAP_MS));
        }
        for (const [id, at] of seen) if (new Date(at).getTime() < from.getTime()) seen.delete(id);
        await waker.wait();
        yield* beat.due();
        if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    } finally {
      waker.close();
    }
  }
}

const message = (event: string, data: string, id?: string): string =>
  `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${data}\n\n`;

class Heartbeat {
  private last = performance.now();

  *due(): Generator<string, void> {
    if (performance.now() - this.last < HEARTBEAT_MS) return;
    this.last = performance.now();
    yield ': still here\n\n';
  }
}
