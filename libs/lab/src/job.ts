import { z } from 'zod';
import { imageReferenceSchema, imageSchema } from './image.js';
import { outcomeSchema } from './outcome.js';
import { ConsolePattern, MAX_PATTERN_LENGTH, PatternError } from './pattern.js';
import { parseDuration, parseSize, UnitError } from './units.js';

/** A string that `parse` accepts; its error and mend become the field's. */
function parsedString(parse: (text: string) => unknown) {
  return z.string().superRefine((value, context) => {
    try {
      parse(value);
    } catch (error) {
      if (!(error instanceof UnitError || error instanceof PatternError)) throw error;
      context.addIssue({ code: 'custom', message: error.message, params: { mend: error.mend } });
    }
  });
}

export const DEFAULT_TIMEOUT = '5m';
const MAX_TIMEOUT = '24h';

const timeoutSchema = parsedString((text) => {
  if (parseDuration(text) > parseDuration(MAX_TIMEOUT)) {
    throw new UnitError(`"${text}" is longer than a job may run`, `Use at most ${MAX_TIMEOUT}.`);
  }
}).describe('Virtual time after which the job ends as a time-out, for example 90s, 5m, 1h30m');

/** Either waits for a pattern on the primary console, or types text into it. */
export const stepSchema = z
  .strictObject({
    expect: parsedString((text) => new ConsolePattern(text))
      .describe(`Regular expression (RE2 syntax, at most ${MAX_PATTERN_LENGTH} characters)`)
      .optional(),
    send: z.string().min(1).max(4096).describe('Text typed into the console as it is').optional(),
  })
  .superRefine((step, context) => {
    if ((step.expect === undefined) !== (step.send === undefined)) return;
    context.addIssue({
      code: 'custom',
      message: 'A step has exactly one of expect and send',
      params: { mend: 'Write {"expect": "pattern"} or {"send": "text"}.' },
    });
  })
  .meta({ id: 'Step' });
export type Step = z.infer<typeof stepSchema>;

export const clockModeSchema = z.enum(['virtual', 'wall']);
export type ClockMode = z.infer<typeof clockModeSchema>;

export const jobImagesSchema = z.strictObject({
  kernel: imageReferenceSchema.optional(),
  initrd: imageReferenceSchema.optional(),
  firmware: imageReferenceSchema.optional(),
  drives: z.array(imageReferenceSchema).max(8).optional(),
});

export const jobSpecSchema = z
  .strictObject({
    name: z.string().trim().min(1).max(200).optional(),
    board: z.string().min(1).max(100).describe('Board id from the catalogue'),
    cpu: z.string().min(1).max(100).describe("CPU model; default: the board's").optional(),
    memory: parsedString(parseSize).describe("RAM, for example 256M; default: the board's").optional(),
    images: jobImagesSchema,
    cmdline: z.string().max(4096).describe("Kernel command line; default: the board's").optional(),
    timeout: timeoutSchema.optional(),
    clock: clockModeSchema
      .describe('virtual: idle time is skipped (default); wall: idle time waits for the host clock')
      .optional(),
    steps: z.array(stepSchema).max(1000).optional(),
  })
  .meta({ id: 'JobSpec' });
export type JobSpec = z.infer<typeof jobSpecSchema>;

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
