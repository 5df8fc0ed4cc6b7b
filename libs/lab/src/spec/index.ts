/**
 * What a job is, as people write it: job-spec.ts is the schema of one job, step.ts of one step (step-verb.ts: what it can do); job-file.ts reads a
 * YAML or JSON file with variables and a matrix into jobs, with line and column of every mistake; board-check.ts holds
 * a job against the board catalogue; json-schema.ts is what editors complete with.
 */
export * from './board-check.js';
export * from './config-error.js';
export { unstorableTexts } from './fields.js';
export * from './job-file.js';
export * from './job-spec.js';
export * from './process-check.js';
export * from './json-schema.js';
export * from './step.js';
export * from './step-verb.js';
export * from './variables.js';
