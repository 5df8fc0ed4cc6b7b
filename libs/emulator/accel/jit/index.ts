// accel/jit: translations of a vCPU's hot code. region-compiler makes them, service says in which thread, translator
// installs, finds and drops them.
export { isSameRegion } from './known-regions.js';
export * from './region-compiler.js';
export * from './region-joiner.js';
export * from './region-module.js';
export * from './service.js';
export * from './translation-library.js';
export * from './translator.js';
