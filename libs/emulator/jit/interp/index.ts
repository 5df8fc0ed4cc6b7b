// jit/interp: generates a target's interpreter from its instruction table: the decoder as a tree of switches
// (decode-tree) and the Wasm function around it (generate).
export * from './decode-tree.js';
export * from './generate.js';
