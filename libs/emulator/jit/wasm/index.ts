// jit/wasm: from IR to WebAssembly. encoder writes binary modules, lowering turns fragments into instructions; cpu-area and
// byte-swap are accesses to the CPU's state and to big-endian memory, mirror-index looks pages up, translation-call is how
// translations are called.
export * from './encoder.js';
export * from './lowering.js';
export { TRANSLATION_PARAMETERS, TRANSLATION_RESULTS } from './translation-call.js';
