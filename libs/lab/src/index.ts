/**
 * The lab's vocabulary: schemas of everything that crosses HTTP, WebSocket and the queue, and the rules that client,
 * API, worker and CLI share. Safe in a browser; what needs Node lives in `@bootlab/lab/server`.
 */
export * from './badges.js';
export * from './board.js';
export * from './coalesce.js';
export * from './console.js';
export * from './image.js';
export * from './imports/index.js';
export * from './job.js';
export * from './outcome.js';
export * from './pattern.js';
export * from './people.js';
export * from './problem.js';
export * from './results/index.js';
export * from './spec/index.js';
export * from './steps/index.js';
export * from './units.js';
export * from './verdict.js';
export * from './webhooks.js';
