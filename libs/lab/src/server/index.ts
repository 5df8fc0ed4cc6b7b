/** What API and workers share on the server: configuration, database, queue, live streams, blobs and the stores. */
export * from './blobs.js';
export * from './config.js';
export * from './database.js';
export * from './embedded-postgres.js';
export * from './migrate.js';
export * from './streams/live-streams.js';
export * from './streams/postgres-streams.js';
export * from './streams/redis-streams.js';
export * from './console-log.js';
export * from './control.js';
export * from './image-store.js';
export * from './job-rows.js';
export * from './job-store.js';
export * from './queue.js';
export * from './people/index.js';
export * from './result-store.js';
export * from './topics.js';
