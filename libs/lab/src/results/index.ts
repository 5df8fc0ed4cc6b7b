/**
 * Test results out of what a guest prints: test-case.ts is what they all become; parsers/ has one file for each format;
 * kernel/ recognises what goes wrong in a Linux kernel; export/ writes JUnit, TAP and JSON; job-results.ts makes a
 * job's results of its steps, cases and kernel events; comparison.ts sets two jobs side by side; views.ts is what the API
 * shows of results; upload.ts takes results that another tool found.
 */
export * from './comparison.js';
export * from './export/index.js';
export * from './formats.js';
export * from './job-results.js';
export * from './kernel/kernel-watch.js';
export * from './kernel/kinds.js';
export * from './parsers/index.js';
export * from './test-case.js';
export * from './upload.js';
export * from './views.js';
