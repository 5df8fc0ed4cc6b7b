import { setTimeout as sleep } from 'node:timers/promises';
import { HttpStatus, Inject, Injectable, Logger } from '@nestjs/common';
import { boardCatalogue } from '@bootlab/emulator';
import {
  checkBoard,
  combinationName,
  PROCESS_CONSOLES,
  readDefinition,
  storable,
  unstorableTexts,
  withProcessFiles,
  type ExpandedJob,
  type FieldError,
  type Image,
  type JobSpec,
  type ValidationReport,
} from '@bootlab/lab';
import { enqueue, JobStore, Quotas, type NewJob, type Principal } from '@bootlab/lab/server';
import { QUEUE, type JobQueue } from '../lab.module.js';
import { invalidField, invalidFields, ProblemError } from '../problem/problem.js';
import { JobImages, unusedFiles, type ImageUse, type StoredUse } from './job-images.js';
import { JobValidation } from './job-validation.js';
import { fingerprintOf, type Submission } from './submission.js';

/** How long a submission waits for the queue. A job that is stored is answered for, and queued when the queue is back. */
const ENQUEUE_MS = 2000;

interface CheckedJob extends ExpandedJob {
  readonly uses: readonly ImageUse[];
}

interface Checked {
  readonly jobs: readonly CheckedJob[];
  readonly errors: readonly FieldError[];
  /** HTTP status that fits the errors. */
  readonly status: number;
  readonly notes: readonly string[];
}

/** What became of a submission. */
export interface Submitted {
  readonly jobIds: readonly string[];
  /** Nothing was made: the same request had come before. */
  readonly replayed: boolean;
}

/** Checks what is submitted, and makes jobs of it. */
@Injectable()
export class SubmissionsService {
  private readonly logger = new Logger(SubmissionsService.name);

  constructor(
    private readonly jobs: JobStore,
    private readonly jobImages: JobImages,
    private readonly validation: JobValidation,
    private readonly quotas: Quotas,
    @Inject(QUEUE) private readonly queue: JobQueue,
  ) {}

  /** Everything that is wrong with a definition, without making a job of it. Files may be missing. */
  async validate(principal: Principal, submission: Submission): Promise<ValidationReport> {
    const { jobs, errors, notes } = await this.check(principal, submission, true);
    return {
      valid: errors.length === 0,
      errors: [...errors],
      notes: [...notes],
      jobs: jobs.map((job) => ({ name: nameOf(job), combination: { ...job.combination }, spec: job.spec })),
    };
  }

  /**
   * Makes the jobs of a submission and puts them into the queue.
   * @param key the client's Idempotency-Key
   * @param traceparent the span of the request
   */
  async submit(
    principal: Principal,
    submission: Submission,
    key: string | undefined,
    traceparent: string | undefined,
  ): Promise<Submitted> {
    const { projectId } = principal;
    const idempotency = key === undefined ? undefined : { key, fingerprint: fingerprintOf(submission) };
    const before = idempotency && (await this.jobs.submitted(projectId, idempotency.key));
    if (before) return replay(before, idempotency.fingerprint);

    await this.quotas.admitJob(projectId);
    const { jobs, errors, status } = await this.check(principal, submission, false);
    if (errors.length > 0) throw invalidFields(errors, status);
    const images = new Map<string, Image>();
    const newJobs: NewJob[] = [];
    const pins = new Map<string, string>();
    for (const job of jobs) {
      const uses = await this.jobImages.store(principal, job.uses, images);
      for (const { text, source } of uses) pins.set(text, `sha256:${source.image.sha256}`);
      newJobs.push(newJob(projectId, job, uses));
    }
    const group =
      jobs.length > 1 ? { name: groupName(jobs), definition: storable(pinnedText(submission.text, pins)) } : undefined;
    const made = await this.jobs.createAll(projectId, newJobs, {
      ...(group && { group }),
      ...(idempotency && { idempotency }),
      traceparent,
    });
    if ('repeated' in made) return replay(made.repeated, idempotency?.fingerprint ?? '');
    await Promise.race([this.enqueueAll(made.jobIds), sleep(ENQUEUE_MS, undefined, { ref: false })]);
    return { jobIds: made.jobIds, replayed: false };
  }

  private async check(principal: Principal, submission: Submission, uploadsPending: boolean): Promise<Checked> {
    const { text, format, files } = submission;
    const read = readDefinition(text, format);
    const { notes } = read;
    if (!read.ok) return { jobs: [], errors: read.errors, status: HttpStatus.BAD_REQUEST, notes };
    const jobs: CheckedJob[] = [];
    const problems: ProblemError[] = [];
    for (const job of read.jobs) {
      const errors = [
        ...unstorableTexts({ ...job.spec, matrix: job.combination }),
        ...checkBoard(job.spec, boardCatalogue()),
      ];
      if (errors.length > 0) problems.push(invalidFields(errors, HttpStatus.UNPROCESSABLE_ENTITY));
      const resolved = await this.jobImages.resolve(principal, job.spec, { files, uploadsPending });
      problems.push(...resolved.problems);
      jobs.push({ ...job, uses: resolved.uses });
      if (errors.length > 0 || resolved.problems.length > 0) continue;
      const problem = await this.machineProblem(job.spec, resolved.uses);
      if (problem) problems.push(problem);
    }
    const unused = unusedFiles(
      jobs.flatMap(({ uses }) => uses),
      files,
    );
    if (unused.length > 0 && problems.length === 0) problems.push(invalidFields(unused));
    const errors = distinct(problems.flatMap((problem) => problem.errors)).map((error) => read.locate(error));
    return { jobs, errors, status: problems[0]?.status ?? HttpStatus.BAD_REQUEST, notes };
  }

  private async machineProblem(spec: JobSpec, uses: readonly ImageUse[]): Promise<ProblemError | undefined> {
    try {
      await this.validation.validate(spec, uses);
      return undefined;
    } catch (error) {
      if (error instanceof ProblemError) return error;
      throw error;
    }
  }

  private async enqueueAll(jobIds: readonly string[]): Promise<void> {
    for (const jobId of jobIds) {
      try {
        await enqueue(this.queue, jobId);
      } catch (error) {
        // The job is in the database: the reconciler queues it as soon as the queue is back.
        this.logger.error(`Job ${jobId} could not be queued yet`, error instanceof Error ? error.stack : error);
      }
    }
  }
}

function replay(before: { fingerprint: string; jobIds: string[] }, fingerprint: string): Submitted {
  if (before.fingerprint === fingerprint) return { jobIds: before.jobIds, replayed: true };
  throw invalidField(
    'idempotency-key',
    'This key was used for another request',
    'Use a new key for each new request, and the same one only to repeat it.',
    HttpStatus.UNPROCESSABLE_ENTITY,
  );
}

function newJob(projectId: string, job: CheckedJob, uses: readonly StoredUse[]): NewJob {
  const { spec, combination } = job;
  const board = boardCatalogue().find(({ id }) => id === spec.board);
  return {
    projectId,
    name: nameOf(job),
    spec: pinned(spec, uses),
    combination,
    consoles: spec.kind === 'process' ? PROCESS_CONSOLES : (board?.consoles.map(({ name }) => name) ?? []),
    images: uses.map(({ role, position, source }) => ({ role, position, imageId: source.image.id })),
  };
}

/** What the spec calls it, or what it runs where; and what tells it from the others of its matrix. */
function nameOf({ spec, uses, combination }: CheckedJob): string {
  if (spec.kind === 'process')
    return [spec.name ?? processName(spec, uses), combinationName(combination)].filter(Boolean).join(' ');
  const main = uses.find(({ role }) => role === 'kernel' || role === 'firmware');
  const name = spec.name ?? (main ? `${imageName(main)} on ${spec.board}` : spec.board);
  return [name, combinationName(combination)].filter(Boolean).join(' ');
}

function processName({ program, arch }: JobSpec, uses: readonly ImageUse[]): string {
  const file = uses.find(({ field }) => field === 'program');
  return [file ? imageName(file) : program, arch].filter(Boolean).join(' on ');
}

function imageName({ source }: ImageUse): string {
  if ('image' in source) return source.image.name;
  return 'file' in source ? source.file.name : source.pending;
}

const groupName = ([first]: readonly CheckedJob[]): string => (first ? nameOf({ ...first, combination: {} }) : 'jobs');

/** The spec with every image named by its digest: it means the same at any later time. */
function pinned(spec: JobSpec, uses: readonly StoredUse[]): JobSpec {
  if (spec.kind === 'process') {
    const digests = new Map(uses.map(({ position, source }) => [position, `sha256:${source.image.sha256}`]));
    return withProcessFiles(spec, (position) => digests.get(position));
  }
  const images: JobSpec['images'] = {};
  const drives: string[] = [];
  const steps = spec.steps?.map((step) => ({ ...step }));
  for (const { role, position, source } of uses) {
    const reference = `sha256:${source.image.sha256}`;
    const step = steps?.[position];
    if (role === 'drive') drives.push(reference);
    else if (role !== 'upload') images[role] = reference;
    else if (step) step.upload = reference;
  }
  return { ...spec, images: { ...images, ...(drives.length > 0 && { drives }) }, ...(steps && { steps }) };
}

/** A definition in which uploads are named by their digests, as far as it names them in full. */
function pinnedText(text: string, pins: ReadonlyMap<string, string>): string {
  return text.replace(/upload:[A-Za-z0-9_.-]{1,100}/g, (reference) => pins.get(reference) ?? reference);
}

function distinct(errors: readonly FieldError[]): FieldError[] {
  return [...new Map(errors.map((error) => [`${error.field}\0${error.message}`, error])).values()];
}
