/**
 * Files that a run leaves behind, the same on a worker and in the command line: guest-archive.ts makes bytes of what is in a
 * program's tree, save-artifacts.ts writes what a job asks for into files of this host. Needs Node.
 */
export * from './guest-archive.js';
export * from './save-artifacts.js';
