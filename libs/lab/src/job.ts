import { z } from 'zod';
import { imageSchema } from './image.js';
import { outcomeSchema } from './outcome.js';
import { jobSpecSchema } from './spec/index.js';

export const jobStateSchema = z.enum(['queued', 'running', 'ended']);
export type JobState = z.infer<typeof jobStateSchema>;

/** One case of a job's results. */
export const resultSchema = z
  .object({
    suite: z.string(),
    name: z.string(),
    outcome: z.enum(['pass', 'fail', 'skip']),
    detail: z.string().nullable(),
    startNs: z.number().nullable().describe('Virtual time, nanoseconds'),
    durationNs: z.number().nullable().describe('Virtual time, nanoseconds'),
  })
  .meta({ id: 'Result' });
export type Result = z.infer<typeof resultSchema>;

export const jobSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    state: jobStateSchema,
    outcome: outcomeSchema.nullable(),
    reason: z.string().nullable().describe('Why the job ended as it did'),
    spec: jobSpecSchema.describe('With every image named by its digest, so that it can be submitted again'),
    images: z.object({
      kernel: imageSchema.optional(),
      initrd: imageSchema.optional(),
      firmware: imageSchema.optional(),
      drives: z.array(imageSchema),
    }),
    createdAt: z.iso.datetime(),
    startedAt: z.iso.datetime().nullable(),
    endedAt: z.iso.datetime().nullable(),
    virtualNs: z.number().int(),
    instructions: z.number().int(),
    wallMs: z.number().int(),
    attempts: z.number().int().describe('How often a worker started it; above 1 when a worker was lost'),
    consoles: z.array(z.string()),
    results: z.array(resultSchema),
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
