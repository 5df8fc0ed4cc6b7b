// jit/interp: generates a target's interpreter from its instruction table (generate), with its accesses to guest memory
// (guest-memory) and how it finds translations of hot code (translation-entry).
export * from './generate.js';
export type { TranslationLink } from './translation-entry.js';
