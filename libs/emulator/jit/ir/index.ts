// jit/ir: the intermediate representation that instruction semantics are written in. Operations and helper
// signatures (ops), storage (fragment), the builder that semantics call (builder), encodings and instruction tables
// (encoding), decoders (decode-tree) and assembly text (disassemble) from them, structural checks (verifier); what an engine must
// know of an architecture (target), and what all engines have in memory (engine-state).
export * from './builder.js';
export * from './decode-tree.js';
export * from './disassemble.js';
export * from './encoding.js';
export * from './engine-state.js';
export * from './fragment.js';
export * from './ops.js';
export * from './verifier.js';
export * from './target.js';
