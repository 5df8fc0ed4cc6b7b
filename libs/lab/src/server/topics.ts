/** Names of streams and topics, in one place because API and workers must agree on them. */

/** Stream of a job's console chunks. */
export const consoleStream = (jobId: string): string => `console:${jobId}`;
/** Stream of control messages to the worker that runs a job. */
export const controlStream = (jobId: string): string => `control:${jobId}`;
/** Announced whenever the row of a job changes. */
export const jobTopic = (jobId: string): string => `job:${jobId}`;
/** Announced whenever a job of the project is made or changes. */
export const projectTopic = (projectId: string): string => `project:${projectId}`;
/** Announced when there may be messages for webhooks. */
export const WEBHOOKS_TOPIC = 'webhooks';
