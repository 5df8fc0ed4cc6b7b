// accel/jit: keeps the translations of a vCPU's hot code.
export * from './translator.js';
