// jit/regions: translation of hot code. What can be done with an instruction (classify), control flow followed from an
// address (region), graph order, dominators and reducibility (flow-graph), which registers to load and write back
// (dataflow), and the Wasm function made from all that (translate).
export * from './classify.js';
export * from './region.js';
export * from './translate.js';
