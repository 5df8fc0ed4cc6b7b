/**
 * Jobs of the kind `process`: root-archive.ts makes a tree of a tar archive, process-run.ts takes a program from its files to
 * its end, the same on a worker and in the command line; program-check.ts looks at it before. Needs Node.
 */
export * from './process-run.js';
export * from './program-check.js';
export * from './root-archive.js';
