// testkit: what tests and benchmarks need and the product never loads.
// Programs and files from outside the repository (prerequisites, toolchain, guests), running them with time-outs and
// timed marks (process), QEMU as oracle and peer (qemu).
export * from './guests.js';
export * from './prerequisites.js';
export * from './process.js';
export * from './qemu.js';
export * from './toolchain.js';
