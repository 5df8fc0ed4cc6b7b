import { z } from 'zod';
import { jobFileSchema } from './job-spec.js';

/** The schema's name: a lab has no address that is the same everywhere. */
export const JOB_SCHEMA_ID = 'urn:bootlab:job';

/**
 * The JSON Schema (draft 2020-12) of job files, for editors and other people's tools: from the schema that validates,
 * so it cannot say anything else.
 */
export function jobFileJsonSchema(): object {
  return { $id: JOB_SCHEMA_ID, ...z.toJSONSchema(jobFileSchema, { io: 'input' }) };
}
