// jit/regions: translation of hot code. What can be done with an instruction (classify); control flow followed from an
// address (region); order, dominators and reducibility of graphs (flow-graph), loops that get one head (loop-splitting), the function's
// structure (region-graph); which registers are live (dataflow) and where they are loaded (register-loads); which accesses to check or to
// look up (checks, reuse), what is one access of two instructions (unaligned), and how they are made (guest-access, direct-window); how branches find other translations
// (jump-cache-lookup, dispatch-lookup); the Wasm function made from all that (translate), and how it goes on to exceptions
// (system-exits).
export * from './classify.js';
export * from './direct-window.js';
export * from './region.js';
export * from './system-exits.js';
export * from './translate.js';
