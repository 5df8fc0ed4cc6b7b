// jit/regions: translation of hot code. What can be done with an instruction (classify), control flow followed from an
// address (region), graph order, dominators and reducibility (flow-graph), the function's structure (region-graph), which registers to load (dataflow), which accesses
// to check or to look up (checks, reuse), how they are made (guest-access, direct-window), how branches find other
// translations (jump-cache-lookup), the Wasm function made from all that (translate), and how it goes on to exceptions
// (system-exits).
export * from './classify.js';
export * from './direct-window.js';
export * from './region.js';
export * from './system-exits.js';
export * from './translate.js';
