// jit/interp: generates a target's interpreter from its instruction table (generate), with its accesses to guest memory
// (guest-memory), room for its decoder (decode-table) and how it finds translations of hot code (translation-entry).
export * from './decode-table.js';
export * from './generate.js';
export type { TranslationLink } from './translation-entry.js';
