import { z } from 'zod';
import { resultCountsSchema, resultSchema, jobSchema, jobStateSchema } from '../job.js';
import { outcomeSchema } from '../outcome.js';
import { searchField } from '../spec/fields.js';
import { differencesSchema } from './comparison.js';

/** As much of a job as stands in a list beside others. */
export const jobBriefSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    board: z.string(),
    cpu: z.string().nullable(),
    state: jobStateSchema,
    outcome: outcomeSchema.nullable(),
    reason: z.string().nullable(),
    createdAt: z.iso.datetime(),
    counts: resultCountsSchema,
  })
  .meta({ id: 'JobBrief' });
export type JobBrief = z.infer<typeof jobBriefSchema>;

export const EXPORT_FORMATS = ['junit', 'tap', 'json'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** Most results of one answer. */
export const MAX_RESULTS_PAGE = 10_000;

export const resultsQuerySchema = z.object({
  format: z.enum(EXPORT_FORMATS).optional().describe('All results for another tool; default: a page of them'),
  outcome: resultSchema.shape.outcome.optional().describe('Only results of this outcome'),
  cursor: z.coerce.number().int().nonnegative().optional().describe('nextCursor of the page before'),
  limit: z.coerce.number().int().min(1).max(MAX_RESULTS_PAGE).default(1000),
});
export type ResultsQuery = z.infer<typeof resultsQuerySchema>;

export const resultPageSchema = z.object({
  counts: resultCountsSchema.describe('Of all results, whatever the query'),
  items: z.array(resultSchema),
  nextCursor: z.string().nullable(),
});
export type ResultPage = z.infer<typeof resultPageSchema>;

export const resultUploadQuerySchema = z.object({
  suite: searchField(200)
    .pipe(z.string().trim().min(1))
    .default('uploaded')
    .describe('Stands in front of the names of the suites'),
});
export type ResultUploadQuery = z.infer<typeof resultUploadQuerySchema>;

export const resultUploadSchema = z
  .object({ added: z.number().int(), counts: resultCountsSchema.describe('Of all results of the job') })
  .meta({ id: 'ResultUpload' });
export type ResultUpload = z.infer<typeof resultUploadSchema>;

export const compareQuerySchema = z.object({ base: z.uuid(), head: z.uuid() });

export const comparisonSchema = z
  .object({ base: jobBriefSchema, head: jobBriefSchema, ...differencesSchema.shape })
  .meta({ id: 'Comparison' });
export type Comparison = z.infer<typeof comparisonSchema>;

export const historyQuerySchema = z.object({
  suite: searchField(500),
  name: searchField(500),
  board: searchField(100).optional().describe('Only on this board'),
  job: searchField(200).optional().describe('Only in jobs of this name'),
  cursor: z.uuid().optional().describe('nextCursor of the page before'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});
export type HistoryQuery = z.infer<typeof historyQuerySchema>;

export const historyPageSchema = z.object({
  items: z.array(z.object({ job: jobBriefSchema, result: resultSchema })),
  nextCursor: z.string().nullable(),
});
export type HistoryPage = z.infer<typeof historyPageSchema>;

export const matrixQuerySchema = z.object({
  builds: z.coerce.number().int().min(1).max(100).default(20).describe('How many builds, the newest first'),
  name: searchField(200).optional().describe('Only jobs whose name contains this'),
});
export type MatrixQuery = z.infer<typeof matrixQuerySchema>;

/** What was booted (kernel or firmware) against what it was booted on; in each cell the newest job. */
export const buildMatrixSchema = z
  .object({
    columns: z.array(z.object({ board: z.string(), cpu: z.string().nullable() })),
    rows: z.array(
      z.object({
        image: z.object({ id: z.string(), name: z.string(), sha256: z.string() }),
        cells: z.array(jobBriefSchema.nullable()).describe('One for each column'),
      }),
    ),
  })
  .meta({ id: 'BuildMatrix' });
export type BuildMatrix = z.infer<typeof buildMatrixSchema>;

/** The jobs of one submission. */
export const jobGroupSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    createdAt: z.iso.datetime(),
    definition: z.string().describe('The job file, uploads named by their digests'),
    jobs: z.array(jobSchema),
  })
  .meta({ id: 'JobGroup' });
export type JobGroup = z.infer<typeof jobGroupSchema>;

export const groupPageSchema = z.object({
  items: z.array(
    z.object({ id: z.string(), name: z.string(), createdAt: z.iso.datetime(), jobs: z.array(jobBriefSchema) }),
  ),
  nextCursor: z.string().nullable(),
});
export type GroupPage = z.infer<typeof groupPageSchema>;

/** One line of a console's log. */
export const logLineSchema = z.object({
  line: z.number().int().describe('From 1'),
  t: z.number().int().describe('Virtual time at which it was complete, nanoseconds'),
  text: z.string().describe('Without escape sequences'),
});
export type LogLine = z.infer<typeof logLineSchema>;

const MAX_LOG_LINES = 5000;

export const logLinesQuerySchema = z.object({
  console: z.string().max(32).optional().describe("Default: the board's first"),
  first: z.coerce.number().int().min(1).default(1),
  limit: z.coerce.number().int().min(1).max(MAX_LOG_LINES).default(100),
});
export type LogLinesQuery = z.infer<typeof logLinesQuerySchema>;

export const logLinesSchema = z.object({ console: z.string(), lines: z.array(logLineSchema) });
export type LogLines = z.infer<typeof logLinesSchema>;
