// threads: threads of Node that work beside a machine. translation-thread makes translations; translation-files keeps them
// between runs, translation-hub lets the boards of a process share them.
export { generatorVersion } from './generator-version.js';
export * from './translation-files.js';
export { TranslationHub } from './translation-hub.js';
export * from './translation-thread.js';
