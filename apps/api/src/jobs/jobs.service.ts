import { Inject, Injectable, Logger } from '@nestjs/common';
import type { Job, JobPage, JobQuery } from '@bootlab/lab';
import { jobTopic, JobStore, sendControl, Waker, type LiveStreams, type Principal } from '@bootlab/lab/server';
import { QUEUE, STREAMS, type JobQueue } from '../lab.module.js';
import { notFound } from '../problem/problem.js';

/** Shows, awaits and cancels jobs. */
@Injectable()
export class JobsService {
  private readonly logger = new Logger(JobsService.name);

  constructor(
    private readonly jobs: JobStore,
    @Inject(QUEUE) private readonly queue: JobQueue,
    @Inject(STREAMS) private readonly streams: LiveStreams,
  ) {}

  list(principal: Principal, query: JobQuery): Promise<JobPage> {
    return this.jobs.list(principal.projectId, query);
  }

  async get(principal: Principal, jobId: string): Promise<Job> {
    const job = isUuid(jobId) ? await this.jobs.find(principal.projectId, jobId) : undefined;
    if (!job) throw notFound(`job "${jobId}"`);
    return job;
  }

  /** The job as soon as it has ended; as it then is when `signal` aborts before that. */
  async untilEnded(principal: Principal, jobId: string, signal: AbortSignal): Promise<Job> {
    const waker = new Waker(this.streams, [jobTopic(jobId)], signal);
    try {
      for (;;) {
        const job = await this.get(principal, jobId);
        if (job.state === 'ended' || signal.aborted) return job;
        await waker.wait();
      }
    } finally {
      waker.close();
    }
  }

  /** Cancels a job; one that has ended stays as it is. */
  async cancel(principal: Principal, jobId: string): Promise<Job> {
    const job = await this.get(principal, jobId);
    if (job.state !== 'ended') {
      await this.jobs.requestCancel(jobId);
      const verdict = { outcome: 'cancelled', reason: 'Cancelled before a worker took it' } as const;
      if (await this.jobs.endUnclaimed(jobId, verdict, ['queued'])) await this.dequeue(jobId);
      else await sendControl(this.streams, jobId, { type: 'cancel' });
    }
    return this.get(principal, jobId);
  }

  /** Types bytes into a console of a job that has not ended. */
  async input(jobId: string, uart: string, data: string): Promise<void> {
    await sendControl(this.streams, jobId, { type: 'input', uart, data });
  }

  private async dequeue(jobId: string): Promise<void> {
    try {
      await this.queue.remove(jobId);
    } catch (error) {
      // A worker holds it this moment; it will find the job ended and drop it.
      this.logger.debug(`Job ${jobId} stays in the queue: ${String(error)}`);
    }
  }
}

export const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
