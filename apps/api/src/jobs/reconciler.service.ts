import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { AdvisoryLocks, enqueue, JobStore } from '@bootlab/lab/server';
import { QUEUE, type JobQueue } from '../lab.module.js';

const INTERVAL_MS = 15_000;
// Younger jobs are on their way between database and queue.
const GRACE_MS = 10_000;

/**
 * Keeps database and queue of one mind: a job that has not ended is in the queue, whatever was lost between the two
 * (a crash right after the submission, an emptied Redis). Running jobs of a lost worker are BullMQ's own care; only
 * when it has forgotten one altogether is it queued again here.
 */
@Injectable()
export class Reconciler implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(Reconciler.name);
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly jobs: JobStore,
    private readonly locks: AdvisoryLocks,
    @Inject(QUEUE) private readonly queue: JobQueue,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.run(), INTERVAL_MS);
    void this.run();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  async run(): Promise<void> {
    try {
      // One process of the API is enough for it.
      await this.locks.runAlone('reconciler', () => this.reconcile());
    } catch (error) {
      this.logger.error('Reconciliation failed; it is tried again', error instanceof Error ? error.stack : error);
    }
  }

  private async reconcile(): Promise<void> {
    for (const { id } of await this.jobs.unfinished(GRACE_MS)) {
      if (await this.queue.getJob(id)) continue;
      if ((await this.jobs.state(id)) === 'ended') continue; // it ended while we looked
      this.logger.warn(`Job ${id} had fallen out of the queue and is queued again`);
      await enqueue(this.queue, id);
    }
  }
}
