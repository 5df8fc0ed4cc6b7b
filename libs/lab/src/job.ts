import { z } from 'zod';
import { imageSchema } from './image.js';
import { outcomeSchema } from './outcome.js';
import { fieldErrorSchema } from './problem.js';
import { parsedString, searchField } from './spec/fields.js';
import { jobSpecSchema, scalarSchema, STEP_VERBS } from './spec/index.js';
import { DURATION_PATTERN, parseDuration, UnitError } from './units.js';

export const jobStateSchema = z.enum(['queued', 'running', 'ended']);
export type JobState = z.infer<typeof jobStateSchema>;

/** Lines of one console's log, from 1, both inclusive. */
export const lineRangeSchema = z.object({ first: z.number().int(), last: z.number().int() });

/** One case of a job's results. */
export const resultSchema = z
  .object({
    suite: z.string().describe('Names of the suites, the outermost first, joined by "/"'),
    name: z.string(),
    outcome: z.enum(['pass', 'fail', 'skip', 'error']).describe('error: the test could not be carried out'),
    detail: z.string().nullable().describe('Why it did not pass'),
    startNs: z.number().nullable().describe('Virtual time, nanoseconds'),
    durationNs: z.number().nullable().describe('Virtual time, nanoseconds'),
    console: z.string().nullable().describe('Whose log `lines` counts'),
    lines: lineRangeSchema.nullable(),
    measurement: z.object({ value: z.number(), unit: z.string() }).nullable(),
  })
  .meta({ id: 'Result' });
export type Result = z.infer<typeof resultSchema>;

export const resultCountsSchema = z.object({
  pass: z.number().int(),
  fail: z.number().int(),
  skip: z.number().int(),
  error: z.number().int(),
});
export type ResultCounts = z.infer<typeof resultCountsSchema>;

/** `incomplete`: the run ended before the step was over. A step that it never came to stays `pending`. */
export const jobStepStatusSchema = z.enum(['pending', 'running', 'pass', 'fail', 'timeout', 'incomplete']);
export type JobStepStatus = z.infer<typeof jobStepStatusSchema>;

/** What became of one step so far. */
export const jobStepSchema = z
  .object({
    index: z.number().int(),
    kind: z.enum(STEP_VERBS),
    name: z.string().nullable(),
    text: z.string().describe('First line of the pattern, text, command or action'),
    status: jobStepStatusSchema,
    startNs: z.number().nullable().describe('Virtual time, nanoseconds'),
    doneNs: z.number().nullable().describe('Virtual time, nanoseconds'),
    message: z.string().nullable().describe('Why it did not pass'),
    exitStatus: z.number().int().nullable(),
    console: z.string().nullable(),
    lines: lineRangeSchema.nullable(),
    counts: resultCountsSchema.describe('Of the cases in its output'),
  })
  .meta({ id: 'JobStep' });
export type JobStep = z.infer<typeof jobStepSchema>;

/** One attempt at a job, on one board of one worker. */
export const jobRunSchema = z
  .object({
    attempt: z.number().int().describe('From 1'),
    state: z.enum(['running', 'ended', 'lost']).describe('lost: its worker died'),
    outcome: outcomeSchema.nullable().describe('How this attempt ended; null where it was handed back or lost'),
    reason: z.string().nullable(),
    startedAt: z.iso.datetime(),
    endedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'JobRun' });
export type JobRunInfo = z.infer<typeof jobRunSchema>;

/** A file that a job left behind. */
export const artifactInfoSchema = z
  .object({
    name: z.string(),
    contentType: z.string(),
    sizeBytes: z.number().int(),
    sha256: z.string(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Artifact' });
export type ArtifactInfo = z.infer<typeof artifactInfoSchema>;

/** A file that a job was to leave behind, and why it is not there. */
export const missingArtifactSchema = z.object({ name: z.string(), reason: z.string() }).meta({ id: 'MissingArtifact' });
export type MissingArtifact = z.infer<typeof missingArtifactSchema>;

export const artifactListSchema = z.object({
  items: z.array(artifactInfoSchema),
  missing: z.array(missingArtifactSchema).describe('What the job was to leave, and why it did not or no longer does'),
});
export type ArtifactList = z.infer<typeof artifactListSchema>;

export const jobSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    state: jobStateSchema,
    outcome: outcomeSchema.nullable(),
    reason: z.string().nullable().describe('Why the job ended as it did'),
    evidence: lineRangeSchema
      .extend({ console: z.string() })
      .nullable()
      .describe('Lines of the log that prove the reason'),
    spec: jobSpecSchema.describe('With every image named by its digest, so that it can be submitted again'),
    groupId: z.string().nullable().describe('What the jobs of one matrix have in common'),
    combination: z.record(z.string(), scalarSchema).describe('The values of the matrix that made this job'),
    images: z.object({
      kernel: imageSchema.optional(),
      initrd: imageSchema.optional(),
      firmware: imageSchema.optional(),
      drives: z.array(imageSchema),
    }),
    createdAt: z.iso.datetime(),
    startedAt: z.iso.datetime().nullable(),
    endedAt: z.iso.datetime().nullable(),
    updatedAt: z.iso.datetime(),
    virtualNs: z.number().int(),
    instructions: z.number().int(),
    wallMs: z.number().int(),
    attempts: z.number().int().describe('How often a worker started it; above 1 after an infrastructure error'),
    runs: z.array(jobRunSchema).describe('The attempts, the first one first'),
    consoles: z.array(z.string()),
    steps: z.array(jobStepSchema),
    counts: resultCountsSchema.describe('Of all results so far'),
    artifacts: z.array(artifactInfoSchema),
    missingArtifacts: z
      .array(missingArtifactSchema)
      .describe('Files that it was to leave, and why they are not, or no longer, there'),
  })
  .meta({ id: 'Job' });
export type Job = z.infer<typeof jobSchema>;

export const pageQuerySchema = z.object({
  cursor: z.uuid().describe('nextCursor of the page before').optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

export const jobQuerySchema = pageQuerySchema.extend({
  state: jobStateSchema.optional(),
  outcome: outcomeSchema.optional().describe('Only jobs that ended so'),
  board: searchField(100).optional().describe('Only jobs on this board'),
  group: z.uuid().optional().describe('Only jobs of this group'),
  name: searchField(200).optional().describe('Only jobs whose name contains this, in any case'),
});
export type JobQuery = z.infer<typeof jobQuerySchema>;

export const jobPageSchema = z.object({
  items: z.array(jobSchema),
  nextCursor: z.string().nullable().describe('Pass as ?cursor= for the next page; null on the last one'),
});
export type JobPage = z.infer<typeof jobPageSchema>;

export const imagePageSchema = z.object({ items: z.array(imageSchema), nextCursor: z.string().nullable() });
export type ImagePage = z.infer<typeof imagePageSchema>;

export const logQuerySchema = z.object({
  from: z.coerce.number().int().nonnegative().default(0).describe('First chunk wanted'),
  limit: z.coerce.number().int().min(1).max(1_000_000).optional().describe('Most chunks wanted'),
  follow: z.enum(['0', '1', 'true', 'false', '']).default('0').describe('1: keep the response open until the job ends'),
  format: z.enum(['jsonl', 'text']).default('jsonl').describe('jsonl: one ConsoleChunk a line; text: the raw bytes'),
  uart: z.string().max(32).optional().describe('Only this console'),
});
export type LogQuery = z.infer<typeof logQuerySchema>;

export const submittedJobSchema = jobSchema
  .extend({
    jobIds: z
      .array(z.string())
      .describe('All jobs that the submission made, in the order of its matrix; this is the first'),
  })
  .meta({ id: 'SubmittedJob' });
export type SubmittedJob = z.infer<typeof submittedJobSchema>;

export const validationReportSchema = z
  .object({
    valid: z.boolean(),
    errors: z.array(fieldErrorSchema),
    notes: z.array(z.string()).describe('What an import does in another way than it was written'),
    jobs: z
      .array(z.object({ name: z.string(), combination: z.record(z.string(), scalarSchema), spec: jobSpecSchema }))
      .describe('The jobs that it would make'),
  })
  .meta({ id: 'ValidationReport' });
export type ValidationReport = z.infer<typeof validationReportSchema>;

const MAX_WAIT = '10m';

export const waitQuerySchema = z.object({
  wait: parsedString(
    (text) => {
      if (parseDuration(text) > parseDuration(MAX_WAIT)) {
        throw new UnitError(`"${text}" is longer than a request may wait`, `Use at most ${MAX_WAIT}, and ask again.`);
      }
    },
    { pattern: DURATION_PATTERN },
  )
    .describe('Answer when the job has ended, or after this time, for example 60s')
    .optional(),
});
export type WaitQuery = z.infer<typeof waitQuerySchema>;
