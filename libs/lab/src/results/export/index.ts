/** A job's results for other people's tools: JUnit XML for CI servers, TAP 14 for prove(1) and its like, JSON for the rest. */
export * from './json.js';
export * from './junit.js';
export * from './report.js';
export * from './tap.js';
