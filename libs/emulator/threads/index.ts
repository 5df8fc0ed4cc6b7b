// threads: threads of Node that work beside a machine, and what is kept from run to run. translation-thread makes translations, with
// what a cache has (board-cache); translation-hub lets the boards of a process share them. translation-files keeps them with V8's
// machine code (machine-code) in a format of their own (stored-translations), interpreter-files keeps interpreters, both in files that
// this user alone writes (kept-files) in a folder of one build (cache-folder, generator-version), an image's translations under its
// name (image-name). protocol is what threads send each other; release frees memory at once, collect-garbage what a thread can do
// without while it idles, and what a job has left.
export type { TranslationCache } from './board-cache.js';
export * from './cache-folder.js';
export { collectGarbage, shrinkHeap } from './collect-garbage.js';
export { generatorVersion } from './generator-version.js';
export { imageName } from './image-name.js';
export * from './interpreter-files.js';
export * from './machine-code.js';
export * from './prepared-interpreters.js';
export * from './translation-files.js';
export { TranslationHub } from './translation-hub.js';
export * from './translation-thread.js';
