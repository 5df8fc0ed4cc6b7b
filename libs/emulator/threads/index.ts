// threads: threads of Node that work beside a machine. translation-thread makes translations.
export * from './translation-thread.js';
