import { HttpStatus, Inject, Injectable, Logger } from '@nestjs/common';
import { boardCatalogue } from '@bootlab/emulator';
import {
  checkBoard,
  expandJob,
  verbOf,
  type FieldError,
  type Job,
  type JobPage,
  type JobQuery,
  type JobSpec,
} from '@bootlab/lab';
import { enqueue, JobStore, Quotas, sendControl, type LiveStreams, type Principal } from '@bootlab/lab/server';
import { QUEUE, STREAMS, type JobQueue } from '../lab.module.js';
import { invalidField, invalidFields, notFound } from '../problem/problem.js';
import type { MultipartForm } from '../images/multipart.js';
import { JobImages, type ImageUse } from './job-images.js';
import { JobValidation } from './job-validation.js';

/** Submits, shows and cancels jobs. */
@Injectable()
export class JobsService {
  private readonly logger = new Logger(JobsService.name);

  constructor(
    private readonly jobs: JobStore,
    private readonly jobImages: JobImages,
    private readonly validation: JobValidation,
    private readonly quotas: Quotas,
    @Inject(QUEUE) private readonly queue: JobQueue,
    @Inject(STREAMS) private readonly streams: LiveStreams,
  ) {}

  async submit(principal: Principal, spec: unknown, files: MultipartForm['files']): Promise<Job> {
    const parsed = oneJob(spec);
    await this.quotas.admitJob(principal.projectId);
    const uses = await this.jobImages.resolve(principal, parsed, files);
    await this.validation.validate(parsed, uses);
    const stored = await this.jobImages.store(principal, uses);
    const job = await this.jobs.create({
      projectId: principal.projectId,
      name: parsed.name ?? defaultName(parsed, stored),
      spec: pinned(parsed, stored),
      consoles:
        boardCatalogue()
          .find(({ id }) => id === parsed.board)
          ?.consoles.map(({ name }) => name) ?? [],
      images: stored.map(({ role, position, source }) => ({ role, position, imageId: source.image.id })),
    });
    try {
      await enqueue(this.queue, job.id);
    } catch (error) {
      // The job is in the database: the reconciler queues it as soon as the queue is back.
      this.logger.error(`Job ${job.id} could not be queued yet`, error instanceof Error ? error.stack : error);
    }
    return job;
  }

  list(principal: Principal, query: JobQuery): Promise<JobPage> {
    return this.jobs.list(principal.projectId, query);
  }

  async get(principal: Principal, jobId: string): Promise<Job> {
    const job = isUuid(jobId) ? await this.jobs.find(principal.projectId, jobId) : undefined;
    if (!job) throw notFound(`job "${jobId}"`);
    return job;
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

const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);

/** The one job that a submission describes, its variables put in. @throws ProblemError that names the field */
function oneJob(submitted: unknown): JobSpec {
  const expanded = expandJob(submitted);
  if (!expanded.ok) throw invalidFields(expanded.errors);
  const [first, ...others] = expanded.jobs;
  if (!first || others.length > 0) {
    const message = `The matrix makes ${expanded.jobs.length} jobs, a submission is one`;
    throw invalidField('matrix', message, 'Submit each combination, or run the file with "bootlab test".');
  }
  const errors = [...checkBoard(first.spec, boardCatalogue()), ...unsupported(first.spec)];
  if (errors.length > 0) throw invalidFields(errors, HttpStatus.UNPROCESSABLE_ENTITY);
  return first.spec;
}

/** What needs a place for further files, which a lab does not have. */
function unsupported({ steps = [], artifacts = [] }: JobSpec): FieldError[] {
  const mend = 'Leave it out, or run the file with "bootlab test".';
  const uploads = steps.flatMap((step, index) =>
    verbOf(step) === 'upload'
      ? [{ field: `steps[${index}].upload`, message: 'A lab cannot upload files into a guest', mend }]
      : [],
  );
  const stored = artifacts.length > 0 ? [{ field: 'artifacts', message: 'A lab stores no artifacts', mend }] : [];
  return [...uploads, ...stored];
}

type StoredUse = Awaited<ReturnType<JobImages['store']>>[number];

function defaultName(spec: JobSpec, uses: readonly StoredUse[]): string {
  const main = uses.find(({ role }: ImageUse) => role === 'kernel' || role === 'firmware');
  return main ? `${main.source.image.name} on ${spec.board}` : spec.board;
}

/** The spec with every image named by its digest: it means the same at any later time. */
function pinned(spec: JobSpec, uses: readonly StoredUse[]): JobSpec {
  const images: JobSpec['images'] = {};
  const drives: string[] = [];
  for (const { role, source } of uses) {
    const reference = `sha256:${source.image.sha256}`;
    if (role === 'drive') drives.push(reference);
    else images[role] = reference;
  }
  return { ...spec, images: { ...images, ...(drives.length > 0 && { drives }) } };
}
