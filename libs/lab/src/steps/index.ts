/**
 * How a job's steps run, with or without a server: console-text.ts makes text of a console's bytes; shell.ts finds a
 * command's output and exit status, and shell-commands.ts runs it; step-engine.ts walks the steps, each a script of waits
 * (step-script.ts) with an outcome (step-outcome.ts); job-run.ts drives a machine through them;
 * job-steps.ts is what a lab shows of them meanwhile.
 */
export * from './console-text.js';
export * from './job-run.js';
export * from './job-steps.js';
export * from './step-engine.js';
export * from './step-record.js';
