// jit/interp: generates a target's interpreter from its instruction table (generate).
export * from './generate.js';
export type { TranslationLink } from './translation-entry.js';
