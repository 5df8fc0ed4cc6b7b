import { z } from 'zod';
import { jobSchema } from './job.js';

const base64Schema = z.base64();

/** A piece of console output: which UART printed it, when in virtual time, and where it stands in the job's log. */
export const consoleChunkSchema = z
  .object({
    seq: z.number().int().nonnegative().describe('Position in the log of this job; consecutive'),
    uart: z.string(),
    t: z.number().int().nonnegative().describe('Virtual time of the first byte, nanoseconds'),
    data: base64Schema.describe('The bytes, base64'),
  })
  .meta({ id: 'ConsoleChunk' });
export type ConsoleChunk = z.infer<typeof consoleChunkSchema>;

/** Most bytes that one message of console input may carry. */
export const MAX_INPUT_BYTES = 16 * 1024;

export const clientMessageSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('auth'),
    token: z.string().optional().describe('Left out by the lab’s own pages: their cookie comes with the connection'),
    project: z.string().max(100).optional().describe('Name or id, for those who have several projects'),
    from: z.number().int().nonnegative().default(0).describe('First chunk wanted; history comes first, then live'),
  }),
  z.strictObject({
    type: z.literal('input'),
    uart: z.string().max(32),
    data: base64Schema.max(Math.ceil(MAX_INPUT_BYTES / 3) * 4),
  }),
]);
export type ClientMessage = z.infer<typeof clientMessageSchema>;

export const serverMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), job: jobSchema }),
  z.object({ type: z.literal('chunk'), ...consoleChunkSchema.shape }),
  z.object({ type: z.literal('job'), job: jobSchema }),
  z.object({ type: z.literal('end') }),
  z.object({ type: z.literal('error'), detail: z.string() }),
]);
export type ServerMessage = z.infer<typeof serverMessageSchema>;

/** What the API tells the worker that runs a job. */
export const controlMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('input'), uart: z.string(), data: base64Schema }),
  z.object({ type: z.literal('cancel') }),
]);
export type ControlMessage = z.infer<typeof controlMessageSchema>;
