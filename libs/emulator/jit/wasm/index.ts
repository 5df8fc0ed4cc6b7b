// jit/wasm: from IR to WebAssembly. encoder writes binary modules, lowering turns fragments into instructions.
export * from './encoder.js';
export * from './lowering.js';
