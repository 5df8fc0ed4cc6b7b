// accel/jit: translations of a vCPU's hot code. region-compiler makes them, in modules (region-module, written by
// region-module-writer); service says in which thread, translation-library what is kept. translator installs, finds and drops
// them: of all that is known (known-regions) what is there at present (region-locator), until it is written to (code-pages).
// strays finds accesses that do not go where translations expect them to. region-joiner makes whole functions of a program's
// translations, known-code what it goes by. region-set tells those that crossed threads from others.
export * from './region-compiler.js';
export * from './region-joiner.js';
export * from './region-module.js';
export * from './region-module-writer.js';
export { RegionSet } from './region-set.js';
export * from './service.js';
export * from './translation-library.js';
export * from './translator.js';
