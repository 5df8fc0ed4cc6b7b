// threads: threads of Node that work beside a machine, and what is kept from run to run. translation-thread makes translations;
// translation-files keeps them, translation-hub lets the boards of a process share them; interpreter-files keeps interpreters.
export type { TranslationCache } from './board-cache.js';
export * from './cache-folder.js';
export { generatorVersion } from './generator-version.js';
export * from './interpreter-files.js';
export * from './machine-code.js';
export * from './translation-files.js';
export { TranslationHub } from './translation-hub.js';
export * from './translation-thread.js';
